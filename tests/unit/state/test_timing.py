"""The steps of a scaling run and their medians."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpatui.state.series import HpaHistory, LoadHistory, Rescale, Series
from hpatui.state.timing import medians, scaling_runs
from tests.factories import pod


def recorded() -> tuple[HpaHistory, LoadHistory]:
    """Load at 100, cpu over the target at 112, 1 -> 2 -> 3 at 115 and 130, ready at 121 and 136, cool at 150; down at
    500.
    """
    history, load = HpaHistory(), LoadHistory()
    load.marks += [(20.0, "started"), (100.0, "rate 50"), (480.0, "stopped")]
    cpu = history.metrics["cpu"] = Series(64, step=True)
    target = history.targets["cpu"] = Series(16, step=True)
    target.append(0.0, 30.0)
    for time, value in ((0.0, 5.0), (112.0, 90.0), (127.0, 70.0), (150.0, 31.0), (485.0, 2.0)):
        cpu.append(time, value)
    for time, value in ((0.0, 1.0), (121.0, 2.0), (136.0, 3.0), (505.0, 1.0)):
        history.ready.append(time, value)
    history.rescales += [
        Rescale(115.0, 1, 2, "", seen=True),
        Rescale(130.0, 2, 3, "", seen=True),
        Rescale(500.0, 3, 1, "", seen=True),
    ]
    return history, load


def test_rescales_in_one_direction_are_one_run() -> None:
    history, load = recorded()
    pods = [replace(pod(f"p{i}"), created=t) for i, t in enumerate((0.0, 115.2, 130.3))]
    up, down = scaling_runs(history, load, pods)
    assert (up.from_size, up.to_size, up.up) == (1, 3, True)
    assert (up.load_changed, up.crossed, up.decided, up.created, up.ready, up.settled) == (
        100.0, 112.0, 115.0, 130.3, 136.0, 150.0,
    )  # fmt: skip
    assert (down.from_size, down.to_size, down.load_changed, down.crossed, down.ready) == (3, 1, 480.0, 485.0, 505.0)


def test_steps_count_from_the_step_before_that_was_seen() -> None:
    history, load = recorded()
    up, _ = scaling_runs(history, LoadHistory(), [])
    steps = dict(up.steps())
    assert steps["metric crosses"] is None  # nothing before it was seen
    assert steps["decision"] == 3.0
    assert steps["pods created"] is None  # not seen
    assert steps["pods ready"] == 21.0
    assert dict(medians(scaling_runs(history, load, [])))["metric crosses"] == pytest.approx(12.0)


def test_what_was_not_seen_is_not_guessed() -> None:
    history = HpaHistory()
    history.rescales.append(Rescale(10.0, None, 2, "", seen=False))
    (run,) = scaling_runs(history, LoadHistory(), [])
    assert (run.crossed, run.created, run.ready, run.settled) == (None, None, None, None)
    assert medians(()) == ()
