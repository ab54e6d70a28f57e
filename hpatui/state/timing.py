"""How long each scaling run took, step by step: load change, metric crosses, decision, pods created, pods ready,
metric back within tolerance; and the medians over the runs.

Everything is read from what the store recorded; a step that was not seen is None, never guessed. Epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from hpatui.model import Pod
from hpatui.state.series import AnyHistory, AnyLoadHistory, Rescale, SeriesView

SAME_RUN = 120.0  # rescales in one direction, each within this many seconds of the one before, are one run
LOOK_BACK = 300.0  # how long before the decision its cause may lie


@dataclass(frozen=True, slots=True)
class ScalingRun:
    """One run from size to size. Each moment is epoch seconds or None where it was not seen."""

    from_size: int | None
    to_size: int
    load_changed: float | None
    crossed: float | None  # the metric left the tolerance band
    decided: float  # the first rescale
    created: float | None  # the last pod of the run was created (up) or the first marked for deletion (down)
    ready: float | None  # as many pods ready as wanted
    settled: float | None  # the metric is back within its tolerance

    @property
    def up(self) -> bool:
        """Whether it grew."""
        return self.from_size is not None and self.to_size > self.from_size

    def steps(self) -> tuple[tuple[str, float | None], ...]:
        """(name, seconds since the step before that was seen) of each step, None where it was not seen."""
        moments = (
            ("load change", self.load_changed),
            ("metric crosses", self.crossed),
            ("decision", self.decided),
            ("pods created", self.created),
            ("pods ready", self.ready),
            ("metric settled", self.settled),
        )
        out: list[tuple[str, float | None]] = []
        last: float | None = None
        for name, moment in moments:
            out.append((name, moment - last if moment is not None and last is not None else None))
            last = moment if moment is not None else last
        return tuple(out)


def scaling_runs(
    history: AnyHistory, load: AnyLoadHistory, pods: Iterable[Pod], tolerance: float = 0.1
) -> tuple[ScalingRun, ...]:
    """The runs that the history shows, oldest first."""
    known = tuple(pods)
    groups = _groups(history.rescales)
    if not groups:
        return ()
    ends = [group[0].time for group in groups[1:]] + [float("inf")]
    return tuple(_run(group, end, history, load, known, tolerance) for group, end in zip(groups, ends, strict=True))


def medians(runs: Sequence[ScalingRun], *, up: bool = True) -> tuple[tuple[str, float | None], ...]:
    """The median seconds of each step over the runs in one direction, None where no run has it."""
    chosen = [run.steps() for run in runs if run.up is up]
    if not chosen:
        return ()
    out: list[tuple[str, float | None]] = []
    for index, (name, _) in enumerate(chosen[0]):
        values = [value for steps in chosen if (value := steps[index][1]) is not None]
        out.append((name, median(values) if values else None))
    return tuple(out)


def _groups(rescales: Sequence[Rescale]) -> list[list[Rescale]]:
    groups: list[list[Rescale]] = []
    for rescale in rescales:
        last = groups[-1][-1] if groups else None
        if last is not None and rescale.time - last.time <= SAME_RUN and _direction(last) == _direction(rescale):
            groups[-1].append(rescale)
        else:
            groups.append([rescale])
    return groups


def _direction(rescale: Rescale) -> int:
    if rescale.from_size is None or rescale.from_size == rescale.to_size:
        return 0
    return 1 if rescale.to_size > rescale.from_size else -1


def _run(
    group: Sequence[Rescale],
    end: float,
    history: AnyHistory,
    load: AnyLoadHistory,
    pods: Sequence[Pod],
    tolerance: float,
) -> ScalingRun:
    """`end` is when the next run begins: nothing after it belongs to this one."""
    first, last = group[0], group[-1]
    up = _direction(first) > 0
    changed = [time for time, _ in load.marks if first.time - LOOK_BACK <= time <= first.time]
    crossed = _crossed(history, first.time, tolerance, up=up)
    if up:
        births = [p.created for p in pods if p.created is not None and first.time - 1 <= p.created <= last.time + 60]
        created = max(births, default=None)
    else:
        created = min(
            (p.deleted for p in pods if p.deleted is not None and first.time <= p.deleted < end), default=None
        )
    ready = _first(history.ready, last.time, end, lambda n: n >= last.to_size if up else n <= last.to_size)
    settled = _settled(history, ready if ready is not None else last.time, end, tolerance)
    return ScalingRun(
        first.from_size,
        last.to_size,
        changed[-1] if changed else None,
        crossed,
        first.time,
        created,
        ready,
        settled,
    )


def _first(series: SeriesView, start: float, end: float, holds: Callable[[float], bool]) -> float | None:
    return next((t for t, v in series.window(start, end) if v is not None and holds(v)), None)


def _ratio_outside(value: float | None, target: float | None, tolerance: float) -> int:
    """1 above the band, -1 below, 0 within or unknown."""
    if value is None or not target:
        return 0
    ratio = value / target
    return 1 if ratio > 1 + tolerance else -1 if ratio < 1 - tolerance else 0


def _crossed(history: AnyHistory, decided: float, tolerance: float, *, up: bool) -> float | None:
    """When a metric last left its band in the direction of the run: the earliest over the metrics for a run up (one
    metric is enough), the latest for a run down (all must agree).
    """
    wanted = 1 if up else -1
    moments: list[float] = []
    for label, series in history.metrics.items():
        targets = history.targets.get(label)
        since: float | None = None
        for time, value in series.window(decided - LOOK_BACK, decided + 1.0):
            outside = _ratio_outside(value, targets.at(time) if targets is not None else None, tolerance)
            if outside != wanted:
                since = None
            elif since is None:
                since = time
        if since is not None:
            moments.append(min(since, decided))
    if not moments:
        return None
    return min(moments) if up else max(moments)


def _settled(history: AnyHistory, start: float, end: float, tolerance: float) -> float | None:
    """The first moment from `start` on at which no metric is above its band."""
    times = sorted({t for s in history.metrics.values() for t, _ in s.window(start, end)})
    for time in times:
        pairs = [(s.at(time), history.targets[label].at(time)) for label, s in history.metrics.items()]
        if any(v is not None for v, _ in pairs) and all(_ratio_outside(v, t, tolerance) <= 0 for v, t in pairs):
            return time
    return None
