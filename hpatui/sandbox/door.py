"""The API server's door: one port that speaks TLS and plain HTTP, whichever a client begins with.

kubectl needs TLS to say who it is; tools without certificates may say it over HTTP, for it is this machine's loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

_HANDSHAKE = b"\x16"  # the first byte of TLS
_PATIENCE = 60.0  # seconds in which a client says something


class Door:
    """Accepts connections of a listening socket and gives each to a protocol of `serve`."""

    def __init__(self, listener: socket.socket, serve: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext) -> None:
        self._listener = listener
        self._serve = serve
        self._tls = tls
        self._guests: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def open(self, backlog: int = 1024) -> None:
        """Listen."""
        self._listener.setblocking(False)
        self._listener.listen(backlog)
        self._task = asyncio.get_running_loop().create_task(self._accept())

    async def close(self) -> None:
        """Accept no more, and forget those who have said nothing yet."""
        tasks = [*self._guests, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:  # too many open files: wait until some are closed
                await asyncio.sleep(0.1)
                continue
            task = loop.create_task(self._greet(connection))
            self._guests.add(task)
            task.add_done_callback(self._guests.discard)

    async def _greet(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.timeout(_PATIENCE):
                await _readable(loop, connection)
            tls = self._tls if connection.recv(1, socket.MSG_PEEK) == _HANDSHAKE else None
            await loop.connect_accepted_socket(self._serve, connection, ssl=tls)
        except (OSError, TimeoutError):  # gone, silent, or of no trust in our certificate
            with contextlib.suppress(OSError):
                connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise


async def _readable(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        """Once is enough."""
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, wake)
    try:
        await ready
    finally:
        loop.remove_reader(connection)
