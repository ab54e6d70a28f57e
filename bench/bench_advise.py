"""`hpatui advise` on a recording of many HPAs with a day each: seconds and memory, in a process of its own.

HPATUI_BENCH_ADVISE=N: so many HPAs (default 50; the whole measure is 1000, whose recording takes some minutes to make).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from math import ceil, sin
from pathlib import Path

from hpatui.model import EVERYTHING, ControllerFlags, Hpa, Kind, Listed, Seen, Upserted
from hpatui.record.meta import Meta
from hpatui.record.writer import Recorder
from tests import factories

DAY, SYNC = 86400, 15
NOW = 1_780_000_000.0


def _hpa(number: int, at: float) -> Hpa:
    """One of a fleet under a load of waves of its own; every tenth is pinned, every eleventh never leaves its floor."""
    wave = 1.0 + 0.8 * sin(at / (600.0 + 7 * number) + number)
    high, low = (3, 1) if number % 10 == 0 else (12, 6) if number % 11 == 0 else (12, 1)
    wanted = max(1, ceil(4 * wave))
    size = min(high, max(low, wanted))
    ratio = round(4 * wave / size, 2)
    metric = factories.metric(round(50 * ratio), 50.0)
    raw = json.dumps({"spec": {"minReplicas": low, "maxReplicas": high}}).encode()
    found = factories.hpa(
        f"hpa-{number:04}", f"team-{number % 40}", current=size, desired=size, low=low, high=high, metrics=[metric],
        scaled=NOW + at - at % 600, raw=raw,
    )  # fmt: skip
    return replace(found, resource_version=str(int(at)))


def facts(count: int) -> Iterator[Seen]:
    """A day, a status of each HPA a sync."""
    yield Seen(NOW, Listed(Kind.HPA, tuple(_hpa(number, 0.0) for number in range(count))))
    yield Seen(NOW, Listed(Kind.POD, (), EVERYTHING))
    for at in range(SYNC, DAY, SYNC):
        for number in range(count):
            yield Seen(NOW + at + number * SYNC / count, Upserted(Kind.HPA, _hpa(number, float(at))))


def record(path: Path, count: int) -> float:
    """Write it; the seconds that it took."""
    begin = time.perf_counter()
    recorder = Recorder(path, Meta("bench", "v1.36.0", ControllerFlags()), single=True, days=30, size=8 * 2**30)
    for index, seen in enumerate(facts(count)):
        recorder.take(seen)
        if index % 20_000 == 0:
            recorder.flush()
    recorder.close()
    assert recorder.problem == "", recorder.problem
    return time.perf_counter() - begin


def main() -> dict[str, float]:
    """Make the recording, and advise on it."""
    count = int(os.environ.get("HPATUI_BENCH_ADVISE", "50"))
    with tempfile.TemporaryDirectory(prefix="hpatui-bench-") as folder:
        path = Path(folder) / "fleet.db"
        made = record(path, count)
        begin = time.perf_counter()
        words = ["advise", "-A", "--recording", str(path), "--since", "24h", "--json", "--price-cpu", "0.04"]
        done = subprocess.run([sys.executable, "-m", "hpatui", *words], stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.perf_counter() - begin
        judged = json.loads(done.stdout)["totals"]["hpas"]
        size = path.stat().st_size / 2**20
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"advise on {judged} HPAs with 24 h each: {seconds:.1f} s, {memory:.0f} MB "
        f"(recording {size:.0f} MB, made in {made:.0f} s)"
    )
    return {"advise_hpas": judged, "advise_s": round(seconds, 1), "advise_mb": round(memory)}


if __name__ == "__main__":
    main()
