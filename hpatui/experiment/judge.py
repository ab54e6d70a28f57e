"""An expectation and what was seen -> a verdict with its evidence: the value, the moment, the reason. Pure.

While a run goes on the verdict may be `waiting`; with `final` it never is: what cannot be told then is `unknown`, which is no
success.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from hpatui.experiment.facts import Facts, Rescaled, latency
from hpatui.experiment.words import SIZES, Anchor, Expectation
from hpatui.report.axes import elapsed
from hpatui.state.patterns import FLAPPING_CHANGES, FLAPPING_WINDOW

OK, FAILED, WAITING, UNKNOWN = "ok", "failed", "waiting", "unknown"
FASTEST_AGREEMENT = 1.5  # the cluster's speed up to which each of its samples is read, so that syncs can be computed
_PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9, "max latency": 100.0}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`seen` is the evidence in words, `moment` when it was decided (epoch seconds, the cluster's), `reason` what was so at
    that moment; `value` and `limit` in the subject's unit.
    """

    expectation: Expectation
    state: str
    seen: str = ""
    moment: float | None = None
    reason: str = ""
    value: float | None = None
    limit: float | None = None


def judge(expectation: Expectation, facts: Facts, *, final: bool = False) -> Verdict:
    """What can be said of it by now."""
    bounds = facts.bounds(expectation.span)
    if bounds is None:
        if not final:
            return Verdict(expectation, WAITING)
        return Verdict(expectation, UNKNOWN, _never(expectation, facts))
    start, end, over = bounds
    if expectation.subject in SIZES:
        found = _size(expectation, facts, start, end, over=over or final, whole=over)
    elif expectation.subject.startswith("never "):
        found = _never_in(expectation, facts, start, end, over=over or final)
    elif expectation.subject == "flapping":
        found = _flapping(expectation, facts, over=over or final)
    else:
        found = _number(expectation, facts, start, end, over=over or final)
    return found


def _never(expectation: Expectation, facts: Facts) -> str:
    anchor = expectation.span.anchor
    if facts.began is None:
        return "the load never began"
    if anchor.kind == "stable":
        return f"it was never stable: no {facts.settle:g} s without a change from the peak stage on"
    return f"{anchor.text()} never came"


def at(facts: Facts, time: float) -> str:
    """A moment as people read it: counted from the load's begin."""
    return elapsed(time - facts.began) if facts.began is not None else "before the load"


def scene(facts: Facts, time: float) -> str:
    """What was so at a moment: sizes, metrics, load, and the line that explains the HPA."""
    parts = []
    names = (("replicas", facts.current), ("wanted", facts.desired), ("ready", facts.ready))
    sizes = [f"{value:g} {name}" for name, steps in names if (value := steps.at(time)) is not None]
    if sizes:
        parts.append(", ".join(sizes))
    for label, points in facts.metrics.items():
        value = next((v for t, v in reversed(points) if t <= time), None)
        goal = facts.targets[label].at(time) if label in facts.targets else None
        if value is not None:
            unit = facts.units.get(label, "")
            parts.append(f"{label} {value:g}{unit}" + (f" of {goal:g}{unit}" if goal is not None else ""))
    load = next((second for second in reversed(facts.seconds) if second.time <= time), None)
    if load is not None and (facts.ended is None or time <= facts.ended):
        parts.append(f"load {load.offered:g}/s")
    fault = [
        struck.name for struck in facts.faults if struck.start <= time and (struck.end is None or time <= struck.end)
    ]
    parts += [f"fault {name}" for name in fault]
    look = facts.look_at(time)
    if look is not None:
        parts.append(f"{look.state}: {look.headline}" if look.headline else look.state)
    return "; ".join(parts)


def _failed(
    expectation: Expectation, facts: Facts, seen: str, moment: float | None, value: float | None, limit: float | None
) -> Verdict:
    reason = scene(facts, moment) if moment is not None else ""
    return Verdict(expectation, FAILED, seen, moment, reason, value, limit)


# Sizes ----------------------------------------------------------------------------------------------------------------


def _limit(expectation: Expectation, facts: Facts, time: float) -> float | None:
    if isinstance(expectation.limit, float):
        return expectation.limit
    return (facts.least if expectation.limit == "min" else facts.most).at(time)


def _size(e: Expectation, facts: Facts, start: float, end: float, *, over: bool, whole: bool) -> Verdict:
    """Sizes: at some moment of `within`, at every one of other spans."""
    steps = facts.size(e.subject)
    pieces = [(left, value, _limit(e, facts, left)) for left, _, value in steps.within(start, end) if value is not None]
    known = [(left, value, limit) for left, value, limit in pieces if limit is not None]
    if e.span.kind == "within":
        met = next(((left, value, limit) for left, value, limit in known if e.holds(value, limit)), None)
        if met is not None:
            left, value, limit = met
            since = f"{left - start:.0f} s after {e.span.anchor.text()}"
            return Verdict(e, OK, f"{e.subject} {value:g} at {at(facts, left)}, {since}", left, "", value, limit)
        if not over:
            return Verdict(e, WAITING, f"{e.subject} {known[-1][1]:g}" if known else "")
        if not known:
            return Verdict(e, UNKNOWN, f"{e.subject} is not known of that time")
        if not whole:
            return Verdict(e, UNKNOWN, f"the run ended {facts.until - start:.0f} s after {e.span.anchor.text()}")
        return _late(e, facts, start, end, known[-1][1])
    wrong = next(((left, value, limit) for left, value, limit in known if not e.holds(value, limit)), None)
    if wrong is not None:
        left, value, limit = wrong
        return _failed(e, facts, f"{e.subject} was {value:g} at {at(facts, left)}", left, value, limit)
    if not over:
        return Verdict(e, WAITING, f"{e.subject} {known[-1][1]:g}" if known else "")
    if not known:
        return Verdict(e, UNKNOWN, f"{e.subject} is not known of that time")
    sizes = sorted({value for _, value, _ in known})
    span = f"{sizes[0]:g}" if len(sizes) == 1 else f"{sizes[0]:g} to {sizes[-1]:g}"
    return Verdict(e, OK, f"{e.subject} was {span} from {at(facts, start)} to {at(facts, end)}", None, "", sizes[-1])


def _late(e: Expectation, facts: Facts, start: float, end: float, value: float) -> Verdict:
    """Not reached in time: by when it was, if ever."""
    steps = facts.size(e.subject)
    later = next(
        (left for left, _, v in steps.within(end, max(facts.until, end + 1e-6))
         if v is not None and (limit := _limit(e, facts, left)) is not None and e.holds(v, limit)), None,
    )  # fmt: skip
    after = (
        "not reached later either" if later is None else f"reached {later - start:.0f} s after {e.span.anchor.text()}"
    )
    seen = f"{e.subject} was {value:g} at {at(facts, end)}, when the {e.span.seconds:g} s were over; {after}"
    return _failed(e, facts, seen, end, value, _limit(e, facts, end))


# States and turns -----------------------------------------------------------------------------------------------------


def _never_in(e: Expectation, facts: Facts, start: float, end: float, *, over: bool) -> Verdict:
    word = e.subject.removeprefix("never ")
    first = facts.look_at(start)
    looks = [*([first] if first is not None else []), *(look for look in facts.looks if start < look.time <= end)]
    for look in looks:
        if look.state == word:
            moment = max(look.time, start)
            return _failed(e, facts, f"{word} at {at(facts, moment)}", moment, 1.0, 0.0)
    if not over:
        return Verdict(e, WAITING)
    if not looks:
        return Verdict(e, UNKNOWN, "the HPA was not seen in that time")
    states = ", ".join(dict.fromkeys(look.state for look in looks))
    return Verdict(e, OK, f"was {states}", None, "", 0.0, 0.0)


def turns(facts: Facts) -> list[float]:
    """When the HPA turned from up to down or back though the load had not changed its stage in between."""
    edges = [stage.start for stage in facts.stages] + ([facts.ended] if facts.ended is not None else [])
    moves = [rescale for rescale in facts.rescales if rescale.before is not None and rescale.before != rescale.after]

    def up(rescale: Rescaled) -> bool:
        return rescale.after > (rescale.before or 0)

    return [
        two.time for one, two in pairwise(moves)
        if up(one) != up(two) and not any(one.time - 1.0 <= edge <= two.time for edge in edges)
    ]  # fmt: skip


def _flapping(e: Expectation, facts: Facts, *, over: bool) -> Verdict:
    """The doctor's measure: so many turns within so long. Turns that the load ordered do not count."""
    found = turns(facts)
    for index in range(len(found) - FLAPPING_CHANGES + 1):
        last = found[index + FLAPPING_CHANGES - 1]
        if last - found[index] <= FLAPPING_WINDOW:
            seen = f"turned {FLAPPING_CHANGES} times between {at(facts, found[index])} and {at(facts, last)}"
            return _failed(e, facts, f"{seen}, at an unchanged load", last, float(len(found)), FLAPPING_CHANGES - 1.0)
    if not over:
        return Verdict(e, WAITING)
    count = f"{len(found)} turn{'s'[: len(found) != 1]} that the load did not order"
    return Verdict(e, OK, f"{count}, in {len(facts.rescales)} rescales", None, "", float(len(found)))


# Numbers --------------------------------------------------------------------------------------------------------------


def _number(e: Expectation, facts: Facts, start: float, end: float, *, over: bool) -> Verdict:
    """One number over the span."""
    value, seen, moment = _MEASURES[e.subject](e, facts, start, end)
    limit = float(e.limit)
    growing = e.subject in ("rescales", "pod-minutes") and e.operator in ("<", "<=")
    if value is not None and not e.holds(value, limit) and (over or growing) and e.several is None:
        return _failed(e, facts, seen, moment, value, limit)
    if not over:
        return Verdict(e, WAITING, seen, None, "", value, limit)
    if value is None:
        failed = e.subject == "time to scale" and e.several is None
        reason = scene(facts, moment) if moment is not None and failed else ""
        return Verdict(e, FAILED if failed else UNKNOWN, seen, moment if failed else None, reason, None, limit)
    return Verdict(e, OK, seen, moment if e.subject == "time to scale" else None, "", value, limit)


_Measured = tuple[float | None, str, float | None]  # value, in words, the moment that decides


def _latency(e: Expectation, facts: Facts, start: float, end: float) -> _Measured:
    seconds = facts.load_in(start, end)
    value = latency(seconds, _PERCENTILES[e.subject])
    if value is None:
        return None, "no request was answered in that time", None
    worst = max(seconds, key=lambda second: second.p95 or 0.0)
    answers = sum(sum(second.slots.values()) for second in seconds)
    seen = f"{e.subject} {value:.4g} ms of {answers} answers; the worst second began at {at(facts, worst.time)}"
    return value, f"{seen} (p95 {worst.p95 or 0:.4g} ms)", worst.time


def _errors(_: Expectation, facts: Facts, start: float, end: float) -> _Measured:
    seconds = facts.load_in(start, end)
    bad = sum(second.failed + second.unserved for second in seconds)
    all_of_them = bad + sum(second.ok for second in seconds)
    if not all_of_them:
        return None, "no request was due in that time", None
    first = next((second.time for second in seconds if second.failed + second.unserved), None)
    share = 100.0 * bad / all_of_them
    seen = f"{share:.3g} % ({bad} of {all_of_them} failed or were not served)"
    return share, seen + (f", first at {at(facts, first)}" if first is not None else ""), first


def _rescales(e: Expectation, facts: Facts, start: float, end: float) -> _Measured:
    found = [rescale for rescale in facts.rescales if start - 1.0 <= rescale.time <= end]
    path = ", ".join(f"{'?' if r.before is None else r.before} → {r.after} at {at(facts, r.time)}" for r in found[:8])
    limit = int(float(e.limit)) if e.operator in ("<", "<=") else len(found)
    beyond = limit if e.operator == "<=" else max(limit - 1, 0)
    moment = found[beyond].time if beyond < len(found) else None
    more = f", and {len(found) - 8} more" if len(found) > 8 else ""
    return (
        float(len(found)),
        f"{len(found)} rescale{'s'[: len(found) != 1]}" + (f": {path}{more}" if path else ""),
        moment,
    )


def pod_minutes(facts: Facts, start: float, end: float) -> float:
    """Replicas over time, in minutes of the cluster's time."""
    return sum((value or 0.0) * (right - left) for left, right, value in facts.current.within(start, end)) / 60.0


def _pod_minutes(e: Expectation, facts: Facts, start: float, end: float) -> _Measured:
    value = pod_minutes(facts, start, end)
    return value, f"{value:.3g} pod-minutes from {at(facts, start)} to {at(facts, end)}", end


def scaled_at(facts: Facts, start: float, end: float) -> tuple[float, float] | None:
    """(moment, size) at which as many pods were ready (or counted, where pods are not known) as the HPA wanted at most
    between `start` and `end`; None where it wanted no more than there was, or they never were.
    """
    before = facts.desired.at(start)
    wanted = max((value for left, _, value in facts.desired.within(start, end) if value is not None), default=None)
    if before is None or wanted is None or wanted <= before:
        return None
    steps = facts.ready if facts.ready.points else facts.current
    found = next((left for left, _, v in steps.within(start, facts.until) if v is not None and v >= wanted), None)
    return None if found is None else (found, wanted)


def _time_to_scale(e: Expectation, facts: Facts, start: float, end: float) -> _Measured:
    stage = facts.peak()
    if e.span.kind == "during":
        stage = next((stage for stage in facts.stages if stage.name == e.span.anchor.name), None)
    if stage is None:
        return None, "no stage of the load began", None
    ending = facts.moment(Anchor("stage", stage.name, ends=True)) or facts.until
    found = scaled_at(facts, stage.start, ending)
    if found is not None:
        seconds = found[0] - stage.start
        return seconds, f"{seconds:.1f} s from the begin of stage {stage.name} to {found[1]:g} ready pods", found[0]
    before = facts.desired.at(stage.start)
    most = max((v for _, _, v in facts.desired.within(stage.start, ending) if v is not None), default=None)
    if most is None or before is None or most <= before:
        return None, f"it did not scale up in stage {stage.name}", ending
    return None, f"{most:g} were wanted in stage {stage.name}, and never all of them were ready", facts.until


def _agreement(_: Expectation, facts: Facts, start: float, end: float) -> _Measured:
    if facts.speed > FASTEST_AGREEMENT:
        why = f"at speed {facts.speed:g} not each of its samples can be read; run it at speed 1"
        return None, f"what the controller decides cannot be computed: {why}", None
    if not facts.compared:
        return None, "no sync of the controller could be compared", None
    share = 100.0 * facts.agreed / facts.compared
    return share, f"{share:.4g} % ({facts.agreed} of {facts.compared} syncs went as computed)", end


_MEASURES: dict[str, Callable[[Expectation, Facts, float, float], _Measured]] = {
    **dict.fromkeys(_PERCENTILES, _latency),
    "errors": _errors,
    "rescales": _rescales,
    "pod-minutes": _pod_minutes,
    "time to scale": _time_to_scale,
    "agreement": _agreement,
}
