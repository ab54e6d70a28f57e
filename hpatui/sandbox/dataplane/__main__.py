"""The data plane's process: `python -m hpatui.sandbox.dataplane FD INTERVAL`; ends when the other end of FD closes."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from typing import cast

import msgspec

from hpatui.sandbox.dataplane.messages import Lines, Order
from hpatui.sandbox.dataplane.plane import DataPlane
from hpatui.sandbox.lifetime import die_with_parent


class Control(asyncio.Protocol):
    """Orders come in here; `ended` is set when the sandbox is gone."""

    def __init__(self, interval: float, ended: asyncio.Event) -> None:
        self._interval = interval
        self._ended = ended
        self._lines = Lines()
        self._decoder = msgspec.json.Decoder(Order)
        self.plane: DataPlane | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket pair is ready."""
        self.plane = DataPlane(cast(asyncio.Transport, transport), self._interval)

    def data_received(self, data: bytes) -> None:
        """Lines of orders."""
        assert self.plane is not None
        for line in self._lines.feed(data):
            self.plane.obey(self._decoder.decode(line))

    def connection_lost(self, exc: Exception | None) -> None:
        """The sandbox is gone."""
        self._ended.set()


async def serve(fd: int, interval: float) -> None:
    """Serve until the control socket closes."""
    ended = asyncio.Event()
    control = Control(interval, ended)
    await asyncio.get_running_loop().create_connection(lambda: control, sock=socket.socket(fileno=fd))
    await ended.wait()
    if control.plane is not None:
        control.plane.close()


def main() -> None:
    """Run on uvloop where it is installed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # what the whole process group gets is the sandbox's business
    die_with_parent(signal.SIGKILL)
    fd, interval = int(sys.argv[1]), float(sys.argv[2])
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(fd, interval))
    else:
        uvloop.run(serve(fd, interval))


if __name__ == "__main__":
    main()
