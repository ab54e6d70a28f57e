"""A store that is recorded while it is filled: what enters it goes to a `Recorder` too, from when it is known which cluster
it is of until another one is watched.

Recording never harms the live view: it works in a thread of its own, and what goes wrong there is said in one line.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpatui.clock import Clock
from hpatui.model import ControllerFlags, Seen, Tick
from hpatui.settings import Settings
from hpatui.state.store import Store

if TYPE_CHECKING:
    from hpatui.record.meta import Meta
    from hpatui.record.writer import Recorder

MEGA = 1_000_000
DEMO_SIZE = 64  # MB of the recording of a sandbox
SHARED = ".hpatui"
KEPT = 3  # recordings of other sandboxes
SLOW = 20.0  # seconds that a disk may take at the end


class RecordedStore(Store):
    """`record`: whether to record, or the file to record to (one that ends in `.hpatui` is a single file at the end, to be
    handed on). Times are those of the store, in whole milliseconds.
    """

    def __init__(
        self, settings: Callable[[], Settings], record: bool | str, clock: Clock, *,
        context: str, namespace: str | None, observe: str,
    ) -> None:  # fmt: skip
        super().__init__(context=context, namespace=namespace, now=clock.time(), observe=observe)
        self._settings, self._record, self._clock = settings, record, clock
        self.recorder: Recorder | None = None
        self._told = ""
        self._ending: list[threading.Thread] = []

    @property
    def recording(self) -> Path | None:
        """The file that is written; None where nothing is recorded, or cannot be."""
        recorder = self.recorder
        return recorder.path if recorder is not None and not recorder.hopeless else None

    def take(self, seen: Seen) -> bool:
        seen = Seen(round(seen.time, 3), seen.what)
        visible = super().take(seen)
        if self.recorder is not None:
            self.recorder.take(seen)
            if isinstance(seen.what, Tick):
                visible = self._listen(self.recorder, seen.time) or visible
        return visible

    def _listen(self, recorder: Recorder, now: float) -> bool:
        """Say what the recorder has to say. True if it had anything."""
        lines = [recorder.said.popleft() for _ in range(len(recorder.said))]
        if recorder.problem != self._told:
            self._told = recorder.problem
            lines += [recorder.problem] if recorder.problem else []
        for line in lines:
            self.note("Recording", line, "warning", now)
        return bool(lines)

    def connected(self, *, context: str, sandbox: bool, server_version: str, flags: ControllerFlags) -> None:
        super().connected(context=context, sandbox=sandbox, server_version=server_version, flags=flags)
        if not self._record:
            return
        from hpatui.record.meta import Meta

        self._begin(Meta(context=context, server_version=server_version, flags=flags, sandbox=sandbox))

    def _begin(self, meta: Meta) -> None:
        from hpatui.record.places import recording_path
        from hpatui.record.writer import Recorder

        settings = self._settings()
        path = (
            Path(self._record).expanduser() if isinstance(self._record, str) else recording_path(settings, meta.context)
        )
        known = self.recorder
        if known is not None and known.path == path and replace(known.meta, version="") == meta:
            return
        self._drop()
        size = settings.record_size
        if meta.sandbox and not isinstance(self._record, str):
            size = min(size, DEMO_SIZE)
            _forget_other_sandboxes(path)
        self.recorder = Recorder(
            path,
            meta,
            self._clock,
            live=True,
            single=path.suffix == SHARED,
            days=settings.record_days,
            size=size * MEGA,
        )

    def reset(self, *, context: str, namespace: str | None, now: float, sandbox: bool = False) -> None:
        super().reset(context=context, namespace=namespace, now=now, sandbox=sandbox)
        meta = self.recorder.meta if self.recorder is not None else None
        self._drop()
        if (
            meta is not None and meta.context == context
        ):  # another namespace of the same cluster: a recording of its own
            self._begin(replace(meta, version=""))

    def _drop(self) -> None:
        """End the recording so far, beside whatever goes on."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            thread = threading.Thread(target=recorder.close, name="end of a recording", daemon=True)
            thread.start()
            self._ending.append(thread)

    async def end(self) -> None:
        """Write what is left; a disk that hangs does not keep the program from ending."""
        self._drop()
        for thread in self._ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SLOW):
                    while thread.is_alive():
                        await asyncio.sleep(0.02)
        self._ending.clear()


def _forget_other_sandboxes(path: Path) -> None:
    """All but the newest recordings of other sandboxes: each has a kubeconfig, and so a file, of its own."""
    from hpatui.errors import RecordingError
    from hpatui.record.lock import Lock

    stem = path.stem.rpartition("-")[0]
    others = [other for other in path.parent.glob(f"{stem}-*.db") if other != path] if stem else []
    for other in sorted(others, key=lambda file: file.stat().st_mtime)[:-KEPT]:
        with contextlib.suppress(OSError, RecordingError):
            lock = Lock(other.with_name(other.name + ".lock"))
            for ending in ("", "-wal", "-shm", ".lock"):
                Path(f"{other}{ending}").unlink(missing_ok=True)
            lock.release()
