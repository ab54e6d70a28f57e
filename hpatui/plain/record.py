"""`hpatui record`: a session without a screen that is recorded until a moment, or until it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from typing import TextIO

from hpatui.api.waiting import raise_if_ended
from hpatui.clock import Clock, SystemClock, as_datetime
from hpatui.errors import RecordingError, UsageError
from hpatui.model import SourceState
from hpatui.plain import login
from hpatui.session.live import Session
from hpatui.session.moments import next_moment, parse_span
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable

LOOK = 1.0  # seconds between looks at what the recorder says
_NO_WAY = ("another hpatui", "newer hpatui", "is no recording", "another program")  # nothing that waiting mends


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """`until`: epoch seconds (None: until interrupted); `out`: the file (empty: that of the context); `port` of the metrics
    (None: none are served).
    """

    until: float | None = None
    out: str = ""
    port: int | None = None
    address: str = ""


def until_of(text: str, now: float) -> float:
    """A duration from now, or a moment to come. UsageError where it is neither, or is over."""
    with contextlib.suppress(UsageError):
        return now + parse_span(text)
    return next_moment(text, now)


async def record(settings: Settings, options: RecordOptions, clock: Clock | None = None) -> int:
    """Record; returns the exit code. RecordingError where nothing can be recorded at all."""
    clock = clock or SystemClock()
    session = Session(settings, clock, details=False, say=login.say, ask=login.ask, record=options.out or True)
    try:
        return await _Recording(session, options, clock, sys.stdout).run()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await session.stop()


class _Recording:
    def __init__(self, session: Session, options: RecordOptions, clock: Clock, out: TextIO) -> None:
        self._session, self._options, self._clock, self._out = session, options, clock, out
        self._said = ""
        self._begun = False

    async def run(self) -> int:
        options, session = self._options, self._session
        metrics = None
        if options.port is not None:
            from hpatui.plain.metrics import MetricsServer

            metrics = MetricsServer(options.address, options.port)
            self._print(f"metrics on port {metrics.port}, path /metrics")
        changed = asyncio.Event()
        unsubscribe = session.subscribe(lambda _snapshot: changed.set())
        await session.start()
        try:
            while options.until is None or self._clock.time() < options.until:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await changed.wait()
                changed.clear()
                snapshot = session.snapshot
                raise_if_ended(snapshot)
                await self._look(snapshot)
                if metrics is not None:
                    metrics.show(snapshot, session.controller(), self._clock.time())
        finally:
            unsubscribe()
            if metrics is not None:
                metrics.close()
            self._end()
        return 0

    async def _look(self, snapshot: Snapshot) -> None:
        """Print what is new: the file, the state of the connection, what is wrong with the disk."""
        recorder = self._session.store.recorder
        if recorder is not None:
            if not self._begun:
                self._begun = True
                await self._begin(str(recorder.path), snapshot)
            if any(words in recorder.problem for words in _NO_WAY):
                raise RecordingError(recorder.problem)
        status = snapshot.status
        line = ""
        if status.state is not SourceState.LIVE:
            line = f"{status.state}: {status.message}" if status.message else str(status.state)
        elif self._begun:
            line = f"watching {len(snapshot.rows)} HPAs"
        if line and line != self._said:
            self._said = line
            self._print(line)
        for notice in snapshot.notices:
            if notice.title == "Recording":
                self._print(notice.text)

    async def _begin(self, path: str, snapshot: Snapshot) -> None:
        until = self._options.until
        when = f" until {as_datetime(until).astimezone():%Y-%m-%d %H:%M:%S}" if until is not None else ""
        self._print(f"recording {snapshot.context or 'the cluster'} to {path}{when}")

    def _end(self) -> None:
        recorder = self._session.store.recorder
        if recorder is not None and self._begun and not recorder.problem:
            self._print(f"recorded to {recorder.path}; look at it with `hpatui replay {recorder.path}`")

    def _print(self, line: str) -> None:
        now = as_datetime(self._clock.time()).astimezone()
        print(f"{now:%H:%M:%S} {printable(line)}", file=self._out, flush=True)
