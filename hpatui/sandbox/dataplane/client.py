"""The sandbox's side of the data plane: starts the process, sends orders, keeps ports and hands on usage."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import cast

import msgspec

from hpatui.errors import SandboxError
from hpatui.sandbox.dataplane.messages import (
    DropService,
    Lines,
    Order,
    PodListening,
    Report,
    ServiceListening,
    StopPod,
    Usage,
    to_line,
)


class DataPlaneProcess(asyncio.Protocol):
    """A running data plane. `pod_ports` and `service_ports` are local ports by pod uid and `namespace/name:port`."""

    def __init__(self, on_usage: Callable[[Usage], None], on_lost: Callable[[], None], interval: float = 0.5) -> None:
        self.pod_ports: dict[str, int] = {}
        self.service_ports: dict[str, int] = {}
        self.on_service: Callable[[str, int], None] = lambda name, port: None
        self._on_usage = on_usage
        self._on_lost = on_lost
        self._lines = Lines()
        self._decoder: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._closed = False
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "hpatui.sandbox.dataplane", str(theirs.fileno()), str(interval)]
            try:
                self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
            except OSError as error:
                ours.close()
                raise SandboxError(f"cannot start the sandbox's data plane: {error.strerror}") from error
        self._socket = ours

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def connect(self) -> None:
        """Attach to the running loop; orders sent before wait until now."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=self._socket)

    def send(self, order: Order) -> None:
        """Send one order; they are carried out in order."""
        match order:
            case StopPod(uid=uid, drain=False):
                self.pod_ports.pop(uid, None)
            case DropService(service=name):
                self.service_ports.pop(name, None)
        line = to_line(order)
        if self._transport is None:
            self._waiting.append(line)
        elif not self._transport.is_closing():
            self._transport.write(line)

    def close(self) -> None:
        """End the process and wait for it. (Should we end without this, the closed socket ends it.)"""
        self._closed = True
        self._process.kill()  # it keeps nothing that would have to be put away
        if self._transport is not None:
            self._transport.abort()
        self._socket.close()
        self._process.wait()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what waited."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"".join(self._waiting))
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Reports."""
        for line in self._lines.feed(data):
            match self._decoder.decode(line):
                case PodListening(uid=uid, port=port):
                    self.pod_ports[uid] = port
                case ServiceListening(service=name, port=port):
                    self.service_ports[name] = port
                    self.on_service(name, port)
                case Usage() as usage:
                    self._on_usage(usage)

    def connection_lost(self, exc: Exception | None) -> None:
        """The process is gone; only expected after `close`."""
        if not self._closed:
            self._on_lost()
