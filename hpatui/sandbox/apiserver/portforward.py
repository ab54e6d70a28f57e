"""Port-forward: a pod's ports over one connection.

kubectl 1.31+      WebSocket, subprotocol SPDY/3.1+portforward.k8s.io: SPDY frames in binary messages
kubectl before     POST, Upgrade: SPDY/3.1: SPDY frames on the bare connection
Python client      WebSocket, subprotocol v4.channel.k8s.io: messages begin with a channel number (2n data, 2n+1 error)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from hpatui.sandbox.apiserver.context import Server
from hpatui.sandbox.apiserver.paths import Target
from hpatui.sandbox.apiserver.runtime import Address
from hpatui.sandbox.apiserver.spdy import Data, Ended, Framer, Opened, Reset, SpdyError
from hpatui.sandbox.apiserver.status import bad_request

_TUNNEL = "SPDY/3.1+portforward.k8s.io"
_CHANNEL = "v4.channel.k8s.io"
_STREAMS = "portforward.k8s.io"
_CHUNK = 32 * 1024
Dial = Callable[[int], Address | None]


async def port_forward(server: Server, request: web.Request, target: Target) -> web.StreamResponse:
    """Forward ports until the client goes."""
    server.store.get(target.resource, target.namespace, target.name)

    def dial(port: int) -> Address | None:
        return server.runtime.pod_address(target.namespace or "", target.name, port)

    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade == "websocket":
        offered = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        if _TUNNEL in offered:
            return await _tunnel(request, dial)
        if _CHANNEL in offered:
            return await _channels(request, dial)
        raise bad_request(f"unable to upgrade: none of the requested subprotocols {offered} is served")
    if upgrade == "spdy/3.1":
        return await _bare(request, dial)
    raise bad_request("Upgrade request required")


async def _connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(address, str):
        return await asyncio.open_unix_connection(address)
    return await asyncio.open_connection(*address)


class _Forwards:
    """The streams of one SPDY connection: a pair (error, data) for each connection that the client forwards."""

    def __init__(self, dial: Dial, write: Callable[[bytes], None]) -> None:
        self._dial = dial
        self._framer = Framer(write)
        self._errors: dict[str, int] = {}  # request id -> error stream
        self._writers: dict[int, asyncio.StreamWriter] = {}  # data stream -> the pod's connection
        self._early: dict[int, list[Data]] = {}  # data that came before the pod's connection was open
        self._tasks: set[asyncio.Task[None]] = set()

    def feed(self, data: bytes) -> bool:
        """Take bytes from the client; False when it ends the connection or speaks nonsense."""
        try:
            events = self._framer.feed(data)
        except SpdyError:
            return False
        for event in events:
            if isinstance(event, Ended):
                return False
            if isinstance(event, Opened):
                self._open(event)
            elif isinstance(event, Reset):
                self._drop(event.stream)
            else:
                self._take(event)
        return True

    def _open(self, opened: Opened) -> None:
        kind, identity = opened.headers.get("streamtype"), opened.headers.get("requestid", "")
        port = opened.headers.get("port", "")
        if kind not in ("error", "data") or not port.isdigit():
            self._framer.reset(opened.stream)
            return
        self._framer.reply(opened.stream)
        if kind == "error":
            self._errors[identity] = opened.stream
            return
        self._early[opened.stream] = []
        task = asyncio.create_task(self._run(opened.stream, int(port), identity))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, stream: int, port: int, identity: str) -> None:
        """Connect to the pod and copy what it says to the client."""
        problem = ""
        address = self._dial(port)
        try:
            if address is None:
                raise ConnectionRefusedError(f"failed to connect to localhost:{port} inside the pod: refused")
            reader, writer = await _connect(address)
            self._writers[stream] = writer
            for data in self._early.pop(stream, []):
                self._take(data)
            while chunk := await reader.read(_CHUNK):
                self._framer.send(stream, chunk)
        except OSError as error:
            problem = f"an error occurred forwarding {port}: {error}"
        finally:
            self._drop(stream)
        self._framer.send(stream, b"", fin=True)
        errors = self._errors.pop(identity, None)
        if errors is not None:
            self._framer.send(errors, problem.encode(), fin=True)

    def _take(self, data: Data) -> None:
        writer = self._writers.get(data.stream)
        if writer is None:
            if data.stream in self._early:
                self._early[data.stream].append(data)
            return
        writer.write(data.data)
        if data.fin and writer.can_write_eof():
            with contextlib.suppress(OSError):
                writer.write_eof()

    def _drop(self, stream: int) -> None:
        self._early.pop(stream, None)
        writer = self._writers.pop(stream, None)
        if writer is not None:
            writer.close()

    def close(self) -> None:
        """End all connections to the pod."""
        for task in self._tasks:
            task.cancel()
        for stream in list(self._writers):
            self._drop(stream)


async def _tunnel(request: web.Request, dial: Dial) -> web.StreamResponse:
    socket = web.WebSocketResponse(protocols=(_TUNNEL,), max_msg_size=4 * 1024 * 1024)
    await socket.prepare(request)
    outgoing: asyncio.Queue[bytes] = asyncio.Queue()
    forwards = _Forwards(dial, outgoing.put_nowait)
    sender = asyncio.create_task(_send_all(socket, outgoing))
    try:
        async for message in socket:
            if message.type is not WSMsgType.BINARY or not forwards.feed(message.data):
                break
    finally:
        forwards.close()
        sender.cancel()
        await socket.close()
    return socket


async def _send_all(socket: web.WebSocketResponse, outgoing: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(OSError):
        while True:
            await socket.send_bytes(await outgoing.get())


class _Parser:
    """Takes over a connection from aiohttp after an upgrade: gets its bytes instead of the HTTP parser."""

    def __init__(self, forwards: _Forwards, done: asyncio.Future[None]) -> None:
        self._forwards = forwards
        self._done = done

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Bytes from the client."""
        ended = not self._forwards.feed(data)
        if ended:
            self.feed_eof()
        return ended, b""

    def feed_eof(self) -> None:
        """The client closed its side."""
        if not self._done.done():
            self._done.set_result(None)

    def set_exception(self, error: BaseException, cause: object = None) -> None:
        """The connection broke."""
        self.feed_eof()


async def _bare(request: web.Request, dial: Dial) -> web.StreamResponse:
    offered = request.headers.get("X-Stream-Protocol-Version", "")
    if _STREAMS not in offered:
        raise bad_request(f"unable to upgrade: stream protocol {offered!r} is not served")
    transport = request.transport
    if transport is None:
        raise bad_request("the connection is gone")
    response = web.StreamResponse(
        status=101,
        headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": _STREAMS},
    )
    await response.prepare(request)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    forwards = _Forwards(dial, transport.write)
    parser: Any = _Parser(forwards, done)  # aiohttp names its WebSocket reader; it calls these methods only
    request.protocol.set_parser(parser)
    try:
        await done
    finally:
        forwards.close()
        transport.close()
    return response


async def _channels(request: web.Request, dial: Dial) -> web.StreamResponse:
    texts = [part for value in request.query.getall("ports", []) for part in value.split(",")]
    if not texts or not all(text.isdigit() and 0 < int(text) < 65536 for text in texts):
        raise bad_request('query parameter "ports" is required and holds port numbers')
    socket = web.WebSocketResponse(protocols=(_CHANNEL,), max_msg_size=4 * 1024 * 1024)
    await socket.prepare(request)
    writers: dict[int, asyncio.StreamWriter] = {}

    readers: dict[int, asyncio.StreamReader] = {}

    async def open_port(index: int, port: int) -> None:
        """Connect to one port; what goes wrong is said on its error channel."""
        address = dial(port)
        for channel in (2 * index, 2 * index + 1):
            await socket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
        try:
            if address is None:
                raise ConnectionRefusedError("connection refused")
            readers[index], writers[index] = await _connect(address)
        except OSError as error:
            text = f"an error occurred forwarding {port}: {error}"
            await socket.send_bytes(bytes([2 * index + 1]) + text.encode())

    async def copy(index: int) -> None:
        """Copy what the pod says."""
        with contextlib.suppress(OSError):
            while chunk := await readers[index].read(_CHUNK):
                await socket.send_bytes(bytes([2 * index]) + chunk)

    async def copy_all() -> None:
        """All ports; when all pods' connections have ended, so has the whole."""
        await asyncio.gather(*(copy(index) for index in readers))
        await socket.close()

    # Messages that come meanwhile wait in the socket.
    for index, text in enumerate(texts):
        await open_port(index, int(text))
    task = asyncio.create_task(copy_all())
    try:
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                break
            writer = writers.get(message.data[0] // 2) if message.data and message.data[0] % 2 == 0 else None
            if writer is not None:
                writer.write(message.data[1:])
                await writer.drain()
    except OSError:
        pass  # the pod's side broke: the client sees the end of the connection
    finally:
        task.cancel()
        for writer in writers.values():
            writer.close()
        await socket.close()
    return socket
