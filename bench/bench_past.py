"""The past: a jump anywhere in a week, a day of one HPA at full speed, what `[` costs; of one HPA, and of one among many.

`HPATUI_BENCH_HPAS` sets how many (default 1,000); each with three pods, everything changing every 15 s.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import Table
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.cluster.decode import decode_hpa, decode_workload
from hpatui.cluster.decode_pods import decode_pod, decode_usages
from hpatui.model import (
    EVERYTHING,
    ControllerFlags,
    Deleted,
    Event,
    Fact,
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.record.meta import Meta
from hpatui.record.reader import open_recording
from hpatui.record.writer import Recorder
from hpatui.session.marks import Marks, look_through
from hpatui.session.player import Player
from hpatui.session.replaying import ReplaySession
from hpatui.settings import Settings

START = 1_780_000_000.0
DAY = 86_400.0
PERIOD = 15.0
_FLAGS = ControllerFlags(known=True)


def _when(moment: float) -> str:
    return format_rfc3339(as_datetime(moment))


class Workload:
    """One HPA whose load goes up and down every 20 minutes, with its target and pods, in a namespace of its own. It is
    scaled as the controller would: by what its pods used at the last sample, with its tolerance, limits and window.
    """

    def __init__(self, number: int) -> None:
        self.namespace, self.name = f"team-{number}", "web"
        self.size, self._scaled, self._version = 3, START - 600, 0
        self._phase = number * 37.0
        self._used = 0  # millicores of each pod at the last sample
        self.events: list[tuple[float, str]] = []  # which the API server keeps for an hour
        self._wanted: list[tuple[float, int]] = []  # recommendations within the window
        self.key = Key(self.namespace, self.name)

    def _demand(self, now: float) -> float:
        return 300.0 + 220.0 * math.sin((now + self._phase) / 1200 * 2 * math.pi)

    def hpa(self, now: float) -> bytes:
        """Its HPA after a sync."""
        self._version += 1
        share, before = self._used, self.size
        wanted = before if 54 <= share <= 66 else math.ceil(before * share / 60)
        self._wanted = [*((at, size) for at, size in self._wanted if at >= now - 300), (now, wanted)]
        held = max(size for _, size in self._wanted) if wanted < before else wanted
        self.size = min(9, max(1, min(held, before) if wanted < before else min(held, before + max(before, 4))))
        if self.size != before:
            self._scaled = now
        target = {"type": "Utilization", "averageUtilization": 60}
        current = {"averageUtilization": share, "averageValue": f"{share}m"}
        condition = {
            "status": "True",
            "lastTransitionTime": _when(START),
            "message": "recommended size matches current size",
        }
        return json.dumps({
            "metadata": {"namespace": self.namespace, "name": self.name, "uid": f"u-{self.namespace}", "generation": 1,
                         "resourceVersion": str(self._version), "creationTimestamp": _when(START - 9000)},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 1,
                     "maxReplicas": 9, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]},
            "status": {"currentReplicas": before, "desiredReplicas": self.size, "lastScaleTime": _when(self._scaled),
                       "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": current}}],
                       "conditions": [{**condition, "type": "AbleToScale", "reason": "ReadyForNewScale"},
                                      {**condition, "type": "ScalingActive", "reason": "ValidMetricFound"}]},
        }).encode()  # fmt: skip

    def target(self) -> bytes:
        """Its Deployment."""
        return json.dumps({
            "kind": "Deployment", "metadata": {"namespace": self.namespace, "name": "web", "uid": f"d-{self.namespace}"},
            "spec": {"replicas": self.size, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"replicas": self.size, "readyReplicas": self.size},
        }).encode()  # fmt: skip

    def pods(self) -> list[bytes]:
        """Its pods."""
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": _when(START - 8000)}
        limits = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}
        return [
            json.dumps({
                "metadata": {"namespace": self.namespace, "name": f"web-{i}", "uid": f"p-{self.namespace}-{i}",
                             "labels": {"app": "web"}, "creationTimestamp": _when(START - 9000)},
                "spec": {"containers": [limits]},
                "status": {"phase": "Running", "startTime": _when(START - 8999), "conditions": [ready]},
            }).encode()
            for i in range(self.size)
        ]  # fmt: skip

    def samples(self, now: float) -> list[dict[str, object]]:
        """What its pods use."""
        self._used = round(self._demand(now) / self.size)
        return [
            {"metadata": {"namespace": self.namespace, "name": f"web-{i}"}, "timestamp": _when(now), "window": "15s",
             "containers": [{"name": "web", "usage": {"cpu": f"{self._used}m", "memory": f"{20000 + i}Ki"}}]}
            for i in range(self.size)
        ]  # fmt: skip


def _known(*facts: Fact | None) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact is not None)


def facts(workloads: list[Workload], seconds: float, scope: str) -> Iterator[Seen]:
    """What a session sees of them in that time."""
    first = [decode_hpa(one.hpa(START)) for one in workloads]
    yield Seen(START, Listed(Kind.HPA, _known(*first)))
    yield Seen(START, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, START, "", START)))
    of = "Deployment" if scope == EVERYTHING else ""
    yield Seen(START, Listed(Kind.WORKLOAD, _known(*(decode_workload(one.target()) for one in workloads)), scope, of))
    every = [decode_pod(raw) for one in workloads for raw in one.pods()]
    yield Seen(START, Listed(Kind.POD, _known(*every), scope))
    now = START
    while now < START + seconds:
        usages = decode_usages(json.dumps({"items": [s for one in workloads for s in one.samples(now)]}).encode())
        yield Seen(now + 1, Listed(Kind.POD_USAGE, tuple(usages.values()), scope))
        for one in workloads:
            yield from _sync(one, now + 5, scope)
        now += PERIOD


def _sync(one: Workload, now: float, scope: str) -> Iterator[Seen]:
    before = one.size
    while one.events and one.events[0][0] < now - 3600:
        _, uid = one.events.pop(0)
        yield Seen(now - 0.1, Deleted(Kind.EVENT, Key(one.namespace, uid), uid, scope))
    hpa = decode_hpa(one.hpa(now))
    assert hpa is not None
    if one.size != before:
        target = decode_workload(one.target())
        assert target is not None
        yield Seen(now, Upserted(Kind.WORKLOAD, target, scope))
        for raw in one.pods():
            pod = decode_pod(raw)
            assert pod is not None
            yield Seen(now + 0.1, Upserted(Kind.POD, pod, scope))
        for gone in range(one.size, before):
            yield Seen(
                now + 0.1, Deleted(Kind.POD, Key(one.namespace, f"web-{gone}"), f"p-{one.namespace}-{gone}", scope)
            )
        if scope != EVERYTHING:
            text = f"New size: {one.size}; reason: All metrics below target"
            uid = f"{one.namespace}-{now:.0f}"
            one.events.append((now, uid))
            event = Event(Key(one.namespace, uid), uid, "HorizontalPodAutoscaler", one.key, "Normal", "SuccessfulRescale",
                          text, 1, now, now, "horizontal-pod-autoscaler")  # fmt: skip
            yield Seen(now + 0.2, Upserted(Kind.EVENT, event, scope))
    yield Seen(now + 0.3, Upserted(Kind.HPA, hpa))


def _write(path: Path, workloads: list[Workload], seconds: float, scope: str) -> None:
    recorder = Recorder(path, Meta("bench", "v1.36.2", _FLAGS), single=True)
    for seen in facts(workloads, seconds, scope):
        recorder.take(seen)
    recorder.close()
    assert not recorder.problem, recorder.problem


def _jumps(path: Path, key: Key, count: int) -> list[float]:
    """Milliseconds of jumps to random moments, each to a snapshot of the whole screen."""
    recording = open_recording(path)
    meta, hpas = recording.meta, recording.hpas()
    rng, spent = random.Random(1), []
    for _ in range(count):
        moment = rng.uniform(meta.first, meta.last)
        before = time.perf_counter()
        player = Player(recording, key, moment, hpas=hpas)
        snapshot = player.store.snapshot(moment)
        spent.append((time.perf_counter() - before) * 1000)
        assert snapshot.detail is not None
        assert snapshot.detail.explanation is not None
        assert len(snapshot.rows) == len(hpas)
    recording.close()
    return sorted(spent)


async def _played(path: Path, seconds: float) -> tuple[float, int]:
    """(seconds that a day at full speed takes, snapshots shown)."""
    recording = open_recording(path)
    meta = recording.meta
    session = ReplaySession(recording, Settings(), at=max(meta.first, meta.last - seconds))
    await session.start()
    shown = 0

    def see(_snapshot: object) -> None:
        nonlocal shown
        shown += 1

    session.subscribe(see)
    before = time.perf_counter()
    while session.play_on(900.0):  # as at 3,600 times the speed
        pass
    spent = time.perf_counter() - before
    await session.stop()
    return spent, shown


def _marks(path: Path, key: Key) -> tuple[float, int]:
    recording = open_recording(path)
    marks = Marks()
    before = time.perf_counter()
    for _ in look_through(recording, key, marks):
        pass
    spent = (time.perf_counter() - before) * 1000
    recording.close()
    return spent, len(marks.rescales)


def main() -> list[Table]:
    """Run all of it."""
    rows: list[tuple[object, ...]] = []

    def add(*cells: object) -> None:
        rows.append(cells)

    with tempfile.TemporaryDirectory() as folder:
        one = Workload(0)
        week = Path(folder) / "week.hpatui"
        _write(week, [one], 7 * DAY, str(one.key))
        spent = _jumps(week, one.key, 60)
        add("7 days of one HPA: its file", f"{week.stat().st_size / 1e6:.1f} MB", "")
        add("jump anywhere in 7 days of one HPA, median", f"{spent[30]:.0f} ms", "200 ms")
        add("the same, slowest of 60", f"{spent[-1]:.0f} ms", "200 ms")
        cost, count = _marks(week, one.key)
        add(f"all {count} rescales of 7 days for the slider", f"{cost:.0f} ms", "")
        played, shown = asyncio.run(_played(week, DAY))
        add(f"24 h of one HPA at full speed ({shown} snapshots)", f"{played:.1f} s", "10 s")
        many = int(os.environ.get("HPATUI_BENCH_HPAS", "1000"))
        fleet = Path(folder) / "fleet.hpatui"
        workloads = [Workload(number) for number in range(many)]
        _write(fleet, workloads, 1800.0, EVERYTHING)
        spent = _jumps(fleet, workloads[many // 2].key, 10)
        add(f"jump to one of {many} HPAs, with the whole list, median", f"{spent[5]:.0f} ms", "200 ms")
        add("the same, slowest of 10", f"{spent[-1]:.0f} ms", "200 ms")
    return [Table("The past", ("what", "measured", "bound"), tuple(rows))]
