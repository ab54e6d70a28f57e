"""What a controller of 1.37 does at once, puts off, or says of 0 replicas; and an HPA's own sync period."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hpatui.autoscaler.parse import parse_hpa
from hpatui.autoscaler.zero import NOT_TOLD
from hpatui.cluster.decode import decode_hpa
from hpatui.model import ControllerFlags
from hpatui.state.facts import told_answers
from hpatui.state.syncs import SyncClock
from tests.factories import NOW
from tests.unit.state.test_observer import FLAGS, Watch, make_hpa

NEW, OLD = replace(FLAGS, rules="1.37"), replace(FLAGS, rules="1.36")


def _due(watch: Watch) -> float | None:
    outlook = watch.observer.outlook(watch.now)
    return None if outlook is None else outlook.at - watch.now


@pytest.mark.parametrize(("flags", "due"), [(OLD, 15.0), (NEW, 0.0), (replace(FLAGS, rules="1.38"), 0.0)])
def test_a_new_hpa_is_looked_at_at_once_from_1_37_on(flags: ControllerFlags, due: float) -> None:
    assert _due(Watch(flags, status=False, created=NOW)) == due


def test_the_first_sync_of_a_new_hpa_always_writes() -> None:
    watch = Watch(NEW, status=False, created=NOW)
    watch.use(90)
    for _ in watch.ticks(14):
        pass
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None and explanation.compared == 0


def _changed(watch: Watch, generation: int | None, high: int) -> None:
    watch.observer.hpa_changed(replace(make_hpa(high=high, version=9), generation=generation), watch.now)


@pytest.mark.parametrize(("before", "after", "due"), [(3, 4, 0.0), (3, 3, 12.0), (None, None, 12.0), (None, 4, 12.0)])
def test_a_changed_spec_is_looked_at_at_once_where_the_status_tells_generations(
    before: int | None, after: int | None, due: float
) -> None:
    watch = Watch(NEW)
    _changed(watch, before, 10)
    watch.now += 3
    _changed(watch, after, 12)
    assert _due(watch) == due


def test_a_hurried_sync_sets_the_beat_and_is_no_measure_of_it() -> None:
    clock = SyncClock(15.0)
    clock.wrote(100.0)
    for number in range(1, 6):  # five edits, 4 s apart
        clock.hurry(100.0 + 4 * number - 0.5)
        clock.wrote(100.0 + 4 * number)
    assert clock.period == 15.0 and not clock.inferred
    assert clock.next(121.0) == 135.0


def test_a_hurried_sync_that_does_not_come_is_given_up() -> None:
    clock = SyncClock(15.0)
    clock.wrote(100.0)
    clock.hurry(103.0)
    assert clock.next(104.0) == 104.0
    clock.passed(107.0)
    assert clock.next(107.0) == 115.0


@pytest.mark.parametrize(("flags", "compared"), [(OLD, 2), (NEW, 1)])
def test_a_sync_put_off_after_its_own_write_is_no_disagreement(flags: ControllerFlags, compared: int) -> None:
    watch = Watch(flags)
    watch.wrote(cpu=41, high=1)  # from here on a sync would scale down to 1, whatever the metrics say
    for _ in watch.ticks(20):
        pass
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None and explanation.compared == compared
    assert explanation.agreed == 1


def test_what_goes_on_is_a_disagreement_on_1_37_too() -> None:
    watch = Watch(NEW)
    watch.wrote(cpu=41, high=1)
    for _ in watch.ticks(65):
        pass
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None and explanation.compared - explanation.agreed >= 2


@pytest.mark.parametrize(
    ("value", "period"), [(30, 30.0), (5, 5.0), (0, None), (-3, None), (None, None), ("30", None), (True, None)]
)
def test_an_hpas_own_sync_period(value: object, period: float | None) -> None:
    obj = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5, "syncPeriodSeconds": value},
    }
    hpa = decode_hpa(json.dumps(obj).encode())
    assert hpa is not None and hpa.sync_period == period


def test_an_hpas_own_sync_period_beats_the_controllers() -> None:
    watch = Watch(OLD)
    watch.observer.hpa_changed(replace(make_hpa(version=2), sync_period=40.0), watch.now)
    assert _due(watch) == 40.0
    watch.observer.set_flags(replace(OLD, sync_period=10.0))
    assert _due(watch) == 40.0
    watch.observer.hpa_changed(make_hpa(version=3), watch.now)
    assert _due(watch) == 10.0


@pytest.mark.parametrize("text", ["-9223372036854775808m", "-9223372036854775.808"])
@pytest.mark.parametrize("kind", ["External", "Object"])
def test_an_average_over_0_pods_is_no_negative_total(kind: str, text: str) -> None:
    field, target = kind.lower(), {"type": "AverageValue", "averageValue": "30"}
    source = {"metric": {"name": "queue"}, "target": target, "describedObject": {"kind": "Service", "name": "q"}}
    current = {"type": kind, field: {"metric": {"name": "queue"}, "current": {"averageValue": text}}}
    hpa = parse_hpa(
        {
            "metadata": {"name": "w", "namespace": "shop"},
            "spec": {"maxReplicas": 5, "minReplicas": 0, "metrics": [{"type": kind, field: source}]},
            "status": {"currentMetrics": [current]},
        }
    )
    assert told_answers(hpa, 0, ())[0].error == NOT_TOLD
    current[field]["current"]["averageValue"] = "-3"  # type: ignore[index]
    assert told_answers(hpa, 1, ())[0].items[0].value == -3000


def test_a_sleeper_whose_total_is_not_told_is_asleep_and_not_blind() -> None:
    told = {"metric": {"name": "queue"}, "current": {"averageValue": "-9223372036854775808m"}}
    wanted = {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"}}
    obj = json.loads(make_hpa().raw)
    obj["spec"] |= {"minReplicas": 0, "metrics": [{"type": "External", "external": wanted}]}
    obj["status"] |= {"currentReplicas": 0, "desiredReplicas": 0}
    obj["status"]["currentMetrics"] = [{"type": "External", "external": told}]
    obj["status"]["conditions"].append({"type": "ScaledToZero", "status": "True", "reason": "ScaledToZero"})
    hpa = decode_hpa(json.dumps(obj).encode())
    assert hpa is not None
    watch = Watch(NEW)
    watch.replicas = 0
    watch.use(0)
    watch.observer.hpa_changed(hpa, watch.now)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.headline == "asleep at 0 by the HPA; wakes when queue > 0"
    assert "blind" not in " ".join(line.text for line in explanation.lines)
    for _ in watch.ticks(40):  # whether it should have woken cannot be judged
        pass
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None and explanation.compared == 0
