"""Facts that were seen once, played into another store: it comes to the same, and cannot tell the difference."""

from __future__ import annotations

from dataclasses import replace

from hpatui.cluster.source import ClusterSource
from hpatui.model import EVERYTHING, Deleted, FactSource, Key, Kind, Listed, LoadSample, Seen, Tick, Upserted
from hpatui.state.replay import ReplaySource, play, with_ticks
from hpatui.state.snapshot import Snapshot
from hpatui.state.store import Store
from tests.factories import NOW, hpa, pod, usage, workload
from tests.unit.state.test_fleet import FLAGS, World


def plain(snapshot: Snapshot) -> Snapshot:
    """Without what counts how often somebody looked, and series (other objects with the same points)."""
    detail = snapshot.detail
    assert detail is not None
    return replace(snapshot, version=0, detail=replace(detail, history=None), load_history=None)  # type: ignore[arg-type]


async def test_a_replay_comes_to_the_same_snapshot() -> None:
    key = Key("heyongjia", "php-apache-hpa")
    scope = str(key)
    facts = [
        Seen(NOW, Listed(Kind.HPA, (hpa(), hpa("b", "shop")))),
        Seen(NOW + 1, Listed(Kind.WORKLOAD, (workload(),), scope)),
        Seen(NOW + 1, Listed(Kind.POD, (pod("php-apache-1"),), scope)),
        Seen(NOW + 2, Listed(Kind.POD_USAGE, (usage("php-apache-1"),), scope)),
        Seen(NOW + 8, Upserted(Kind.HPA, hpa(desired=3, scaled=NOW + 8, version="2"))),
        Seen(NOW + 9, LoadSample(NOW + 9, 50, 48, 47, 1, 2, 5, 10.0, 80.0, 120.0)),
        Seen(NOW + 30, Deleted(Kind.HPA, Key("shop", "b"))),
        Seen(NOW + 40, Tick()),
    ]
    found = []
    for _ in range(2):
        store = Store(now=NOW, flags=FLAGS)
        store.take(Seen(NOW, Listed(Kind.HPA, (hpa(),))))
        store.focus(key, NOW)
        await play(store, ReplaySource(with_ticks(facts)))
        found.append(plain(store.snapshot(NOW + 40)))
    assert found[0] == found[1]
    assert [row.key.name for row in found[0].rows] == ["php-apache-hpa"] and found[0].rows[0].hpa.desired_replicas == 3


def test_time_passes_between_facts_and_not_before_the_first() -> None:
    facts = [Seen(NOW, Tick()), Seen(NOW + 2.5, Tick()), Seen(NOW + 3, Tick())]
    assert [seen.time - NOW for seen in with_ticks(facts)] == [0, 1, 2, 2.5, 3, 3]


async def test_decisions_of_a_fleet_are_the_same_in_a_replay() -> None:
    """What was seen of a fleet, replayed: the same predictions at the same moments."""
    facts: list[Seen] = []

    class Recorded(World):
        def tell(self, *events: object) -> None:
            facts.extend(Seen(self.now, event) for event in events)  # type: ignore[arg-type]
            super().tell(*events)

    world = Recorded()
    names = ("a", "b")
    world.tell(Listed(Kind.HPA, tuple(world.hpa(name) for name in names)))
    world.tell(Listed(Kind.WORKLOAD, tuple(world.target(name) for name in names), EVERYTHING, "Deployment"))
    world.tell(Listed(Kind.POD, tuple(p for name in names for p in world.pods(name)), EVERYTHING))
    world.use({"a-0": 100, "a-1": 100, "b-0": 20, "b-1": 20})
    expected = [world.predicted(name) for name in names]
    again = World()
    await play(again.store, ReplaySource(facts))
    assert [again.predicted(name) for name in names] == expected == [4, 2]


async def test_a_closed_replay_says_nothing_more() -> None:
    source = ReplaySource(Seen(NOW + second, Tick()) for second in range(5))
    heard = []
    async for seen in source.events():
        heard.append(seen.time - NOW)
        if len(heard) == 2:
            await source.close()
    assert heard == [0, 1]


def test_a_cluster_and_a_replay_are_sources_of_the_same() -> None:
    sources: list[type[FactSource]] = [ClusterSource, ReplaySource]  # mypy compares their interfaces
    assert all(hasattr(source, "events") and hasattr(source, "close") for source in sources)
