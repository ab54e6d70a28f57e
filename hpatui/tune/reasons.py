"""One sentence for each change: what it is, and what it alone is good for over the time that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.tune.candidate import Candidate, path_of, text_of, value_of
from hpatui.tune.outcome import Outcome
from hpatui.tune.workload import Kind


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a spec: the path within it, the values before and after as people read them, and why."""

    path: str
    before: str
    after: str
    reason: str


_WHY = {
    "min": ("the load needed fewer pods than that", "more pods are there before the load comes"),
    "max": ("more pods would not have helped", "the HPA wanted more pods than it was allowed"),
    "up.window": ("pods come sooner when the load rises", "short peaks are passed over"),
    "up.policies": ("the rate of scaling up held pods back that were needed", ""),
    "up.tolerance": ("it scales up at a smaller excess", "it passes over a small excess"),
    "down.window": ("pods that are no longer needed go sooner", "the size stays through the dips between peaks"),
    "down.policies": ("pods go at another pace when the load falls", ""),
    "down.tolerance": ("it scales down at a smaller shortfall", "it passes over a small shortfall"),
    "target": (
        "pods are added earlier, so that there is room while new ones start",
        "pods carry more before others are added",
    ),
}


def changes_of(
    json: Mapping[str, Any],
    best: Candidate,
    outcome: Outcome,
    base: Outcome,
    without: Mapping[str, Outcome],
    kinds: Mapping[int, Kind],
    defaults: Mapping[str, float],
) -> tuple[Change, ...]:
    """The changes of a recommended candidate; `without`: the run without each of its edits, `defaults`: what a field means
    that is not set.
    """
    changes = []
    for edit in best.edits:
        before = value_of(json, edit.field)
        after = f"cpu {edit.value} %" if edit.field.startswith("instead.") else text_of(edit.value)
        why = _why(edit.field, defaults.get(edit.field) if before is None else before, edit.value, kinds)
        effect = effect_text(without.get(edit.field, base), outcome)
        changes.append(Change(path_of(json, edit.field), text_of(before), after, f"{why}: {effect}"))
    return tuple(changes)


def _why(field: str, before: Any, after: Any, kinds: Mapping[int, Kind]) -> str:
    kind, _, index = field.partition(".")
    if kind == "instead":
        return (
            "a pod's memory does not fall when pods are added, so that target only ever scales up; cpu follows the load"
        )
    if kind == "target" and kinds.get(int(index)) in (Kind.HELD, Kind.POD):
        lower, higher = (
            _WHY["target"][0],
            "memory slows nothing until its limit, from which this target is still well away",
        )
    else:
        lower, higher = _WHY["target" if kind == "target" else field]
    return higher if _number(after) > _number(before) and higher else lower


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    text = str(value)
    units = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
    for unit, scale in units.items():
        if text.endswith(unit):
            return _float(text.removesuffix(unit)) * scale
    return _float(text)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def effect_text(before: Outcome, after: Outcome) -> str:
    """What changes from one run to another, in words."""
    parts = []
    saved = before.pod_seconds - after.pod_seconds
    if abs(saved) >= 0.005 * max(before.pod_seconds, 1.0):
        parts.append(f"{'saves' if saved > 0 else 'costs'} {hours(abs(saved))}")
    above = before.seconds_above_target - after.seconds_above_target
    if abs(above) >= 1.0:
        parts.append(f"{seconds(abs(above))} {'less' if above > 0 else 'more'} above target")
    lost = before.unserved_share - after.unserved_share
    if abs(lost) >= 0.001:
        parts.append(f"{100 * abs(lost):.1f} % {'less' if lost > 0 else 'more'} of the demand unserved")
    fewer = before.rescales - after.rescales
    if fewer:
        parts.append(f"{abs(fewer)} rescale{'s'[: abs(fewer) != 1]} {'fewer' if fewer > 0 else 'more'}")
    killed = before.kills - after.kills
    if killed:
        parts.append(
            f"{abs(killed)} container{'s'[: abs(killed) != 1]} {'fewer' if killed > 0 else 'more'} killed for memory"
        )
    return ", ".join(parts) or "nothing else changes"


def hours(pod_seconds: float) -> str:
    """Pod-seconds as people read them."""
    return f"{pod_seconds / 3600:.1f} pod-hours" if pod_seconds >= 5400 else f"{pod_seconds / 60:.1f} pod-minutes"


def seconds(number: float) -> str:
    """Seconds as people read them."""
    return (
        f"{number / 3600:.1f} h" if number >= 5400 else f"{number / 60:.0f} min" if number >= 300 else f"{number:.0f} s"
    )


def verdict_of(outcome: Outcome, base: Outcome, gain: float, uncertainty: float, chosen: bool) -> str:
    """What was found, in a sentence."""
    if chosen:
        return f"over the {seconds(base.end - base.begin)} seen it would have been: {effect_text(base, outcome)}"
    if gain > uncertainty:
        return f"leave it: the best that was found gains {100 * gain:.0f} %, too little to change anything for"
    if gain >= 0.1:
        return (
            f"leave it: the best that was found gains {100 * gain:.0f} %, but the model is {100 * uncertainty:.0f} % off "
            "what really happened; record longer to know more"
        )
    return f"leave it: nothing that was tried gains more than {100 * max(gain, 0.0):.0f} %"
