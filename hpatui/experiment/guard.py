"""A process that waits for a run to end and cleans up after one that was killed: `python -m hpatui.experiment.guard JOURNAL`.

It holds the journal's lock and the other end of the run's pipe. A word on the pipe says that nothing is left to do; its end
without a word says that the run is no more. Signals that are meant for the run do not end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from hpatui.errors import HpatuiError

READY, DONE = b"ready\n", b"done\n"
SETTLE = 0.5  # seconds for the last request of a killed run to arrive where it was sent
PATIENCE = 600.0  # seconds in which a cluster that is away may come back


def main(path: Path) -> int:
    """Wait, and clean up where that is due; the exit code."""
    import fcntl

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(file, fcntl.LOCK_SH)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    if sys.stdin.buffer.readline() == DONE:
        return 0
    import time

    from hpatui.experiment.putback import put_back

    time.sleep(SETTLE)
    return 1 if asyncio.run(put_back(path, patience=PATIENCE)) else 0


class Guard:
    """The run's side of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it watches. HpatuiError where it does not: then nothing may be made."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hpatui.experiment.guard", str(self._path),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            assert self._process.stdout is not None
            async with asyncio.timeout(30):
                word = await self._process.stdout.readline()
        except (OSError, TimeoutError) as error:
            raise HpatuiError(f"the process that cleans up cannot be started: {error}") from error
        if word != READY:
            raise HpatuiError("the process that cleans up did not start", hint="the log file may say why")

    async def release(self) -> None:
        """Nothing is left to do; idempotent."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(DONE)
                await process.stdin.drain()
                process.stdin.close()
            await process.wait()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
