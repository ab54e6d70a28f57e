"""Recorded scaling runs of a real control plane, replayed through the store with the trace's own clock and flags.

The clock: `started` is cut to whole seconds, so the missing fraction is taken from the objects' own times (none may be
newer than its arrival). Samples: the recorder asked for pod metrics every 5 s, whenever the sample was made; the
controller, and hpatui, see a sample when it is there. So each is delivered when it was made (not before the poll that
did not have it yet). An outage of the metrics API ends for the replay after the last refused poll: the sample that was
served then was not recorded, and is taken to be like the next one.

Counted for each trace: rescales whose size and reason the explanation told beforehand; countdowns that ended within one
sync of the real event; and rescales that were told and did not come within two syncs.
"""

from __future__ import annotations

import contextlib
import gzip
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from hpatui.autoscaler.explain import Explanation
from hpatui.clock import parse_rfc3339
from hpatui.forms.label_selectors import Selector, parse_selector
from hpatui.model import (
    ControllerFlags,
    Deleted,
    Event,
    Hpa,
    Key,
    Kind,
    Listed,
    OwnerLink,
    Pod,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.state.frames import Frame
from hpatui.state.history import parse_rescale
from hpatui.state.replay import ReplaySource, play
from hpatui.state.store import Store
from tests.conformance import trace_objects as objects

_KINDS = {"pod": Kind.POD, "event": Kind.EVENT, "replicaset": Kind.OWNER}
_MAKERS: dict[str, Callable[[Any], Pod | Event | OwnerLink]] = {
    "pod": objects.pod,
    "event": objects.event,
    "replicaset": objects.owner,
}
_TARGETS = ("deployment", "replicaset", "target")
_ASIDE = ("job", "resourcequota", "managedfields", "externalmetrics", "custommetrics", "scale")  # for the doctor's look
EFFECT_WITHIN = 3.0  # seconds between a rescale's first sign and its place in the HPA's status


@dataclass(frozen=True, slots=True)
class Told:
    """What the explanation said at a moment."""

    time: float
    explanation: Explanation


@dataclass(slots=True)
class TraceResult:
    """The counts of one trace; `notes` explain each miss."""

    name: str
    rescales: int = 0
    predicted: int = 0
    countdowns: int = 0
    in_time: int = 0
    unfulfilled: int = 0
    agreed: int = 0
    compared: int = 0
    notes: list[str] = field(default_factory=list)
    headlines: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Everything told came, and everything that came was told."""
        return self.predicted == self.rescales and self.in_time == self.countdowns and not self.unfulfilled

    def line(self) -> str:
        """One line with the two percentages."""
        rescales = f"{_percent(self.predicted, self.rescales)} ({self.predicted}/{self.rescales})"
        countdowns = f"{_percent(self.in_time, self.countdowns)} ({self.in_time}/{self.countdowns})"
        return (
            f"{self.name}: rescales predicted {rescales}, countdowns in time {countdowns}, "
            f"told and not come {self.unfulfilled}, agrees with the controller {self.agreed} of {self.compared} syncs"
        )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "- %"


def is_trace(path: Path) -> bool:
    """Whether a file is a trace: JSON Lines, gzip'd, with its facts beside it."""
    return path.name.endswith(".jsonl.gz") and facts_path(path).exists()


def facts_path(path: Path) -> Path:
    """The facts file of a trace."""
    return path.with_name(path.name.removesuffix(".jsonl.gz") + ".facts.json")


def flags_of(facts: dict[str, Any]) -> ControllerFlags:
    """The controller's flags during the recording."""
    flags = facts["flags"]

    def number(name: str) -> float:
        return float(str(flags[name]).removesuffix("s"))

    return ControllerFlags(
        sync_period=number("hpa_sync"),
        tolerance=number("hpa_tolerance"),
        downscale_stabilization=number("hpa_stabilization"),
        cpu_initialization=number("hpa_cpu_init"),
        initial_readiness_delay=number("hpa_readiness_delay"),
        metrics_resolution=number("resolution"),
        known=True,
    )


def fraction_of(lines: list[dict[str, Any]], started: float) -> float:
    """The part of a second that `started` lacks: no object may be newer than its arrival."""
    missing = 0.0
    for line in lines:
        for moment in _times(line["object"]):
            missing = max(missing, moment - (started + line["t"]))
    return min(missing, 0.999)


def _times(obj: dict[str, Any]) -> Iterator[float]:
    """The times that the control plane wrote into an object."""
    metadata = obj.get("metadata") or {}
    status = obj.get("status")
    texts = [metadata.get("creationTimestamp"), obj.get("lastTimestamp")]
    if isinstance(status, dict):
        texts.append(status.get("lastScaleTime"))
        texts += [condition.get("lastTransitionTime") for condition in status.get("conditions") or ()]
    texts += [item["timestamp"] for item in obj.get("items") or ()]
    return (moment for text in texts if (moment := objects.seconds(text)) is not None)


def stamp_lag(lines: list[dict[str, Any]], started: float) -> float:
    """By how much the cut time stamps of samples lag behind their true times (0 to 1 s).

    The first sample of a new pod was made its window's length after the pod began to run, and that was seen arriving.
    Samples are made on a grid, so one lag holds for all; the median, because pods may run a while before it is seen.
    """
    running: dict[str, float] = {}
    lags: list[float] = []
    for line in lines:
        obj = line["object"]
        if line["source"] == "pod" and obj["status"].get("phase") == "Running":
            running.setdefault(obj["metadata"]["name"], line["t"])
        for item in obj.get("items") or () if line["source"] == "podmetrics" else ():
            begun = running.pop(item["metadata"]["name"], None)
            made = objects.seconds(item["timestamp"])
            if begun is not None and made is not None:
                lags.append(started + begun + float(item["window"].removesuffix("s")) - made)
    return min(max(median(lags), 0.0), 1.0) if lags else 0.0


def samples_in_time(lines: list[dict[str, Any]], started: float) -> list[dict[str, Any]]:
    """The lines with every metrics answer moved to when its samples were made.

    A pod that was deleted between the two is missing in the answer, but was there when the sample was made: it keeps
    the sample before.
    """
    gone = {line["object"]["metadata"]["name"]: line["t"] for line in lines if line["type"] == "DELETED"}
    moved: list[dict[str, Any]] = []
    asked = 0.0
    before: list[Any] = []
    failed = False
    lag = stamp_lag(lines, started)
    for line in lines:
        if line["source"] != "podmetrics":
            moved.append(line)
            continue
        items = line["object"].get("items") or []
        made = [moment for item in items if (moment := objects.seconds(item["timestamp"]))]
        at = min(line["t"], max(asked + 0.002, max(made) + lag - started)) if made else line["t"]
        if made and failed:
            at = asked + 0.002
        failed = "items" not in line["object"]
        names = {item["metadata"]["name"] for item in items}
        kept = [o for o in before if o["metadata"]["name"] not in names and at < gone.get(o["metadata"]["name"], at)]
        obj = {**line["object"], "items": [*items, *kept]} if kept and made else line["object"]
        moved.append({**line, "t": at, "object": obj})
        asked, before = line["t"], items
    return sorted(moved, key=lambda line: float(line["t"]))


def replay(path: Path) -> list[TraceResult]:
    """Replay a trace once for each HPA in it."""
    lines, facts, started = read(path)
    keys = sorted({objects.key_of(line["object"]) for line in lines if line["source"] == "hpa"})
    base = path.name.removesuffix(".jsonl.gz")
    names = {key: base if len(keys) == 1 else f"{base}/{key.name}" for key in keys}
    return [Replay(names[key], flags_of(facts), key, started, unknowable_of(facts)).run(lines) for key in keys]


def frames_of(path: Path) -> tuple[Frame, ...]:
    """The syncs that watching the (only) HPA of a trace records."""
    lines, facts, started = read(path)
    key = next(objects.key_of(line["object"]) for line in lines if line["source"] == "hpa")
    run = Replay(path.name, flags_of(facts), key, started)
    run.run(lines)
    return run.store.frames()


def read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any], float]:
    """A trace's lines in order (those of the folder `more` beside it too), its facts, and when it started (epoch s)."""
    facts = json.loads(facts_path(path).read_text())
    lines = list(_lines(path))
    started = parse_rfc3339(facts["started"]).timestamp()
    started += fraction_of(lines, started)
    lines = samples_in_time(lines, started)
    more = path.parent / "more" / path.name
    if more.exists():
        lines = sorted([*lines, *_lines(more)], key=lambda line: float(line["t"]))
    return lines, facts, started


def unknowable_of(facts: dict[str, Any]) -> tuple[float, ...]:
    """Seconds of rescales that nobody could tell beforehand: the value changed in that very sync."""
    return tuple(float(second) for second in facts.get("unknowable") or ())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as stream:
        for line in stream:
            yield json.loads(line)


class Replay:
    """One trace, one HPA."""

    def __init__(
        self, name: str, flags: ControllerFlags, key: Key, started: float, unknowable: tuple[float, ...] = ()
    ) -> None:
        self.result = TraceResult(name)
        self._key = key
        self.start = started
        self._flags = flags
        self._unknowable = unknowable
        self.store = Store(flags=self._flags, now=self.start)
        self.known: dict[str, dict[str, Any]] = {
            source: {} for source in (*_KINDS, *_TARGETS, *_ASIDE, "podmetrics", "hpa")
        }
        self._source = ""  # of the target
        self._target = ""
        self._selector: Selector | None = None
        self._hpa: Hpa | None = None
        self._told: deque[Told] = deque(maxlen=4096)
        self._reasons: dict[str, tuple[int, str]] = {}
        self._signs: list[tuple[float, int]] = []
        self._open: list[tuple[float, int]] = []
        self._rescales: list[tuple[float, int]] = []
        self._last = started

    def run(
        self,
        lines: list[dict[str, Any]],
        moments: Sequence[float] = (),
        ask: Callable[[float], None] = lambda _now: None,
    ) -> TraceResult:
        """Feed all lines; between them let time pass second by second. `ask` is called at each of the moments (seconds
        since the start, in order), when all that had arrived was fed.
        """
        playing = play(self.store, ReplaySource(self._facts(lines, moments, ask)))
        with contextlib.suppress(StopIteration):
            playing.send(None)  # it waits for nothing; without a loop, so that `ask` may run its own
        self._judge_reasons()
        self._judge_false_alarms(self._last)
        return self.result

    def _facts(
        self, lines: list[dict[str, Any]], moments: Sequence[float], ask: Callable[[float], None]
    ) -> Iterator[Seen]:
        """All facts of the trace; what is asked and judged in between sees a store that took those before."""
        open_ = list(moments)
        for line in lines:
            now = self.start + line["t"]
            while open_ and self.start + open_[0] < now:
                at = self.start + open_.pop(0)
                yield from self._look(at)
                ask(at)
            while self._last + 1.0 < now:
                self._last += 1.0
                yield from self._look(self._last)
            yield from self._look(now - 0.001)
            yield from self._feed(line, now)
            yield from self._look(now)
            self._last = now

    # Feeding --------------------------------------------------------------------------------------------------

    def _feed(self, line: dict[str, Any], now: float) -> Iterator[Seen]:
        source, obj = line["source"], line["object"]
        if source in _ASIDE:
            self._remember(source, line["type"], obj)
        elif source == "hpa":
            self._remember(source, line["type"], obj)
            if objects.key_of(obj) == self._key:
                yield from self._feed_hpa(line["type"], objects.hpa(obj), now)
        elif source == "podmetrics":
            yield from self._feed_metrics(obj, now)
        else:
            yield from self._feed_object(source, line["type"], obj, now)

    def _remember(self, source: str, type_: str, obj: Any) -> None:
        name = obj["metadata"]["name"] if "metadata" in obj else f"{obj['path']}?{json.dumps(obj.get('query'))}"
        if type_ == "DELETED":
            self.known[source].pop(name, None)
        else:
            self.known[source][name] = obj

    def _feed_hpa(self, type_: str, hpa: Hpa, now: float) -> Iterator[Seen]:
        if type_ == "DELETED":
            yield Seen(now, Deleted(Kind.HPA, hpa.key, hpa.uid))
            return
        before = self._hpa
        self._hpa = hpa
        if before is not None and hpa.last_scale_time != before.last_scale_time:
            self._judge(before, hpa, now)
        yield Seen(now, Upserted(Kind.HPA, hpa))
        if before is None:
            self._target = hpa.reference.name
            self._source = self._source_of(hpa)
            self.store.focus(hpa.key, now)
            yield from self._list_all(now)

    def _source_of(self, hpa: Hpa) -> str:
        """Which of the sources has the target, as the controller finds it: by group and kind."""
        group = hpa.reference.api_version.rpartition("/")[0]
        if group == "apps" and hpa.reference.kind.lower() in ("deployment", "replicaset"):
            return hpa.reference.kind.lower()
        return "target" if group else ""

    def _list_all(self, now: float) -> Iterator[Seen]:
        """What a source lists once an HPA is looked at."""
        scope = str(self._key)
        live = SourceStatus(SourceState.LIVE, now)
        if not self._source:
            lost = SourceStatus(
                SourceState.NOT_SERVED, now, f'no matches for kind "{self._hpa and self._hpa.reference.kind}"'
            )
            for kind in (Kind.WORKLOAD, Kind.SCALE, Kind.POD, Kind.POD_USAGE, Kind.OWNER):
                yield Seen(now, StatusChanged(kind, lost, scope))
        else:
            for kind in (Kind.WORKLOAD, Kind.SCALE):
                yield Seen(now, Listed(kind, (), scope))
                yield Seen(now, StatusChanged(kind, live, scope))
            if self._target in self.known[self._source]:
                yield from self._feed_target(self.known[self._source][self._target], now)
        yield from self._list_selected(now)

    def _list_selected(self, now: float) -> Iterator[Seen]:
        scope = str(self._key)
        live = SourceStatus(SourceState.LIVE, now)
        for source, kind in _KINDS.items():
            if not self._source and kind is not Kind.EVENT:
                continue
            items = tuple(_MAKERS[source](o) for o in self.known[source].values() if self._belongs(source, o))
            yield Seen(now, Listed(kind, items, scope))
            yield Seen(now, StatusChanged(kind, live, scope))
        if self._source:
            usages = tuple(
                objects.usage(o) for o in self.known["podmetrics"].values() if self._belongs("podmetrics", o)
            )
            yield Seen(now, StatusChanged(Kind.POD_USAGE, live, scope))
            yield Seen(now, Listed(Kind.POD_USAGE, usages, scope))

    def _belongs(self, source: str, obj: Any) -> bool:
        if source == "event":
            return bool(obj["involvedObject"]["name"].startswith((self._target, self._key.name)))
        return self._selector is not None and self._selector.matches(obj["metadata"].get("labels") or {})

    def _feed_target(self, obj: Any, now: float) -> Iterator[Seen]:
        """The target's object, and its scale as the API server would make it of that."""
        scope = str(self._key)
        yield Seen(now, Upserted(Kind.WORKLOAD, objects.workload(obj), scope))
        scale = objects.scale(obj)
        yield Seen(now, Listed(Kind.SCALE, (scale,), scope))
        if self._selector is None and scale.selector:
            self._selector = parse_selector(scale.selector)
            yield from self._list_selected(now)

    def _feed_object(self, source: str, type_: str, obj: Any, now: float) -> Iterator[Seen]:
        name = obj["metadata"]["name"]
        self._note_sign(source, obj, now)
        self._remember(source, type_, obj)
        if self._hpa is None:
            return
        scope = str(self._key)
        if source == self._source and name == self._target:
            if type_ == "DELETED":
                yield Seen(now, Deleted(Kind.WORKLOAD, objects.key_of(obj), obj["metadata"]["uid"], scope))
                yield Seen(now, Listed(Kind.SCALE, (), scope))
            else:
                yield from self._feed_target(obj, now)
        kind = _KINDS.get(source)
        if kind is None or not self._belongs(source, obj):
            return
        if type_ == "DELETED":
            yield Seen(now, Deleted(kind, objects.key_of(obj), obj["metadata"]["uid"], scope))
        else:
            yield Seen(now, Upserted(kind, _MAKERS[source](obj), scope))

    def _feed_metrics(self, obj: Any, now: float) -> Iterator[Seen]:
        scope = str(self._key)
        if "items" not in obj:
            message = str(obj.get("message", "the server is currently unable to handle the request"))
            if self._hpa is not None:
                status = SourceStatus(SourceState.RECONNECTING, now, message)
                yield Seen(now, StatusChanged(Kind.POD_USAGE, status, scope))
            return
        known = {item["metadata"]["name"]: item for item in obj["items"]}
        self.known["podmetrics"] = known
        if self._hpa is None:
            return
        own = tuple(objects.usage(o) for o in known.values() if self._belongs("podmetrics", o))
        yield Seen(now, StatusChanged(Kind.POD_USAGE, SourceStatus(SourceState.LIVE, now), scope))
        yield Seen(now, Listed(Kind.POD_USAGE, own, scope))

    # Judging --------------------------------------------------------------------------------------------------

    def _look(self, now: float) -> Iterator[Seen]:
        """What the explanation says now, after a tick."""
        yield Seen(now, Tick())
        detail = self.store.snapshot(now).detail
        if detail is None or detail.explanation is None:
            return
        explanation = detail.explanation
        self.result.agreed, self.result.compared = explanation.agreed, explanation.compared
        if not self._told or self._told[-1].explanation is not explanation:
            if not self._told or self._told[-1].explanation.headline != explanation.headline:
                self.result.headlines.append(f"  {now - self.start:7.1f} s  {explanation.headline}")
            self._told.append(Told(now, explanation))

    def _note_sign(self, source: str, obj: Any, now: float) -> None:
        """The first signs of a rescale: the target's size, and the event with the reason."""
        if source == (self._source or "deployment") and obj["metadata"]["name"] == self._target:
            self._signs.append((now, obj["spec"].get("replicas", 0)))
        about = obj.get("involvedObject") or {}
        if source == "event" and obj["reason"] == "SuccessfulRescale" and about.get("name") == self._key.name:
            parsed = parse_rescale(obj["message"])
            if parsed is not None:
                self._reasons[f"{now:.3f}"] = parsed

    def _judge(self, before: Hpa, after: Hpa, now: float) -> None:
        """A rescale: what had been told before its first sign?"""
        if any(abs(now - self.start - second) < 1.0 for second in self._unknowable):
            return
        size = after.desired_replicas
        signs = [t for t, replicas in self._signs if now - t <= EFFECT_WITHIN and replicas == size]
        first = min([now, *signs])
        told = next((t for t in reversed(self._told) if t.time < first), None)
        self.result.rescales += 1
        self._rescales.append((now, size))
        said = (told.explanation.next_size, told.explanation.next_reason) if told is not None else (None, "")
        if said[0] != size:
            headline = told.explanation.headline if told else "nothing"
            self._miss(now, f"scaled to {size}, told was {said[0]} ({headline})")
        else:
            self._open.append((now, size))
            self._reasons.setdefault(f"said {now:.3f}", (size, said[1]))
        if size < (before.desired_replicas or 0):
            self._judge_countdown(now)

    def _judge_reasons(self) -> None:
        """A rescale counts as predicted when its event gives the reason that was told."""
        events = [(float(key), told) for key, told in self._reasons.items() if not key.startswith("said")]
        for time, size in self._open:
            said = self._reasons[f"said {time:.3f}"][1]
            real = [reason for at, (n, reason) in events if n == size and abs(at - time) <= EFFECT_WITHIN]
            if not real or said in real:
                self.result.predicted += 1
            else:
                self._miss(time, f"scaled to {size} for {real[0]!r}, told was {said!r}")

    def _judge_countdown(self, now: float) -> None:
        """A scale-down that was waited for: the countdown in force one sync before must end within one sync of it."""
        period = self._flags.sync_period
        told = next((t for t in reversed(self._told) if t.time <= now - period), None)
        ends = [c.until for c in told.explanation.countdowns if c.kind == "scale-down"] if told is not None else []
        if not ends:
            return
        self.result.countdowns += 1
        if min(abs(end - now) for end in ends) <= period:
            self.result.in_time += 1
        else:
            self._miss(now, f"scaled down, countdown said {[round(end - self.start, 1) for end in ends]}")

    def _judge_false_alarms(self, end: float) -> None:
        """Rescales that were told for a sync, and did not come within two syncs."""
        period = self._flags.sync_period
        last_miss = 0.0
        for told in self._told:
            due = next((c.until for c in told.explanation.countdowns if c.kind == "sync"), told.time)
            if not told.explanation.next_reason and told.explanation.next_size is None:
                continue
            if not _told_rescale(told.explanation) or due + 2 * period > end or due - last_miss < 2 * period:
                continue
            later = next((t for t in self._told if t.time > told.time), None)
            if later is not None and later.time < due - 0.5:
                continue  # something newer was told before that sync
            came = any(told.time - period <= time <= due + 2 * period for time, _ in self._rescales)
            if not came:
                last_miss = due
                self.result.unfulfilled += 1
                self._miss(told.time, f"told {told.explanation.next_size}, did not come ({told.explanation.headline})")

    def _miss(self, now: float, text: str) -> None:
        self.result.notes.append(f"  {self.result.name} at {now - self.start:.1f} s: {text}")


def _told_rescale(explanation: Explanation) -> bool:
    return any(line.label == "result" and "scales from" in line.text for line in explanation.lines)


def run(paths: list[Path], show: str | None = None) -> tuple[int, int]:
    """Replay all, print a line for each and what was missed; of the trace named `show` also every headline.

    Returns (passed, failed).
    """
    passed = failed = 0
    for path in paths:
        for result in replay(path):
            print(result.line())
            for note in result.notes + (result.headlines if show == result.name else []):
                print(note)
            passed, failed = passed + result.passed, failed + (not result.passed)
    return passed, failed
