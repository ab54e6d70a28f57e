"""Each recorded run simulated from its demand, against what really happened.

Twice: from the demand that the trace tells (its loads and steps: what was really asked for), and from what its samples
showed (what a recording of a real cluster has). Both begin when the first sample was there. Figures: the mean absolute
error in pods, the part of the time within one pod, and of the rescales that really came those that the simulation makes
within one sync.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hpatui.autoscaler.inputs import HpaObject
from hpatui.model import Hpa, Pod
from hpatui.quantity import parse_quantity
from hpatui.session.observing import observed_of
from hpatui.state.frames import Frame
from hpatui.tune.compare import Fit, compare
from hpatui.tune.learn import Learned, TooLittle, learn
from hpatui.tune.simulate import simulate
from hpatui.tune.workload import Demand, Kind, MetricModel, WorkloadModel
from tests.conformance import trace_objects as objects
from tests.conformance.traces import Replay, facts_path, flags_of, read, unknowable_of

LEAST_NEAR = 0.95


@dataclass(frozen=True)
class Simulated:
    """The figures of one HPA of a trace; `told` None where the trace tells no demand that a simulation can be made from."""

    name: str
    told: Fit | None
    seen: Fit | None
    why_not: str = ""

    @property
    def passed(self) -> bool:
        """Within one pod for as much of the time as promised."""
        return all(fit.near >= LEAST_NEAR for fit in (self.told, self.seen) if fit is not None)

    def line(self) -> str:
        """One line."""
        parts = [
            f"{what}: {figures(fit)}" for what, fit in (("told", self.told), ("seen", self.seen)) if fit is not None
        ]
        return f"{self.name} simulated from its demand; " + (
            "; ".join(parts) if parts else f"not at all: {self.why_not}"
        )


def figures(fit: Fit) -> str:
    """The figures in words."""
    extra = f", {fit.made} made" if fit.made != fit.rescales else ""
    return (
        f"mean absolute error {fit.error:.2f} pods, within one pod {100 * fit.near:.1f} % of the time, "
        f"rescales within one sync {fit.in_time} of {fit.rescales}{extra}"
    )


def simulated(path: Path) -> list[Simulated]:
    """Simulate every HPA of a trace."""
    lines, facts, started = read(path)
    keys = sorted({objects.key_of(line["object"]) for line in lines if line["source"] == "hpa"})
    base = path.name.removesuffix(".jsonl.gz")
    found = []
    for key in keys:
        name = base if len(keys) == 1 else f"{base}/{key.name}"
        run = Replay(name, flags_of(facts), key, started, unknowable_of(facts))
        run.run(lines)
        hpas = [
            objects.hpa(line["object"])
            for line in lines
            if line["source"] == "hpa" and objects.key_of(line["object"]) == key
        ]
        pods = [objects.pod(line["object"]) for line in lines if line["source"] == "pod"]
        found.append(_one(name, run.store.frames(), hpas[-1], pods, facts, started))
    return found


def _one(
    name: str, frames: Sequence[Frame], hpa: Hpa, pods: Sequence[Pod], facts: Mapping[str, Any], started: float
) -> Simulated:
    frames = _usable(frames)
    if not frames:
        return Simulated(name, None, None, "no sync with metrics was seen")
    flags = flags_of(dict(facts))
    spec = frames[-1].inputs.hpa
    own = [pod for pod in pods if pod.labels and _of_target(pod, frames)]
    observed = observed_of(frames, own, started + facts["seconds"])
    try:
        learned = learn(spec, observed, flags)
    except TooLittle as error:
        return Simulated(name, None, None, error.message)
    told = _told(learned, spec, facts, hpa.reference.name, started)
    fit = None
    if told is not None:
        model, demand = told
        outcome = simulate(spec, model, demand, learned.setup, size=learned.size, memory=learned.memory)
        fit = compare(outcome, observed.sizes, flags.sync_period)
    return Simulated(name, fit, learned.fit)


def _usable(frames: Sequence[Frame]) -> list[Frame]:
    """From the first sync that metrics could be read at."""
    for index, frame in enumerate(frames):
        if frame.inputs.metrics.pod_metrics or frame.inputs.metrics.by_index:
            return list(frames[index:])
    return []


def _of_target(pod: Pod, frames: Sequence[Frame]) -> bool:
    names = {item.name for frame in frames for item in frame.inputs.pods}
    return pod.key.name in names


# What the trace tells ------------------------------------------------------------------------------------------------


def _told(
    learned: Learned, spec: HpaObject, facts: Mapping[str, Any], target: str, started: float
) -> tuple[WorkloadModel, Demand] | None:
    """The model and demand that the trace's own description gives: cpu shared by the ready pods, memory of each pod and
    shared memory.
    """
    loads = facts.get("initial_loads", {}).get(target)
    if loads is None or any(m.type not in ("Resource",) for m in spec.metrics):
        return None
    points = [(0.0, dict(loads))]
    for second, step in facts["steps"]:
        load = step.get("load")
        if load and load.get("deployment") == target:
            points.append((second, {**points[-1][1], **load}))
    if any("containers" in load for _, load in points):
        return None
    begin, end = learned.demand.begin, learned.demand.end
    times = [max(begin, started + second) for second, _ in points]
    kept = [i for i, t in enumerate(times) if i + 1 == len(times) or times[i + 1] > begin]
    metrics: list[MetricModel] = []
    curves = []
    for known in learned.model.metrics:
        own = spec.metrics[known.index].name
        values = [points[i][1] for i in kept]
        if own == "cpu":
            metrics.append(replace(known, kind=Kind.SHARED, cost=1.0, idle=0.0, startup=0.0))
            curves.append(tuple(float(load.get("cpu_m", 0)) for load in values))
        else:
            per_pod = _bytes(values[0].get("memory"))
            metrics.append(MetricModel(known.index, Kind.SHARED, 1.0, per_pod, known.request))
            curves.append(tuple(_bytes(load.get("memory_shared")) for load in values))
    model = replace(learned.model, metrics=tuple(metrics), startup_time=0.0)
    return model, Demand(tuple(times[i] for i in kept), tuple(curves), end)


def _bytes(text: Any) -> float:
    return float(parse_quantity(str(text)).milli_value()) if text else 0.0


def run(paths: Sequence[Path]) -> list[Simulated]:
    """Simulate all, print a line for each, and one for all. It is a measurement: nothing passes or fails by it here."""
    found = []
    for path in paths:
        for one in simulated(path):
            print(one.line())
            found.append(one)
    fits = [(fit, what) for one in found for what, fit in (("told", one.told), ("seen", one.seen)) if fit is not None]
    for what in ("told", "seen"):
        own = [fit for fit, kind in fits if kind == what]
        if own:
            near = sum(fit.near >= LEAST_NEAR for fit in own)
            print(
                f"simulated ({what}): mean absolute error {sum(fit.error for fit in own) / len(own):.2f} pods on average, "
                f"within one pod for at least 95 % of the time in {near} of {len(own)} runs, "
                f"{sum(fit.in_time for fit in own)} of {sum(fit.rescales for fit in own)} rescales within one sync"
            )
    return found


def main() -> None:
    """`python -m tests.conformance.simulated DIR`."""
    import sys

    run(sorted(p for p in Path(sys.argv[1]).glob("*.jsonl.gz") if facts_path(p).exists()))


if __name__ == "__main__":
    main()
