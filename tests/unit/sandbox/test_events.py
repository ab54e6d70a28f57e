"""Events as client-go's correlator writes them: counted, combined, limited, forgotten."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.options import KUBERNETES, QUICK, Timings
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld


class Case:
    """A Deployment to record events about."""

    def __init__(self, timings: Timings = QUICK) -> None:
        self.world = TestWorld(timings)
        self.world.apply(b.deployment(SPACE, "web", replicas=0))
        self.about = self.world.get("apps", "deployments", "web")

    def record(self, message: str, reason: str = "Test") -> None:
        recorder = self.world.cluster.context.recorder
        recorder.event(self.about, "apps/v1", "Deployment", "Warning", reason, message, "tester")

    def events(self, reason: str = "Test") -> list[dict[str, Any]]:
        return [event for event in self.world.all("", "events") if event["reason"] == reason]


def test_the_same_event_is_counted() -> None:
    case = Case()
    for _ in range(4):
        case.record("it broke")
        case.world.advance(10.0)
    (event,) = case.events()
    assert (event["count"], event["message"]) == (4, "it broke")
    assert event["firstTimestamp"] < event["lastTimestamp"]
    assert event["source"] == {"component": "tester"}
    assert event["involvedObject"]["uid"] == case.about["metadata"]["uid"]


def test_other_messages_are_other_events() -> None:
    case = Case()
    for message in ("one", "two", "one"):
        case.record(message)
    assert sorted((event["message"], event["count"]) for event in case.events()) == [("one", 2), ("two", 1)]


def test_ten_that_are_alike_are_combined() -> None:
    case = Case()
    for number in range(14):
        case.record(f"pod {number} broke")
    messages = [event["message"] for event in case.events()]
    assert messages[:9] == [f"pod {number} broke" for number in range(9)]
    assert messages[9:] == ["(combined from similar events): pod 13 broke"]
    assert case.events()[-1]["count"] == 5


def test_after_ten_quiet_minutes_they_are_told_apart_again() -> None:
    case = Case()
    for number in range(12):
        case.record(f"pod {number} broke")
    case.world.advance(601.0)
    case.record("pod 99 broke")
    assert case.events()[-1]["message"] == "pod 99 broke"


def test_a_burst_about_one_object_is_cut() -> None:
    case = Case(KUBERNETES)
    for _ in range(60):
        case.record("it broke")
    (event,) = case.events()
    assert event["count"] == 25
    case.world.advance(300.0)
    case.record("it broke")
    case.record("it broke")
    (event,) = case.events()
    assert event["count"] == 26


def test_a_deleted_event_is_written_anew() -> None:
    case = Case()
    case.record("it broke")
    (event,) = case.events()
    case.world.cluster.store.delete(case.world.resource("", "events"), SPACE, event["metadata"]["name"])
    case.record("it broke")
    (event,) = case.events()
    assert event["count"] == 1


def test_events_are_forgotten_an_hour_after_the_last_time() -> None:
    case = Case()
    case.record("old")
    case.record("kept")
    case.world.advance(3000.0)
    case.record("kept")
    case.world.advance(1200.0)
    assert [event["message"] for event in case.events()] == ["kept"]
    case.world.advance(3600.0)
    assert case.events() == []


def test_an_event_that_cannot_be_written_stops_nothing() -> None:
    case = Case()
    case.about = {**case.about, "metadata": {**case.about["metadata"], "namespace": "gone"}}
    case.record("it broke")
    assert case.events() == []
