"""Writes what a store takes into a recording. Nothing of it ever raises into the live view: `problem` says what is wrong.

`take` puts a fact into a queue. With `live`, a thread takes it from there every few seconds, so that neither a slow disk nor
packing holds up the event loop; otherwise whoever gives the facts does the work, some at a time.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from hpatui import __version__, logs
from hpatui.clock import Clock, SystemClock
from hpatui.errors import RecordingError
from hpatui.model import Event, Seen, Tick
from hpatui.record.database import DamagedRecording, connect, is_whole
from hpatui.record.keeper import Keeper, forget_old, recover
from hpatui.record.known import Known
from hpatui.record.lock import Lock
from hpatui.record.marks import rescales_in
from hpatui.record.meta import Meta
from hpatui.record.salvage import is_ours, move_aside, salvage

EVERY = 2.0  # seconds between writes: a killed process loses no more than this and what one write takes
AGAIN = 10.0  # seconds until what failed is tried again
FEW = 2000  # facts that are taken before they are written, without a thread
MOST = 50_000  # facts and operations that wait for a disk that cannot be written; then none are kept until it can
BACK = 2.0  # seconds by which a clock may be put back without a word
TIDY = 600.0  # seconds of facts between looks for what is too old
PATIENCE = 5.0  # seconds for which the writer before may take to end
DAYS, SIZE = 7.0, 1 << 30


class Recorder:
    """One writer of one recording, from its first fact to `close`."""

    def __init__(
        self, path: Path, meta: Meta, clock: Clock | None = None, *, live: bool = False, single: bool = False,
        days: float = DAYS, size: int = SIZE, every: float = EVERY,
    ) -> None:  # fmt: skip
        """Makes the file where there is none. `days` and `size` (bytes) bound what is kept; `single` leaves one file with
        nothing beside it after `close`. What is wrong is in `problem`; `said` has lines about what went on.
        """
        self.path, self.meta = path, replace(meta, version=__version__)
        self.problem = ""
        self.said: deque[str] = deque(maxlen=20)
        self._clock = clock or SystemClock()
        self._single, self._days, self._size, self._every = single, days, size, every
        self._queue: deque[Seen] = deque()
        self._known = Known()
        self._lock: Lock | None = None
        self._database: sqlite3.Connection | None = None
        self._keeper: Keeper | None = None
        self._last = self._tidied = self._ticked = float("-inf")
        self._retry_at = float("-inf")
        self._overrun = self._hopeless = self._closed = False
        self._work = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if live:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
        else:
            self.flush()

    # For whoever has the facts --------------------------------------------------------------------------------

    def take(self, seen: Seen) -> None:
        """Record one fact; cheap, never raises."""
        if self._closed or self._hopeless:
            return
        if isinstance(seen.what, Tick):  # not kept, but that somebody watched until then is
            self._ticked = seen.time
            return
        self._queue.append(seen)
        if self._thread is None:
            if len(self._queue) >= FEW:
                self.flush()
        elif len(self._queue) > MOST:  # the disk hangs, in the middle of a write
            self._queue.clear()
            self._overrun = True

    def flush(self) -> None:
        """What was taken is on disk afterwards, or `problem` says why not."""
        with self._work:
            self._guarded(self._flush)

    def close(self) -> None:
        """Write what is left; idempotent. Takes as long as the disk does: not for an event loop."""
        if self._closed:
            return
        self._closed = True
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._work:
            self._retry_at = float("-inf")
            self._guarded(self._flush)
            self._guarded(self._end)
            self._let_go()

    @property
    def hopeless(self) -> bool:
        """Whether nothing is recorded any more, for a reason that does not go away by itself: `problem`."""
        return self._hopeless

    # The work -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with self._work:
            self._guarded(self._flush)
        while not self._stop.wait(self._every):
            with self._work:
                self._guarded(self._flush)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a part of the work. Whatever goes wrong becomes a line; nothing goes wrong further than that."""
        if self._hopeless:
            return
        try:
            work()
        except RecordingError as error:
            self._hopeless = True
            self._queue.clear()
            self._problem(str(error))
        except (OSError, sqlite3.OperationalError) as error:
            self._later(_words(error))
        except sqlite3.DatabaseError as error:
            self._damaged(str(error))
        except Exception as error:  # noqa: BLE001 - whatever nobody expected must not reach the live view
            self._later(logs.failure("recording", error))

    def _flush(self) -> None:
        failed = self._clock.monotonic() < self._retry_at
        if self._database is None and not failed:
            self._open()
        while self._queue:
            self._one(self._queue.popleft())
        if self._keeper is None or failed:
            return
        if self._ticked > self._keeper.last and not self._overrun:
            self._keeper.watched(self._ticked)
        self._keeper.write()
        if self.problem:
            self.problem = ""
            self.said.append(f"recording to {self.path} again")
        while (shard := self._keeper.due()) is not None:
            self._keeper.pack(shard)
        if self._last - self._tidied > TIDY and self._database is not None:
            self._tidied = self._last
            forget_old(self._database, self._last - self._days * 86400, self._size)

    def _one(self, seen: Seen) -> None:
        """One fact from the queue. Times of a run never go back."""
        if seen.time < self._last - BACK:
            self._set_back(seen.time)
        self._last = max(self._last, seen.time)
        if self._database is not None and (self._keeper is None or self._overrun):
            self._begin()
        keeper = self._keeper
        if keeper is not None and keeper.waiting > MOST:
            keeper = self._keeper = None  # what it has cannot be written; from when it can, what is known then
        if keeper is not None:
            for item in rescales_in(seen.what, self._known):
                told = item.last_seen if isinstance(item, Event) else None
                keeper.mark(told or self._last, item)
            self._write_down(keeper, seen.what)
        self._known.take(seen.what)

    def _write_down(self, keeper: Keeper, what: object) -> None:
        try:
            keeper.take(self._last, keeper.world.ops(Seen(self._last, what)))  # type: ignore[arg-type]
        except (ValueError, TypeError, OverflowError) as error:  # one fact that cannot be written is left out
            logs.failure("recording a fact", error)

    def _begin(self) -> None:
        """A new run, which begins with all that is known."""
        assert self._database is not None
        self._overrun = False
        self._keeper = keeper = Keeper(self._database, self._last, msgspec.json.encode(self.meta).decode())
        for seen in self._known.told(self._last):
            self._write_down(keeper, seen.what)

    def _set_back(self, to: float) -> None:
        """The clock was set back: what comes is a run of its own, and hides what was recorded after its beginning."""
        back = self._last - to
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None
        self._last = self._tidied = to
        self.said.append(f"the clock was set back by {back:.0f} s: the time that comes again is recorded anew")

    # The file -------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._lock is None:
            self._lock = self._locked()
        self.path.touch(mode=0o600)
        try:
            database = connect(self.path)
        except DamagedRecording as error:
            self._damaged(error.message)
            return
        self._database = database
        if not is_whole(database):
            raise sqlite3.DatabaseError("it is not whole")
        recover(database)
        text = msgspec.json.encode(self.meta).decode()
        database.execute("INSERT OR REPLACE INTO meta VALUES (1, ?)", (text,))

    def _locked(self) -> Lock:
        """The lock; the writer before may still be at its end."""
        until = time.monotonic() + (PATIENCE if self._thread is not None else 0.0)
        while True:
            try:
                return Lock(self.path.with_name(self.path.name + ".lock"))
            except RecordingError:
                if time.monotonic() >= until:
                    raise
                time.sleep(0.1)

    def _damaged(self, why: str) -> None:
        """Put the file aside, begin a new one, and copy what can be read."""
        if self._database is not None:
            self._database.close()
        self._database = self._keeper = None
        try:
            if not is_ours(self.path):
                raise RecordingError(f"{self.path} is no recording ({why})", hint="name another file")
            aside = move_aside(self.path, self._clock.time())
            database = connect(self.path)
            kept, lost = salvage(aside, database)
            recover(database)
            text = msgspec.json.encode(self.meta).decode()
            database.execute("INSERT OR REPLACE INTO meta VALUES (1, ?)", (text,))
            self._database = database
        except (OSError, sqlite3.Error, RecordingError) as error:
            self._hopeless = True
            self._problem(str(error))
            return
        parts = f"{kept} of {kept + lost} parts of it could be kept" if kept + lost else "nothing of it could be read"
        self.said.append(f"the recording was damaged ({why}): moved to {aside.name}, {parts}")
        if self._known.channels or self._known.statuses:
            self._guarded(self._begin)

    def _end(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None
        if self._database is not None:
            forget_old(self._database, max(self._last, 0.0) - self._days * 86400, self._size)
            if self._single:
                self._database.execute("VACUUM")
                self._database.execute("PRAGMA journal_mode = DELETE")
            else:
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._lock is not None:
            if self._single:
                self.path.with_name(self.path.name + ".lock").unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    # What is wrong --------------------------------------------------------------------------------------------

    def _later(self, why: str) -> None:
        """What failed is tried again after a while."""
        self._retry_at = self._clock.monotonic() + AGAIN
        self._problem(f"cannot record to {self.path}: {why}; tried again every {AGAIN:.0f} s")

    def _problem(self, line: str) -> None:
        if line != self.problem:
            logs.write("recording", line)
        self.problem = line


def _words(error: Exception) -> str:
    """What the system says, without what it says it about."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error)
    if "full" in text:
        return "the disk is full"
    if "readonly" in text or "unable to open" in text:
        return "the file or its folder cannot be written"
    return text
