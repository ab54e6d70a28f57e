"""Looks at pods and samples, and what comes out of them."""

from __future__ import annotations

import pytest

from hpatui.tune.observe import PodLook, Used, Watcher

WINDOW = 15.0


def _watched(phases: list[float], looks: int = 10) -> Watcher:
    """Pods that have been ready for long, each read at a moment of its own within the metrics server's look."""
    watcher = Watcher([False])
    watcher.size(0.0, len(phases))
    watcher.look(0.0, [PodLook(f"p{i}", -900.0, -890.0) for i in range(len(phases))])
    for number in range(1, looks + 1):
        watcher.samples(
            [Used(f"p{i}", number * WINDOW + phase, WINDOW, (100.0 + i,)) for i, phase in enumerate(phases)]
        )
    return watcher


@pytest.mark.parametrize("phases", [[0.0, 0.0, 0.0], [0.0, 4.0, 11.0], [13.9, 0.0, 7.0]], ids=str)
def test_samples_of_one_look_are_one_moment_though_kubelets_read_at_moments_of_their_own(phases: list[float]) -> None:
    found = _watched(phases).observed([100], [None])
    assert len(found.moments) == 10
    for number, moment in enumerate(found.moments, 1):
        assert moment.counted == 3
        assert moment.means == (101.0,)
        assert moment.ready == pytest.approx(3.0)
        assert number * WINDOW <= moment.time < (number + 1) * WINDOW


def test_a_pod_is_in_each_look_once() -> None:
    watcher = Watcher([False])
    watcher.look(0.0, [PodLook("a", -900.0, -890.0)])
    for end in (15.0, 20.0, 30.0):
        watcher.samples([Used("a", end, WINDOW, (100.0,))])
    assert [moment.time for moment in watcher.observed([100], [None]).moments] == [15.0, 20.0, 30.0]


def test_restarts_are_told_with_how_long_they_took() -> None:
    watcher = Watcher([False])
    for time, ready in ((0.0, 0.0), (50.0, None), (52.0, 52.0), (100.0, None), (113.0, 112.0)):
        watcher.look(time, [PodLook("a", -900.0, ready)])
    assert watcher.observed([100], [None]).restarts == ((0, 2.0), (1, 12.0))


def test_values_for_all_pods_are_told_where_they_change() -> None:
    watcher = Watcher([True])
    for time, value in ((15.0, 5.0), (30.0, 5.0), (45.0, 7.0)):
        watcher.total(time, {0: value}, WINDOW)
        watcher.told(time, {0: value})
    watcher.told(60.0, {})
    assert watcher.observed([None], [None]).totals == ((15.0, (5.0,)), (45.0, (7.0,)))
