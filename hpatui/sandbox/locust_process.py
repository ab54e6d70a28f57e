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


def main() -> None:
    """Run Locust's command line."""
    die_with_parent(signal.SIGKILL)
    names = json.loads(os.environ.pop(NAMES, "{}"))
    sys.argv[0] = "locust"
    from locust.main import main as locust  # patches what gevent patches

    resolve_inside(names)
    locust()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
