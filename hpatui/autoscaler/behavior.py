"""Step 5: from the size that the metrics ask for to the size that may be: stabilization, rate policies, minimum, maximum.

Without spec.behavior the controller's own window and its doubling limit hold; with it, the rules of each direction.
Source: normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors of the controller.
"""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.autoscaler.arithmetic import MAX_INT32, MIN_INT32, ceil_int32, trunc_int32, wrap32
from hpatui.autoscaler.inputs import (
    Behavior,
    ControllerConfig,
    HpaObject,
    Memory,
    Recommendation,
    ScaleEvent,
    ScalingPolicy,
    ScalingRules,
)
from hpatui.autoscaler.times import SECOND, seconds_to_ns


@dataclass(frozen=True, slots=True)
class Stabilization:
    """What the window made of the wanted size.

    `held_by` is the recommendation that decided (None: none did) and `until` (ns) when it leaves the window.
    `reason` and `message` are those of the AbleToScale condition.
    """

    wanted: int
    replicas: int
    reason: str
    message: str
    window: float
    held_by: Recommendation | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyLimit:
    """One rate policy: the size it allows now, and when (ns) it allows more again (None: nothing is used up)."""

    policy: ScalingPolicy
    allowed: int
    changed: int
    more_at: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds made of the stabilized size. `limited` tells whether they changed it; `reason` which one.

    `rate` is the size that the rate policies (or the doubling limit) allow, None where no rate applied.
    """

    replicas: int
    limited: bool
    reason: str
    message: str
    rate: int | None = None
    policies: tuple[PolicyLimit, ...] = ()
    disabled: bool = False


_STABILIZED_DOWN = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
_STABILIZED_UP = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_READY = ("ReadyForNewScale", "recommended size matches current size")
_IN_RANGE = ("DesiredWithinRange", "the desired count is within the acceptable range")
_SCALE_UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
_SCALE_DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
_TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")


def remember_first(memory: Memory, current: int, now: int) -> Memory:
    """At the first look the current size counts as a recommendation."""
    if memory.recommendations:
        return memory
    first = Recommendation(now, current, initial=True)
    return Memory((first,), memory.scale_up, memory.scale_down)


# Stabilization --------------------------------------------------------------------------------------------------------


def stabilize(
    hpa: HpaObject, memory: Memory, config: ControllerConfig, current: int, wanted: int, now: int
) -> tuple[Stabilization, Memory]:
    """Apply the stabilization window(s) and remember `wanted`."""
    if hpa.behavior is None:
        return _stabilize_plain(memory, config, wanted, now)
    return _stabilize_behavior(hpa.behavior, memory, config, current, wanted, now)


def _age_time(item: Recommendation) -> int:
    """The first recommendation is a moment older than the clock that made it."""
    return item.time - 1 if item.initial else item.time


def _stabilize_plain(memory: Memory, config: ControllerConfig, wanted: int, now: int) -> tuple[Stabilization, Memory]:
    """The highest recommendation within the window; one exactly at its start still counts."""
    window = seconds_to_ns(config.downscale_stabilization)
    cutoff = now - window
    highest, held_by, slot = wanted, None, None
    for index, item in enumerate(memory.recommendations):
        if _age_time(item) < cutoff:
            slot = index
        elif item.replicas > highest or (held_by is not None and item.replicas == highest and item.time > held_by.time):
            highest, held_by = item.replicas, item
    reason, message = _STABILIZED_DOWN if highest != wanted else _READY
    until = held_by.time + window if held_by is not None else None
    step = Stabilization(wanted, highest, reason, message, config.downscale_stabilization, held_by, until)
    return step, _remember(memory, slot, wanted, now)


def _stabilize_behavior(
    behavior: Behavior, memory: Memory, config: ControllerConfig, current: int, wanted: int, now: int
) -> tuple[Stabilization, Memory]:
    """Between the lowest recommendation of the up window and the highest of the down window."""
    up_window = behavior.up.window or 0
    down_window = config.downscale_stabilization if behavior.down.window is None else behavior.down.window
    up_cutoff, down_cutoff = now - up_window * SECOND, now - seconds_to_ns(down_window)
    lowest = highest = wanted
    low_by: Recommendation | None = None
    high_by: Recommendation | None = None
    slot = None
    for index, item in enumerate(memory.recommendations):
        time = _age_time(item)
        if time > up_cutoff and (item.replicas < lowest or _newer(item, lowest, low_by)):
            lowest, low_by = item.replicas, item
        if time > down_cutoff and (item.replicas > highest or _newer(item, highest, high_by)):
            highest, high_by = item.replicas, item
        if time < up_cutoff and time < down_cutoff:
            slot = index
    replicas, held_by, window = current, None, 0.0
    if replicas < lowest:
        replicas, held_by, window = lowest, low_by, float(up_window)
    if replicas > highest:
        replicas, held_by, window = highest, high_by, float(down_window)
    if held_by is None and replicas != wanted:
        held_by, window = (low_by, float(up_window)) if wanted > current else (high_by, float(down_window))
    if replicas == wanted:
        held_by = None
        reason, message = _READY
    else:
        reason, message = _STABILIZED_UP if wanted >= current else _STABILIZED_DOWN
    until = held_by.time + seconds_to_ns(window) if held_by is not None else None
    step = Stabilization(wanted, replicas, reason, message, window, held_by, until)
    return step, _remember(memory, slot, wanted, now)


def _newer(item: Recommendation, bound: int, known: Recommendation | None) -> bool:
    return known is not None and item.replicas == bound and item.time > known.time


def _remember(memory: Memory, slot: int | None, wanted: int, now: int) -> Memory:
    """Keep `wanted` in the last expired slot, else in a new one."""
    slots = list(memory.recommendations)
    if slot is None:
        slots.append(Recommendation(now, wanted))
    else:
        slots[slot] = Recommendation(now, wanted)
    return Memory(tuple(slots), memory.scale_up, memory.scale_down)


# Limits ---------------------------------------------------------------------------------------------------------------


def limit(hpa: HpaObject, memory: Memory, current: int, wanted: int, now: int) -> Limits:
    """Apply rate, minimum and maximum to the stabilized size."""
    if hpa.behavior is None:
        return _limit_plain(hpa, current, wanted)
    if wanted > current:
        return _limit_up(hpa, hpa.behavior.up, memory, current, wanted, now)
    if wanted < current:
        return _limit_down(hpa, hpa.behavior.down, memory, current, wanted, now)
    return Limits(wanted, False, *_IN_RANGE)


def doubling_limit(current: int) -> int:
    """Without behavior: at most twice the size, but 4 are always allowed."""
    return trunc_int32(max(2.0 * current, 4.0))


def _limit_plain(hpa: HpaObject, current: int, wanted: int) -> Limits:
    rate = doubling_limit(current)
    highest, texts = (rate, _SCALE_UP_LIMIT) if hpa.max_replicas > rate else (hpa.max_replicas, _TOO_MANY)
    if wanted < hpa.min_replicas:
        replicas, texts = hpa.min_replicas, _TOO_FEW
    elif wanted > highest:
        replicas = highest
    else:
        replicas, texts = wanted, _IN_RANGE
    return Limits(replicas, replicas != wanted, *texts, rate=rate)


def _limit_up(hpa: HpaObject, rules: ScalingRules, memory: Memory, current: int, wanted: int, now: int) -> Limits:
    policies = () if rules.select == "Disabled" else _policy_limits(rules, memory, current, now, up=True)
    rate = current if rules.select == "Disabled" else _select(rules, [item.allowed for item in policies], up=True)
    rate = max(rate, current)
    highest, texts = (rate, _SCALE_UP_LIMIT) if hpa.max_replicas > rate else (hpa.max_replicas, _TOO_MANY)
    replicas = min(wanted, highest)
    if replicas == wanted:
        texts = _IN_RANGE
    return Limits(replicas, replicas != wanted, *texts, rate, policies, rules.select == "Disabled")


def _limit_down(hpa: HpaObject, rules: ScalingRules, memory: Memory, current: int, wanted: int, now: int) -> Limits:
    policies = () if rules.select == "Disabled" else _policy_limits(rules, memory, current, now, up=False)
    rate = current if rules.select == "Disabled" else _select(rules, [item.allowed for item in policies], up=False)
    rate = min(rate, current)
    lowest, texts = (rate, _SCALE_DOWN_LIMIT) if hpa.min_replicas < rate else (hpa.min_replicas, _TOO_FEW)
    replicas = max(wanted, lowest)
    if replicas == wanted:
        texts = _IN_RANGE
    return Limits(replicas, replicas != wanted, *texts, rate, policies, rules.select == "Disabled")


def _select(rules: ScalingRules, allowed: list[int], *, up: bool) -> int:
    """The policy that allows the most change, or with Min the least."""
    most = rules.select != "Min"
    start = (MIN_INT32 if most else MAX_INT32) if up else (MAX_INT32 if most else MIN_INT32)
    choose = max if up == most else min
    return choose([start, *allowed])


def _policy_limits(rules: ScalingRules, memory: Memory, current: int, now: int, *, up: bool) -> tuple[PolicyLimit, ...]:
    return tuple(_policy_limit(policy, memory, current, now, up=up) for policy in rules.policies)


def _policy_limit(policy: ScalingPolicy, memory: Memory, current: int, now: int, *, up: bool) -> PolicyLimit:
    added = changed_within(memory.scale_up, policy.period, now)
    removed = changed_within(memory.scale_down, policy.period, now)
    start = wrap32(current - added + removed)
    if policy.type == "Pods":
        allowed = wrap32(start + policy.value if up else start - policy.value)
    elif policy.type != "Percent":
        allowed = 0
    elif up:
        allowed = ceil_int32(float(start) * (1.0 + float(policy.value) / 100.0))
    else:
        allowed = trunc_int32(float(start) * (1.0 - float(policy.value) / 100.0))
    events = memory.scale_up if up else memory.scale_down
    ends = [event.time + policy.period * SECOND for event in events if event.time > now - policy.period * SECOND]
    return PolicyLimit(policy, allowed, added if up else removed, min(ends) if ends else None)


def changed_within(events: tuple[ScaleEvent, ...], period: int, now: int) -> int:
    """How many pods were added (or removed) within `period` seconds before `now`."""
    cutoff = now - period * SECOND
    return wrap32(sum(event.change for event in events if event.time > cutoff))


# Scale events ---------------------------------------------------------------------------------------------------------


def remember_rescale(behavior: Behavior | None, memory: Memory, before: int, after: int, now: int) -> Memory:
    """Keep a change of size for the rate policies; without behavior nothing uses it, so nothing is kept."""
    if behavior is None:
        return memory
    if after > before:
        events = _store(memory.scale_up, behavior.up, after - before, now)
        return Memory(memory.recommendations, events, memory.scale_down)
    events = _store(memory.scale_down, behavior.down, before - after, now)
    return Memory(memory.recommendations, memory.scale_up, events)


def _store(events: tuple[ScaleEvent, ...], rules: ScalingRules, change: int, now: int) -> tuple[ScaleEvent, ...]:
    longest = max((policy.period for policy in rules.policies), default=0)
    cutoff = now - longest * SECOND
    slots = [ScaleEvent(e.time, e.change, e.outdated or e.time < cutoff) for e in events]
    new = ScaleEvent(now, wrap32(change))
    slot = next((index for index in range(len(slots) - 1, -1, -1) if slots[index].outdated), None)
    if slot is None:
        slots.append(new)
    else:
        slots[slot] = new
    return tuple(slots)
