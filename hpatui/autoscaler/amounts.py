"""Values of metrics for people. Only Resource and ContainerResource metrics have cores and bytes; others are numbers, written
as their target is where that is in powers of two.
"""

from __future__ import annotations

from hpatui.autoscaler.inputs import MetricSpec
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.quantity import Format

RESOURCES = ("Resource", "ContainerResource")
_BINARY = ((2**60, "Ei"), (2**50, "Pi"), (2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki"))


def amount(spec: MetricSpec, milli: int) -> str:
    """A value in thousandths in the metric's unit: `250m` of cpu, `21Mi` of memory, `12.5`, `3,000`."""
    if spec.type in RESOURCES:
        return f"{milli}m" if spec.name == "cpu" else in_bytes(milli / 1000)
    goal = spec.target.average_value if spec.target.average_value is not None else spec.target.value
    if goal is not None and goal.format is Format.BINARY_SI and goal.unscaled >= 1024:
        return in_bytes(milli / 1000)
    return plain(milli)


def plain(milli: int) -> str:
    """A number in thousandths without a unit: `12.5`, `0.95`, `123,456`."""
    whole, rest = divmod(abs(milli), 1000)
    digits = f"{rest:03d}".rstrip("0")
    return ("-" if milli < 0 else "") + f"{whole:,}" + (f".{digits}" if digits else "")


def in_bytes(value: float) -> str:
    """Bytes in powers of two: `21Mi`."""
    if value < 0:
        return f"-{in_bytes(-value)}"
    for size, unit in _BINARY:
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return f"{value:.0f}"


def is_percent(spec: MetricSpec) -> bool:
    """Whether the target is a percentage of the request."""
    return spec.type in RESOURCES and spec.target.average_value is None and spec.target.average_utilization is not None


def goal_of(spec: MetricSpec) -> int | None:
    """The target's number: percent, or thousandths; None where there is none. An Object's type decides which counts."""
    target = spec.target
    if is_percent(spec):
        return target.average_utilization
    if spec.type == "Object" and target.type == "Value":
        return target.value.milli_value() if target.value is not None else None
    if target.average_value is not None:
        return target.average_value.milli_value()
    return target.value.milli_value() if target.value is not None else None


def shown(spec: MetricSpec, value: int) -> str:
    """A value in the unit of the target."""
    return f"{value} %" if is_percent(spec) else amount(spec, value)


def target_text(spec: MetricSpec) -> str:
    """The target as people read it: `30 %`, `80Mi`."""
    goal = goal_of(spec)
    return "no target" if goal is None else shown(spec, goal)


def is_shared(spec: MetricSpec) -> bool:
    """Whether one value is divided by the pods that exist: External and Object metrics with an average for a target."""
    if spec.type not in ("Object", "External") or spec.target.average_value is None:
        return False
    return not (spec.type == "Object" and spec.target.type == "Value")


def current_text(evaluation: MetricEvaluation, size: int | None = None) -> str:
    """The value that was used, in the target's unit; one that no metric should have is told as such, and of a value that
    is divided by another number of pods than the `size`, what it was divided from.
    """
    proposal = evaluation.proposal
    if proposal is None:
        return "unknown"
    if proposal.utilization is not None:
        return f"{proposal.utilization} %"
    text = amount(evaluation.spec, proposal.usage)
    if proposal.usage < 0:
        return f"{text} (below zero)"
    goal = goal_of(evaluation.spec)
    if size is not None and is_shared(evaluation.spec) and goal and proposal.counted not in (0, size):
        total = round(proposal.ratio * goal * proposal.counted)
        exist = "pod that exists" if proposal.counted == 1 else f"{proposal.counted} pods that exist"
        return f"{text} ({amount(evaluation.spec, total)} in all over the {exist})"
    return text
