"""`watch`: one line for each change, and why nothing comes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from typing import Any

import pytest

from hpatui.model import (
    Deleted,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.plain import watch as plain_watch
from hpatui.plain.changes import ChangesPrinter
from hpatui.plain.options import WatchOptions
from hpatui.plain.watch import watch
from hpatui.state.store import Store
from tests.factories import NOW, hpa, metric
from tests.ui.fakes import FakeSession

LIVE = StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))


class Lines:
    """A store and the lines that its snapshots become."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.printer = ChangesPrinter(self.stream)
        self.store = Store(context="test", namespace="shop", now=NOW)
        self.now = NOW
        self._read = 0

    def take(self, *events: Any) -> list[dict[str, Any]]:
        """Apply, print, and read the new lines."""
        self.now += 1
        for event in events:
            self.store.take(Seen(self.now, event))
        self.printer(self.store.snapshot(self.now))
        lines = self.stream.getvalue().splitlines()[self._read :]
        self._read += len(lines)
        return [json.loads(line) for line in lines]


def test_each_change_is_one_line_with_the_whole_hpa() -> None:
    lines = Lines()
    first = lines.take(Listed(Kind.HPA, (hpa("a", "shop"), hpa("b", "shop"))), LIVE)
    assert [line["type"] for line in first] == ["status", "hpa", "hpa"]
    assert first[0]["source"]["state"] == "live" and first[0]["namespace"] == "shop"
    assert lines.take() == []
    changed = lines.take(Upserted(Kind.HPA, hpa("b", "shop", current=2, desired=2, version="2")))
    assert [(line["type"], line["hpa"]["name"], line["hpa"]["current"]) for line in changed] == [("hpa", "b", 2)]
    assert changed[0]["hpa"]["conditions"] and changed[0]["hpa"]["metrics"]
    assert lines.take(Upserted(Kind.HPA, hpa("b", "shop", current=2, desired=2, version="3"))) == [], (
        "nothing shown changed"
    )
    gone = lines.take(Deleted(Kind.HPA, hpa("a", "shop").key))
    assert [(line["type"], line["namespace"], line["name"]) for line in gone] == [("deleted", "shop", "a")]


def test_a_status_is_a_line_and_the_last_contact_alone_is_none() -> None:
    lines = Lines()
    lines.take(Listed(Kind.HPA, ()), LIVE)
    contact = SourceStatus(SourceState.LIVE, NOW, last_contact=NOW + 50)
    assert lines.take(StatusChanged(Kind.HPA, contact)) == []
    lost = SourceStatus(SourceState.RECONNECTING, NOW + 60, "cannot \x1b[31mconnect")
    (line,) = lines.take(StatusChanged(Kind.HPA, lost))
    assert line["type"] == "status" and line["source"]["state"] == "reconnecting"
    assert "\x1b" not in line["source"]["message"]


def test_a_heartbeat_says_how_far_the_source_can_be_trusted() -> None:
    lines = Lines()
    lines.take(Listed(Kind.HPA, ()), LIVE)
    lines.printer.beat(lines.store.snapshot(lines.now), NOW + 90)
    beat = json.loads(lines.stream.getvalue().splitlines()[-1])
    assert beat["type"] == "heartbeat" and beat["source"]["state"] == "live" and beat["time"].endswith("Z")


def test_a_fleet_in_which_one_changes_costs_one_line() -> None:
    lines = Lines()
    fleet = tuple(hpa(f"hpa-{i:03}", "shop", metrics=[metric(10)]) for i in range(200))
    assert len(lines.take(Listed(Kind.HPA, fleet), LIVE)) == 201
    for second in range(20):
        changed = hpa("hpa-100", "shop", current=second + 2, desired=second + 2, version=str(second + 2))
        assert len(lines.take(Upserted(Kind.HPA, changed))) == 1


def lost(message: str) -> StatusChanged:
    """The cluster cannot be reached."""
    return StatusChanged(Kind.HPA, SourceStatus(SourceState.RECONNECTING, NOW, message))


async def printed(session: FakeSession, options: WatchOptions, part: str) -> str:
    """What `watch` prints until `part` is in it."""
    out = io.StringIO()
    task = asyncio.create_task(watch(session, options, out))
    try:
        async with asyncio.timeout(10):
            while part not in out.getvalue() and not task.done():
                await asyncio.sleep(0)
        return out.getvalue()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "options", [WatchOptions(), WatchOptions(as_json=True), WatchOptions(as_json=True, changes=True)],
    ids=["lines", "json", "changes"],
)  # fmt: skip
async def test_why_nothing_comes_is_said_at_once(options: WatchOptions) -> None:
    session = FakeSession(live=False)
    session.apply(lost("cannot connect to 10.0.0.1: refused; is the VPN up?"))
    text = await printed(session, options, "VPN")
    assert "reconnecting" in text and "cannot connect to 10.0.0.1" in text
    assert len(text.splitlines()) == 1


async def test_lines_begin_with_the_table_once_the_cluster_answers() -> None:
    session = FakeSession(live=False)
    session.apply(lost("refused"))
    out = io.StringIO()
    task = asyncio.create_task(watch(session, WatchOptions(), out))
    async with asyncio.timeout(10):
        while "refused" not in out.getvalue():
            await asyncio.sleep(0)
        session.fill()
        session.publish()
        while "NAMESPACE" not in out.getvalue():
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert out.getvalue().index("refused") < out.getvalue().index("NAMESPACE")


async def test_a_heartbeat_comes_when_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_watch, "HEARTBEAT", 0.01)
    text = await printed(FakeSession(), WatchOptions(as_json=True, changes=True), "heartbeat")
    assert '"type":"heartbeat"' in text


async def test_an_unexpected_failure_that_is_retried_does_not_end_the_watch() -> None:
    session = FakeSession(live=False)
    failed = SourceStatus(SourceState.FAILED, NOW, "watching HPAs: unexpected KeyError", retrying=True)
    session.apply(StatusChanged(Kind.HPA, failed))
    assert "unexpected KeyError" in await printed(session, WatchOptions(), "KeyError")
