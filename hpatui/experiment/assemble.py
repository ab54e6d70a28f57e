"""Runs -> the result: each run's evidence, several runs of a variant together, the variants beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui import __version__
from hpatui.experiment.facts import Facts, Point
from hpatui.experiment.file import Experiment, Variant
from hpatui.experiment.judge import FAILED, OK, UNKNOWN, Verdict
from hpatui.experiment.measures import JUDGED, measured, percentile, spread, winner
from hpatui.experiment.result import (
    ExpectationResult,
    FaultResult,
    LoadSeries,
    LookResult,
    MetricSeries,
    Points,
    RescaleResult,
    Result,
    RunResult,
    Series,
    SpreadResult,
    StageResult,
    VariantResult,
    WinnerResult,
)
from hpatui.experiment.run import Ran
from hpatui.experiment.words import Expectation

_BEFORE = 15.0  # seconds before the load that the charts show


def assemble(experiment: Experiment, rans: Sequence[Ran], recordings: dict[int, str], seed: int) -> Result:
    """The result of all runs that were begun (at least one)."""
    runs = [run_result(ran, recordings.get(ran.number, "")) for ran in rans]
    error = next((ran.error for ran in rans if ran.error), "")
    expectations = [_together(item, index, rans, experiment) for index, item in enumerate(experiment.expectations)]
    state = "failed" if any(item.state != OK for item in expectations) else "passed"
    if error:
        state = "interrupted" if any(ran.interrupted for ran in rans) else "error"
    known = next((ran for ran in rans if ran.key is not None), rans[0])
    return Result(
        name=experiment.name,
        state=state,
        error=error,
        expectations=expectations,
        runs=runs,
        variants=[_variant(variant, rans) for variant in experiment.variants],
        winners=_winners(experiment, rans, seed),
        about=experiment.about,
        file=experiment.path.name,
        hpa=str(known.key or experiment.hpa or ""),
        context=known.context,
        sandbox=known.sandbox,
        speed=known.facts.speed,
        server_version=known.server,
        rules=known.rules,
        started=rans[0].started,
        repeat=experiment.repeat,
        seed=seed if len(experiment.variants) > 1 else None,
        load=experiment.plan.text() if experiment.quiet is None else f"nothing is sent for {experiment.quiet:g} s",
        hpatui=__version__,
    )


def _moment(facts: Facts, time: float | None) -> float | None:
    return None if time is None or facts.began is None else round(time - facts.began, 2)


def _verdict(verdict: Verdict, facts: Facts) -> ExpectationResult:
    return ExpectationResult(
        text=verdict.expectation.text,
        state=verdict.state,
        seen=verdict.seen,
        moment_s=_moment(facts, verdict.moment),
        reason=verdict.reason,
        value=verdict.value,
        limit=verdict.limit,
    )


def run_result(ran: Ran, recording: str = "") -> RunResult:
    """One run."""
    facts = ran.facts
    bad = any(verdict.state in (FAILED, UNKNOWN) for verdict in ran.verdicts)
    state = "interrupted" if ran.interrupted else "error" if ran.error else "failed" if bad else "passed"
    first = facts.looks[0].time if facts.looks else facts.until
    zero = facts.began if facts.began is not None else first  # where there was no load: what was seen before it
    return RunResult(
        number=ran.number,
        variant=ran.variant.name,
        started=ran.started,
        state=state,
        error=ran.error,
        duration_s=round(max(0.0, facts.until - zero), 2),
        load_end_s=_moment(facts, facts.ended),
        measures={name: None if value is None else round(value, 4) for name, value in measured(facts).items()},
        expectations=[_verdict(verdict, facts) for verdict in ran.verdicts],
        stages=[
            StageResult(name, round(start - zero, 2), _moment(facts, end), stage.rate)
            for (name, start, end), stage in zip(facts.stage_spans(), facts.stages, strict=True)
        ],
        faults=[FaultResult(f.name, round(f.start - zero, 2), _moment(facts, f.end)) for f in facts.faults],
        rescales=[RescaleResult(round(r.time - zero, 2), r.before, r.after, r.reason) for r in facts.rescales],
        states=[LookResult(round(look.time - zero, 2), look.state, look.headline) for look in facts.looks[-500:]],
        series=_series(facts, zero),
        target=ran.target,
        made=ran.made,
        recording=recording,
    )


def _series(facts: Facts, zero: float) -> Series:
    load = LoadSeries()
    for second in facts.seconds:
        load.time_s.append(round(second.time - zero, 2))
        load.offered.append(round(second.offered, 2))
        load.sent.append(second.sent)
        load.errors.append(second.failed + second.unserved)
        for series, value in ((load.p50, second.p50), (load.p95, second.p95), (load.p99, second.p99)):
            series.append(None if value is None else round(value, 2))
    return Series(
        replicas=_points(facts.current.points, zero),
        desired=_points(facts.desired.points, zero),
        ready=_points(facts.ready.points, zero),
        min=_points(facts.least.points, zero),
        max=_points(facts.most.points, zero),
        metrics=[
            MetricSeries(
                name, facts.units.get(name, ""), _points(points, zero),
                _points(facts.targets[name].points, zero) if name in facts.targets else [],
            )
            for name, points in facts.metrics.items()
        ],
        load=load,
    )  # fmt: skip


def _points(points: Sequence[Point], zero: float) -> Points:
    """Counted from `zero`; what was long before it counts as shortly before it."""
    found: Points = []
    for time, value in points:
        moment = round(max(time - zero, -_BEFORE), 2)
        if found and found[-1][0] == moment:
            found.pop()
        found.append((moment, None if value is None else round(value, 3)))
    return found


# Several runs ---------------------------------------------------------------------------------------------------------


def _together(expectation: Expectation, index: int, rans: Sequence[Ran], experiment: Experiment) -> ExpectationResult:
    """One expectation over all runs: the worst of them decides, or what it says of several."""
    verdicts = [(ran, ran.verdicts[index]) for ran in rans if index < len(ran.verdicts)]
    if expectation.several is not None:
        return _of_several(expectation, verdicts, experiment)
    for state in (FAILED, UNKNOWN):
        wrong = [(ran, verdict) for ran, verdict in verdicts if verdict.state == state]
        if wrong:
            ran, verdict = wrong[0]
            found = _verdict(verdict, ran.facts)
            if len(rans) > 1:
                which = f"run {ran.number}" + (f" ({ran.variant.name})" if ran.variant.name else "")
                found.seen = f"{which}: {found.seen} ({len(wrong)} of {len(verdicts)} runs)"
            return found
    if not verdicts:
        return ExpectationResult(expectation.text, UNKNOWN, "there was no run")
    ran, verdict = verdicts[-1]
    found = _verdict(verdict, ran.facts)
    values = [v.value for _, v in verdicts if v.value is not None]
    if len(verdicts) > 1:
        span = f", {min(values):.4g} to {max(values):.4g}" if values and min(values) != max(values) else ""
        found.seen = f"in all {len(verdicts)} runs{span}; the last: {found.seen}"
    return found


def _of_several(
    expectation: Expectation, verdicts: Sequence[tuple[Ran, Verdict]], experiment: Experiment
) -> ExpectationResult:  # fmt: skip
    """`(p90 of 5)`: for each variant by itself; the worst decides."""
    several = expectation.several
    assert several is not None
    worst: ExpectationResult | None = None
    limit = float(expectation.limit)
    for variant in experiment.variants:
        mine = [verdict for ran, verdict in verdicts if ran.variant.name == variant.name]
        values = [verdict.value for verdict in mine if verdict.value is not None]
        name = f"{variant.name}: " if variant.name else ""
        if len(mine) < several.of:
            found = ExpectationResult(expectation.text, UNKNOWN, f"{name}{len(mine)} runs, and it is of {several.of}")
        elif len(values) < len(mine):
            lost = next(verdict for verdict in mine if verdict.value is None)
            seen = f"{name}{len(mine) - len(values)} of {len(mine)} runs have no value: {lost.seen}"
            found = ExpectationResult(expectation.text, FAILED, seen, limit=limit)
        else:
            value = percentile(values, several.percentile)
            state = OK if expectation.holds(value, limit) else FAILED
            seen = f"{name}{value:.4g} ({several.text()}; {', '.join(f'{v:.4g}' for v in values)})"
            found = ExpectationResult(expectation.text, state, seen, None, "", value, limit)
        if worst is not None and worst.state == found.state == OK:
            found.seen = f"{worst.seen}; {found.seen}"
        if worst is None or worst.state == OK:
            worst = found
    assert worst is not None
    return worst


def _variant(variant: Variant, rans: Sequence[Ran]) -> VariantResult:
    mine = [ran for ran in rans if ran.variant.name == variant.name]
    values = [measured(ran.facts) for ran in mine if not ran.error]
    spreads = {}
    for name in values[0] if values else ():
        found = spread([item[name] for item in values])
        numbers = [None if v is None else round(v, 4) for v in (found.median, found.least, found.most)]
        spreads[name] = SpreadResult(numbers[0], numbers[1], numbers[2], found.count, found.missing)
    good = sum(1 for ran in mine if run_result(ran).state == "passed")
    return VariantResult(variant.name, dict(variant.spec), len(mine), good, spreads)


def _winners(experiment: Experiment, rans: Sequence[Ran], seed: int) -> list[WinnerResult]:
    if len(experiment.variants) < 2:
        return []
    found = []
    for measure, about in JUDGED.items():
        runs = {
            variant.name: [
                measured(ran.facts)[measure] for ran in rans if ran.variant.name == variant.name and not ran.error
            ]
            for variant in experiment.variants
        }
        best = winner(measure, runs, seed)
        if best is not None:
            sure = None if best.sure is None else round(best.sure, 1)
            found.append(WinnerResult(about, measure, best.name, sure, best.text))
    return found
