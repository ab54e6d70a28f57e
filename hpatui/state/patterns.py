"""Patterns over time: what a single look at an HPA cannot tell, each with a sentence and advice.

Pure functions over what was recorded: `find_patterns(Watched(...), now)`. Times are epoch seconds, CPU millicores,
memory bytes. A pattern is only reported where the recording reaches back far enough to show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from hpatui.clock import as_datetime
from hpatui.model import ControllerFlags, Hpa, Key, Pod, PodUsage, Workload
from hpatui.state.series import HpaHistory, Rescale
from hpatui.state.writers import foreign_writer

FLAPPING_WINDOW = 600.0
FLAPPING_CHANGES = 3
PINNED_FOR = 600.0
FLOOR_FOR = 3600.0
OVER_PROVISIONED_FOR = 900.0
OVER_PROVISIONED_SHARE = 0.2  # of the request, by the busiest pod
SLOW_START = 30.0
IDLE_SHARE, BUSY_SHARE, IDLE_AFTER = 0.1, 0.2, 60.0


@dataclass(frozen=True, slots=True)
class ReplicaWrite:
    """A change of the target's spec.replicas that the HPA did not make."""

    time: float
    from_size: int
    to_size: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Something that goes on: `id` for tests and styles, a sentence with its numbers, and what to do about it."""

    id: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of one HPA. `others` are HPAs with the same target; `load` is requests/s per pod name."""

    hpa: Hpa
    history: HpaHistory
    pods: Mapping[Key, Pod] = field(default_factory=dict)
    usages: Mapping[Key, PodUsage] = field(default_factory=dict)
    writes: Sequence[ReplicaWrite] = ()
    others: Sequence[Key] = ()
    flags: ControllerFlags = field(default_factory=ControllerFlags)
    target: Workload | None = None


def find_patterns(watched: Watched, now: float) -> tuple[Pattern, ...]:
    """All patterns that show, most urgent first."""
    found = (finder(watched, now) for finder in _FINDERS)
    return tuple(pattern for pattern in found if pattern is not None)


def direction_changes(rescales: Iterable[Rescale], since: float) -> int:
    """How often the HPA itself turned from up to down or back since then. Its own reason tells the direction: the size
    before a rescale may be another's work.
    """
    ways = [way for rescale in rescales if rescale.time >= since and (way := _direction(rescale))]
    return sum(1 for one, two in pairwise(ways) if one != two)


def _direction(rescale: Rescale) -> int:
    """1 up, -1 down, 0 not known."""
    if rescale.reason.endswith("above target") or rescale.reason.endswith("below Spec.MinReplicas"):
        return 1
    if rescale.reason.startswith("All metrics below") or rescale.reason.endswith("above Spec.MaxReplicas"):
        return -1
    if rescale.from_size is None or rescale.reason:
        return 0
    return (rescale.to_size > rescale.from_size) - (rescale.to_size < rescale.from_size)


def _two_hpas(watched: Watched, now: float) -> Pattern | None:
    active = watched.hpa.condition("ScalingActive")
    if not watched.others and (active is None or active.reason != "AmbiguousSelector"):
        return None
    named = ", ".join(str(key) for key in watched.others) or "another HPA"
    return Pattern(
        "two-hpas",
        f"{named} selects the same pods, so the controller acts for neither",
        "delete one of the two, or give each workload labels of its own",
    )


def _second_writer(watched: Watched, now: float) -> Pattern | None:
    recent = [write for write in watched.writes if now - write.time <= 3600.0]
    if not recent:
        return _told_writer(watched)
    last = recent[-1]
    times = "once" if len(recent) == 1 else f"{len(recent)} times"
    return Pattern(
        "second-writer",
        f"something else wrote spec.replicas {times} in the last hour, last from {last.from_size} to {last.to_size}",
        "leave spec.replicas out of what is applied to the target (GitOps tools, helm, kubectl apply)",
    )


def _told_writer(watched: Watched) -> Pattern | None:
    """The second writer of whom the target's managedFields tell, where no write was watched."""
    target = watched.target
    writer = foreign_writer(target.raw, watched.hpa.last_scale_time) if target is not None else None
    if target is None or writer is None:
        return None
    clock = as_datetime(writer.time).astimezone().strftime("%H:%M:%S")
    return Pattern(
        "second-writer",
        f"{writer.manager} ({writer.operation}) set spec.replicas to {target.replicas} at {clock}, after the HPA's last "
        "rescale: the two overwrite each other",
        f"leave spec.replicas out of what {writer.manager} applies",
    )


def _flapping(watched: Watched, now: float) -> Pattern | None:
    changes = direction_changes(watched.history.rescales, now - FLAPPING_WINDOW)
    if changes < FLAPPING_CHANGES:
        return None
    return Pattern(
        "flapping",
        f"changed direction {changes} times in 10 minutes",
        "a longer scaleDown stabilization window stops it; look also for start-up cpu and a target near the idle load",
    )


def _pinned_at_max(watched: Watched, now: float) -> Pattern | None:
    high = watched.hpa.max_replicas
    held = _unchanged_for(watched, lambda size: size >= high, now)
    hot = _hottest(watched.hpa)
    if held < PINNED_FOR or hot is None or hot[1] <= 1 + watched.flags.tolerance:
        return None
    return Pattern(
        "pinned-at-max",
        f"at maxReplicas {high} for {_minutes(held)} and {hot[0]} is still {hot[1]:.1f} times its target",
        f"raise maxReplicas, or make each pod larger; {hot[0]} asks for about {_asked(watched.hpa, hot[1])} replicas",
    )


def _unreachable(watched: Watched, now: float) -> Pattern | None:
    """The size grew by half or more and the metric did not fall with it.

    CPU at its limit is left out: there the pods cannot show how much more is wanted, and more pods may well help.
    """
    hot = _hottest(watched.hpa)
    if hot is None or hot[1] <= 1 + watched.flags.tolerance:
        return None
    if hot[0].startswith("cpu") and _saturated(watched):
        return None
    for rescale in watched.history.rescales:
        before = rescale.from_size
        settled = rescale.time + 120.0
        if before is None or rescale.to_size < 1.5 * before or settled > now:
            continue
        series = watched.history.metrics.get(hot[0])
        size = watched.history.current.at(settled)
        if size is None or size < rescale.to_size:
            continue  # the pods did not come, or something set the size back
        old, new = (series.at(rescale.time), series.at(settled)) if series is not None else (None, None)
        if old and new and new >= 0.95 * old:
            return Pattern(
                "unreachable-target",
                f"{hot[0]} did not fall when the size grew from {before} to {rescale.to_size}: more pods do not help",
                "it does not shrink with more pods (a cache, a heap, a shared queue): choose another metric or target",
            )
    return None


def _saturated(watched: Watched) -> bool:
    limits = ((pod.cpu_limit, watched.usages.get(key)) for key, pod in watched.pods.items())
    return any(limit and usage is not None and usage.cpu >= 0.9 * limit for limit, usage in limits)


def _pinned_at_min(watched: Watched, now: float) -> Pattern | None:
    low = watched.hpa.min_replicas
    limited = watched.hpa.condition("ScalingLimited")
    if limited is None or limited.reason != "TooFewReplicas" or low <= 1:
        return None
    held = _unchanged_for(watched, lambda size: size <= low, now)
    if limited.last_transition_time is not None:
        held = max(held, now - limited.last_transition_time)
    if held < FLOOR_FOR:
        return None
    return Pattern(
        "pinned-at-min",
        f"has wanted fewer than minReplicas {low} for {_minutes(held)}",
        "lower minReplicas, unless the spare pods are there on purpose",
    )


def _over_provisioned(watched: Watched, now: float) -> Pattern | None:
    first = watched.history.current.first_time
    if first is None or now - first < OVER_PROVISIONED_FOR:
        return None
    series, targets = watched.history.metrics.get("cpu"), watched.history.targets.get("cpu")
    cpu = next((m for m in watched.hpa.metrics if m.name == "cpu" and m.unit == "%"), None)
    if series is None or targets is None or cpu is None:
        return None
    values = [value for _, value in series.window(now - OVER_PROVISIONED_FOR, now) if value is not None]
    if (
        not values
        or max(values) >= 100 * OVER_PROVISIONED_SHARE
        or watched.hpa.current_replicas > watched.hpa.min_replicas
    ):
        return None
    return Pattern(
        "over-provisioned",
        f"the pods used at most {max(values):.0f} % of their cpu request in {_minutes(OVER_PROVISIONED_FOR)}",
        "lower the cpu request: the nodes keep that room free for nothing",
    )


def _slow_start(watched: Watched, now: float) -> Pattern | None:
    """Pods take long to become ready, and the HPA added more before they were, and took some back afterwards."""
    times = start_times(watched.pods.values())
    if len(times) < 2 or median(times) < SLOW_START:
        return None
    slow = median(times)
    ups = [r for r in watched.history.rescales if r.from_size is not None and r.to_size > r.from_size]
    hasty = any(0 < second.time - first.time < slow for first, second in pairwise(ups))
    downs = [r for r in watched.history.rescales if r.from_size is not None and r.to_size < r.from_size]
    if not hasty or not any(0 < down.time - up.time <= FLAPPING_WINDOW for up in ups for down in downs):
        return None
    return Pattern(
        "slow-starters",
        f"new pods take {slow:.0f} s to become ready, and more were added before they were",
        "a readiness probe that waits for the warm-up, or a scaleUp policy with a period longer than the start",
    )


def start_times(pods: Iterable[Pod]) -> list[float]:
    """Seconds from creation to ready, for pods of which both are known. The first readiness of pods that restarted is
    not known, so they are left out.
    """
    return [
        pod.ready_since - pod.created
        for pod in pods
        if pod.created is not None and pod.ready_since is not None and pod.restarts == 0
    ]


def _no_traffic(watched: Watched, now: float) -> Pattern | None:
    """Ready pods that stay idle beside busy ones."""
    measured = [
        (watched.usages[key].cpu, pod)
        for key, pod in watched.pods.items()
        if pod.ready and pod.ready_since is not None and key in watched.usages
    ]
    if len(measured) < 2:
        return None
    most, busy = max(measured, key=lambda pair: pair[0])
    if not busy.cpu_request or most < BUSY_SHARE * busy.cpu_request or busy.ready_since is None:
        return None
    idle = [
        pod
        for cpu, pod in measured
        if cpu < IDLE_SHARE * most
        and pod.ready_since is not None
        and pod.ready_since > busy.ready_since
        and now - pod.ready_since > IDLE_AFTER
    ]
    if not idle:
        return None
    count = "1 ready pod is" if len(idle) == 1 else f"{len(idle)} ready pods are"
    return Pattern(
        "no-traffic",
        f"{count} idle beside {busy.key.name}: the load does not reach new pods",
        "clients keep their old connections; let one side close them now and then, or balance by request",
    )


def _unchanged_for(watched: Watched, holds: Callable[[int], bool], now: float) -> float:
    """For how long (seconds) the current size has met the condition without a break."""
    since: float | None = None
    for time, value in watched.history.current:
        if value is None or not holds(int(value)):
            since = None
        elif since is None:
            since = time
    return now - since if since is not None else 0.0


def _hottest(hpa: Hpa) -> tuple[str, float] | None:
    known = [
        (m.name if not m.container else f"{m.name}/{m.container}", m.ratio) for m in hpa.metrics if m.ratio is not None
    ]
    return max(known, key=lambda pair: pair[1], default=None)


def _asked(hpa: Hpa, ratio: float) -> int:
    return max(hpa.current_replicas + 1, round(hpa.current_replicas * ratio + 0.5))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"


_FINDERS = (
    _two_hpas,
    _second_writer,
    _flapping,
    _pinned_at_max,
    _unreachable,
    _no_traffic,
    _slow_start,
    _pinned_at_min,
    _over_provisioned,
)
