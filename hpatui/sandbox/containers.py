"""Containers that are real processes: those of Locust's image. All others are profiles (`workload`).

A process gets its pod's ConfigMaps and Secrets as files, the names of Services as they are then, and Unix sockets in a
folder of ours, to which the pod's ports lead. What it writes is the pod's log; its end is the container's.

Whoever may create pods must not run code here: it is hpatui's own locustfile or nothing (`locust_pod`).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpatui.sandbox import locust_pod
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.controllers.context import Context
from hpatui.sandbox.controllers.objects import Object
from hpatui.sandbox.locust_process import NAMES, SOCKETS
from hpatui.sandbox.pod_run import NotMountedError, PodRun

_BUS, _CONTROL = 5557, 5558  # Locust's own port, and that of hpatui's locustfile
_STOP_WITHIN = 2.0  # seconds from SIGTERM to SIGKILL
_HOST = "127.0.0.1"


@dataclass(slots=True)
class _Container:
    task: asyncio.Task[None]
    folder: Path
    ports: dict[int, int]
    process: asyncio.subprocess.Process | None = None
    killer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Containers:
    """`names`: the data plane's Services (`namespace/name:port`) and their local ports. `exited`: (pod's run, code)."""

    context: Context
    names: Mapping[str, int]
    exited: Callable[[PodRun, int], None]
    _running: dict[str, _Container] = field(default_factory=dict)
    _buses: dict[tuple[str, str], int] = field(default_factory=dict)  # (namespace, Service) -> local port
    _ports: int = 1  # the last number that a socket was named by
    _folder: Path | None = None

    @staticmethod
    def available() -> bool:
        """Whether Locust is installed here."""
        return importlib.util.find_spec("locust") is not None

    def start(self, pod: Object, run: PodRun) -> None:
        """Start the pod's process. NotMountedError where a volume is missing."""
        spec = pod["spec"]["containers"][0]
        folder = Path(tempfile.mkdtemp(prefix="hpatui-pod-"))
        try:
            mounts = self._mount(pod, spec, folder)
            command = locust_pod.command_of(spec)
            locust_pod.check_files(mounts)
        except (NotMountedError, locust_pod.RefusedError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, NotMountedError):
                raise
            self._refuse(run, str(error))
            return
        control, bus = self._next_port(), self._bus_of(pod)
        environment = {
            **locust_pod.environment(folder), "LOCUST_MASTER_BIND_HOST": _HOST, "LOCUST_MASTER_BIND_PORT": str(bus),
            "HPATUI_CONTROL_PORT": str(control), NAMES: json.dumps(self._resolved(run.key[0])),
            SOCKETS: str(self._sockets()),
        }  # fmt: skip
        for at, part in enumerate(command):
            if part == locust_pod.LOCUSTFILE:
                command[at] = str(mounts[locust_pod.FOLDER] / "locustfile.py")
            if part == "--master-host":
                service = command[at + 1].split(".")[0]
                environment["LOCUST_MASTER_NODE_PORT"] = str(self._bus(run.key[0], service))
                command[at + 1] = _HOST
        task = asyncio.get_running_loop().create_task(self._run(run, command, environment))
        self._running[run.uid] = _Container(task, folder, {_BUS: bus, _CONTROL: control})

    def _refuse(self, run: PodRun, why: str) -> None:
        """The container ends at once, and its log says why."""
        loop, now = asyncio.get_running_loop(), self.context.engine.clock.time()

        async def end() -> None:
            await asyncio.sleep(0)  # the kubelet begins the log after this
            run.log.write(f"{why}\n", now)
            self._running.pop(run.uid, None)
            self.exited(run, 1)

        self._running[run.uid] = _Container(loop.create_task(end()), Path(), {})

    def _sockets(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="hpatui-bus-"))  # mode 0700
        return self._folder

    def _next_port(self) -> int:
        self._ports += 1
        return self._ports

    def address(self, uid: str, port: int) -> str | None:
        """The Unix socket behind a port of a pod's process."""
        found = self._running.get(uid)
        local = found.ports.get(port) if found is not None else None
        return str(self._sockets() / str(local)) if local is not None else None

    def stop(self, run: PodRun) -> None:
        """SIGTERM, and SIGKILL soon after; its end is not reported any more."""
        found = self._running.pop(run.uid, None)
        if found is None:
            return
        if found.process is None:
            found.task.cancel()
            shutil.rmtree(found.folder, ignore_errors=True)
            return
        _signal(found.process, signal.SIGTERM)
        found.killer = asyncio.get_running_loop().call_later(_STOP_WITHIN, _signal, found.process, signal.SIGKILL)

    def close(self) -> None:
        """End all at once."""
        for found in self._running.values():
            if found.process is not None:
                _signal(found.process, signal.SIGKILL)
            found.task.cancel()
            shutil.rmtree(found.folder, ignore_errors=True)
        self._running.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _run(self, run: PodRun, arguments: list[str], environment: Mapping[str, str]) -> None:
        module = "hpatui.sandbox.locust_process"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", module, *arguments, env=environment, cwd=environment["HOME"],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True, limit=2**20,
        )  # fmt: skip
        container = self._running.get(run.uid)
        assert container is not None and process.stdout is not None
        container.process = process
        try:
            with contextlib.suppress(ValueError):  # a line without an end
                while line := await process.stdout.readline():
                    run.log.write(line.decode(errors="replace"), self.context.engine.clock.time())
            code = await process.wait()
        finally:
            if container.killer is not None:
                container.killer.cancel()
            shutil.rmtree(container.folder, ignore_errors=True)
        if self._running.pop(run.uid, None) is not None:
            self.exited(run, code if code >= 0 else 128 - code)

    # What a process finds around it

    def _mount(self, pod: Object, container: Object, folder: Path) -> dict[str, Path]:
        """Mount path -> local folder with the files of the volume."""
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
        mounts = {}
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            volume = volumes.get(mount["name"], {})
            sources = (volume.get("projected") or {}).get("sources") or [volume]
            local = folder / str(number)
            local.mkdir(mode=0o700)
            for source in sources:
                for name, content in self._files(pod["metadata"]["namespace"], source).items():
                    (local / Path(name).name).write_bytes(content)
            mounts[str(mount["mountPath"]).rstrip("/")] = local
        return mounts

    def _files(self, namespace: str, source: Mapping[str, Any]) -> dict[str, bytes]:
        if named := source.get("configMap"):
            found = self._find("configmaps", namespace, named["name"])
            return {name: str(text).encode() for name, text in (found.get("data") or {}).items()}
        if named := source.get("secret"):
            found = self._find("secrets", namespace, named.get("secretName") or named.get("name"))
            return {name: base64.b64decode(text) for name, text in (found.get("data") or {}).items()}
        return {}

    def _find(self, plural: str, namespace: str, name: str) -> Object:
        found = self.context.find(RESOURCES["", plural], namespace, name)
        if found is None:
            raise NotMountedError(f'{plural[:-1]} "{name}" not found')
        return found

    def _resolved(self, namespace: str) -> dict[str, int]:
        """The names that a pod of this namespace may call Services by, with ports -> local ports."""
        names = {}
        for service, local in self.names.items():
            space, _, rest = service.partition("/")
            name, _, port = rest.rpartition(":")
            full = f"{name}.{space}"
            for host in (full, f"{full}.svc", f"{full}.svc.cluster.local", *([name] if space == namespace else [])):
                names[f"{host}:{port}"] = local
        return names

    def _bus_of(self, pod: Object) -> int:
        """The local port of the Service that leads to this pod, on which Locust's workers find it."""
        space = pod["metadata"]["namespace"]
        services, _ = self.context.store.list(RESOURCES["", "services"], space)
        for service in services:
            selector = service["spec"].get("selector")
            if selector and matches({"matchLabels": selector}, pod["metadata"].get("labels")):
                return self._bus(space, service["metadata"]["name"])
        return self._next_port()

    def _bus(self, namespace: str, service: str) -> int:
        return self._buses.setdefault((namespace, service), self._next_port())


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
