"""Are the latencies true? Servers of known behaviour on loopback, against theory, and against wrk and hey where installed.

The planned times are known (the same seed), and so are the times that the server takes: what each request of the plan
should have waited is a sum, not an estimate. Each percentile has to be within 2 % plus 1 ms of it.
"""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import Table
from bench.truth_server import SERVICE, Queue
from hpatui.load.pacing import Pacer
from hpatui.load.plan import KEPT, LoadPlan, Stage
from hpatui.load.run import Finished, LoadRun
from hpatui.load.target import Target

_RATE, _SECONDS, _SEED = 200.0, 15.0, 7
_PERCENTILES = (("p50", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p999", 99.9))
_CASES = (("constant", "even"), ("exponential", "even"), ("bimodal", "even"), ("stalled", "even"), ("md1", "poisson"),
          ("mm1", "poisson"))  # fmt: skip


def main() -> list[Table]:
    """Run all of it; about two minutes."""
    return [_truth(), _queues(), _others()]


@contextmanager
def serving(kind: str) -> Iterator[str]:
    """A server of known behaviour; its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.truth_server", kind], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/"
        finally:
            server.kill()


def plan_of(arrivals: str, seconds: float = _SECONDS) -> LoadPlan:
    """The order: 200/s."""
    stages = (Stage(_RATE, _RATE, None),)
    return LoadPlan(
        stages=stages, duration=seconds, arrivals=arrivals, seed=_SEED, max_rate=10 * _RATE, connection_age=KEPT,
        connections=5000,
    )  # fmt: skip


def expected(kind: str, plan: LoadPlan) -> list[float]:
    """What the requests of the plan have to wait, by theory, sorted (milliseconds)."""
    assert plan.duration is not None
    pacer, queue = Pacer(plan.stages, 0.0, arrivals=plan.arrivals, seed=plan.seed), Queue(kind)
    planned = [at for at in pacer.due(plan.duration) if at <= plan.duration - 1e-6]
    return sorted((queue.answered(at) - at) * 1000 for at in planned)


async def _finished(plan: LoadPlan, url: str) -> Finished:
    run = LoadRun()
    await run.start(plan, Target(url, "truth"))
    last = [report async for report in run.reports()][-1]
    assert isinstance(last, Finished)
    return last


def measured(kind: str, plan: LoadPlan) -> Finished:
    """The plan, run against the server."""
    with serving(kind) as url:
        return asyncio.run(_finished(plan, url))


def _at(values: list[float], percentile: float) -> float:
    return values[max(1, math.ceil(percentile / 100 * len(values) - 1e-9)) - 1]


def _truth() -> Table:
    rows: list[tuple[object, ...]] = []
    for kind, arrivals in _CASES:
        plan = plan_of(arrivals)
        truth, found = expected(kind, plan), measured(kind, plan)
        for name, percentile in _PERCENTILES:
            wanted, got = _at(truth, percentile), found.planned.table[name] or 0.0
            good = abs(got - wanted) <= 0.02 * wanted + 1.0
            rows.append((kind, name, round(wanted, 2), round(got, 2), round(got - wanted, 2), "yes" if good else "NO"))
        late = found.summary["late_start_ms"]
        rows.append((kind, "late start p99, max", 0, late["p99"], late["max"], "this machine's own"))
        same = found.totals.requests == len(truth)
        rows.append(
            (
                kind,
                "count",
                len(truth),
                found.totals.requests,
                found.totals.requests - len(truth),
                "yes" if same else "NO",
            )
        )
    note = f"{_RATE:g}/s for {_SECONDS:g} s, open model; milliseconds; of all planned, from the planned start"
    return Table(
        "Truth: latencies", ("server", "what", "theory", "hpatui", "off by", "within 2 % + 1 ms"), tuple(rows), note
    )


def _queues() -> Table:
    """The closed formulas for the mean, to which the sums above converge: Pollaczek and Khinchine."""
    load = _RATE * SERVICE
    rows: list[tuple[object, ...]] = []
    for kind, spread in (("md1", 1.0), ("mm1", 2.0)):
        formula = (SERVICE + spread * load * SERVICE / (2 * (1 - load))) * 1000
        sums = expected(kind, plan_of("poisson", 2000.0))
        rows.append((kind, round(formula, 2), round(sum(sums) / len(sums), 2)))
    return Table("Truth: the queues themselves", ("queue", "mean by formula, ms", "mean of the sums, ms"), tuple(rows))


def _others() -> Table:
    """Closed model, 16 connections, constant 10 ms: what wrk and hey say."""
    rows: list[tuple[object, ...]] = []
    with serving("constant") as url:
        plan = LoadPlan(model="closed", concurrency=16, duration=5.0, max_rate=1e5, connection_age=KEPT)
        table = asyncio.run(_finished(plan, url)).summary["latency_ms"]
        rows.append(("hpatui", table["p50"], table["p90"], table["p99"]))
        if shutil.which("wrk"):
            text = subprocess.run(
                ["wrk", "-t1", "-c16", "-d5s", "--latency", url], capture_output=True, text=True, check=True
            )
            found = {share: float(n) for share, n in re.findall(r"(50|90|99)%\s+([\d.]+)ms", text.stdout)}
            rows.append(("wrk", *(found.get(share) for share in ("50", "90", "99"))))
        if shutil.which("hey"):
            text = subprocess.run(["hey", "-z", "5s", "-c", "16", url], capture_output=True, text=True, check=True)
            found = {share: float(n) * 1000 for share, n in re.findall(r"(50|90|99)% in ([\d.]+) secs", text.stdout)}
            rows.append(("hey", *(round(found[share], 1) if share in found else None for share in ("50", "90", "99"))))
    return Table(
        "Truth: beside other generators", ("tool", "p50 ms", "p90 ms", "p99 ms"), tuple(rows), "10 ms a request"
    )
