"""What to change after what was found, by rule: quick, for a whole fleet, and without a simulation.

`tune.search` tries hundreds of specs on a learned workload for one HPA; this gives one change a finding from the numbers that
were seen, and says nothing where they do not tell enough. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

from hpatui.tune.finding import Finding
from hpatui.tune.findings import turns, window_of
from hpatui.tune.periods import period_of
from hpatui.tune.timeline import Timeline, spec_of

_FAST_UP = {  # the API server's own defaults: pkg/apis/autoscaling/v2/defaults.go
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_ROOM = 1.25  # more than the most that was asked for


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the spec: its path, the value before and after as JSON has it, and why, in one sentence. `rule`: the
    finding that it is for.
    """

    path: str
    before: Any
    after: Any
    reason: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """The changes, and the whole spec with them. `saves`: pod-hours over the seen time, by what was seen (0: none)."""

    changes: tuple[Change, ...]
    spec: Mapping[str, Any]
    saves: float


def advise(line: Timeline, found: Sequence[Finding], goal: str = "balanced") -> Advice | None:
    """What to change; None where nothing was found that a change of the spec mends. `goal`: cost, latency or balanced."""
    spec = spec_of(line.hpa)
    rules = {finding.rule: finding for finding in found}
    if not spec or rules.keys() & {"ambiguous", "failing", "second-writer", "blind", "target-unreachable"}:
        return None  # those are mended elsewhere first
    changes: list[Change] = []
    saves = 0.0
    if "pinned-at-max" in rules:
        changes += _more_room(line, spec)
    if "rate-limited" in rules:
        changes.append(_quick_up(spec))
    if "flapping" in rules and goal != "latency":
        changes += _calmer(line, spec)
    elif "window-longer-than-period" in rules and goal != "latency":
        changes += _shorter(line, spec)
        saves += rules["window-longer-than-period"].pod_hours
    for name in ("never-left-min", "high-floor"):
        if name in rules and goal != "latency" and rules[name].pod_hours > 0:
            changes += _lower_floor(line, spec, goal, name)
            saves += rules[name].pod_hours
    if not changes:
        return None
    return Advice(tuple(changes), applied(spec, changes), saves)


def applied(spec: Mapping[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """The spec with the changes."""
    new: dict[str, Any] = json.loads(json.dumps(spec))
    for change in changes:
        at = new
        *above, last = change.path.removeprefix("spec.").split(".")
        for name in above:
            at = at.setdefault(name, {})
        at[last] = change.after
    return new


def _more_room(line: Timeline, spec: Mapping[str, Any]) -> list[Change]:
    """maxReplicas for what was asked for; pods that were full could not ask for all they wanted."""
    tolerance = line.flags.tolerance
    asked = max(p.needed(tolerance) for _, _, p in line.spans())
    full = any(p.cpu is not None and p.cpu >= 95 and p.current >= p.high for _, _, p in line.spans())
    old = int(spec.get("maxReplicas") or 1)
    new = max(old + 1, ceil(asked * _ROOM))
    if full:
        new = max(new, 2 * old)
    more = " at least (the pods were full, so more may be wanted)" if full else ""
    return [Change("spec.maxReplicas", old, new, f"the load asked for {asked} replicas{more}", "pinned-at-max")]


def _quick_up(spec: Mapping[str, Any]) -> Change:
    old = (spec.get("behavior") or {}).get("scaleUp")
    why = "the policy let it grow too slowly: Kubernetes' own doubles, or adds 4 pods, every 15 s"
    return Change("spec.behavior.scaleUp", old, _FAST_UP, why, "rate-limited")


def _calmer(line: Timeline, spec: Mapping[str, Any]) -> list[Change]:
    """A scale-down window that outlasts the dips between two peaks."""
    old = window_of(line)
    backs = [time for time, way in turns(line) if way > 0]
    gaps = sorted(after - before for before, after in pairwise(backs))
    period = period_of(line)
    dip = period.seconds if period is not None else gaps[len(gaps) // 2] if gaps else 300.0
    new = min(3600, max(60, ceil(1.2 * dip / 30) * 30))
    if new <= old:
        return []
    why = f"it came back up about {dip:.0f} s after the last time: a window longer than that keeps the size between two peaks"
    return [Change("spec.behavior.scaleDown.stabilizationWindowSeconds", _given(spec), new, why, "flapping")]


def _shorter(line: Timeline, spec: Mapping[str, Any]) -> list[Change]:
    period, old = period_of(line), window_of(line)
    if period is None:
        return []
    quiet = period.seconds * (1 - period.high_share)
    new = max(15, round(0.25 * quiet / 15) * 15)
    if new >= old:
        return []
    why = f"the load is quiet for about {quiet:.0f} s between two peaks: a window of {new} s lets the size come down in it"
    path = "spec.behavior.scaleDown.stabilizationWindowSeconds"
    return [Change(path, _given(spec), new, why, "window-longer-than-period")]


def _given(spec: Mapping[str, Any]) -> Any:
    return ((spec.get("behavior") or {}).get("scaleDown") or {}).get("stabilizationWindowSeconds")


def _lower_floor(line: Timeline, spec: Mapping[str, Any], goal: str, rule: str) -> list[Change]:
    """minReplicas for the most that was needed while it was at the floor, and not below two unless cost is the goal."""
    tolerance = line.flags.tolerance
    needed = max((p.needed(tolerance) for _, _, p in line.spans() if p.current <= p.low), default=1)
    old = int(spec.get("minReplicas") or 1)
    new = max(needed, 1 if goal == "cost" else 2)
    if new >= old:
        return []
    spare = ", one of them to spare for the loss of a pod" if new > needed else ""
    why = f"at the floor it never needed more than {needed} in {line.seconds / 3600:.1f} hours{spare}"
    return [Change("spec.minReplicas", old, new, why, rule)]
