"""What better means: a number for each run, the smaller the better; and which runs cost no more."""

from __future__ import annotations

from enum import StrEnum

from hpatui.tune.outcome import Outcome

ABOVE = 2.0  # balanced: a second above the target counts as that many times the pods of the run as it is
LOST = 7.0  # a second in which all demand is lost is as bad as that many above the target
CHURN = 30.0  # seconds of a pod that a pod more or less costs: it starts, warms up, is taken out of service
KILLED = 60.0  # the same for a container that is killed
LEAST_GAIN = 0.1  # of the loss: less is no reason to change anything
LEAST_PER_EDIT = 0.03  # the same for each change of it
LEAST_SECONDS = 0.02  # of the time: fewer seconds of trouble less are no reason either
_SLACK = 0.002  # of the time: so many more seconds above the target count as no more


class Goal(StrEnum):
    """What to look for."""

    COST = "cost"  # fewer pod-hours at no more seconds above target
    LATENCY = "latency"  # fewer seconds above target, at no more pod-hours where that is possible
    BALANCED = "balanced"


def churn(outcome: Outcome) -> float:
    """Pods that came and went."""
    return float(sum(abs(resize.after - resize.before) for resize in outcome.resizes))


def trouble(outcome: Outcome) -> float:
    """Seconds above the target, those with unserved demand as many more."""
    seconds = outcome.end - outcome.begin
    return outcome.seconds_above_target + LOST * outcome.unserved_share * seconds


def loss(outcome: Outcome, base: Outcome, goal: Goal) -> float:
    """How bad a run is, in pod-seconds; `base` is the run as it is."""
    seconds = max(base.end - base.begin, 1e-9)
    pods = max(base.pod_seconds / seconds, 0.1)
    small = CHURN * churn(outcome) + KILLED * outcome.kills
    if goal is Goal.BALANCED:
        return outcome.pod_seconds + small + pods * ABOVE * trouble(outcome)
    if goal is Goal.COST:
        worse = max(0.0, trouble(outcome) - trouble(base) - _SLACK * seconds)
        return outcome.pod_seconds + 0.2 * small + 100 * pods * worse
    return pods * trouble(outcome) + 0.2 * small + 0.05 * outcome.pod_seconds


def no_dearer(outcome: Outcome, base: Outcome) -> bool:
    """Whether it costs no more pod-hours."""
    return outcome.pod_seconds <= base.pod_seconds * (1 + _SLACK)


def gain(outcome: Outcome, base: Outcome, goal: Goal) -> float:
    """The part of the loss that is saved."""
    before = loss(base, base, goal)
    return 1.0 - loss(outcome, base, goal) / before if before > 0 else 0.0


def worthwhile(outcome: Outcome, base: Outcome, goal: Goal) -> bool:
    """Whether the gain is one that somebody would notice: in pods, in seconds above target, or (balanced) in all."""
    if gain(outcome, base, goal) < LEAST_GAIN:
        return False
    if goal is Goal.COST:
        return outcome.pod_seconds <= (1 - LEAST_GAIN / 2) * base.pod_seconds
    if goal is Goal.LATENCY:
        return trouble(base) - trouble(outcome) >= LEAST_SECONDS * (base.end - base.begin)
    return True


def dominates(one: Outcome, other: Outcome) -> bool:
    """Whether a run is no worse in pod-seconds and in trouble, and better in one of them."""
    a, b = (one.pod_seconds, trouble(one)), (other.pod_seconds, trouble(other))
    return a[0] <= b[0] and a[1] <= b[1] and a != b
