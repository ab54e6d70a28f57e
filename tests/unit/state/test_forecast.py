"""What a load will ask for, learned from another, and what a run cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpatui.model import ControllerFlags, Hpa
from hpatui.state.forecast import LoadModel, cost, cost_text, forecast, learn
from hpatui.state.series import HpaHistory, LoadHistory, Series
from tests.factories import hpa as make_hpa

FLAGS = ControllerFlags(sync_period=15.0, metrics_resolution=15.0)


def _hpa(**changes: object) -> Hpa:
    return replace(make_hpa(), **changes)  # type: ignore[arg-type]


def _recorded(rate: float, share_per_request: float, *, idle: float = 0.1, pods: int = 1, cap: float = 99.0) -> tuple[
    HpaHistory, LoadHistory
]:  # fmt: skip
    """200 s without load, then 200 s with it; cpu as a share of its target of 30."""
    history, load = HpaHistory(), LoadHistory()
    cpu = history.metrics["cpu"] = Series(64, step=False)
    history.targets["cpu"] = Series(16, step=True)
    history.targets["cpu"].append(0.0, 30.0)
    history.current.append(0.0, pods)
    for second in range(200, 401):
        load.rate.append(second, rate)
        load.offered.append(second, rate)
        load.errors.append(second, 0)
    for time in range(15, 401, 15):
        busy = share_per_request * rate / pods if time > 200 else 0.0
        cpu.append(time, 30.0 * min(idle + busy, cap))
    return history, load


def _cpu_only(hpa: Hpa) -> Hpa:
    return replace(hpa, metrics=tuple(metric for metric in hpa.metrics if metric.name == "cpu"))


def test_cost_and_idle_use_are_learned() -> None:
    model = learn(_cpu_only(_hpa()), *_recorded(20.0, 0.1), FLAGS)
    assert model is not None
    assert model.metric == "cpu"
    assert (model.cost, model.idle) == pytest.approx((0.1, 0.1))
    assert [model.wanted(rate) for rate in (0, 9, 27, 90)] == [1, 1, 3, 10]


def test_nothing_is_foretold_without_a_steady_load() -> None:
    history, load = _recorded(20.0, 0.1)
    assert learn(_cpu_only(_hpa()), history, LoadHistory(), FLAGS) is None
    for second in range(200, 401):
        load.rate.append(second, 0.0)
    wild = LoadHistory()
    for second in range(200, 401):
        wild.rate.append(second, float(second % 40))
    assert learn(_cpu_only(_hpa()), history, wild, FLAGS) is None


def test_a_metric_that_is_busy_without_load_foretells_nothing() -> None:
    assert learn(_cpu_only(_hpa()), *_recorded(20.0, 0.1, idle=0.95), FLAGS) is None


def test_a_change_of_size_is_waited_out() -> None:
    history, load = _recorded(20.0, 0.1)
    history.current.append(320.0, 2)  # while cpu is still that of one pod
    model = learn(_cpu_only(_hpa()), history, load, FLAGS)
    assert model is not None
    assert model.cost == pytest.approx(0.1)


def test_the_sentence_knows_the_limits_and_the_default_policies() -> None:
    model = LoadModel("cpu", 0.1, 0.0)
    small = _hpa(min_replicas=2, max_replicas=20, current_replicas=2)
    assert forecast(model, 5.0, small, FLAGS) == "5/s means 2 replicas (minReplicas)"
    assert forecast(model, 60.0, small, FLAGS) == "60/s means 6 replicas, after 1 sync: about 30 s"
    assert forecast(model, 120.0, small, FLAGS) == "120/s means 12 replicas, after 2 syncs: about 45 s"
    text = forecast(model, 900.0, small, FLAGS)
    assert text.startswith("900/s means 20 replicas (maxReplicas), 90 would be needed")


def test_what_a_run_cost() -> None:
    history, load = _recorded(20.0, 0.1)
    history.current.append(300.0, 4)
    load.errors.append(401.0, 2)
    model = LoadModel("cpu", 0.1, 0.0)
    found = cost(history, load, 200.0, 401.0, model)
    assert found is not None
    assert found.used == pytest.approx(100 * 1 + 101 * 4)
    assert found.needed == pytest.approx(2 * 201)
    assert (found.bad_seconds, found.overshoot) == (1, 2)
    assert cost(HpaHistory(), load, 200.0, 401.0, model) is None
    assert cost_text(found) == "the run used 8.4 pod-minutes, 6.7 needed; 2 pods more than ever needed; 1 s with errors"
