"""`hpatui sandbox`: the process that holds the API server and the controllers; the data plane is its child."""

from __future__ import annotations

import asyncio
import errno
import secrets
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hpatui.errors import SandboxError
from hpatui.sandbox.dataplane.client import DataPlaneProcess
from hpatui.sandbox.dataplane.messages import Usage
from hpatui.sandbox.lifetime import die_with_parent, watch_pipe
from hpatui.sandbox.log import log_to_stderr
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.process import READY
from hpatui.sandbox.scenarios.catalog import CATALOG

if TYPE_CHECKING:
    from aiohttp import web

    from hpatui.sandbox.controllers.engine import Driver
    from hpatui.sandbox.door import Door

HOST = "127.0.0.1"
_REPORT_LEAST, _REPORT_MOST = 0.05, 0.5  # real seconds between the data plane's reports


def run_sandbox(options: SandboxOptions) -> int:
    """Run until interrupted or until the parent is gone; the exit code. SandboxError when it cannot start."""
    options.check()
    log_to_stderr()
    if options.parent_pipe:
        die_with_parent()
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_serve(options))
    return uvloop.run(_serve(options))


async def _serve(options: SandboxOptions) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if options.parent_pipe:
        await watch_pipe(stop.set)
    listener = _listen(options.port)
    folder: Path | None = None
    try:
        if options.kubeconfig_out is None:
            folder = Path(tempfile.mkdtemp(prefix="hpatui-sandbox-"))
        path = Path(options.kubeconfig_out) if options.kubeconfig_out else (folder or Path()) / "kubeconfig"
        sandbox = Sandbox(options)
        try:
            url = await sandbox.start(listener, path.absolute(), stop)
            print(f"{READY} {url}  kubeconfig {path}", flush=True)  # noqa: T201  # the one line that says it is ready
            await stop.wait()
        finally:
            await sandbox.stop()
        if sandbox.lost:
            raise SandboxError("the sandbox's data plane ended by itself", hint="start the sandbox again")
        return 0
    finally:
        listener.close()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise SandboxError(f"port {port} {reason}", hint="choose another with --port, or 0 for any") from error
    return listener


class Sandbox:
    """A running sandbox in this process's event loop."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        timings = options.timings
        interval = min(_REPORT_MOST, max(_REPORT_LEAST, timings.metrics_resolution / options.speed / 4))
        self.dataplane = DataPlaneProcess(self._take_usage, self._data_plane_lost, interval)
        # The data plane's process starts while these are imported.
        from hpatui.sandbox.cluster import Cluster
        from hpatui.sandbox.containers import Containers
        from hpatui.sandbox.scenarios.rehearsal import age_of
        from hpatui.sandbox.warp import WarpClock

        self.clock = WarpClock(age_of(options.scenario, timings), options.speed)
        self.release = options.release
        self.cluster = Cluster(
            self.clock, timings, self.dataplane.send, speed=options.speed, interval=interval, release=self.release
        )
        kubelet = self.cluster.kubelet
        self.containers = Containers(self.cluster.context, self.dataplane.service_ports, kubelet.exited)
        kubelet.processes = self.containers
        self.lost = False  # the data plane ended by itself
        self._live = False
        self._stop: asyncio.Event | None = None
        self._runner: web.AppRunner | None = None
        self._door: Door | None = None
        self._driver: Driver | None = None

    async def start(self, listener: socket.socket, kubeconfig: Path, stop: asyncio.Event) -> str:
        """Build the scenario, serve it on `listener`, write the kubeconfig; the API server's URL."""
        from aiohttp import web

        from hpatui.sandbox.apiserver.app import make_app
        from hpatui.sandbox.certificate import make_certificate
        from hpatui.sandbox.controllers.engine import Driver
        from hpatui.sandbox.door import Door
        from hpatui.sandbox.edge import date_of
        from hpatui.sandbox.kubeconfig import write_kubeconfig
        from hpatui.sandbox.runtime import SandboxRuntime
        from hpatui.sandbox.scenarios.fleet import default_size

        self._stop = stop
        if self.lost:
            stop.set()
        self.dataplane.on_service = self.cluster.service_listens
        await self.dataplane.connect()
        self.cluster.build(self._options.scenario)
        self.clock.go()
        self.cluster.open(default_size(self._options.scenario, self._options.fleet))
        self._live = True
        token = secrets.token_urlsafe(24)
        runtime = SandboxRuntime(self.cluster, self.dataplane, self.containers, self._hang_up)
        app = make_app(self.cluster.store, runtime, token=token, release=self.release)
        app.on_response_prepare.append(date_of(self.clock))
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        assert self._runner.server is not None
        context, authority = make_certificate()
        self._door = Door(listener, self._runner.server, context)
        self._door.open()
        address = f"{HOST}:{listener.getsockname()[1]}"
        write_kubeconfig(
            kubeconfig, f"https://{address}", token, CATALOG[self._options.scenario].namespace, authority=authority
        )
        self._driver = Driver(self.cluster.engine, self._options.speed)
        return f"http://{address}"

    async def stop(self) -> None:
        """End the server and the data plane."""
        if self._driver is not None:
            self._driver.stop()
        if self._door is not None:
            await self._door.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.containers.close()
        self.dataplane.close()

    def _hang_up(self) -> None:
        """Reset every connection to the API server."""
        server = self._runner.server if self._runner is not None else None
        for connection in server.connections if server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()

    def _take_usage(self, report: Usage) -> None:
        if self._live:
            self.cluster.take_usage(report, max(0.0, time.monotonic() - report.time))

    def _data_plane_lost(self) -> None:
        self.lost = True
        if self._stop is not None:
            self._stop.set()
