"""An observer for every HPA: each decision from the facts of the whole scope, with pods found by their labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import (
    EVERYTHING,
    ControllerFlags,
    Deleted,
    Fact,
    Hpa,
    Key,
    Kind,
    Listed,
    Pod,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.state.outlook import Outlook
from hpatui.state.snapshot import HpaState
from hpatui.state.store import Store
from tests.conformance import trace_objects as objects
from tests.factories import NOW

FLAGS = ControllerFlags(sync_period=15.0, known=True)
LIVE = SourceStatus(SourceState.LIVE, NOW)
ABLE = {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": ""}
ACTIVE = {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": ""}
WITHIN = {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange", "message": ""}


def at(seconds: float) -> str:
    """An API time."""
    return format_rfc3339(as_datetime(seconds))


class World:
    """A store that observes all, and a cluster that a test changes."""

    def __init__(self, observe: str = "all") -> None:
        self.store = Store(namespace="shop", flags=FLAGS, now=NOW, observe=observe)
        self.now = NOW
        self._version = 0
        self.store.take(Seen(NOW, StatusChanged(Kind.HPA, LIVE)))
        self.store.take(Seen(NOW, StatusChanged(Kind.POD_USAGE, LIVE, EVERYTHING)))

    def hpa(self, name: str, *, target: str = "", size: int = 2, high: int = 10, active: Any = ACTIVE) -> Hpa:
        """An HPA on cpu 50 % of 100m, as the controller would have left it."""
        self._version += 1
        return objects.hpa({
            "metadata": {"name": name, "namespace": "shop", "uid": f"hpa-{name}", "resourceVersion": str(self._version),
                         "creationTimestamp": at(NOW - 7200)},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target or name},
                     "minReplicas": 1, "maxReplicas": high,
                     "metrics": [{"type": "Resource", "resource":
                                  {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]},
            "status": {"currentReplicas": size, "desiredReplicas": size, "conditions": [ABLE, active, WITHIN],
                       "currentMetrics": [{"type": "Resource", "resource":
                                           {"name": "cpu", "current": {"averageUtilization": 45}}}]},
        })  # fmt: skip

    def target(self, name: str, *, label: str = "", size: int = 2, uid: str = "") -> Fact:
        """A Deployment that selects app=`label`."""
        return objects.workload({
            "kind": "Deployment", "metadata": {"name": name, "namespace": "shop", "uid": uid or f"d-{name}"},
            "spec": {"replicas": size, "selector": {"matchLabels": {"app": label or name}}},
            "status": {"replicas": size},
        })  # fmt: skip

    def pods(self, label: str, count: int = 2, prefix: str = "") -> list[Pod]:
        """Ready pods, an hour old, with a request of 100m."""
        return [
            objects.pod({
                "metadata": {"name": f"{prefix or label}-{i}", "namespace": "shop", "uid": f"{prefix or label}-{i}",
                             "labels": {"app": label}, "creationTimestamp": at(NOW - 3600)},
                "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "100m"}}}]},
                "status": {"phase": "Running", "startTime": at(NOW - 3600), "conditions":
                           [{"type": "Ready", "status": "True", "lastTransitionTime": at(NOW - 3500)}]},
            })
            for i in range(count)
        ]  # fmt: skip

    def use(self, cpu: dict[str, int]) -> None:
        """New samples: by the pod's name, in millicores."""
        self.tell(Listed(Kind.POD_USAGE, tuple(
            objects.usage({
                "metadata": {"name": name, "namespace": "shop", "labels": {"app": name.rpartition("-")[0]}},
                "timestamp": at(self.now), "window": "15s",
                "containers": [{"name": "web", "usage": {"cpu": f"{milli}m", "memory": "1Mi"}}],
            })
            for name, milli in cpu.items()
        ), EVERYTHING))  # fmt: skip

    def tell(self, *events: Any) -> None:
        """Facts come."""
        for event in events:
            self.store.take(Seen(self.now, event))

    def outlook(self, name: str) -> Outlook | None:
        """What the row says of the next sync."""
        for _ in range(3):
            self.store.take(Seen(self.now, Tick()))
        rows = {row.key.name: row for row in self.store.snapshot(self.now).rows}
        return rows[name].decision

    def predicted(self, name: str) -> int | None:
        """The size after the next sync."""
        found = self.outlook(name)
        return found.predicted if found is not None else None


def start(*names: str, **usage: int) -> World:
    """HPAs and their targets, with two pods each."""
    world = World()
    world.tell(Listed(Kind.HPA, tuple(world.hpa(name) for name in names)))
    world.tell(Listed(Kind.WORKLOAD, tuple(world.target(name) for name in names), EVERYTHING, "Deployment"))
    world.tell(Listed(Kind.POD, tuple(pod for name in names for pod in world.pods(name)), EVERYTHING))
    world.use({f"{name}-{i}": usage.get(name, 45) for name in names for i in range(2)})
    return world


def test_every_hpa_has_its_own_decision() -> None:
    world = start("a", "b", "c", a=100, b=45, c=20)
    assert [world.predicted(name) for name in "abc"] == [4, 2, 2]
    held = world.outlook("c")
    assert held is not None and held.wanted == 1 and held.held_until is not None and "held at 2" in held.text
    row = next(row for row in world.store.snapshot(world.now).rows if row.key.name == "c")
    assert row.state is HpaState.HELD and row.headline.startswith("wants 1, held at 2 until")


def test_facts_in_any_order_give_the_same() -> None:
    world = World()
    world.use({"a-0": 100, "a-1": 100})
    world.tell(Listed(Kind.POD, tuple(world.pods("a")), EVERYTHING))
    world.tell(Upserted(Kind.WORKLOAD, world.target("a"), EVERYTHING))
    world.tell(Listed(Kind.HPA, (world.hpa("a"),)))
    assert world.predicted("a") == 4


def test_a_rival_that_is_deleted_counts_no_more_from_the_very_next_sync() -> None:
    ambiguous = {
        "type": "ScalingActive",
        "status": "False",
        "reason": "AmbiguousSelector",
        "message": "pods by several",
    }
    world = start("a", a=100)
    assert world.predicted("a") == 4
    world.tell(Upserted(Kind.HPA, world.hpa("rival", target="a", active=ambiguous)))
    world.tell(Upserted(Kind.HPA, world.hpa("a", active=ambiguous)))
    rivals = world.outlook("a"), world.outlook("rival")
    assert all(found is not None and found.predicted == 2 and found.wanted is None for found in rivals)
    world.now += 3
    world.tell(Deleted(Kind.HPA, Key("shop", "rival")))
    assert world.predicted("a") == 4, "though the status still says that it is ambiguous"


def test_a_rival_on_another_target_that_selects_the_same_pods_is_seen() -> None:
    world = start("a", a=100)
    world.tell(Upserted(Kind.WORKLOAD, world.target("other", label="a"), EVERYTHING))
    world.tell(Upserted(Kind.HPA, world.hpa("other")))
    found = world.outlook("a")
    assert found is not None and found.predicted == 2
    world.tell(Upserted(Kind.WORKLOAD, world.target("other", label="elsewhere"), EVERYTHING))
    assert world.predicted("a") == 4


def test_pods_of_a_target_that_was_made_anew_with_another_selector_count_no_more() -> None:
    world = start("a", a=100)
    world.tell(Deleted(Kind.WORKLOAD, Key("shop", "a"), "d-a", EVERYTHING, "Deployment"))
    assert world.outlook("a") is None, "without a target nothing is foretold"
    world.tell(Upserted(Kind.WORKLOAD, world.target("a", label="new", uid="d-a2"), EVERYTHING))
    for pod in world.pods("new"):
        world.tell(Upserted(Kind.POD, pod, EVERYTHING))
    world.use({"a-0": 100, "a-1": 100, "new-0": 45, "new-1": 45})
    assert world.predicted("a") == 2


def test_a_changed_target_is_followed() -> None:
    world = start("a", "b", a=100, b=45)
    assert world.predicted("a") == 4
    world.tell(Deleted(Kind.HPA, Key("shop", "b")))
    world.tell(Upserted(Kind.HPA, world.hpa("a", target="b")))
    assert world.predicted("a") == 2
    world.use({"a-0": 45, "a-1": 45, "b-0": 100, "b-1": 100})
    assert world.predicted("a") == 4


def test_a_pod_whose_label_changes_leaves_and_one_that_goes_counts_no_more() -> None:
    world = start("a", a=100)
    gone, other = world.pods("a")
    world.tell(Deleted(Kind.POD, gone.key, gone.uid, EVERYTHING))
    entry = world.store._fleet.entry(Key("shop", "a")) if world.store._fleet is not None else None
    assert entry is not None and list(entry.pods) == [other.key]
    relabelled = objects.pod({"metadata": {"name": other.key.name, "namespace": "shop", "uid": other.uid,
                                           "labels": {"app": "quarantine"}}, "spec": {}, "status": {}})  # fmt: skip
    world.tell(Upserted(Kind.POD, relabelled, EVERYTHING))
    assert not entry.pods and not entry.usages


def test_what_may_not_be_read_is_said_and_the_rows_go_on() -> None:
    world = start("a", a=100)
    world.tell(StatusChanged(Kind.POD, SourceStatus(SourceState.FORBIDDEN, NOW, "pods is forbidden"), EVERYTHING))
    world.tell(StatusChanged(Kind.POD_USAGE, SourceStatus(SourceState.FORBIDDEN, NOW, "metrics"), EVERYTHING))
    assert world.outlook("a") is None
    snapshot = world.store.snapshot(world.now)
    assert "pods is forbidden" in snapshot.observing and "0 of 1 HPAs observed" in snapshot.observing
    assert snapshot.rows[0].state is HpaState.STEADY


def test_the_hpa_in_focus_keeps_the_memory_that_its_observer_had() -> None:
    world = start("a", a=20)
    world.outlook("a")
    world.now += 60
    world.store.focus(Key("shop", "a"), world.now)
    detail = world.store.snapshot(world.now).detail
    assert detail is not None and detail.explanation is not None
    assert detail.explanation.known_since == NOW, "not from when it was selected"
    assert len(detail.pods) == 2, "what is known of its pods is there at once"
    world.store.focus(None, world.now)
    world.use({"a-0": 100, "a-1": 100})
    assert world.predicted("a") == 4, "out of focus it is fed by the fleet again"


@pytest.mark.parametrize(("observe", "expected"), [("view", 1), ("all", 3), ("auto", 3), ("focus", 0)])
def test_how_much_is_observed_is_chosen(observe: str, expected: int) -> None:
    world = World(observe)
    names = ("a", "b", "c")
    world.tell(Listed(Kind.HPA, tuple(world.hpa(name) for name in names)))
    world.tell(Listed(Kind.WORKLOAD, tuple(world.target(name) for name in names), EVERYTHING, "Deployment"))
    world.tell(Listed(Kind.POD, tuple(pod for name in names for pod in world.pods(name)), EVERYTHING))
    world.use({f"{name}-{i}": 45 for name in names for i in range(2)})
    world.store.view([Key("shop", "b")])
    assert sum(world.outlook(name) is not None for name in names) == expected


def test_two_hundred_hpas_agree_with_their_controller_for_ten_minutes() -> None:
    """A fleet whose controller decides by the same rules, sync by sync: none is mispredicted."""
    world = start(*(f"h{i}" for i in range(200)), **{f"h{i}": 40 + i % 10 for i in range(200)})
    for _ in range(40):
        world.now += 15
        for i in range(200):
            world.tell(Upserted(Kind.HPA, world.hpa(f"h{i}")))
        world.outlook("h0")
    for _ in range(10):
        world.store.take(Seen(world.now, Tick()))
    rows = world.store.snapshot(world.now).rows
    found = [row.decision for row in rows if row.decision is not None]
    assert len(found) == 200
    assert sum(o.compared for o in found) > 200 * 30
    assert all(o.agreed == o.compared for o in found)


def test_nothing_is_decided_before_pods_and_samples_were_listed() -> None:
    world = World()
    world.tell(Listed(Kind.HPA, (world.hpa("a"),)))
    world.tell(Upserted(Kind.WORKLOAD, world.target("a"), EVERYTHING))
    assert world.outlook("a") is None, "without the list of pods"
    world.tell(Listed(Kind.POD, tuple(world.pods("a")), EVERYTHING))
    assert world.outlook("a") is None, "without samples"
    world.use({"a-0": 100, "a-1": 100})
    assert world.predicted("a") == 4


def test_samples_that_may_not_be_read_are_not_waited_for() -> None:
    world = World()
    world.tell(Listed(Kind.HPA, (world.hpa("a"),)))
    world.tell(Upserted(Kind.WORKLOAD, world.target("a"), EVERYTHING))
    world.tell(Listed(Kind.POD, tuple(world.pods("a")), EVERYTHING))
    world.tell(StatusChanged(Kind.POD_USAGE, SourceStatus(SourceState.NOT_SERVED, NOW, "no metrics API"), EVERYTHING))
    found = world.outlook("a")
    assert found is not None and found.wanted is None and found.predicted == 2


def test_what_leaves_the_view_is_foretold_no_more_and_a_view_told_early_counts() -> None:
    world = World("view")
    world.store.view([Key("shop", "a")])
    world.tell(Listed(Kind.HPA, (world.hpa("a"), world.hpa("b"))))
    world.tell(Listed(Kind.WORKLOAD, (world.target("a"), world.target("b")), EVERYTHING, "Deployment"))
    world.tell(Listed(Kind.POD, tuple(pod for name in "ab" for pod in world.pods(name)), EVERYTHING))
    world.use({"a-0": 100, "a-1": 100, "b-0": 100, "b-1": 100})
    assert world.predicted("a") == 4 and world.predicted("b") is None
    world.store.view([Key("shop", "b")])
    assert world.predicted("b") == 4 and world.predicted("a") is None
    snapshot = world.store.snapshot(world.now)
    assert snapshot.observes_less and "those in view only" in snapshot.observing


def scaled(world: World, name: str, size: int, to_size: int) -> Hpa:
    """The HPA after the sync that scaled it."""
    hpa = world.hpa(name, size=size)
    return replace(hpa, desired_replicas=to_size, last_scale_time=world.now)


def test_a_scale_down_before_the_assumed_end_is_no_error_and_ends_what_was_assumed() -> None:
    """What it recommended before we looked is not known: "until at the latest". Once it scales down, it holds no more."""
    world = start("a", a=20)
    held = world.outlook("a")
    assert held is not None and held.assumed and held.predicted == 2
    world.now += 15
    world.tell(Upserted(Kind.HPA, scaled(world, "a", 2, 1)))
    world.tell(Upserted(Kind.WORKLOAD, world.target("a", size=1), EVERYTHING))
    after = world.outlook("a")
    assert after is not None and (after.agreed, after.compared) == (0, 0)
    assert after.predicted == 1 and after.held_until is None, "not back to 2"


def test_a_sync_whose_effect_was_seen_first_is_not_judged() -> None:
    world = start("a", a=100)
    world.tell(Upserted(Kind.WORKLOAD, world.target("a", size=4), EVERYTHING))
    world.now += 3
    world.tell(Upserted(Kind.HPA, scaled(world, "a", 2, 4)))
    found = world.outlook("a")
    assert found is not None and (found.agreed, found.compared) == (0, 0)
    world.use({"a-0": 20, "a-1": 20})
    assert world.predicted("a") == 4, "it recommended 4 just now"
