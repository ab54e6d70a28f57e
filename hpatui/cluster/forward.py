"""Port-forwards: to one pod, and to every ready pod of a Service, following the pods as they come and go.

Each pod has a local port. Each connection to it becomes a WebSocket to the API server (subprotocol v4.channel.k8s.io:
the first byte of a message is its channel, 0 for data, 1 for errors; the first message on each repeats the port).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from hpatui.cluster.connect import Connection
from hpatui.cluster.target import ServiceRoute
from hpatui.cluster.wire import aiohttp
from hpatui.errors import ClusterError

LOOK = 1.0  # seconds between looks at the pods
_PROTOCOL = "v4.channel.k8s.io"
_CHUNK = 64 * 1024
Route = tuple[str, int, str]


class Forwarder:
    """Local ports that lead to ports of pods in one namespace."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace
        self._streams: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    async def listen(self, pod: str, port: int) -> tuple[asyncio.Server, int]:
        """A listener on the loopback and its port."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._streams.add(task)
            try:
                await self._carry(pod, port, reader, writer)
            except (ClusterError, OSError, aiohttp.ClientError, asyncio.CancelledError):
                pass  # the other end sees the closed connection; the task ends here in any case
            finally:
                self._streams.discard(task)
                writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self._servers.append(server)
        return server, int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close all listeners and connections."""
        for server in self._servers:
            server.close()
        for task in self._streams:
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)

    async def _carry(self, pod: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/portforward"
        async with self._connection.websocket(path, {"ports": str(port)}, _PROTOCOL) as socket:
            sending = asyncio.create_task(_send(reader, socket))
            try:
                await _receive(socket, writer)
            finally:
                sending.cancel()


class PodForwards:
    """Use `start`, then `follow` in a task of your own, then `close`."""

    def __init__(self, connection: Connection, route: ServiceRoute) -> None:
        self._connection = connection
        self._service = route
        self._forwarder = Forwarder(connection, route.namespace)
        self._servers: dict[str, tuple[asyncio.Server, int]] = {}  # pod -> listener, local port

    async def start(self) -> list[Route]:
        """Open a local port for each ready pod: (host, port, pod). ClusterError where the pods cannot be listed."""
        await self._look()
        return self.routes

    @property
    def routes(self) -> list[Route]:
        """The local ports as they are."""
        return [("127.0.0.1", port, pod) for pod, (_, port) in sorted(self._servers.items())]

    async def follow(self, changed: Callable[[list[Route]], None]) -> None:
        """Look at the pods again and again; `changed` gets the routes whenever a pod came or went."""
        while True:
            await asyncio.sleep(LOOK)
            before = self.routes
            with contextlib.suppress(ClusterError):
                await self._look()
            if self.routes != before:
                changed(self.routes)

    async def close(self) -> None:
        """Close everything."""
        self._servers.clear()
        await self._forwarder.close()

    async def _look(self) -> None:
        service = self._service
        selector = ",".join(f"{key}={value}" for key, value in service.selector.items())
        path = f"/api/v1/namespaces/{service.namespace}/pods"
        found = await self._connection.get_json(path, {"labelSelector": selector})
        ready = {str(pod["metadata"]["name"]): pod for pod in found.get("items") or () if _is_ready(pod)}
        for name in self._servers.keys() - ready.keys():
            server, _ = self._servers.pop(name)
            server.close()
        for name in ready.keys() - self._servers.keys():
            port = _port_of(ready[name], service.target_port)
            if port is not None:
                self._servers[name] = await self._forwarder.listen(name, port)


async def _send(reader: asyncio.StreamReader, socket: aiohttp.ClientWebSocketResponse) -> None:
    while data := await reader.read(_CHUNK):
        await socket.send_bytes(b"\x00" + data)
    await socket.close()


async def _receive(socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
    greeted: set[int] = set()
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            return
        channel, data = message.data[0], message.data[1:]
        if channel not in greeted:
            greeted.add(channel)  # the port, repeated
            continue
        if channel != 0:
            return  # what goes wrong in the pod ends the connection
        writer.write(data)
        await writer.drain()


def _is_ready(pod: Mapping[str, Any]) -> bool:
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def _port_of(pod: Mapping[str, Any], wanted: int | str) -> int | None:
    """The container port by its number or name."""
    if isinstance(wanted, int):
        return wanted
    for container in (pod.get("spec") or {}).get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == wanted:
                return int(port["containerPort"])
    return None
