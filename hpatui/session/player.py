"""A store at a moment of a recording, which can go on from there.

A jump does not play a week: it begins an hour before the moment, which is longer than any window of the controller that
is in use and fills the graph. In a recording of many HPAs only the selected one gets that hour; of the others there is
what was known at the moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hpatui.model import (
    EVERYTHING,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    LoadState,
    LoadView,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.record.concerning import Concerning
from hpatui.session.recording import RecordingPort
from hpatui.state.replay import STEP
from hpatui.state.store import Store

LOOKBACK = 3600.0  # seconds played before the moment that is jumped to
FEW = 30  # HPAs of which all are played
_SHARED = (Kind.WORKLOAD, Kind.SCALE, Kind.POD, Kind.POD_USAGE)
TAIL = 30.0  # seconds before a moment in which each tick is explained, as to a spectator: more than any word waits to settle
SILENT = 3.0  # seconds without a sample of load after which there is none, where its end was not recorded


class Player:
    """`store` is at `time`. What was recorded later than the recording was opened is met as well."""

    def __init__(
        self, recording: RecordingPort, key: Key | None, at: float, *, namespace: str | None = None,
        since: float | None = None, hpas: Sequence[Key] | None = None, few: int = FEW,
    ) -> None:  # fmt: skip
        """`key`: the selected HPA (None: the first there is). `namespace`: only its HPAs (None: all). `since`: begin there
        instead of an hour before. `hpas`: those in the recording, where they are known already.
        """
        meta = recording.meta
        began = max(meta.first, at - LOOKBACK) if since is None else max(meta.first, min(since, at))
        self.began = self.time = began
        self._recording, self._namespace = recording, namespace
        known = [k for k in (recording.hpas() if hpas is None else hpas) if namespace in (None, k.namespace)]
        self.key = key if key in known else known[0] if known else None
        self.store = Store(
            context=meta.context, namespace=namespace, sandbox=meta.sandbox, flags=meta.flags, now=began, observe="auto"
        )
        self.store.connected(
            context=meta.context, sandbox=meta.sandbox, server_version=meta.server_version, flags=meta.flags
        )
        self._concerning = Concerning(self.key) if self.key is not None else None
        self._sampled: float | None = None
        self._loaded = False  # the load's own state was recorded
        self._shared = False  # there are facts about all HPAs
        self._told = False  # so was how far the HPAs could be trusted
        self._next_tick = began + STEP
        self._seen_from = at - TAIL
        self._waiting: Seen | None = None
        if len(known) > few and self.key is not None and at > began:
            self._facts: Iterator[Seen] = iter(())
            for seen in recording.facts(began, at, self.key):
                self._go_to(seen.time, STEP)
                self._take(seen)
            self._facts = recording.facts(at, float("inf"))
        else:
            self._facts = recording.facts(began, float("inf"))
        self.advance(at)

    def advance(self, until: float, step: float = STEP) -> None:
        """Play on up to and with `until`; between facts time passes in steps of `step` seconds."""
        self._seen_from = until - TAIL
        while True:
            seen = self._waiting if self._waiting is not None else next(self._facts, None)
            self._waiting = None
            if seen is None:
                break
            if seen.time > until:
                self._waiting = seen
                break
            self._go_to(seen.time, step)
            self._take(seen)
        self._go_to(until, step)
        self.time = max(self.time, until)

    def next_time(self) -> float | None:
        """When the next fact was seen; None at the end."""
        if self._waiting is None:
            self._waiting = next(self._facts, None)
        return self._waiting.time if self._waiting is not None else None

    def _go_to(self, time: float, step: float) -> None:
        while self._next_tick <= time:
            now = self._next_tick
            self._next_tick += step
            if self._sampled is not None and not self._loaded and now - self._sampled > SILENT:
                self._sampled = None
                self.store.take(Seen(now, LoadChanged(LoadView(), "load off")))
            self._tick(now)

    def _tick(self, now: float) -> None:
        if now < self._seen_from:
            self.store.pass_time(now)
        else:
            self.store.take(Seen(now, Tick()))

    def _take(self, seen: Seen) -> None:
        what = seen.what
        if isinstance(what, Tick):  # recorded ones are as good as ours, and were there when it happened
            self._next_tick = seen.time + 1.5 * STEP
        if isinstance(what, LoadSample | LoadChanged):
            self._take_load(seen.time, what)
        elif self._namespace is not None and isinstance(what, Listed | Upserted) and what.kind is Kind.HPA:
            seen = self._within(seen)
        if isinstance(what, StatusChanged) and what.kind is Kind.HPA and not what.scope:
            self._told = True
        if isinstance(what, Tick):
            self._tick(seen.time)
        elif self._namespace is None or not _elsewhere(seen, self._namespace):
            self.store.take(seen)
        if isinstance(what, Listed | Upserted) and what.kind is Kind.HPA:
            self._found_hpas(seen.time)
        self._take_details(seen)
        if isinstance(what, Listed | Upserted | Deleted | StatusChanged) and what.scope:
            self._take_alone(seen.time, what)

    def _take_alone(self, now: float, what: Listed | Upserted | Deleted | StatusChanged) -> None:
        """Where one HPA's details are all there is (an export of it), they are what is known of all HPAs as well: from that
        the list's decisions are made.
        """
        self._shared = self._shared or what.scope == EVERYTHING
        if self._shared or self.key is None or what.scope != str(self.key) or what.kind not in _SHARED:
            return
        hpa = self.store.hpa(self.key)
        of = hpa.reference.kind if hpa is not None and what.kind in (Kind.WORKLOAD, Kind.SCALE) else ""
        if isinstance(what, Listed | Deleted):
            self.store.take(Seen(now, replace(what, scope=EVERYTHING, of=of)))
        else:
            self.store.take(Seen(now, replace(what, scope=EVERYTHING)))

    def _take_details(self, seen: Seen) -> None:
        """What a fact about all HPAs tells of the selected one, which nobody had selected when it was recorded."""
        for one in self._concerning.filtered((seen,)) if self._concerning is not None else ():
            what = one.what
            if (
                one.what is not seen.what
                and isinstance(what, Listed | Upserted | Deleted | StatusChanged)
                and what.scope
            ):
                self.store.take(one)

    def _found_hpas(self, now: float) -> None:
        """Hold on to the selected HPA when it is created anew; and where HPAs are known, they were watched."""
        store = self.store
        if self.key is not None and store.focused != self.key and store.hpa(self.key) is not None:
            store.focus(self.key, now)
        if not self._told:
            self._told = True
            store.take(Seen(now, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, now, "", now))))

    def _take_load(self, now: float, what: LoadSample | LoadChanged) -> None:
        """Recordings from elsewhere have the samples of a load and not its state: then a sample means that it runs."""
        if isinstance(what, LoadChanged):
            self._loaded = True
            return
        if self._loaded:
            return
        view = self.store.load
        if self._sampled is None:
            view = LoadView(LoadState.RUNNING, "as recorded", what.stage, what.offered, now)
            self.store.take(Seen(now, LoadChanged(view, f"load {what.offered:g}/s")))
        self._sampled = now

    def _within(self, seen: Seen) -> Seen:
        """A list of HPAs without those of other namespaces."""
        what = seen.what
        if not isinstance(what, Listed):
            return seen
        items = tuple(i for i in what.items if isinstance(i, Hpa) and i.key.namespace == self._namespace)
        return Seen(seen.time, Listed(what.kind, items, what.scope, what.of))


def _elsewhere(seen: Seen, namespace: str) -> bool:
    what = seen.what
    return isinstance(what, Upserted) and what.kind is Kind.HPA and what.item.key.namespace != namespace
