"""`hpatui load --find-capacity`: raise the rate in steps until latency or errors bend, and say what the HPA would need.

A step lasts --duration, and at an HPA until the metrics of that very step are in and its size has settled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from hpatui.api.load_shapes import CapacityJson, StepJson
from hpatui.clock import SystemClock
from hpatui.errors import LoadError, UsageError
from hpatui.load.capacity import Capacity, Limits, Search, Step
from hpatui.load.histogram import Histogram
from hpatui.load.plan import LoadPlan, Stage, parse_duration
from hpatui.load.run import Finished, Sampled
from hpatui.plain.load_result import append_log, check_log, csv_line
from hpatui.session.aim import Aim
from hpatui.session.settled import Settled, Sized
from hpatui.session.steer import SteeredRun
from hpatui.settings import Settings

_FIRST = 10.0  # requests/s of the first step, unless --rate says otherwise
_STEP = 10.0  # seconds a step, unless --duration says otherwise
_SETTLE = 2  # seconds at each step's start that do not count
_RECOVER = 30  # seconds at most, at the first rate, for the target to work off what a step was too much
_STEADY = 2  # seconds in a row that must look as the first step did


async def find_capacity(
    args: argparse.Namespace, settings: Settings, plan: LoadPlan, aim: Aim, limits: tuple[float | None, float | None]
) -> int:
    """Run the steps and print what they show; returns the exit code: 0, or 130 when interrupted before the end."""
    seconds = parse_duration(args.duration) if args.duration is not None else _STEP
    if seconds < _SETTLE + 1:
        raise UsageError(f"a step of {seconds:g} s is too short", hint="--duration is that of a step: 3 s or more")
    if args.hdr_log:
        check_log(Path(args.hdr_log))
    most = min(plan.max_rate, aim.target.cap or plan.max_rate)
    search = Search(args.rate or _FIRST, most, Limits(*limits))
    assert search.rate is not None
    plan = replace(plan, stages=(Stage(search.rate, search.rate, None),), duration=None, breaker=False)
    run = SteeredRun(aim, SystemClock(), aim.look, lambda text: None)
    finder = _Finder(args, run, search, Settled(aim, settings), seconds)
    interrupted: list[int] = []

    def finish() -> None:
        interrupted.append(1)
        run.finish()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, finish)
    try:
        await run.start(plan, args.workers)
        if interrupted:  # while it started
            run.finish()
        reason = await finder.follow()
    finally:
        await run.stop()
    if not search.steps:
        raise LoadError("the load ended before the first step did")
    ended = "interrupted" if interrupted else reason or "complete"
    _print(args, search, ended)
    return 130 if interrupted else 2 if reason else 0


class _Finder:
    """Follows the samples of a run, and steps on when a step is over."""

    def __init__(
        self, args: argparse.Namespace, run: SteeredRun, search: Search, settled: Settled, seconds: float
    ) -> None:
        self._run, self._search, self._settled = run, search, settled
        self._seconds = int(seconds)
        self._csv, self._log = args.csv, args.hdr_log
        # As long as a step at least; longer steps are judged by their end.
        self._samples: deque[Sampled] = deque(maxlen=max(1, self._seconds - _SETTLE))
        self._passed = 0
        self._recovering = 0

    async def follow(self) -> str:
        """Until all is known or the run ends; what cut it short, if anything did."""
        if self._csv:
            print(csv_line(None), flush=True)
        await self._settled.begin()
        async for report in self._run.reports():
            if isinstance(report, Finished):
                if report.error:
                    raise LoadError(report.error)
                return report.reason
            if self._csv:
                print(csv_line(report.sample), flush=True)
            self._passed += 1
            if self._recovering:
                await self._recover(report)
                continue
            if self._passed > _SETTLE:
                self._samples.append(report)
            if self._passed >= self._seconds and (sized := self._settled.sized()) is not None:
                await self._end_step(sized)
                if self._search.rate is None:
                    return ""
        return ""

    async def _end_step(self, sized: Sized) -> None:
        assert self._search.rate is not None
        rate, samples = self._search.rate, list(self._samples)
        step = _step(rate, samples, sized)
        if self._log:
            append_log(Path(self._log), _response(samples), samples[0].sample.time, float(len(samples)))
        why = self._search.take(step)
        again = "; once more" if why and self._search.rate == rate else ""
        print(_line(step, why + again), file=sys.stderr, flush=True)
        self._samples.clear()
        self._passed = 0
        if why and self._search.rate is not None:
            self._recovering = _STEADY
            self._order(self._search.reference.rate)
        else:
            await self._next()

    async def _next(self) -> None:
        if self._search.rate is not None:
            self._order(self._search.rate)
            await self._settled.begin()

    async def _recover(self, report: Sampled) -> None:
        """What was too much is worked off at the lowest rate, so that it does not count against the next step."""
        sample, before = report.sample, self._search.reference
        calm = before.p95 is None or (sample.p95 is not None and sample.p95 <= 2 * before.p95 + 10)
        well = calm and sample.failed <= before.failed * sample.sent and not sample.unserved
        self._recovering = self._recovering - 1 if well else _STEADY
        if self._recovering == 0 or self._passed >= _RECOVER:
            self._recovering = self._passed = 0
            await self._next()

    def _order(self, rate: float) -> None:
        self._run.set_stages((Stage(rate, rate, None),))


def _response(samples: list[Sampled]) -> Histogram:
    whole = Histogram()
    for report in samples:
        whole.merge(dict(report.response))
    return whole


def _step(rate: float, reports: list[Sampled], sized: Sized) -> Step:
    samples = [report.sample for report in reports]
    planned = sum(s.ok + s.failed + s.unserved for s in samples)
    (p95,) = _response(reports).percentiles((95,))
    return Step(
        rate,
        fmean(s.ok for s in samples),
        p95,
        sum(s.failed + s.unserved for s in samples) / planned if planned else 1.0,
        sum(s.generator_limited for s in samples) > len(samples) / 2,
        sized.pods,
        max(sized.ratios.values(), default=None),
        fmean(s.offered for s in samples),
        float(len(samples)),
        sized.ratios,
        sized.most,
    )


def _line(step: Step, why: str) -> str:
    p95 = "-" if step.p95 is None else f"{step.p95:.0f}"
    pods = "" if step.pods is None else f"  {step.pods} pods"
    used = "".join(f"  {name} {100 * ratio:.0f} % of its target" for name, ratio in step.ratios.items())
    return f"{step.rate:>8.0f}/s  {step.served:>8.0f} served  p95 {p95:>5} ms{pods}{used}  {why or 'fine'}"


def _print(args: argparse.Namespace, search: Search, ended: str) -> None:
    capacity = search.result()
    if args.json:
        print(json.dumps(_json(capacity, search.steps, args.peak, ended)))
        return
    out: Callable[..., None] = print
    out(_text(capacity, args.peak, ended), file=sys.stderr if args.csv else sys.stdout)


def _json(capacity: Capacity, steps: list[Step], peak: float | None, ended: str) -> CapacityJson:
    return {
        "knee": capacity.knee,
        "beyond": capacity.beyond,
        "why": capacity.why,
        "served_max": round(capacity.served, 3),
        "per_pod_at_target": capacity.per_pod,
        "per_pod_error": capacity.error,
        "metric": capacity.metric or None,
        "max_replicas": capacity.most,
        "replicas_for_peak": None if peak is None else capacity.replicas_for(peak),
        "steps": [_step_json(step) for step in steps],
        "ended": ended,
    }


def _step_json(step: Step) -> StepJson:
    return {
        "rate": step.rate,
        "served": step.served,
        "p95": step.p95,
        "failed": step.failed,
        "limited": step.limited,
        "pods": step.pods,
        "used": step.used,
        "offered": step.offered,
        "seconds": step.seconds,
        "ratios": dict(step.ratios),
        "most": step.most,
    }


def _text(capacity: Capacity, peak: float | None, ended: str) -> str:
    between = "" if capacity.beyond is None else f"; at {capacity.beyond:.4g}"
    lines = [f"carried well up to {capacity.knee:.4g} requests/s{between}: {capacity.why}"]
    if capacity.beyond is not None:
        lines.append(f"the most that was answered: {capacity.served:.4g} requests/s")
    if capacity.per_pod is not None:
        error = "" if capacity.error is None else f" (+- {capacity.error:.1f})"
        by = f", by {capacity.metric}" if capacity.metric else ""
        lines.append(f"at the HPA's target a pod takes about {capacity.per_pod:.1f} requests/s{error}{by}")
    if peak is not None:
        replicas = capacity.replicas_for(peak)
        needed = "unknown: no metric of an HPA followed the load" if replicas is None else f"about {replicas}"
        over = ""
        if replicas is not None and capacity.most is not None and replicas > capacity.most:
            over = f", more than maxReplicas ({capacity.most})"
        lines.append(f"replicas for {peak:g} requests/s: {needed}{over}")
    if ended != "complete":
        lines.append(f"ended early: {ended}")
    return "\n".join(lines)
