"""The store: facts in, snapshots out; nothing lost, nothing doubled, nothing repainted that did not change."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

from hpatui.model import (
    Deleted,
    Key,
    Kind,
    Listed,
    LoadSample,
    LoadState,
    LoadView,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.state.store import Store
from tests.factories import NOW, event, hpa, metric, pod, usage, workload

KEY = Key("heyongjia", "php-apache-hpa")
LIVE = StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))


def _store(*names: str) -> Store:
    store = Store(context="c", now=NOW)
    store.take(Seen(NOW, Listed(Kind.HPA, tuple(hpa(name) for name in names or ("php-apache-hpa",)))))
    store.take(Seen(NOW, LIVE))
    return store


def test_rows_are_sorted_by_namespace_and_name() -> None:
    store = Store(now=NOW)
    store.take(Seen(NOW, Listed(Kind.HPA, (hpa("b", "z"), hpa("a", "z"), hpa("c", "a")))))
    assert [str(row.key) for row in store.snapshot(NOW).rows] == ["a/c", "z/a", "z/b"]


def test_no_change_gives_the_same_snapshot() -> None:
    store = _store()
    first = store.snapshot(NOW)
    assert store.snapshot(NOW + 1) is first
    store.take(Seen(NOW + 2, Upserted(Kind.HPA, hpa(version="1"))))  # a version that is known already
    assert store.snapshot(NOW + 2).rows is first.rows


def test_an_unchanged_row_is_the_same_object() -> None:
    store = _store("a", "b")
    before = {row.key.name: row for row in store.snapshot(NOW).rows}
    store.take(Seen(NOW + 1, Upserted(Kind.HPA, hpa("b", desired=3, version="2"))))
    after = {row.key.name: row for row in store.snapshot(NOW + 1).rows}
    assert after["a"] is before["a"]
    assert after["b"].hpa.desired_replicas == 3


def test_a_new_list_drops_what_is_gone() -> None:
    store = _store("a", "b")
    store.take(Seen(NOW + 1, Listed(Kind.HPA, (hpa("b"), hpa("c")))))
    assert [row.key.name for row in store.snapshot(NOW + 1).rows] == ["b", "c"]


def test_deleted_with_another_uid_is_about_an_earlier_object() -> None:
    store = _store()
    store.take(Seen(NOW, Deleted(Kind.HPA, KEY, uid="somebody-else")))
    assert len(store.snapshot(NOW).rows) == 1
    store.take(Seen(NOW, Deleted(Kind.HPA, KEY)))
    assert store.snapshot(NOW).rows == ()


def test_recreated_under_the_same_name_starts_a_new_history() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW + 5, Upserted(Kind.HPA, hpa(uid="second", version="9", current=2))))
    store.focus(KEY, NOW + 5)
    detail = store.snapshot(NOW + 5).detail
    assert detail is not None
    assert list(detail.history.current) == [(NOW + 5, 2)]


def test_a_rescale_is_noted_once_and_marked() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.snapshot(NOW)
    store.take(Seen(NOW + 10, Upserted(Kind.HPA, hpa(desired=3, scaled=NOW + 10, version="2"))))
    snapshot = store.snapshot(NOW + 10)
    assert [notice.title for notice in snapshot.notices] == ["heyongjia/php-apache-hpa: 1 → 3 replicas"]
    assert snapshot.detail is not None
    assert [(r.from_size, r.to_size, r.seen) for r in snapshot.detail.history.rescales] == [(1, 3, True)]
    store.take(Seen(NOW + 12, Upserted(Kind.HPA, hpa(current=3, desired=3, scaled=NOW + 10, version="3"))))
    seen = store.snapshot(NOW + 12)
    assert len(seen.notices) == 1, "somebody asked for a snapshot meanwhile: the notice is still to be told"
    store.published(seen)
    store.take(Seen(NOW + 13, Upserted(Kind.HPA, hpa(current=3, desired=3, scaled=NOW + 10, version="4"))))
    assert store.snapshot(NOW + 13).notices == ()


def test_a_snapshot_never_changes_afterwards() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW + 5, Upserted(Kind.HPA, hpa(version="2", metrics=[metric(40)]))))
    store.set_load(LoadView(LoadState.RUNNING), NOW + 5, "load 50/s")
    old = store.snapshot(NOW + 5)
    assert old.detail is not None
    history, load = old.detail.history, old.load_history
    before = (list(history.current), list(history.metrics["cpu"]), history.rescales, list(load.rate), load.marks)
    store.take(Seen(NOW + 6, Upserted(Kind.HPA, hpa(desired=3, scaled=NOW + 6, version="3", metrics=[metric(90)]))))
    store.take(Seen(NOW + 6, LoadSample(NOW + 6, 50, 48, 47, 1, 2, 5, 10.0, 80.0, 120.0)))
    store.set_load(LoadView(), NOW + 7, "load off")
    after = (list(history.current), list(history.metrics["cpu"]), history.rescales, list(load.rate), load.marks)
    assert after == before
    new = store.snapshot(NOW + 7)
    assert new.detail is not None and len(new.detail.history.rescales) == 1
    assert new.load_history.marks == ((NOW + 5, "load 50/s"), (NOW + 7, "load off"))


def test_the_event_gives_the_rescale_its_reason() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW + 10, Upserted(Kind.HPA, hpa(desired=3, scaled=NOW + 10, version="2"))))
    message = "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    store.take(Seen(NOW + 11, Upserted(Kind.EVENT, event("SuccessfulRescale", message, at=NOW + 11), str(KEY))))
    detail = store.snapshot(NOW + 11).detail
    assert detail is not None
    assert [(r.to_size, r.reason) for r in detail.history.rescales] == [
        (3, "cpu resource utilization (percentage of request) above target")
    ]


def test_sizes_before_the_start_are_rebuilt_from_events() -> None:
    store = _store()
    store.focus(KEY, NOW)
    events = (
        event("SuccessfulRescale", "New size: 3; reason: x", at=NOW - 500, uid="1"),
        event("SuccessfulRescale", "(combined from similar events): New size: 2; reason: ", at=NOW - 300, uid="2"),
        event("FailedGetScale", "no", at=NOW - 100, uid="3"),
    )
    store.take(Seen(NOW + 1, Listed(Kind.EVENT, events, str(KEY))))
    detail = store.snapshot(NOW + 1).detail
    assert detail is not None
    assert list(detail.history.desired)[:2] == [(NOW - 500, 3), (NOW - 300, 2)]
    assert [(r.from_size, r.to_size, r.seen) for r in detail.history.rescales] == [(None, 3, False), (3, 2, False)]
    store.take(Seen(NOW + 2, Listed(Kind.EVENT, events, str(KEY))))  # a second list adds nothing
    assert len(detail.history.rescales) == 2


def test_metrics_become_series_and_an_unknown_value_a_gap() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW + 5, Upserted(Kind.HPA, hpa(version="2", metrics=[metric(None)]))))
    store.take(Seen(NOW + 9, Upserted(Kind.HPA, hpa(version="3", metrics=[metric(60)]))))
    detail = store.snapshot(NOW + 9).detail
    assert detail is not None
    assert list(detail.history.metrics["cpu"]) == [(NOW, 45), (NOW + 5, None), (NOW + 9, 60)]


def test_a_lost_connection_is_a_gap_even_if_nothing_changed_meanwhile() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW + 5, StatusChanged(Kind.HPA, SourceStatus(SourceState.RECONNECTING, NOW + 5, "refused"))))
    store.take(Seen(NOW + 20, Listed(Kind.HPA, (hpa(),))))
    store.take(Seen(NOW + 20, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW + 20))))
    snapshot = store.snapshot(NOW + 20)
    assert snapshot.detail is not None
    assert list(snapshot.detail.history.current) == [(NOW, 1), (NOW + 5, None), (NOW + 20, 1)]
    assert [notice.title for notice in snapshot.notices] == ["Connection lost", "Live again"]


def test_details_of_another_hpa_are_not_taken() -> None:
    store = _store("php-apache-hpa", "other")
    store.focus(KEY, NOW)
    store.take(Seen(NOW, Listed(Kind.POD, (pod("mine"),), str(KEY))))
    store.take(Seen(NOW, Upserted(Kind.POD, pod("late"), "heyongjia/other")))
    detail = store.snapshot(NOW).detail
    assert detail is not None
    assert [row.pod.key.name for row in detail.pods] == ["mine"]


def test_pods_join_their_usage_and_the_ready_count_is_kept() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW, Listed(Kind.POD, (pod("a"), pod("b", ready=False)), str(KEY))))
    store.take(Seen(NOW + 1, Listed(Kind.POD_USAGE, (usage("a", 45),), str(KEY))))
    store.take(Seen(NOW + 1, Upserted(Kind.WORKLOAD, workload(2, 1), str(KEY))))
    detail = store.snapshot(NOW + 1).detail
    assert detail is not None
    assert [(row.pod.key.name, row.usage.cpu if row.usage else None) for row in detail.pods] == [("a", 45), ("b", None)]
    assert detail.history.ready.at(NOW + 1) == 1
    assert store.snapshot(NOW + 1).metrics_time == NOW
    store.take(Seen(NOW + 2, Deleted(Kind.POD, Key("heyongjia", "a"), scope=str(KEY))))
    after = store.snapshot(NOW + 2).detail
    assert after is not None
    assert [row.pod.key.name for row in after.pods] == ["b"]


def test_events_are_newest_first_and_bounded() -> None:
    store = _store()
    store.focus(KEY, NOW)
    many = tuple(event("R", "m", at=NOW + i, uid=str(i)) for i in range(600))
    store.take(Seen(NOW, Listed(Kind.EVENT, many, str(KEY))))
    detail = store.snapshot(NOW).detail
    assert detail is not None
    assert len(detail.events) == 500
    assert detail.events[0].last_seen == NOW + 599


def test_the_trend_moves_with_time_alone() -> None:
    store = _store()
    store.take(Seen(NOW + 30, Upserted(Kind.HPA, hpa(current=3, version="2"))))
    assert store.snapshot(NOW + 30).rows[0].trend == (1, 1, 3)
    assert store.take(Seen(NOW + 46, Tick()))
    assert store.snapshot(NOW + 46).rows[0].trend == (1, 1, 3, 3)
    assert not store.take(Seen(NOW + 47, Tick()))


def test_load_samples_join_the_time_axis_and_stop_in_a_gap() -> None:
    store = _store()
    store.set_load(LoadView(LoadState.RUNNING, "svc", "steady 50/s", 50.0), NOW, "load 50/s")
    store.take(Seen(NOW, LoadSample(NOW, 50, 48, 47, 1, 2, 5, 10.0, 80.0, 120.0)))
    store.set_load(replace(store.load, state=LoadState.IDLE), NOW + 2, "load off")
    snapshot = store.snapshot(NOW + 2)
    assert list(snapshot.load_history.rate) == [(NOW, 48), (NOW + 2, None)]
    assert list(snapshot.load_history.errors) == [(NOW, 3)]
    assert snapshot.load_history.marks == ((NOW, "load 50/s"), (NOW + 2, "load off"))


def test_reset_forgets_the_cluster_but_not_the_load() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW, LoadSample(NOW, 1, 1, 1, 0, 0, 0, 1, 1, 1)))
    store.reset(context="other", namespace=None, now=NOW + 1)
    snapshot = store.snapshot(NOW + 1)
    assert (snapshot.rows, snapshot.detail, snapshot.context) == ((), None, "other")
    assert snapshot.status.state is SourceState.CONNECTING
    assert len(snapshot.load_history.rate) == 1


def test_a_load_is_foretold_once_its_cost_was_learned_and_counted_up_at_its_end() -> None:
    store = _store()
    store.focus(KEY, NOW)
    store.take(Seen(NOW, Upserted(Kind.HPA, hpa(version="v0", metrics=(metric(current=0.0),)))))
    store.set_load(LoadView(LoadState.RUNNING, rate=20.0, started=NOW, for_hpa=KEY), NOW, "load 20/s")
    for second in range(1, 121):
        store.take(Seen(NOW + second, LoadSample(NOW + second, 20, 20, 20, 0, 0, 1, 5.0, 6.0, 7.0)))
        if second % 15 == 0:
            new = hpa(version=f"v{second}", metrics=(metric(current=20.0 + second / 1000),))  # 2/3 of its target
            store.take(Seen(NOW + second, Upserted(Kind.HPA, new)))
    store.set_load(replace(store.load, rate=75.0), NOW + 121)
    assert store.snapshot(NOW + 121).load.forecast.startswith("75/s means 3 replicas, after 1 sync")
    store.set_load(replace(store.load, state=LoadState.IDLE), NOW + 122, "load off")
    view = store.snapshot(NOW + 122).load
    assert view.cost == "the run used 2.0 pod-minutes, 2.0 needed"
    store.focus(None, NOW + 123)
    assert store.snapshot(NOW + 123).load.forecast == ""


def test_memory_is_flat_over_an_hour_of_churn() -> None:
    """Fast-forwarded: 50 HPAs change their status every 15 s, pods and events come and go, load runs."""
    store = _store(*(f"hpa-{number}" for number in range(10)))
    key = Key("heyongjia", "hpa-0")
    store.focus(key, NOW)

    def live(begin: int, end: int) -> None:
        for tick in range(begin, end):
            now = NOW + tick * 15.0
            for number in range(10):
                size = 1 + (tick + number) % 3
                new = hpa(
                    f"hpa-{number}", current=size, desired=1 + (tick + number + 1) % 3, version=f"{tick}", scaled=now,
                    metrics=(metric(current=float((tick * 7 + number) % 90)),),
                )  # fmt: skip
                store.take(Seen(now, Upserted(Kind.HPA, new)))
            name = f"pod-{tick}"
            store.take(Seen(now, Upserted(Kind.POD, pod(name), str(key))))
            store.take(Seen(now, Deleted(Kind.POD, Key("heyongjia", f"pod-{tick - 3}"), "", str(key))))
            for index in range(5):
                text = f"New size: {index}; reason: x"
                new_event = event("SuccessfulRescale", text, at=now + index, uid=f"{tick}-{index}")
                store.take(Seen(now, Upserted(Kind.EVENT, new_event, str(key))))
            for second in range(15):
                store.take(Seen(now + second, LoadSample(now + second, 50, 50, 50, 0, 0, 1, 5.0, 6.0, 7.0)))
            store.take(Seen(now, Tick()))
            store.snapshot(now)

    live(0, 700)  # rings and bounds are full
    gc.collect()
    before = sys.getallocatedblocks()
    live(700, 940)  # an hour
    gc.collect()
    assert sys.getallocatedblocks() < before * 1.02
