"""`hpatui load`: load without a screen, for scripts: a live line on a terminal, the result as text, JSON or CSV.

Exit code 1 when a threshold (--max-p95, --max-errors) is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from hpatui.errors import LoadError, UsageError
from hpatui.load.conditions import StageWatch, waits
from hpatui.load.plan import LoadPlan
from hpatui.load.plan_file import TlsOptions
from hpatui.load.run import Finished, LoadRun, Sampled
from hpatui.model import LoadSample
from hpatui.plain.load_plan import limit_ms, limit_share, plan_of
from hpatui.plain.load_result import append_log, live_line, missed_thresholds, result_csv, result_json, result_text
from hpatui.plain.load_target import Aim, aimed
from hpatui.settings import Settings

_KEPT = 3600  # seconds of samples that the result holds: the newest


def load(args: argparse.Namespace, settings: Settings) -> int:
    """Run `hpatui load`; returns the exit code."""
    plan, tls = plan_of(args)
    if args.json and args.csv:
        raise UsageError("--json and --csv both say how to print", hint="give one of them")
    if args.via != "cluster" and (args.engine or args.print_manifest):
        raise UsageError("--engine and --print-manifest are for load in the cluster", hint="add --via cluster")
    return asyncio.run(_main(args, settings, plan, tls))


async def _main(args: argparse.Namespace, settings: Settings, plan: LoadPlan, tls: TlsOptions) -> int:
    async with aimed(args, settings, tls) as aim:
        if args.via == "cluster":
            return await _in_cluster(args, plan, aim)
        if args.find_capacity:
            from hpatui.plain.load_capacity import find_capacity

            return await find_capacity(args, plan, aim)
        return await _run(args, plan, aim, LoadRun(), args.workers)


async def _in_cluster(args: argparse.Namespace, plan: LoadPlan, aim: Aim) -> int:
    from hpatui.plain.load_cluster import locust, place_of, print_manifest, run_loops

    place = place_of(args, aim)
    if args.print_manifest:
        return print_manifest(args, plan, place)
    if args.engine == "busybox":
        return await run_loops(args, plan, aim, place)
    return await _run(args, plan, aim, locust(aim, place), 1)


async def _run(args: argparse.Namespace, plan: LoadPlan, aim: Aim, run: LoadRun, workers: int) -> int:
    limits = (limit_ms(args.max_p95), limit_share(args.max_errors))
    cap = aim.target.cap
    if cap is not None and any(max(stage.start, stage.end) > cap for stage in plan.stages):
        print(f"hpatui: the API server carries this load: limited to {cap:g}/s", file=sys.stderr)
    if waits(plan) and aim.hpa is None:
        raise UsageError("a stage waits for an HPA (until ...)", hint="name the HPA as TARGET instead of a URL")
    began = time.time()
    interrupted = _finish_on_signals(run)
    await run.start(plan, aim.target, workers)
    helpers = [asyncio.create_task(aim.follow(run.set_routes))]
    seen = _Seen()
    if waits(plan):
        helpers.append(asyncio.create_task(_conditions(run, plan, aim, seen)))
    samples: list[LoadSample] = []
    finished: Finished | None = None
    live = sys.stderr.isatty() and not args.json
    try:
        async for report in run.reports():
            if isinstance(report, Finished):
                finished = report
                continue
            _take(report, samples, seen)
            if live:
                sys.stderr.write(f"\r\x1b[K{live_line(report.sample)}")
                sys.stderr.flush()
    finally:
        for helper in helpers:
            helper.cancel()
        await run.stop()
    if live:
        sys.stderr.write("\r\x1b[K")
    if finished is None or finished.error:
        raise LoadError((finished.error if finished else "") or "the load ended without a result")
    result = result_json(finished, samples, plan)
    if args.hdr_log:
        append_log(Path(args.hdr_log), finished.response, began, finished.totals.duration)
    print(json.dumps(result) if args.json else result_csv(samples).rstrip() if args.csv else result_text(result))
    missed = missed_thresholds(result, limits)
    for text in missed:
        print(f"hpatui: {text}", file=sys.stderr)
    return 1 if missed else 130 if interrupted and plan.duration is not None else 0


class _Seen:
    """The stage in force, as the newest sample says."""

    stage = ""


def _take(report: Sampled, samples: list[LoadSample], seen: _Seen) -> None:
    samples.append(report.sample)
    del samples[:-_KEPT]
    seen.stage = report.sample.stage


def _finish_on_signals(run: LoadRun) -> list[bool]:
    """End the run with its result on SIGINT, SIGTERM and SIGHUP; the list then has an element."""
    interrupted: list[bool] = []

    def finish() -> None:
        interrupted.append(True)
        run.finish()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, finish)
    return interrupted


async def _conditions(run: LoadRun, plan: LoadPlan, aim: Aim, seen: _Seen) -> None:
    """Look at the HPA each second; a stage whose condition is met gives way to the next."""
    watch = StageWatch(plan, time.monotonic())
    while True:
        await asyncio.sleep(1.0)
        if watch.look(seen.stage, await aim.look(), time.monotonic()):
            run.skip_stage()
