"""`hpatui load --find-capacity`: raise the rate in steps until latency or errors bend, and say what the HPA would need."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from statistics import fmean

from hpatui.errors import LoadError, UsageError
from hpatui.load.capacity import GROWTH, Capacity, Step, judge, verdict
from hpatui.load.plan import LoadPlan, Stage, parse_duration
from hpatui.load.run import Finished, LoadRun, Sampled
from hpatui.model import LoadSample
from hpatui.session.aim import Aim

_FIRST = 10.0  # requests/s of the first step, unless --rate says otherwise
_STEP = 10.0  # seconds a step, unless --duration says otherwise
_SETTLE = 2  # seconds at each step's start that do not count


async def find_capacity(
    args: argparse.Namespace, plan: LoadPlan, aim: Aim, limits: tuple[float | None, float | None]
) -> int:
    """Run the steps and print what they show; returns the exit code."""
    if plan.model != "open":
        raise UsageError("--find-capacity orders rates", hint="drop --concurrency")
    seconds = parse_duration(args.duration) if args.duration else _STEP
    if seconds < _SETTLE + 1:
        raise UsageError(f"a step of {seconds:g} s is too short", hint="--duration is that of a step: 3 s or more")
    most = min(plan.max_rate, aim.target.cap or plan.max_rate)
    rate = min(args.rate or _FIRST, most)
    run = LoadRun()
    await run.start(replace(plan, stages=(Stage(rate, rate, None),), duration=None), aim.target, args.workers)
    following = asyncio.create_task(aim.follow(run.set_routes))
    steps: list[Step] = []
    samples: list[LoadSample] = []
    try:
        async for sample in _samples(run):
            samples.append(sample)
            if len(samples) < seconds:
                continue
            step = await _step(rate, samples[_SETTLE:], aim)
            steps.append(step)
            samples = []
            why = verdict(step, steps[0])
            print(_line(step, why), file=sys.stderr)
            if why or rate >= most:
                break
            rate = min(rate * GROWTH, most)
            run.set_rate(rate)
    finally:
        following.cancel()
        await run.stop()
    if not steps:
        raise LoadError("the load ended before the first step did")
    capacity = judge(steps)
    print(json.dumps(_json(capacity, steps)) if args.json else _text(capacity, args.peak))
    return 0


async def _samples(run: LoadRun) -> AsyncIterator[LoadSample]:
    async for report in run.reports():
        if isinstance(report, Sampled):
            yield report.sample
        elif isinstance(report, Finished) and report.error:
            raise LoadError(report.error)


async def _step(rate: float, samples: list[LoadSample], aim: Aim) -> Step:
    sent = sum(s.sent + s.unserved for s in samples)
    hpa = await aim.look()
    ratios = [m.ratio for m in hpa.metrics if m.ratio is not None] if hpa is not None else []
    p95 = [s.p95 for s in samples if s.p95 is not None]
    return Step(
        rate,
        fmean(s.ok for s in samples),
        fmean(p95) if p95 else None,
        sum(s.failed + s.unserved for s in samples) / sent if sent else 1.0,
        sum(s.generator_limited for s in samples) > len(samples) / 2,
        hpa.current_replicas if hpa is not None else None,
        max(ratios) if ratios else None,
    )


def _line(step: Step, why: str) -> str:
    p95 = "-" if step.p95 is None else f"{step.p95:.0f}"
    pods = "" if step.pods is None else f"  {step.pods} pods"
    return f"{step.rate:>8.0f}/s  {step.served:>8.0f} served  p95 {p95:>5} ms{pods}  {why or 'fine'}"


def _json(capacity: Capacity, steps: list[Step]) -> dict[str, object]:
    return {
        "knee": capacity.knee,
        "why": capacity.why,
        "per_pod_at_target": capacity.per_pod,
        "steps": [asdict(step) for step in steps],
    }


def _text(capacity: Capacity, peak: float | None) -> str:
    lines = [f"carried well up to {capacity.knee:g} requests/s; then {capacity.why}"]
    if capacity.per_pod is not None:
        lines.append(f"at the HPA's target a pod takes about {capacity.per_pod:.1f} requests/s")
    if peak is not None:
        replicas = capacity.replicas_for(peak)
        needed = "unknown: the HPA's metric was not seen" if replicas is None else f"about {replicas}"
        lines.append(f"replicas for {peak:g} requests/s: {needed}")
    return "\n".join(lines)
