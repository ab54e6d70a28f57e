"""A sandbox in a child process of its own: for `hpatui demo` and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hpatui.errors import SandboxError
from hpatui.sandbox.options import SandboxOptions

READY = "sandbox ready:"
_START_WITHIN = 60.0  # seconds; it takes about one
_STOP_WITHIN = 3.0


@dataclass(frozen=True, slots=True)
class SandboxHandle:
    """A running sandbox: its kubeconfig, the API server's URL and the process."""

    kubeconfig_path: Path
    url: str
    pid: int


class SandboxProcess:
    """Starts and stops one sandbox. It has its own session, no terminal, and ends when this process ends."""

    def __init__(self, options: SandboxOptions, within: Path | None = None) -> None:
        """`within`: the folder in which its own private one is made (default: that for temporary files)."""
        self._options, self._within = options, within
        self._process: asyncio.subprocess.Process | None = None
        self._folder: Path | None = None
        self._errors: asyncio.Task[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def ended(self) -> None:
        """Return once the sandbox that runs ends by itself; at once where none runs."""
        if self._process is not None:
            await self._process.wait()

    async def start(self) -> SandboxHandle:
        """Start it and wait until it is ready; SandboxError, in one line, if it does not get there."""
        self._options.check()
        await self.stop()
        self._folder = Path(tempfile.mkdtemp(prefix="hpatui-sandbox-", dir=self._within))
        kubeconfig = Path(self._options.kubeconfig_out or self._folder / "kubeconfig")
        options = replace(self._options, kubeconfig_out=str(kubeconfig), parent_pipe=True)
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hpatui.sandbox", json.dumps(asdict(options)),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            await self.stop()
            raise SandboxError(f"cannot start the sandbox: {error.strerror}") from error
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None and stderr is not None
        self._errors = asyncio.create_task(_last_bytes(stderr))
        try:
            async with asyncio.timeout(_START_WITHIN):
                line = (await stdout.readline()).decode(errors="replace")
        except TimeoutError:
            line = ""
        except BaseException:
            await self.stop()
            raise
        if not line.startswith(READY):
            said = await self._said()
            await self.stop()
            raise SandboxError(said or "the sandbox did not start", hint="`hpatui sandbox` shows more")
        return SandboxHandle(kubeconfig, line.removeprefix(READY).split()[0], self._process.pid)

    async def stop(self) -> None:
        """End it and remove its files; does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            await _end(process)
        if self._errors is not None:
            self._errors.cancel()
            self._errors = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    async def _said(self) -> str:
        """The last line that it wrote to standard error."""
        process, errors = self._process, self._errors
        if process is None or errors is None:
            return ""
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                text = (await errors).decode(errors="replace").strip()
        except TimeoutError:
            return ""
        return text.splitlines()[-1].removeprefix("hpatui: ") if text else ""


async def _last_bytes(stream: asyncio.StreamReader, most: int = 4096) -> bytes:
    """Read to the end, so that the writer never blocks; the last bytes."""
    rest = b""
    while data := await stream.read(65536):
        rest = (rest + data)[-most:]
    return rest


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and SIGKILL to its whole group if that does not help."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_WITHIN):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
