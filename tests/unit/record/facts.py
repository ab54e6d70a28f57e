"""Facts for tests of recordings: those of traces, as a store took them, and snapshots to compare."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hpatui.autoscaler.rules import RECORDED
from hpatui.cluster.decode import decode_hpa, decode_workload
from hpatui.cluster.decode_pods import decode_pod, usage_of
from hpatui.model import (
    EVERYTHING,
    ControllerFlags,
    Deleted,
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.state.replay import with_ticks
from hpatui.state.series import SeriesView
from hpatui.state.snapshot import Snapshot
from hpatui.state.store import Store
from tests.conformance import trace_objects as objects
from tests.conformance.traces import Replay, flags_of, is_trace, read

TRACES = Path(__file__).parents[2] / "data" / "traces"
SMALL = sorted(path for path in TRACES.iterdir() if is_trace(path))


def facts_of(path: Path) -> tuple[list[Seen], ControllerFlags, Key]:
    """The facts of a trace's first HPA without ticks, its controller's flags, and the HPA."""
    lines, facts, started = read(path)
    key = min(objects.key_of(line["object"]) for line in lines if line["source"] == "hpa")
    run = Replay(path.name, flags_of(facts), key, started)
    found = []
    for seen in run._facts(lines, (), lambda _now: None):
        run.store.take(seen)
        if not isinstance(seen.what, Tick):
            found.append(seen)
    return found, flags_of(facts), key


def snapshots(facts: Iterable[Seen], flags: ControllerFlags, key: Key, every: float = 5.0) -> Iterator[Any]:
    """What a store that looks at `key` shows each `every` seconds, without the objects' JSON."""
    store, due = Store(flags=flags, observe="all"), 0.0
    for seen in with_ticks(facts):
        store.take(seen)
        if store.focused is None and store.hpa(key) is not None:
            store.focus(key, seen.time)
        if seen.time >= due:
            due = seen.time + every
            yield plain(store.snapshot(seen.time))


def plain(value: Any) -> Any:
    """A snapshot as plain values without `raw` (which a recording reduces) and `version` (which counts changes)."""
    if isinstance(value, Snapshot):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "version"}
    if isinstance(value, SeriesView):
        return [repr(value._times), repr(value._values), value.step]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "raw"}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


# A fleet --------------------------------------------------------------------------------------------------------------

_STAMP = "2026-11-25T{:02d}:{:02d}:{:02d}Z"


def stamp(seconds: int) -> str:
    """A time of one day."""
    return _STAMP.format(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)


def hpa_json(number: int, version: int, percent: int, replicas: int) -> dict[str, Any]:
    """An HPA of a fleet."""
    return {
        "metadata": {
            "name": f"app-{number}", "namespace": f"ns-{number % 10}", "uid": f"0f{number:06x}-1", "generation": 1,
            "resourceVersion": str(version), "creationTimestamp": "2026-11-01T00:00:00Z",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"password\":\"hunter2\"}"},
        },
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"app-{number}"},
            "minReplicas": 1, "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}],  # noqa: E501
        },
        "status": {
            "currentReplicas": replicas, "desiredReplicas": replicas, "lastScaleTime": "2026-11-24T00:00:00Z",
            "currentMetrics": [{"type": "Resource", "resource": {
                "name": "cpu", "current": {"averageUtilization": percent, "averageValue": f"{percent * 2}m"}}}],
            "conditions": [
                {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": "recommended size matches",
                 "lastTransitionTime": "2026-11-24T00:00:00Z"},
                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound",
                 "message": "the HPA was able to successfully calculate a replica count from cpu resource utilization",
                 "lastTransitionTime": "2026-11-24T00:00:00Z"},
            ],
        },
    }  # fmt: skip


def workload_json(number: int, replicas: int) -> dict[str, Any]:
    """Its target."""
    labels = {"app": f"app-{number}"}
    return {
        "metadata": {"name": f"app-{number}", "namespace": f"ns-{number % 10}", "uid": f"0d{number:06x}-1"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"spec": {"containers": [
            {"name": "web", "env": [{"name": "TOKEN", "value": "hunter2"}], "args": ["--password=hunter2"]}]}}},
        "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas},
    }  # fmt: skip


def pod_json(number: int, place: int) -> dict[str, Any]:
    """One of its pods."""
    return {
        "metadata": {
            "name": f"app-{number}-7c9d8f6b5-x{place}k2p", "namespace": f"ns-{number % 10}",
            "uid": f"0b{number:06x}-{place}", "labels": {"app": f"app-{number}", "pod-template-hash": "7c9d8f6b5"},
            "creationTimestamp": "2026-11-25T00:00:00Z",
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"app-{number}-7c9d8f6b5", "uid": f"0a{number}", "controller": True}],  # noqa: E501
        },
        "spec": {"nodeName": f"node-{number % 50}", "containers": [
            {"name": "web", "image": "registry/web:1.2.3", "env": [{"name": "TOKEN", "value": "hunter2"}],
             "args": ["--password=hunter2"], "resources": {"requests": {"cpu": "200m", "memory": "128Mi"}}}]},
        "status": {"phase": "Running", "podIP": f"10.1.{number % 250}.{place}", "startTime": "2026-11-25T00:00:01Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-25T00:00:05Z"}],
            "containerStatuses": [{"name": "web", "ready": True, "restartCount": 0, "state": {"running": {}}}]},
    }  # fmt: skip


def _usage(number: int, place: int, at: int, chance: random.Random) -> Any:
    pod = pod_json(number, place)["metadata"]
    return usage_of(
        {
            "metadata": {name: pod[name] for name in ("name", "namespace", "labels")},
            "timestamp": stamp(at), "window": "15s",
            "containers": [{"name": "web", "usage": {
                "cpu": f"{chance.randrange(20_000_000, 200_000_000)}n", "memory": f"{chance.randrange(60_000, 90_000)}Ki"}}],
        }
    )  # fmt: skip


def fleet(hpas: int, rounds: int, pods: int = 3, start: float = 1_800_000_000.0, seed: int = 1) -> Iterator[Seen]:
    """A fleet in which all HPAs and samples change every 15 s, and now and then a pod goes and another comes."""
    chance, version = random.Random(seed), 1000
    live = SourceStatus(SourceState.LIVE, start)

    def hpa(number: int) -> Any:
        nonlocal version
        version += chance.randrange(1, 4)
        return decode_hpa(json.dumps(hpa_json(number, version, chance.randrange(30, 90), pods)).encode(), RECORDED)

    def made(fact: Any) -> Any:
        assert fact is not None
        return fact

    yield Seen(start, StatusChanged(Kind.HPA, live))
    yield Seen(start + 0.1, Listed(Kind.HPA, tuple(made(hpa(number)) for number in range(hpas))))
    targets = [
        decode_workload(json.dumps(workload_json(number, pods)).encode(), "Deployment") for number in range(hpas)
    ]
    yield Seen(start + 0.2, Listed(Kind.WORKLOAD, tuple(map(made, targets)), EVERYTHING, "Deployment"))
    places = {(number, place) for number in range(hpas) for place in range(pods)}
    there = sorted(places)
    listed = [decode_pod(json.dumps(pod_json(*pair)).encode()) for pair in there]
    yield Seen(start + 0.3, Listed(Kind.POD, tuple(map(made, listed)), EVERYTHING))
    yield Seen(start + 0.4, StatusChanged(Kind.POD_USAGE, live, EVERYTHING))
    for step in range(rounds):
        now = start + 15.0 * step
        samples = tuple(_usage(*pair, 15 * step, chance) for pair in there)
        yield Seen(now + 1.001, Listed(Kind.POD_USAGE, samples, EVERYTHING))
        for number in range(hpas):
            yield Seen(round(now + 2 + number * 0.01, 3), Upserted(Kind.HPA, made(hpa(number))))
        if step % 7 == 3:
            gone = there[step % len(there)]
            there[step % len(there)] = new = (gone[0], gone[1] + pods)
            old = made(decode_pod(json.dumps(pod_json(*gone)).encode()))
            yield Seen(now + 14.0, Deleted(Kind.POD, old.key, old.uid, EVERYTHING))
            yield Seen(
                now + 14.5, Upserted(Kind.POD, made(decode_pod(json.dumps(pod_json(*new)).encode())), EVERYTHING)
            )
