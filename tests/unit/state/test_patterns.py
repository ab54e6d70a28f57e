"""Each pattern shows where it is there, and does not where it is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from hpatui.clock import as_datetime
from hpatui.model import Key
from hpatui.state.history import record_hpa
from hpatui.state.patterns import ReplicaWrite, Watched, direction_changes, find_patterns, start_times
from hpatui.state.series import HpaHistory, Rescale
from hpatui.state.writers import foreign_writer
from tests.factories import NOW, STEADY, condition, hpa, metric, pod, usage, workload


def rescales(sizes: Sequence[int], *, every: float = 60.0, last: float = NOW) -> list[Rescale]:
    """Rescales through the sizes, the last one at `last`."""
    start = last - every * (len(sizes) - 2)
    return [Rescale(start + every * i, a, b, "", seen=True) for i, (a, b) in enumerate(pairwise(sizes))]


def ids(watched: Watched) -> list[str]:
    return [pattern.id for pattern in find_patterns(watched, NOW)]


def history(seconds: float = 900.0, *, current: int = 2, high: int = 3, cpu: float = 45.0) -> HpaHistory:
    """A quiet history of that length."""
    found = HpaHistory()
    for step in range(int(seconds // 60) + 1):
        shown = hpa(current=current, desired=current, high=high, metrics=[metric(cpu)])
        record_hpa(found, None, shown, NOW - seconds + 60 * step)
    return found


def test_a_quiet_hpa_has_no_pattern() -> None:
    assert ids(Watched(hpa(current=2, desired=2, metrics=[metric(30.0)]), history(cpu=30.0))) == []


def test_flapping_counts_changes_of_direction_within_ten_minutes() -> None:
    found = history()
    found.rescales[:] = rescales([2, 3, 2, 3, 2])
    assert "flapping" in ids(Watched(hpa(metrics=[metric(30.0)]), found))
    found.rescales[:] = rescales([2, 3, 2, 3, 2], last=NOW - 700)
    assert "flapping" not in ids(Watched(hpa(metrics=[metric(30.0)]), found))
    assert direction_changes(rescales([1, 2, 3, 2, 1]), 0.0) == 1
    assert direction_changes(rescales([1, 2, 3, 4]), 0.0) == 0


def test_pinned_at_max_needs_time_and_a_hot_metric() -> None:
    hot = hpa(current=3, desired=3, high=3, metrics=[metric(90.0)])
    found = find_patterns(Watched(hot, history(1200, current=3, cpu=90.0)), NOW)
    assert [p.id for p in found] == ["pinned-at-max"]
    assert "20 minutes" in found[0].text and "3.0 times" in found[0].text and "about 10 replicas" in found[0].advice
    assert ids(Watched(hot, history(300, current=3, cpu=90.0))) == []
    assert ids(Watched(hpa(current=3, desired=3, high=3, metrics=[metric(31.0)]), history(1200, current=3))) == []


def test_pinned_at_min_for_hours() -> None:
    limited = (*STEADY[:2], condition("ScalingLimited", "True", "TooFewReplicas", at=NOW - 10_000))
    floor = hpa(current=2, desired=2, low=2, metrics=[metric(1.0)], conditions=limited)
    assert "pinned-at-min" in ids(Watched(floor, history(60, cpu=25.0)))
    assert "pinned-at-min" not in ids(Watched(hpa(low=2, metrics=[metric(25.0)]), history(60)))


def test_a_metric_that_does_not_fall_with_more_pods_is_unreachable() -> None:
    found = history(900, current=4, cpu=90.0)
    found.rescales[:] = [Rescale(NOW - 600, 2, 4, "", seen=True)]
    hot = hpa(current=4, desired=4, high=10, metrics=[metric(90.0)])
    assert "unreachable-target" in ids(Watched(hot, found))
    busy = pod()
    at_its_limit = Watched(hot, found, {busy.key: busy}, {busy.key: usage(cpu=99.0)})
    assert "unreachable-target" not in ids(at_its_limit)
    found.metrics["cpu"].append(NOW + 1, 45.0)
    found.rescales[:] = [Rescale(NOW - 119, 2, 4, "", seen=True)]
    assert "unreachable-target" not in [p.id for p in find_patterns(Watched(hot, found), NOW + 2)]


def test_requests_that_nobody_uses() -> None:
    idle = hpa(current=1, desired=1, metrics=[metric(5.0)])
    assert "over-provisioned" in ids(Watched(idle, history(1000, current=1, cpu=5.0)))
    assert "over-provisioned" not in ids(Watched(idle, history(100, current=1, cpu=5.0)))


def test_slow_starters_that_brought_too_many() -> None:
    pods = {p.key: p for p in (replace(pod(f"p{i}"), created=NOW - 400, ready_since=NOW - 300) for i in range(3))}
    found = history()
    found.rescales[:] = [
        Rescale(NOW - 400, 1, 2, "", seen=True),
        Rescale(NOW - 360, 2, 4, "", seen=True),
        Rescale(NOW - 60, 4, 2, "", seen=True),
    ]
    watched = Watched(hpa(metrics=[metric(30.0)]), found, pods)
    assert "slow-starters" in ids(watched)
    quick = {k: replace(p, ready_since=NOW - 395) for k, p in pods.items()}
    assert "slow-starters" not in ids(replace(watched, pods=quick))
    assert start_times([pod(ready=False)]) == []


def test_writes_by_somebody_else() -> None:
    watched = Watched(hpa(metrics=[metric(30.0)]), history(), writes=[ReplicaWrite(NOW - 60, 3, 1)])
    assert ids(watched) == ["second-writer"]
    assert ids(replace(watched, writes=[ReplicaWrite(NOW - 7200, 3, 1)])) == []


def test_two_hpas_on_one_target() -> None:
    watched = Watched(hpa(metrics=[metric(30.0)]), history(), others=[Key("heyongjia", "copy")])
    assert ids(watched) == ["two-hpas"]


def test_new_pods_without_traffic() -> None:
    old, new = pod("old"), replace(pod("new"), ready_since=NOW - 120)
    pods = {old.key: old, new.key: new}
    usages = {u.key: u for u in (usage("old", 90.0), usage("new", 2.0))}
    watched = Watched(hpa(metrics=[metric(30.0)]), history(), pods, usages)
    assert ids(watched) == ["no-traffic"]
    even = {u.key: u for u in (usage("old", 50.0), usage("new", 48.0))}
    assert ids(replace(watched, usages=even)) == []
    fresh = {k: replace(p, ready_since=NOW - 20) if k.name == "new" else p for k, p in pods.items()}
    assert ids(replace(watched, pods=fresh)) == []


def _managed(*entries: tuple[str, str, str, float]) -> bytes:
    """(manager, operation, field of the spec, when) -> JSON of a target."""
    managed = [
        {
            "manager": manager,
            "operation": operation,
            "time": as_datetime(when).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "fieldsV1": {"f:spec": {field: {}}},
        }
        for manager, operation, field, when in entries
    ]
    return json.dumps({"metadata": {"managedFields": managed}}).encode()


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ([("argocd-controller", "Apply", "f:replicas", NOW - 10)], "argocd-controller (Apply)"),
        (
            [("helm", "Update", "f:replicas", NOW - 30), ("kubectl", "Update", "f:replicas", NOW - 5)],
            "kubectl (Update)",
        ),
        ([("argocd-controller", "Apply", "f:replicas", NOW - 900)], ""),  # before the HPA's last rescale
        ([("kube-controller-manager", "Update", "f:replicas", NOW - 10)], ""),
        ([("argocd-controller", "Apply", "f:template", NOW - 10)], ""),
    ],
    ids=["gitops", "the last one", "before the rescale", "the HPA itself", "another field"],
)
def test_a_single_look_names_who_wrote_after_the_last_rescale(
    entries: list[tuple[str, str, str, float]], named: str
) -> None:
    target = replace(workload(replicas=3), raw=_managed(*entries))
    scaled = replace(hpa(metrics=[metric(30.0)]), last_scale_time=NOW - 60)
    found = [p for p in find_patterns(Watched(scaled, history(), target=target), NOW) if p.id == "second-writer"]
    assert [p.text.partition(" set spec.replicas to 3 at ")[0] for p in found] == ([named] if named else [])
    unscaled = replace(scaled, last_scale_time=None)
    assert "second-writer" not in ids(Watched(unscaled, history(), target=target))


@pytest.mark.parametrize("raw", [b"", b"managedFields", b'{"metadata":{"managedFields":[3]}}', b'{"metadata":[]}'])
def test_targets_that_tell_nothing(raw: bytes) -> None:
    assert foreign_writer(raw, NOW) is None
