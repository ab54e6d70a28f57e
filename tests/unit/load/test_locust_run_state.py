"""What Locust's processes order and count in the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.load.histogram import index_of
from hpatui.load.jobs import Place, locust_plan, named
from hpatui.load.locust.run_state import CANCELLED, SILENCE, Counting, Merging, Schedule, pace, slot
from hpatui.load.messages import Counted, report_of
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.process import HEARTBEAT

PLACE = Place("hpatui-load-1", "shop", "http://cart.shop.svc/")


def _schedule(*stages: Stage, leased: bool = True, **plan: Any) -> Schedule:
    return Schedule(locust_plan(LoadPlan(stages=stages, **plan), PLACE, leased=leased))


@pytest.mark.parametrize("value", [1, 2, 2047, 2048, 5000, 123_456, 59_999_999, 60_000_000])
def test_a_slot_is_that_of_the_histogram(value: int) -> None:
    assert slot(value) == index_of(value)


def test_it_waits_for_the_first_word() -> None:
    schedule = _schedule(Stage(20, 20, None))
    schedule.begin(10.0)
    assert (schedule.rate(10.0), schedule.elapsed(11.0)) == (0.0, 0.0)
    schedule.obey({"type": "alive"}, 12.0)
    schedule.begin(12.5)
    assert (schedule.rate(12.5), schedule.elapsed(13.5)) == (20.0, 1.0)


def test_a_printed_one_waits_for_nobody() -> None:
    schedule = _schedule(Stage(20, 20, None), leased=False)
    schedule.begin(10.0)
    assert schedule.rate(1000.0) == 20.0


def test_some_silence_holds_it_until_the_next_word() -> None:
    schedule = _schedule(Stage(20, 20, None))
    assert not schedule.held(100.0), "nothing was heard yet: it did not begin"
    schedule.obey({"type": "alive"}, 0.0)
    assert (schedule.held(SILENCE), schedule.held(SILENCE + 0.01)) == (False, True)
    schedule.obey({"type": "alive"}, 9.0)
    assert not schedule.held(9.1)
    assert HEARTBEAT * 3 < SILENCE < 1.8, "a word may be late, and load stops within two seconds"
    printed = _schedule(Stage(20, 20, None), leased=False)
    printed.obey({"type": "alive"}, 0.0)
    assert not printed.held(100.0)


def test_silence_ends_it() -> None:
    schedule = _schedule(Stage(20, 20, None))
    schedule.obey({"type": "alive"}, 0.0)
    schedule.begin(0.0)
    assert schedule.rate(30.0) == 20.0
    assert schedule.rate(30.1) is None


def test_stages_follow_each_other_and_end() -> None:
    schedule = _schedule(Stage(10, 10, 5), Stage(10, 30, 10), max_rate=25)
    schedule.obey({"type": "alive"}, 0.0)
    schedule.begin(0.0)
    assert [schedule.rate(t) for t in (0, 4.9, 5, 10, 14)] == [10, 10, 10, 20, 25]
    assert schedule.stage_name(14) == "10->30/s for 10s"
    assert schedule.rate(15.0) is None


def test_orders() -> None:
    schedule = _schedule(Stage(10, 10, None, until="stable"), Stage(40, 40, None))
    schedule.obey({"type": "alive"}, 0.0)
    schedule.begin(0.0)
    schedule.obey({"type": "skip"}, 2.0)
    assert (schedule.rate(2.0), schedule.stage_name(2.0)) == (40.0, "40/s")
    schedule.obey({"type": "pause"}, 3.0)
    assert schedule.rate(3.5) == 0.0
    schedule.obey({"type": "resume"}, 13.0)
    assert schedule.rate(13.0) == 40.0
    (ramp,) = named((Stage(0, 10, 10),))
    fields = ("start", "end", "duration", "shape", "period", "until", "name")
    schedule.obey({"type": "stages", "stages": [{name: getattr(ramp, name) for name in fields}]}, 20.0)
    assert schedule.rate(25.0) == 5.0
    schedule.obey({"type": "stop"}, 26.0)
    assert schedule.rate(26.0) is None


def test_a_pause_stops_the_stage_s_clock_but_not_the_run_s() -> None:
    schedule = _schedule(Stage(10, 10, 5), duration=20)
    schedule.obey({"type": "alive"}, 0.0)
    schedule.begin(0.0)
    schedule.obey({"type": "pause"}, 4.0)
    schedule.obey({"type": "resume"}, 14.0)
    assert schedule.rate(14.9) == 10.0
    assert schedule.rate(15.1) is None


def test_the_closed_model_orders_connections() -> None:
    schedule = _schedule(model="closed", concurrency=8, duration=3.0)
    schedule.obey({"type": "alive"}, 0.0)
    schedule.begin(0.0)
    assert (schedule.rate(1.0), schedule.stage_name(1.0), schedule.rate(3.0)) == (8.0, "", None)


def test_a_second_is_counted_where_it_happened_and_merged() -> None:
    one, two, master = Counting(), Counting(), Merging(100.5)
    one.sent(100.9, 0.001)
    one.answered(101.2, 200, "", 3, response=0.3, service=0.299)
    two.sent(100.1, 0.0)
    two.answered(100.2, 503, "http 503", 0, response=0.1, service=0.1)
    two.sent(100.3, 0.0)
    two.answered(100.4, 0, "refused", 0, response=0.1, service=0.1)
    two.unserved(100.5, 4)
    two.sent(100.6, 0.0)
    two.answered(100.7, 0, CANCELLED, 0, response=0.1, service=0.1)
    master.add(one.take(101.0))
    master.add(two.take(101.0))
    assert master.take(100.9) == []
    (first,) = master.take(101.0)
    assert (first["time"], first["sent"], first["ok"], first["failed"], first["unserved"]) == (100, 4, 0, 2, 4)
    assert first["statuses"] == {"503": 1}
    assert first["errors"] == {"http 503": 1, "refused": 1}
    master.add(one.take(102.0))
    (second,) = master.rest()
    assert (second["ok"], second["bytes"], list(second["response"])) == (1, 3, [str(slot(300_000))])


def test_what_comes_too_late_is_not_lost_and_empty_seconds_are_told() -> None:
    worker, master = Counting(), Merging(100)
    worker.sent(100.5, 0.0)
    assert [second["sent"] for second in master.take(103.0)] == [0, 0, 0]
    master.add(worker.take(104.0))
    (late,) = master.take(104.0)
    assert (late["time"], late["sent"]) == (103, 1)


def test_hpatui_reads_its_lines() -> None:
    import json

    worker = Counting()
    worker.sent(100.5, 0.0)
    worker.answered(100.6, 200, "", 3, response=0.1, service=0.1)
    (second,) = worker.take(101.0)
    line = json.dumps({"type": "second", "second": {**second, "elapsed": 1.0, "offered": 2.0, "stage": "", "cpu": 0.1}})
    report = report_of(line.encode())
    assert isinstance(report, Counted)
    assert (report.second.sent, report.second.statuses, report.second.response) == (1, {200: 1}, {slot(100_000): 1})


@pytest.mark.parametrize(("concurrency", "more"), [(4, {}), (40, {"max_in_flight": 10})])
def test_the_closed_model_s_users_together_keep_below_the_limit(concurrency: int, more: dict[str, int]) -> None:
    plan = locust_plan(LoadPlan(model="closed", concurrency=concurrency, max_rate=50.0, **more), PLACE)  # type: ignore[arg-type]
    assert plan["concurrency"] == min([concurrency, *more.values()])
    assert plan["concurrency"] / pace(plan) == pytest.approx(50.0)


def test_a_bad_answer_s_time_is_told_apart() -> None:
    counting = Counting()
    counting.sent(10.0, 0.0)
    counting.answered(10.1, 503, "http 503", 5, response=0.1, service=0.1)
    (second,) = counting.take(12.0)
    assert second["bad"] == second["response"] != {}
