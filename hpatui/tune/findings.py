"""What is badly set or at risk in one HPA's timeline: each rule with its evidence, or what would have to be known for it.

The numbers are of the time that was seen. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hpatui.tune.finding import (
    MOST_EVIDENCE,
    Evidence,
    Finding,
    Level,
    Side,
    episodes,
    evidence,
    hot,
    hottest,
    lasting,
    metric,
    seconds_of,
)
from hpatui.tune.periods import period_of
from hpatui.tune.timeline import Point, Timeline, spec_of

FLAPS, FLAP_WINDOW = 4, 600.0  # changes of direction within seconds
IDLE_SHARE, BUSY_SHARE = 25.0, 110.0  # percent of the cpu request: far below, far above it


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found, the worst first; `unknown`: rules that could not be judged and what it would take."""

    found: tuple[Finding, ...]
    unknown: tuple[str, ...]


def find(line: Timeline) -> Findings:
    """Judge a timeline by all rules."""
    unknown: list[str] = []
    if not line.spreads:
        unknown.append("a node's loss: no pods were seen (record with their pods, or `--observe all`)")
    if line.seconds > 0 and all(point.ratio is None for _, _, point in line.spans()):
        unknown.append("waste: no metric was ever known")
    if all(metric.name != "cpu" or metric.unit != "%" for metric in line.hpa.metrics):
        unknown.append("request against use: it has no cpu utilization metric that tells it")
    found = [finding for rule in _RULES if (finding := rule(line)) is not None] if line.seconds > 0 else []
    order = {Level.PROBLEM: 0, Level.WARNING: 1, Level.HINT: 2}
    found.sort(key=lambda item: (order[item.level], -item.share))
    return Findings(tuple(found), tuple(unknown))


# Rules ----------------------------------------------------------------------------------------------------------------


def _pinned_at_max(line: Timeline) -> Finding | None:
    times = episodes(line, lambda p: p.current >= p.high > 0 and hot(line, p))
    total = seconds_of(times)
    if total < max(4 * line.flags.sync_period, 0.01 * line.seconds):
        return None
    share = total / line.seconds
    high = line.hpa.max_replicas
    worst = max(hottest(points) for _, _, points in times)
    return Finding(
        "pinned-at-max", Side.RISK, Level.PROBLEM if share >= 0.05 else Level.WARNING,
        f"at maxReplicas {high} with more wanted for {lasting(total)} of {lasting(line.seconds)}; its hottest metric was "
        f"{worst:.1f} times its target",
        evidence(times, lambda points: f"{points[0].current} replicas, up to {hottest(points):.2f} times the target"),
        share,
    )  # fmt: skip


def _floor(line: Timeline) -> Finding | None:
    """Wants fewer than minReplicas, or never left it."""
    tolerance = line.flags.tolerance
    times = episodes(line, lambda p: p.low > 1 and p.current <= p.low and p.needed(tolerance) < p.low)
    wasted = sum(
        (end - start) * (p.current - p.needed(tolerance)) for start, end, p in line.spans()
        if p.low > 1 and p.current <= p.low and p.ratio is not None
    ) / 3600  # fmt: skip
    total = seconds_of(times)
    share = total / line.seconds
    left = any(point.current > point.low for _, _, point in line.spans())
    low = line.hpa.min_replicas
    if share < 0.25 or total < 10 * line.flags.sync_period:
        return None
    most = max(point.needed(tolerance) for _, _, points in times for point in points)
    words = "never left" if not left else "was mostly at"
    return Finding(
        "never-left-min" if not left else "high-floor", Side.WASTE, Level.WARNING if wasted > 0 else Level.HINT,
        f"{words} minReplicas {low} and needed at most {most} there for {lasting(total)} of {lasting(line.seconds)}",
        evidence(times, lambda points: f"{points[0].current} replicas where {points[0].needed(tolerance)} would do"),
        share, max(0.0, wasted),
    )  # fmt: skip


def turns(line: Timeline) -> list[tuple[float, int]]:
    """(time, direction) of each rescale that turned back from the one before."""
    moves = [(r.time, 1 if r.after > r.before else -1) for r in line.rescales if r.after != r.before]
    return [after for before, after in pairwise(moves) if before[1] != after[1]]


def _flapping(line: Timeline) -> Finding | None:
    found = turns(line)
    best: list[tuple[float, int]] = []
    for index in range(len(found)):
        near = [turn for turn in found[index:] if turn[0] - found[index][0] <= FLAP_WINDOW]
        best = near if len(near) > len(best) else best
    if len(best) < FLAPS:
        return None
    times = [
        Evidence(best[0][0], best[-1][0], f"{len(best)} changes of direction in {lasting(best[-1][0] - best[0][0])}")
    ]
    share = min(1.0, len(found) * 60.0 / line.seconds)
    return Finding(
        "flapping", Side.RISK, Level.PROBLEM if len(found) >= 2 * FLAPS else Level.WARNING,
        f"scaled up and down again: {len(found)} changes of direction in {lasting(line.seconds)}, "
        f"{len(best)} of them within 10 minutes",
        tuple(times), share,
    )  # fmt: skip


def _blind(line: Timeline) -> Finding | None:
    times = episodes(line, lambda p: bool(p.blind) and p.blind != "ScalingDisabled")
    total = seconds_of(times)
    if total <= 0:
        return None
    reasons = sorted({point.blind for _, _, points in times for point in points})
    return Finding(
        "ambiguous" if reasons == ["AmbiguousSelector"] else "blind", Side.RISK,
        Level.PROBLEM if total >= 0.02 * line.seconds else Level.WARNING,
        f"could not compute a size for {lasting(total)} of {lasting(line.seconds)} ({', '.join(reasons)})",
        evidence(times, lambda points: points[0].blind), total / line.seconds,
    )  # fmt: skip


def _failing(line: Timeline) -> Finding | None:
    times = episodes(line, lambda p: bool(p.failing))
    total = seconds_of(times)
    if total <= 0:
        return None
    reasons = sorted({point.failing for _, _, points in times for point in points})
    return Finding(
        "failing", Side.RISK, Level.PROBLEM,
        f"could not read or write its target's size for {lasting(total)} ({', '.join(reasons)})",
        evidence(times, lambda points: points[0].failing), total / line.seconds,
    )  # fmt: skip


def _unreachable(line: Timeline) -> Finding | None:
    """The size grew by half or more and the hottest metric did not fall with it. CPU in percent of the request is left out
    where it is full: such pods cannot show how much more is wanted.
    """
    settle = 4 * line.flags.sync_period + line.flags.metrics_resolution + 10.0
    seen: list[Evidence] = []
    for rescale in line.rescales:
        if rescale.after < 1.5 * rescale.before or rescale.before < 1:
            continue
        before = _at(line, rescale.time - 0.001)
        after = _at(line, rescale.time + settle)
        if (
            before is None
            or after is None
            or before.ratio is None
            or after.ratio is None
            or rescale.time + settle > line.end
        ):
            continue
        if metric(line, before.hot).startswith("cpu") or after.current < rescale.after:
            continue
        if before.ratio > 1 + line.flags.tolerance and after.ratio >= 0.95 * before.ratio and after.hot == before.hot:
            text = (
                f"{metric(line, before.hot)}: {before.ratio:.2f} of its target with {rescale.before}, "
                f"{after.ratio:.2f} with {after.current}"
            )
            seen.append(Evidence(rescale.time, rescale.time + settle, text))
    if not seen:
        return None
    hot = line.points[-1].hot
    return Finding(
        "target-unreachable", Side.RISK, Level.PROBLEM,
        f"{metric(line, hot)} does not fall when pods are added, so the HPA adds more and more: another metric is needed",
        tuple(seen[:MOST_EVIDENCE]), min(1.0, sum(e.seconds for e in seen) / line.seconds),
    )  # fmt: skip


def _at(line: Timeline, time: float) -> Point | None:
    found = None
    for point in line.points:
        if point.time > time:
            break
        found = point
    return found if found is not None and found.known else None


def _request(line: Timeline) -> Finding | None:
    """The cpu request far from what the pods use."""
    used = [(end - start, point.cpu) for start, end, point in line.spans() if point.cpu is not None]
    total = sum(seconds for seconds, _ in used)
    if total < 20 * line.flags.sync_period:
        return None
    mean = sum(seconds * (cpu or 0.0) for seconds, cpu in used) / total
    most = max(cpu or 0.0 for _, cpu in used)
    request = f" of {line.pod.cpu:.0f}m" if line.pod is not None and line.pod.cpu else ""
    evidence = (Evidence(line.begin, line.end, f"cpu {mean:.0f} % of the request on average, at most {most:.0f} %"),)
    if most < IDLE_SHARE and line.hpa.current_replicas <= line.hpa.min_replicas:
        return Finding(
            "request-far-from-use", Side.WASTE, Level.WARNING,
            f"the pods used at most {most:.0f} % of their cpu request{request}: the nodes keep that room free for nothing",
            evidence, total / line.seconds,
        )  # fmt: skip
    if mean > BUSY_SHARE:
        return Finding(
            "request-far-from-use", Side.RISK, Level.WARNING,
            f"the pods used {mean:.0f} % of their cpu request{request} on average: the scheduler does not know of the rest",
            evidence, total / line.seconds,
        )  # fmt: skip
    return None


def _node_loss(line: Timeline) -> Finding | None:
    """At the loss of the fullest node the others cannot carry what was asked for."""
    bad: list[Evidence] = []
    seconds = 0.0
    for index, spread in enumerate(line.spreads):
        end = line.spreads[index + 1].time if index + 1 < len(line.spreads) else line.end
        if spread.pods < 2:
            continue
        left = spread.pods - spread.most
        point = _busiest(line, spread.time, end)
        cpu = point.cpu if point is not None else None
        load = cpu * spread.pods / left if cpu is not None and left else None
        if left == 0:
            text = f"all {spread.pods} pods on {spread.node}"
        elif load is not None and load > 100.0:
            where = f"{spread.most} of {spread.pods} pods on {spread.node}"
            text = f"{where}; without it cpu {load:.0f} % of the request on {left}"
        else:
            continue
        seconds += end - spread.time
        bad.append(Evidence(spread.time, end, text))
    if not bad or seconds < 0.05 * line.seconds:
        return None
    longest = sorted(bad, key=lambda e: -e.seconds)[:MOST_EVIDENCE]
    return Finding(
        "node-loss", Side.RISK, Level.HINT,
        f"the loss of one node would take more than the rest can carry, for {lasting(seconds)}: spread the pods "
        "(topologySpreadConstraints) or keep room",
        tuple(sorted(longest, key=lambda e: e.time)), min(1.0, seconds / line.seconds),
    )  # fmt: skip


def _busiest(line: Timeline, start: float, end: float) -> Point | None:
    points = [p for begin, until, p in line.spans() if until > start and begin < end and p.cpu is not None]
    return max(points, key=lambda p: p.cpu or 0.0, default=None)


def window_of(line: Timeline) -> float:
    """The scale-down window in force, in seconds."""
    rules = (spec_of(line.hpa).get("behavior") or {}).get("scaleDown") or {}
    window = rules.get("stabilizationWindowSeconds")
    return line.flags.downscale_stabilization if window is None else float(window)


def _window(line: Timeline) -> Finding | None:
    """Pods that only the scale-down window keeps; worse where the next peak always comes before it ends."""
    tolerance = line.flags.tolerance
    times = episodes(line, lambda p: p.held and p.current > max(p.low, p.needed(tolerance)))
    wasted = sum(
        (end - start) * (p.current - max(p.low, p.needed(tolerance))) for start, end, p in line.spans()
        if p.held and p.current > max(p.low, p.needed(tolerance))
    ) / 3600  # fmt: skip
    total = seconds_of(times)
    if total < 0.1 * line.seconds or wasted < 0.05 * line.pod_hours:
        return None
    window, period = window_of(line), period_of(line)
    if period is not None and window >= 0.9 * period.seconds:
        rule, level = "window-longer-than-period", Level.WARNING
        text = (
            f"the scale-down window of {window:.0f} s is as long as the load's period of about {period.seconds:.0f} s, "
            f"so the size of the peak is kept for ever"
        )
    else:
        rule, level = "held-by-window", Level.HINT
        text = f"the scale-down window of {window:.0f} s kept pods that nobody asked for, for {lasting(total)}"
    return Finding(
        rule, Side.WASTE, level, text,
        evidence(times, lambda ps: f"{ps[0].current} replicas where {min(p.needed(tolerance) for p in ps)} would do"),
        total / line.seconds, wasted,
    )  # fmt: skip


def _rate_limited(line: Timeline) -> Finding | None:
    times = episodes(line, lambda p: p.limited == "ScaleUpLimit" and hot(line, p))
    total = seconds_of(times)
    if total < max(3 * line.flags.sync_period, 0.01 * line.seconds):
        return None
    return Finding(
        "rate-limited", Side.RISK, Level.PROBLEM if total >= 0.05 * line.seconds else Level.WARNING,
        f"above its target while its scale-up policy let it grow no faster, for {lasting(total)}",
        evidence(times, lambda ps: f"from {ps[0].current} replicas, up to {hottest(ps):.2f} times the target"),
        total / line.seconds,
    )  # fmt: skip


def _above_target(line: Timeline) -> Finding | None:
    """Above the target although neither the maximum nor a policy holds it: it reacts too late, or pods start slowly."""
    times = episodes(line, lambda p: hot(line, p) and p.current < p.high and p.limited != "ScaleUpLimit")
    total = seconds_of(times)
    if total < max(4 * line.flags.sync_period, 0.1 * line.seconds):
        return None
    slow = sorted(line.starts)[len(line.starts) // 2] if line.starts else None
    why = (
        f"; new pods take {slow:.0f} s to become ready"
        if slow is not None and slow > 2 * line.flags.sync_period
        else ""
    )
    return Finding(
        "late", Side.RISK, Level.WARNING,
        f"above its target for {lasting(total)} of {lasting(line.seconds)} with room to grow{why}",
        evidence(times, lambda ps: f"{ps[0].current} replicas, up to {hottest(ps):.2f} times the target"),
        total / line.seconds,
    )  # fmt: skip


def _second_writer(line: Timeline) -> Finding | None:
    """The same size is set again and again: something else writes spec.replicas in between."""
    again = [two for one, two in pairwise(line.rescales) if one.after == two.after and two.before == one.after]
    if len(again) < 2:
        return None
    times = tuple(Evidence(r.time, r.time, f"set to {r.after} again") for r in again[:MOST_EVIDENCE])
    return Finding(
        "second-writer", Side.RISK, Level.PROBLEM,
        f"set the same size {len(again)} times again: something else writes spec.replicas (GitOps, helm, kubectl apply)",
        times, min(1.0, len(again) * 60.0 / line.seconds),
    )  # fmt: skip


def _asleep(line: Timeline) -> Finding | None:
    times = episodes(line, lambda p: p.blind == "ScalingDisabled")
    total = seconds_of(times)
    if total < 0.5 * line.seconds:
        return None
    return Finding(
        "disabled", Side.RISK, Level.HINT, f"its target had 0 replicas for {lasting(total)}, so it did nothing",
        evidence(times, lambda points: points[0].blind), total / line.seconds,
    )  # fmt: skip


_RULES = (
    _failing,
    _blind,
    _pinned_at_max,
    _rate_limited,
    _unreachable,
    _flapping,
    _second_writer,
    _above_target,
    _node_loss,
    _floor,
    _window,
    _request,
    _asleep,
)
