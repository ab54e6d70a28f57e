"""Whether a change did what was foretold is judged by syncs that tell something."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from hpatui.clock import ManualClock
from hpatui.model import ControllerFlags, Key
from hpatui.session.applying import Plan
from hpatui.session.guarded import Followed, Foretold, GuardedChange
from hpatui.session.live import Session
from hpatui.session.undo_book import Change
from hpatui.settings import Settings
from hpatui.state.frames import Frame
from tests.unit.state.small_frames import START, frame, hpa_object

KEY = Key("shop", "web")
NEW = hpa_object(minimum=2)


class Store:
    """The recorded syncs of one HPA."""

    focused: Key | None = KEY

    def __init__(self, *frames: Frame) -> None:
        self._frames = frames

    def frames(self) -> tuple[Frame, ...]:
        return self._frames

    def present(self, now: float) -> Frame | None:
        return self._frames[-1]


class Live:
    """As much of a session as following needs."""

    settings = Settings(state_dir="/nonexistent/hpatui")

    def __init__(self, *frames: Frame) -> None:
        self.store, self.clock = Store(*frames), ManualClock(START)

    def controller(self) -> ControllerFlags:
        return ControllerFlags(sync_period=0.0)  # patience is counted in periods


async def followed(*frames: Frame, foretold: int | None = 2, syncs: int = 1) -> list[Followed]:
    plan = Plan(
        KEY, "u", "here", "127.0.0.1", "https://127.0.0.1", hpa_object()["spec"], NEW["spec"], cast("Any", {}),
        ("diff",), (), (), (),
    )  # fmt: skip
    change = Change("https://127.0.0.1", "here", "shop", "web", "u", START, plan.before, plan.after)
    change_of = GuardedChange(cast("Session", Live(*frames)))
    return [sync async for sync in change_of.follow(plan, change, Foretold(foretold, 1, ""), syncs)]


async def test_a_sync_that_was_seen_is_judged() -> None:
    (sync,) = await followed(frame(1, 40, 2, index=1, hpa=NEW))
    assert (sync.from_size, sync.to_size, sync.as_foretold) == (1, 2, True)
    assert sync.text() == "1 -> 2, as foretold"


async def test_a_sync_that_was_only_counted_and_should_have_written_is_passed_over() -> None:
    """It came before the new spec, or not yet; the one that was seen tells."""
    counted = replace(frame(1, 40, 1, index=1, hpa=NEW), seen=False)
    (sync,) = await followed(counted, frame(1, 40, 2, index=2, hpa=NEW))
    assert (sync.time, sync.text()) == (START + 30, "1 -> 2, as foretold")


async def test_a_sync_that_was_counted_and_changes_nothing_is_judged() -> None:
    counted = replace(frame(2, 80, 2, index=1, hpa=NEW), seen=False)
    (sync,) = await followed(counted)
    assert sync.text() == "stays 2, as foretold"


async def test_syncs_under_the_old_spec_or_before_the_change_are_not_judged() -> None:
    old = frame(1, 40, 1, index=1, hpa=hpa_object())
    (sync,) = await followed(frame(1, 40, 2, index=0, hpa=NEW), old, frame(1, 40, 2, index=2, hpa=NEW))
    assert sync.time == START + 30


async def test_a_controller_that_decides_otherwise_is_told() -> None:
    (sync,) = await followed(frame(1, 40, 1, index=1, hpa=NEW))
    assert sync.as_foretold is False
    assert "foretold was 2" in sync.text() and "explain" in sync.text()


async def test_metrics_that_changed_before_the_sync_are_the_reason() -> None:
    moved = frame(2, 160, 4, index=1, hpa=NEW)
    (sync,) = await followed(moved)
    assert sync.as_foretold is False
    assert "the metrics changed before it" in sync.text()
