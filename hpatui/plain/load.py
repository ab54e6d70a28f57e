"""`hpatui load`: load without a screen, for scripts: a live line on a terminal, the result as text, JSON or CSV.

Exit code 1 when a threshold (--max-p95, --max-errors) is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hpatui.api.load_result import carried_out, result_json
from hpatui.api.load_shapes import LoadResultJson
from hpatui.clock import SystemClock
from hpatui.errors import LoadError, UsageError
from hpatui.load.conditions import waits
from hpatui.load.plan import LoadPlan
from hpatui.load.plan_file import TlsOptions
from hpatui.load.run import Finished
from hpatui.model import LoadSample
from hpatui.plain.load_plan import limit_ms, limit_share, plan_of
from hpatui.plain.load_result import (
    JsonStream,
    append_log,
    check_log,
    csv_line,
    live_line,
    missed_thresholds,
    result_text,
)
from hpatui.plain.load_target import aimed
from hpatui.session.aim import Aim
from hpatui.session.steer import SteeredRun
from hpatui.settings import Settings

_Limits = tuple[float | None, float | None]  # p95 in ms, share of errors


def load(args: argparse.Namespace, settings: Settings) -> int:
    """Run `hpatui load`; returns the exit code."""
    plan, tls = plan_of(args)
    limits = limit_ms(args.max_p95), limit_share(args.max_errors)
    return asyncio.run(_main(args, settings, plan, tls, limits))


async def _main(
    args: argparse.Namespace, settings: Settings, plan: LoadPlan, tls: TlsOptions, limits: _Limits
) -> int:  # fmt: skip
    async with aimed(args, settings, tls, plan) as aim:
        if aim.place is not None and args.print_manifest:
            from hpatui.plain.load_cluster import print_manifest

            return print_manifest(args, plan, aim.place)
        if args.engine == "busybox":
            from hpatui.plain.load_cluster import run_loops

            return await run_loops(args, plan, aim)
        if args.find_capacity:
            from hpatui.plain.load_capacity import find_capacity

            return await find_capacity(args, settings, plan, aim, limits)
        return await _run(args, plan, aim, limits)


async def _run(args: argparse.Namespace, plan: LoadPlan, aim: Aim, limits: _Limits) -> int:
    cap = aim.target.cap
    if cap is not None and (plan.model == "closed" or any(max(s.start, s.end) > cap for s in plan.stages)):
        print(f"hpatui: the API server carries this load: limited to {cap:g}/s", file=sys.stderr)
    if waits(plan) and aim.hpa is None:
        raise UsageError("a stage waits for an HPA (until ...)", hint="name the HPA as TARGET instead of a URL")
    if args.hdr_log:
        check_log(Path(args.hdr_log))
    began = time.time()
    run = SteeredRun(aim, SystemClock(), aim.look, _say)
    interrupted = _finish_on_signals(run)
    live = sys.stderr.isatty() and not args.json
    show, stream = _printing(args)

    def second(sample: LoadSample) -> None:
        show(sample)
        if live:
            _show(f"\r\x1b[K{live_line(sample)}")

    def started() -> None:
        if interrupted:  # while it started
            run.finish()

    finished = await carried_out(run, plan, 1 if aim.place is not None else args.workers, second, started)
    if live:
        sys.stderr.write("\r\x1b[K")
    ended = finished.error or finished.reason or ("interrupted" if interrupted else "complete")
    result = result_json(finished, [], plan, ended)
    if args.hdr_log:
        append_log(Path(args.hdr_log), finished.response, began, finished.totals.duration)
    if args.json:
        stream.end(result)
    elif not args.csv:
        print(_text(result))
    return _judged(result, limits, finished, cut=bool(interrupted))


def _printing(args: argparse.Namespace) -> tuple[Callable[[LoadSample], None], JsonStream]:
    """What prints each second as soon as it is over (nothing, where the result is text), and what prints the end."""

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    stream = JsonStream(write)
    if args.json:
        return stream.second, stream
    if args.csv:
        write(csv_line(None) + "\n")
        return (lambda sample: write(csv_line(sample) + "\n")), stream
    return (lambda _: None), stream


def _text(result: LoadResultJson) -> str:
    ended = result["ended"]
    return result_text(result) + ("" if ended == "complete" else f"\nended early: {ended}")


def _judged(result: LoadResultJson, limits: _Limits, finished: Finished, *, cut: bool) -> int:
    """The exit code, with a line for each reason. `cut`: a signal ended it."""
    if finished.error and not result["requests"]:
        raise LoadError(finished.error)
    missed = missed_thresholds(result, limits)
    problem = finished.error or finished.reason
    if problem and limits != (None, None) and not missed:
        missed = ["the thresholds cannot be judged"]
    for text in (*([f"the load was cut short: {problem}"] if problem else []), *missed):
        print(f"hpatui: {text}", file=sys.stderr)
    if missed:
        return 1
    return 2 if problem else 130 if cut else 0


def _show(text: str) -> None:
    """Write to the terminal, unless it takes nothing (ctrl-s): to wait for it would hold everything else."""
    if select.select([], [sys.stderr], [], 0)[1]:
        sys.stderr.write(text)
        sys.stderr.flush()


def _say(text: str) -> None:
    print(f"hpatui: {text}", file=sys.stderr, flush=True)


def _finish_on_signals(run: SteeredRun) -> list[bool]:
    """End the run with its result on SIGINT, SIGTERM and SIGHUP; the list then has an element."""
    interrupted: list[bool] = []

    def finish() -> None:
        interrupted.append(True)
        run.finish()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, finish)
    return interrupted
