"""A Locust container of the sandbox: real Locust, to which Services have their names and nothing else on earth exists.

`python -m hpatui.sandbox.locust_process ARGS...`, started by `hpatui.sandbox.containers`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any

from hpatui.sandbox.lifetime import die_with_parent

SOCKETS = "HPATUI_SANDBOX_SOCKETS"  # a folder that only this user may enter
NAMES = "HPATUI_SANDBOX_NAMES"  # JSON: "host:port" as pods say it -> port on this machine's loopback


def resolve_inside(names: dict[str, int]) -> None:
    """From now on these names lead to their local ports; all others are unknown, so that no load leaves the machine."""
    import gevent.socket

    lookup = gevent.socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        local = names.get(f"{host}:{port}")
        if local is not None:
            return lookup("127.0.0.1", local, *args, **more)
        if str(host).startswith("127.") or host in (None, "", "localhost"):
            return lookup(host, port, *args, **more)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    gevent.socket.getaddrinfo = getaddrinfo


def listen_inside(folder: str) -> None:
    """Locust's bus and hpatui's control port are Unix sockets from now on, named by their ports' numbers."""
    import gevent.server
    import zmq.green as zmq

    sockets: Any = zmq.Socket
    bind, connect = sockets.bind, sockets.connect
    server = gevent.server.StreamServer

    def inside(address: str) -> str:
        return f"ipc://{folder}/{address.rpartition(':')[2]}"

    class StreamServer(server):  # type: ignore[misc, valid-type]
        def __init__(self, listener: tuple[str, int], *args: Any, **more: Any) -> None:
            own = socket.socket(socket.AF_UNIX)
            own.bind(f"{folder}/{listener[1]}")
            own.listen(16)
            own.setblocking(False)
            super().__init__(own, *args, **more)

    sockets.bind = lambda self, address: bind(self, inside(address))
    sockets.connect = lambda self, address: connect(self, inside(address))
    gevent.server.StreamServer = StreamServer


def main() -> None:
    """Run Locust's command line."""
    die_with_parent(signal.SIGKILL)
    folder = os.environ.pop(SOCKETS)
    names = json.loads(os.environ.pop(NAMES, "{}"))
    sys.argv[0] = "locust"
    from locust.main import main as locust  # patches what gevent patches

    resolve_inside(names)
    listen_inside(folder)
    locust()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
