"""Which values of each field are worth a try: rungs around the value as it is, and around what was needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from hpatui.autoscaler.amounts import goal_of, is_percent
from hpatui.autoscaler.inputs import HpaObject, MetricSpec
from hpatui.autoscaler.rules import Rules
from hpatui.tune.candidate import DOWN_POLICIES, UP_POLICIES, Edit, Policy, Value, value_of
from hpatui.tune.learn import Learned
from hpatui.tune.outcome import Outcome
from hpatui.tune.workload import Kind, MetricModel

ROOM = 1.25  # how much more than the most that was needed maxReplicas gives
UNKNOWN_ROOM = 2.0  # where pods were saturated, so that more may have been asked for than was seen
SAFE = 0.8  # of its memory limit: so much a pod may hold
_TARGETS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.15, 1.3, 1.5)
_PARTS = (0.25, 0.4, 0.5, 0.6, 0.7, 0.8)  # of the memory limit
_WINDOWS = (30, 60, 120, 180, 300, 600, 900)
_UP: tuple[tuple[Policy, ...], ...] = (
    UP_POLICIES,
    (("Percent", 200, 15), ("Pods", 8, 15)),
    (("Percent", 400, 15), ("Pods", 16, 15)),
)
_DOWN: tuple[tuple[Policy, ...], ...] = (
    DOWN_POLICIES,
    (("Percent", 50, 60),),
    (("Percent", 20, 60),),
    (("Pods", 1, 60),),
)
_TOLERANCES = (0.02, 0.05, 0.15, 0.2)
_CPU = (50, 60, 70)
_MI = 1024 * 1024 * 1000  # a MiB in thousandths of a byte


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run without a maximum needed: the most pods at once, and the fewest."""

    most: int
    fewest: int


def needs_of(free: Outcome) -> Needs:
    """Of a run with minReplicas 1 and no maximum, after its first tenth (in which it still comes from elsewhere)."""
    since = free.begin + 0.1 * (free.end - free.begin)
    sizes = [size for time, size in free.replicas if time >= since]
    before = [size for time, size in free.replicas if time < since][-1:]
    return Needs(max(size for _, size in free.replicas), min(sizes + before))


def edits_for(
    json: Mapping[str, Any], hpa: HpaObject, learned: Learned, base: Outcome, needs: Needs, rules: Rules
) -> list[Edit]:
    """All single edits that are worth a try, none of which leaves a field as it is."""
    edits = [Edit("min", value) for value in _minimums(hpa, needs)]
    edits += [Edit("max", value) for value in _maximums(hpa, learned, base, needs)]
    for index, spec in enumerate(hpa.metrics):
        model = learned.model.metrics[index]
        edits += [Edit(f"target.{index}", value) for value in _targets(spec, model)]
        edits += _instead(index, hpa, learned)
    edits += _behaviors(json, hpa, learned)
    if rules.tolerance_by_direction:
        edits += [Edit(f"{way}.tolerance", value) for way in ("up", "down") for value in _TOLERANCES]
    return [edit for edit in edits if not _is_already(json, edit)]


def _minimums(hpa: HpaObject, needs: Needs) -> Iterable[int]:
    """Down to what was needed at least, but not below two where it was two: one pod has nobody beside it when it goes."""
    floor = min(hpa.min_replicas, 2)
    wanted = {
        needs.fewest,
        ceil((needs.fewest + needs.most) / 2),
        needs.most,
        hpa.min_replicas - 1,
        hpa.min_replicas + 1,
    }
    wanted |= {ceil(hpa.min_replicas / 2), hpa.min_replicas * 2, floor}
    most = min(hpa.max_replicas, max(needs.most, hpa.min_replicas))
    return sorted(n for n in wanted if max(floor, 1) <= n <= most)


def _maximums(hpa: HpaObject, learned: Learned, base: Outcome, needs: Needs) -> Iterable[int]:
    """More, where it was at the maximum and wanted more. Fewer is no gain: a maximum costs nothing until it is needed, except
    where more pods do not make the metric any better.
    """
    found: set[int] = set()
    if base.seconds_at_max > 0:
        room = (
            UNKNOWN_ROOM if learned.demand.doubtful > 0.02 * (learned.demand.seconds - learned.setup.settle) else ROOM
        )
        found |= {ceil(needs.most * ROOM), ceil(needs.most * room), hpa.max_replicas * 2}
        if any(model.kind is Kind.HELD and model.hold == float("inf") for model in learned.model.metrics):
            found |= set(range(max(hpa.min_replicas, 1), hpa.max_replicas))
            found = {n for n in found if n <= 3 * hpa.max_replicas}
    return sorted(n for n in found if n >= hpa.min_replicas)


def _targets(spec: MetricSpec, model: MetricModel) -> Iterable[Value]:
    goal = goal_of(spec)
    if not goal or model.kind is Kind.UNREAD:
        return []
    if spec.name == "memory" and spec.type != "Pods" and model.ceiling is not None:
        return sorted({_amount(spec, model, part * model.ceiling) for part in _PARTS}, key=str)
    if is_percent(spec):
        return sorted({min(max(_rounded(goal * part), 10), 95 if goal <= 95 else goal) for part in _TARGETS})
    return [_quantity(spec, goal * part) for part in _TARGETS]


def _rounded(percent: float) -> int:
    return round(percent / 5) * 5 if percent >= 20 else round(percent)


def _amount(spec: MetricSpec, model: MetricModel, value: float) -> Value:
    if is_percent(spec):
        return _rounded(100 * value / model.request) if model.request else 80
    return _quantity(spec, value)


def _quantity(spec: MetricSpec, value: float) -> str:
    """A value in thousandths as a quantity's text."""
    if spec.name == "memory" and spec.type != "Pods":
        return f"{max(1, round(value / _MI))}Mi"
    if spec.name == "cpu" and spec.type != "Pods":
        return f"{max(1, round(value))}m"
    return str(round(value / 1000)) if value >= 10_000 else f"{max(1, round(value))}m"


def _instead(index: int, hpa: HpaObject, learned: Learned) -> list[Edit]:
    """cpu instead of a memory metric that more pods do not make better."""
    model, spec = learned.model.metrics[index], hpa.metrics[index]
    extra = learned.model.metrics[len(hpa.metrics) :]
    follows = model.kind is Kind.SHARED or (model.kind is Kind.HELD and model.hold < float("inf"))
    if spec.name != "memory" or follows or not extra or not extra[0].request:
        return []
    return [Edit(f"instead.{index}", percent) for percent in _CPU]


def _behaviors(json: Mapping[str, Any], hpa: HpaObject, learned: Learned) -> list[Edit]:
    flags = learned.setup.flags
    now = value_of(json, "down.window")
    window = flags.downscale_stabilization if now is None else now
    windows = {n for n in _WINDOWS if n >= 4 * flags.sync_period} | {round(k * flags.sync_period) for k in (6, 12, 20)}
    windows |= {round(window * part) for part in (0.25, 0.5, 2) if 4 * flags.sync_period <= window * part <= 3600}
    edits: list[Edit] = [Edit("down.window", n) for n in sorted(windows)]
    edits += [Edit("down.policies", policies) for policies in _DOWN]
    up = hpa.behavior.up if hpa.behavior is not None else None
    if up is not None and up.window:
        edits += [Edit("up.window", n) for n in sorted({0, up.window // 2})]
    edits += [Edit("up.policies", policies) for policies in _UP]
    return edits


def _is_already(json: Mapping[str, Any], edit: Edit) -> bool:
    """Whether the spec says so already, or means it by saying nothing."""
    known = value_of(json, edit.field)
    if edit.field.endswith(".policies"):
        if known is None:
            return edit.value == (UP_POLICIES if edit.field == "up.policies" else DOWN_POLICIES)
        return edit.value == tuple((p.get("type"), p.get("value"), p.get("periodSeconds")) for p in known)
    if edit.field == "min" and known is None:
        known = 1
    return str(known) == str(edit.value)
