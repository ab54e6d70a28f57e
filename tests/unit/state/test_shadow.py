"""Candidates beside recorded runs: the live spec follows the live HPA exactly; others go their own way."""

from __future__ import annotations

import pytest

from hpatui.autoscaler.parse import parse_hpa
from hpatui.state.shadow import Account, Shadows
from hpatui.state.whatif import SPREAD, Edit, edited, what_if
from tests.unit.state.test_whatif import NAMES, recorded


def _beside(name: str, *edits: Edit) -> tuple[Account, list[Account], Shadows]:
    frames, hpa, flags = recorded(name)
    trials = [(f"c{index}", parse_hpa(edited(hpa, edit))) for index, edit in enumerate(edits)]
    shadows = Shadows(trials, flags, frames[0].time - 1)
    until = frames[-1].time + 5
    for frame in frames:  # as they come in
        shadows.take((frame,))
    return shadows.live.account(until), [s.run.account(until) for s in shadows.candidates], shadows


@pytest.mark.parametrize("name", NAMES)
def test_the_live_spec_as_a_candidate_is_the_live_hpa(name: str) -> None:
    live, (same,), shadows = _beside(name, Edit())
    assert same == live
    assert live.rescales > 0
    assert SPREAD not in shadows.candidates[0].notes(0.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_goes_the_way_that_a_replay_goes(name: str) -> None:
    frames, hpa, flags = recorded(name)
    edit = Edit(max_replicas=2)
    _, (account,), _ = _beside(name, edit)
    then = what_if(frames, hpa, edit, flags, frames[-1].time + 5).then
    at = dict(account.replicas)
    size = account.replicas[0][1]
    for time, wanted in then.replicas:
        size = at.get(time, size)
        assert size == wanted


def test_several_candidates_and_their_differences() -> None:
    live, (more, less), shadows = _beside("a-walkthrough", Edit(max_replicas=10), Edit(max_replicas=1))
    assert more.pod_hours > live.pod_hours > less.pod_hours
    assert more.above_target < live.above_target <= less.above_target
    assert any(SPREAD in note for note in shadows.candidates[0].notes(0.0))


def test_a_candidate_is_judged_by_the_live_targets() -> None:
    """With a lower target of its own it would always seem to be above it."""
    live, (strict,), _ = _beside("a-walkthrough", Edit(targets={0: 1}, max_replicas=10))
    assert strict.above_target <= live.above_target


def test_a_sync_is_taken_once() -> None:
    frames, hpa, flags = recorded("a-walkthrough")
    shadows = Shadows([("same", parse_hpa(edited(hpa, Edit())))], flags, frames[0].time - 1)
    assert len(shadows.take(frames)) == len(frames)
    assert shadows.take(frames) == []
    assert shadows.syncs == len(frames)
