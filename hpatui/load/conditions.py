"""When a stage has reached what it waits for: scaled, stable, min, replicas>=N. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.load.plan import LoadPlan
from hpatui.model import Hpa

STABLE_FOR = 30.0  # seconds without a change that count as stable


@dataclass(frozen=True, slots=True)
class ScaleView:
    """What is known of the HPA under load. `unchanged` is how long (s) its replicas have been as they are."""

    current: int
    desired: int
    minimum: int
    unchanged: float


def reached(until: str, view: ScaleView, in_stage: float, stable_for: float = STABLE_FOR) -> bool:
    """Whether a condition holds, `in_stage` seconds after its stage began.

    scaled: the replicas changed since then and what is wanted is there; stable: nothing changed for `stable_for`;
    min: at minReplicas; replicas>=N: so many are there.
    """
    settled = view.current == view.desired
    if until == "scaled":
        return settled and view.unchanged < in_stage
    if until == "stable":
        return settled and min(view.unchanged, in_stage) >= stable_for
    if until == "min":
        return settled and view.current <= view.minimum
    if until.startswith("replicas>="):
        return view.current >= int(until.removeprefix("replicas>="))
    return False


class ScaleWatch:
    """Follows an HPA's replicas, and tells when the stage in force has reached its condition."""

    def __init__(self, now: float) -> None:
        self._sizes: tuple[int, int] | None = None
        self._changed = now
        self._stage = ""
        self._stage_began = now

    def look(self, current: int, desired: int, minimum: int, stage: str, until: str, now: float) -> bool:
        """What is seen at `now` (s): the sizes, and the stage in force by its text. True when the stage is done."""
        if self._sizes != (current, desired):
            if self._sizes is not None:
                self._changed = now
            self._sizes = (current, desired)
        if stage != self._stage:
            self._stage, self._stage_began = stage, now
        if not until:
            return False
        view = ScaleView(current, desired, minimum, now - self._changed)
        return reached(until, view, now - self._stage_began)


class StageWatch:
    """Tells, once for each stage of a plan, that what it waits for has come. `times`: seconds of one clock."""

    def __init__(self, plan: LoadPlan, now: float) -> None:
        self._until = {stage.text(): stage.until for stage in plan.stages}
        self._scale = ScaleWatch(now)
        self._done = ""

    def look(self, stage: str, hpa: Hpa | None, now: float) -> bool:
        """`stage` is the text of the one in force. True when it is to give way to the next."""
        if hpa is None or stage == self._done:
            return False
        until = self._until.get(stage, "")
        if not self._scale.look(hpa.current_replicas, hpa.desired_replicas, hpa.min_replicas, stage, until, now):
            return False
        self._done = stage
        return True


def waits(plan: LoadPlan) -> bool:
    """Whether any stage waits for an HPA."""
    return any(stage.until for stage in plan.stages)
