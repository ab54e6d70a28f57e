"""Replaying a run with its own spec gives the run itself; with another, what that spec would have done."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hpatui.errors import UsageError
from hpatui.model import ControllerFlags
from hpatui.state.frames import Frame
from hpatui.state.whatif import SPREAD, Edit, edited, what_if
from tests.conformance import traces

FOLDER = Path(__file__).parents[2] / "data" / "traces"
NAMES = sorted(p.name.removesuffix(".jsonl.gz") for p in FOLDER.glob("*.jsonl.gz"))


@cache
def recorded(name: str) -> tuple[tuple[Frame, ...], dict[str, Any], ControllerFlags]:
    """The frames that watching a trace recorded, its HPA and flags."""
    path = FOLDER / f"{name}.jsonl.gz"
    frames = traces.frames_of(path)
    with gzip.open(path, "rt") as stream:
        hpa = [line["object"] for line in map(json.loads, stream) if line["source"] == "hpa"][-1]
    return frames, hpa, traces.flags_of(json.loads(traces.facts_path(path).read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_its_own_spec_gives_the_run_itself(name: str) -> None:
    frames, hpa, flags = recorded(name)
    found = what_if(frames, hpa, Edit(), flags, frames[-1].time + 5)
    assert found.then == found.now
    assert found.notes == ()
    assert len({size for _, size in found.now.replicas}) > 1
    assert [size for _, size in found.now.replicas] == [frame.to_size for frame in frames]


def test_a_higher_maximum_costs_pods_and_saves_time_above_the_target() -> None:
    frames, hpa, flags = recorded("a-walkthrough")
    found = what_if(frames, hpa, Edit(max_replicas=10), flags, frames[-1].time + 5)
    assert max(size for _, size in found.then.replicas) > 3 == max(size for _, size in found.now.replicas)
    assert found.then.pod_hours > found.now.pod_hours
    assert found.then.above_target < found.now.above_target
    assert found.notes == (SPREAD,)


def test_a_shorter_window_comes_down_sooner() -> None:
    frames, hpa, flags = recorded("c-flapping")
    found = what_if(
        frames, hpa, Edit(behavior={"scaleDown": {"stabilizationWindowSeconds": 0}}), flags, frames[-1].time
    )

    def turns(sizes: list[int]) -> int:
        return sum(1 for before, after in pairwise(sizes) if before != after)

    assert turns([s for _, s in found.then.replicas]) > turns([s for _, s in found.now.replicas])


def test_another_tolerance_is_a_flag() -> None:
    frames, hpa, flags = recorded("c-flapping")
    calm = what_if(frames, hpa, Edit(tolerance=0.5), flags, frames[-1].time)
    assert {size for _, size in calm.then.replicas} == {4}


def test_pod_hours_and_time_above_target_are_integrals() -> None:
    frames, hpa, flags = recorded("a-walkthrough")
    some = [replace(frames[0], time=0.0, to_size=2), replace(frames[0], time=1800.0, to_size=4)]
    found = what_if(some, hpa, Edit(), flags, 3600.0)
    assert found.now.pod_hours == pytest.approx(3.0)


def test_the_edited_object_can_be_applied() -> None:
    _, hpa, _ = recorded("a-walkthrough")
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    value = edited(hpa, Edit(2, 9, {0: 55, 1: "120Mi"}, behavior))
    assert value["metadata"] == {"name": "php-apache-hpa", "namespace": "heyongjia"}
    spec = value["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"], spec["behavior"]) == (2, 9, behavior)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 55
    assert spec["metrics"][1]["resource"]["target"]["averageValue"] == "120Mi"
    assert "status" not in value
    assert hpa["spec"]["maxReplicas"] == 3


def test_edits_that_make_no_sense_are_refused() -> None:
    _, hpa, _ = recorded("a-walkthrough")
    with pytest.raises(UsageError, match="above maxReplicas"):
        edited(hpa, Edit(min_replicas=7))
    with pytest.raises(UsageError, match="no metric 5"):
        edited(hpa, Edit(targets={5: 10}))


def test_nothing_recorded_gives_nothing() -> None:
    _, hpa, flags = recorded("a-walkthrough")
    found = what_if((), hpa, Edit(), flags, 10.0)
    assert found.now == found.then and found.now.replicas == () and found.now.pod_hours == 0.0
