"""A candidate spec beside a live HPA: at each sync of the controller the candidate decides as well, on the same facts.

    Frame (a sync of the live HPA: inputs, size) -> Shadow.take -> the candidate's own size, memory and metrics

Where the candidate has another size than the live HPA, the use that was measured is spread evenly over its pods
(`whatif`); its pods count as ready at once. Pure: nothing is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import HpaObject, Memory
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.model import ControllerFlags
from hpatui.state.facts import Inputs
from hpatui.state.frames import Frame
from hpatui.state.whatif import SPREAD, lasting, spread_over

SATURATED = (
    "the live pods used all the cpu that they request for {seconds:.0f} s: more may have been asked for than could be seen; "
    "then a candidate with more pods would have grown further"
)
_FULL = 0.97  # of the request where no limit is known


@dataclass(frozen=True, slots=True)
class Account:
    """What a run came to. `replicas` are (time, size) from each sync on; `above_target` seconds over the live HPA's targets
    by more than the tolerance.
    """

    replicas: tuple[tuple[float, int], ...]
    pod_hours: float
    above_target: float
    rescales: int
    most: int
    least: int


class Run:
    """One line: the live HPA, or a candidate. Sizes and hot seconds are kept as they change, so memory stays small."""

    def __init__(self) -> None:
        self._sizes: list[tuple[float, int]] = []
        self._hot: list[tuple[float, bool]] = []
        self._rescales = 0

    def add(self, time: float, size: int, hot: bool) -> None:
        """From `time` on it has this size, and whether a metric was above its target at that sync."""
        if not self._sizes or self._sizes[-1][1] != size:
            self._rescales += bool(self._sizes)
            self._sizes.append((time, size))
        if not self._hot or self._hot[-1][1] != hot:
            self._hot.append((time, hot))

    @property
    def size(self) -> int | None:
        """The newest size."""
        return self._sizes[-1][1] if self._sizes else None

    @property
    def points(self) -> Sequence[tuple[float, int]]:
        """(time, size) at each change."""
        return tuple(self._sizes)

    def account(self, until: float) -> Account:
        """What it came to by `until` (epoch seconds)."""
        sizes = [size for _, size in self._sizes] or [0]
        return Account(
            tuple(self._sizes),
            sum(seconds * size for seconds, size in lasting(self._sizes, until)) / 3600,
            sum((seconds for seconds, hot in lasting(self._hot, until) if hot), 0.0),
            self._rescales,
            max(sizes),
            min(sizes),
        )


class Shadow:
    """A candidate. It begins with the live HPA's size and with what the controller remembers."""

    def __init__(self, name: str, trial: HpaObject, flags: ControllerFlags) -> None:
        self.name = name
        self.trial = trial
        self.run = Run()
        self.text = ""  # what its newest decision came to
        self._config = config_of(flags)
        self._memory: Memory | None = None
        self._spread = False
        self._full = Run()

    def take(self, frame: Frame) -> None:
        """One sync of the live HPA."""
        inputs = frame.inputs
        live = inputs.scale.spec_replicas
        size = self.run.size if self.run.size is not None else live
        if size != live:
            inputs, self._spread = spread_over(inputs, size), True
        memory = frame.memory if self._memory is None else self._memory
        decision = self._decide(with_tuning(inputs.hpa, self.trial), inputs, memory, frame.time)
        judged = self._decide(frame.inputs.hpa, inputs, memory, frame.time)
        self._memory = decision.memory
        self.text = decision.error or decision.reason
        self.run.add(frame.time, decision.replicas, above(judged))
        self._full.add(frame.time, 1, saturated(frame.inputs))

    def _decide(self, spec: HpaObject, inputs: Inputs, memory: Memory, time: float) -> Decision:
        now = seconds_to_ns(time)
        return decide(spec, inputs.scale, inputs.pods, inputs.metrics, memory, self._config, now, others=inputs.others)

    def notes(self, until: float) -> tuple[str, ...]:
        """What the comparison leaves out."""
        full = self._full.account(until).above_target
        notes = (SPREAD,) if self._spread else ()
        return (*notes, SATURATED.format(seconds=full)) if full > 0 else notes


class Shadows:
    """The live HPA's line and those of the candidates, from the syncs seen since `begin`."""

    def __init__(self, candidates: Sequence[tuple[str, HpaObject]], flags: ControllerFlags, begin: float) -> None:
        self.begin = begin
        self.live = Run()
        self.candidates = tuple(Shadow(name, trial, flags) for name, trial in candidates)
        self.syncs = 0
        self._config = config_of(flags)
        self._last = begin

    def take(self, frames: Sequence[Frame]) -> list[float]:
        """Take the syncs that are new; returns their times."""
        new = [frame for frame in frames if frame.time > self._last]
        for frame in new:
            self._last = frame.time
            self.syncs += 1
            inputs = frame.inputs
            if self.live.size is None:
                self._open(frame)
            now = seconds_to_ns(frame.time)
            judged = decide(
                inputs.hpa, inputs.scale, inputs.pods, inputs.metrics, frame.memory, self._config, now,
                others=inputs.others,
            )  # fmt: skip
            self.live.add(frame.time, frame.to_size, above(judged))
            for shadow in self.candidates:
                shadow.take(frame)
        return [frame.time for frame in new]

    def _open(self, frame: Frame) -> None:
        """All lines begin with the size before the first sync."""
        size = frame.inputs.scale.spec_replicas
        for run in (self.live, *(shadow.run for shadow in self.candidates)):
            run.add(min(self.begin, frame.time), size, False)


def with_tuning(recorded: HpaObject, trial: HpaObject) -> HpaObject:
    """The HPA as recorded with the tuning of a trial."""
    return replace(
        recorded,
        min_replicas=trial.min_replicas,
        max_replicas=trial.max_replicas,
        metrics=trial.metrics,
        behavior=trial.behavior,
    )


def above(decision: Decision) -> bool:
    """Whether a metric was above its target by more than its tolerance."""
    tolerance = decision.tolerance.up if decision.tolerance is not None else 0.1
    return any(e.proposal is not None and e.proposal.ratio > 1 + tolerance for e in decision.metrics)


def saturated(inputs: Inputs) -> bool:
    """Whether every pod that was measured used just what it requests: where limits equal requests, as they mostly do then,
    it cannot show how much more is wanted.
    """
    requests = {
        pod.name: sum(values.get("cpu", 0) for _, values in pod.requests) for pod in inputs.pods if not pod.terminating
    }
    shares = [
        sum(values.get("cpu", 0) for _, values in sample.containers) / requests[sample.name]
        for sample in inputs.metrics.pod_metrics
        if requests.get(sample.name)
    ]
    return bool(shares) and all(_FULL <= share <= 2 - _FULL for share in shares)
