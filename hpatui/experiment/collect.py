"""A session's snapshots and load reports -> the facts of a run, in the cluster's time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from hpatui.clock import Clock
from hpatui.experiment.facts import Facts, Look, Rescaled, Second, Stage, Steps
from hpatui.load.plan import LoadPlan
from hpatui.load.plan import Stage as Planned
from hpatui.load.run import Finished, Sampled
from hpatui.model import Key, LoadTotals
from hpatui.state.series import HistoryView, SeriesView
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable

_APART = 30.0  # seconds by which a cluster's clock may differ from ours before its times are not used


class Collector:
    """Fills `facts` for the HPA `key`. `plan` is what is sent, in this machine's time; its stages have their names."""

    def __init__(self, key: Key, plan: LoadPlan, clock: Clock, speed: float, settle: float) -> None:
        self.key = key
        self.facts = Facts(settle=settle, speed=speed, until=clock.time())
        self.totals: LoadTotals | None = None
        self.summary: Mapping[str, Mapping[str, float | None]] = {}
        self._plan, self._clock, self._speed = plan, clock, speed
        self._names = {stage.text() for stage in plan.stages}
        self._taken: dict[str, float] = {}
        self._known_rescales: set[float] | None = None
        self._judged: tuple[int, int] = (0, 0)
        self._began_judged: tuple[int, int] | None = None

    # The cluster ----------------------------------------------------------------------------------------------

    def saw(self, snapshot: Snapshot) -> None:
        """A new snapshot."""
        facts = self.facts
        facts.until = max(facts.until, snapshot.time)
        row = next((row for row in snapshot.rows if row.key == self.key), None)
        if row is None:
            return
        state, headline = row.state.value, printable(row.headline, 400)
        last = facts.looks[-1] if facts.looks else None
        if last is None or (last.state, last.headline) != (state, headline):
            facts.looks.append(Look(snapshot.time, state, headline))
        if row.decision is not None:
            self._judged = (row.decision.agreed, row.decision.compared)
            if self._began_judged is not None:
                facts.agreed = max(0, self._judged[0] - self._began_judged[0])
                facts.compared = max(0, self._judged[1] - self._began_judged[1])
        facts.units = {metric.label or metric.name: metric.unit for metric in row.hpa.metrics}
        if snapshot.detail is not None and snapshot.detail.row.key == self.key:
            self._history(snapshot.detail.history, snapshot.time)

    def _history(self, history: HistoryView, now: float) -> None:
        facts = self.facts
        series = ((facts.current, history.current), (facts.desired, history.desired), (facts.ready, history.ready),
                  (facts.least, history.min), (facts.most, history.max))  # fmt: skip
        for number, (steps, view) in enumerate(series):
            self._more(f"#{number}", steps, view)
        for label, view in history.metrics.items():
            points = facts.metrics.setdefault(label, [])
            for moment, value in self._new(label, view):
                if not points or points[-1][1] != value or moment - points[-1][0] >= 1.0:
                    points.append((moment, value))
        for label, view in history.targets.items():
            self._more(f"target {label}", facts.targets.setdefault(label, Steps()), view)
        if self._known_rescales is None:
            self._known_rescales = {rescale.time for rescale in history.rescales}
        self._rescales(history, now)

    def _new(self, name: str, view: SeriesView) -> list[tuple[float, float | None]]:
        """The points since the last time; of a step series the newest may have moved on with the same value."""
        last = view.last
        if last is None:
            return []
        since = self._taken.get(name, 0.0)
        self._taken[name] = last[0]
        return [point for point in view.window(since, last[0]) if point[0] > since]

    def _more(self, name: str, steps: Steps, view: SeriesView) -> None:
        for moment, value in self._new(name, view):
            steps.add(moment, value)

    def _rescales(self, history: HistoryView, now: float) -> None:
        known = {(rescale.time, rescale.after) for rescale in self.facts.rescales}
        for rescale in history.rescales:
            if self._known_rescales and any(abs(rescale.time - moment) < 0.01 for moment in self._known_rescales):
                continue
            moment = rescale.time if abs(rescale.time - now) < _APART * max(1.0, self._speed) else now
            index = next((i for i, r in enumerate(self.facts.rescales)
                          if r.after == rescale.to_size and abs(r.time - moment) <= 3.0), None)  # fmt: skip
            found = Rescaled(moment, rescale.from_size, rescale.to_size, printable(rescale.reason, 200))
            if index is not None:
                self.facts.rescales[index] = replace(found, time=min(moment, self.facts.rescales[index].time))
            elif (moment, rescale.to_size) not in known:
                self.facts.rescales.append(found)
        self.facts.rescales.sort(key=lambda rescale: rescale.time)

    # The load -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The load is about to begin: what was judged of the controller before does not count."""
        self._began_judged = self._judged

    def took(self, report: Sampled | Finished) -> None:
        """A report of the load."""
        facts = self.facts
        if isinstance(report, Finished):
            self.totals, self.summary = report.totals, report.summary
            return
        sample = report.sample
        began = self._clock.time() - (time.time() - sample.time) * self._speed
        if facts.began is None:
            facts.began = began
        known = self._plan.model == "closed" or sample.stage in self._names  # else it only waits for the last answers
        if not facts.stages or (known and sample.stage != facts.stages[-1].name):
            self._stage(sample.stage, began)
        facts.seconds.append(
            Second(
                began, sample.offered, sample.sent, sample.ok, sample.failed, sample.unserved, sample.p50, sample.p95,
                sample.p99, sample.stage, dict(report.response),
            )
        )  # fmt: skip

    def quiet(self, now: float) -> None:
        """Nothing is sent: what would be the load begins now, as one stage."""
        self.facts.began = now
        self.facts.stages.append(Stage("quiet", now, 0.0))

    def end(self, error: str = "") -> None:
        """The load has ended; `error`: why before its time."""
        facts = self.facts
        if facts.began is not None and facts.ended is None:
            facts.ended = self._clock.time()
            if facts.seconds:
                facts.ended = min(facts.ended, facts.seconds[-1].time + 2.0 * self._speed)
        facts.load_error = error

    def _stage(self, name: str, began: float) -> None:
        """A stage was seen for the first time in the second that began then. Its true begin lies within that second and
        follows from the plan, unless a condition ended the one before.
        """
        facts = self.facts
        planned = {stage.text(): stage for stage in self._plan.stages}
        stage = planned.get(name)
        start = began
        if facts.stages:
            before = planned.get(facts.stages[-1].name)
            if before is not None and before.duration is not None:
                due = facts.stages[-1].start + before.duration * self._speed
                if abs(due - began) <= 1.5 * self._speed:
                    start = due
        rate = max(stage.start, stage.end) if stage is not None else float(self._plan.concurrency)
        facts.stages.append(Stage(name or "load", start, rate))


def at_speed(plan: LoadPlan, speed: float) -> LoadPlan:
    """The plan as this machine carries it out, where the cluster's clock is `speed` times as fast: its times are those of the
    cluster, its rates stay. Each stage keeps the name that it has in the cluster's time.
    """

    def faster(stage: Planned) -> Planned:
        lasts = None if stage.duration is None else stage.duration / speed
        return replace(stage, duration=lasts, period=stage.period / speed, name=stage.text())

    duration = None if plan.duration is None else plan.duration / speed
    return replace(plan, stages=tuple(faster(stage) for stage in plan.stages), duration=duration)
