"""`hpatui load --via cluster`: generators inside the cluster, as manifests or run from here.

Locust is run as any other load (`locust`); busybox's wget loops only run, and count nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from typing import Any

from hpatui.api.load_shapes import LoopsJson
from hpatui.load.jobs import LEASE, Place, busybox_job, deadline_of, locust_objects
from hpatui.load.plan import LoadPlan
from hpatui.plain.safe import manifests
from hpatui.session.aim import Aim
from hpatui.session.generators import Generators
from hpatui.session.steer import to_the_end


def print_manifest(args: argparse.Namespace, plan: LoadPlan, place: Place) -> int:
    """The objects, for those who create them by other means; returns the exit code."""
    if args.engine == "busybox":
        objects = [busybox_job(place, deadline_of(plan), _pause(plan, place))]
    else:
        objects = locust_objects(plan, place)
    print(manifests(objects), end="")
    return 0


def _pause(plan: LoadPlan, place: Place) -> float:
    """Seconds between two requests of a loop, so that all of them together keep --max-rate."""
    return max(0.01, place.workers / plan.max_rate)


def say(text: str) -> None:
    print(f"hpatui: {text}", file=sys.stderr, flush=True)


async def run_loops(args: argparse.Namespace, plan: LoadPlan, aim: Aim) -> int:
    """busybox's loops until the duration is over or a signal comes; 0, or 130 when interrupted. Ctrl-z is such a signal:
    while we are stopped nobody could end them before their lease does.
    """
    connection, place = aim.connection, aim.place
    assert connection is not None and place is not None
    generators = Generators(connection, [job := busybox_job(place, LEASE, _pause(plan, place))], say)
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    loops = f"{place.workers} wget loop{'s'[: place.workers > 1]}"
    began = time.monotonic()
    tasks: list[asyncio.Task[Any]] = []
    try:
        await generators.create()
        say(f"{loops} at {place.url} as Job {job['metadata']['name']}")
        tasks = [asyncio.create_task(generators.hold()), asyncio.create_task(ending.wait())]
        done, _ = await asyncio.wait(tasks, timeout=plan.duration, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # the Job ended before its time: says why
    finally:
        for task in tasks:
            task.cancel()
        await to_the_end(generators.delete())
    seconds = time.monotonic() - began
    result: LoopsJson = {
        "engine": "busybox",
        "workers": place.workers,
        "duration_s": round(seconds, 3),
        "requests": None,
    }
    print(json.dumps(result) if args.json else f"{loops} for {seconds:.0f} s; busybox counts nothing")
    return 130 if ending.is_set() else 0
