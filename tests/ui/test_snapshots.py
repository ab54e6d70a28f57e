"""What the screen shows, as text, in each state of its panes at three sizes: compared with files that people have read.

After a change of the screen that is meant: HPATUI_UPDATE_SNAPSHOTS=1 pytest tests/ui/test_snapshots.py, and read the diff.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpatui.model import (
    Kind,
    Listed,
    LoadSample,
    LoadState,
    LoadTotals,
    LoadView,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
)
from hpatui.settings import Settings
from hpatui.ui.app import HpatuiApp
from hpatui.ui.export import screen_text
from tests.factories import NOW, hpa, metric
from tests.ui.fakes import KEY, FakeSession

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = ((80, 24), (120, 36), (200, 50))
DETAILS = (Kind.WORKLOAD, Kind.POD, Kind.POD_USAGE, Kind.EVENT)


def _loading(session: FakeSession) -> None:
    session.store.take(
        Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.CONNECTING, NOW, "starting the sandbox")))
    )


def _empty(session: FakeSession) -> None:
    session.store.take(Seen(NOW, Listed(Kind.HPA, ())))
    session.store.take(Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))))


def _bare(session: FakeSession) -> None:
    """An HPA of which nothing else is known yet."""
    session.store.take(Seen(NOW, Listed(Kind.HPA, (hpa(metrics=[metric(None)], conditions=()),))))
    session.store.take(Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))))
    session.store.focus(KEY, NOW)


def _live(session: FakeSession) -> None:
    session.fill()
    store = session.store
    for second in range(30):
        statuses, at = {"200": 49}, NOW - 60 + second
        store.take(
            Seen(
                at,
                LoadSample(
                    at, 50.0, 50, 49, 1, 0, 2, 12.3, 80.0, 140.0, statuses=statuses, per_pod={"php-apache-1": 50}
                ),
            )
        )
    totals = LoadTotals(1500, 1470, 30, 0, 200_000, 30.0, 50.0, 50.0, 5, 12.3, 60.0, 80.0, 140.0, 150.0, 160.0)
    view = LoadView(LoadState.RUNNING, "php-apache:80 by service proxy", "steady 50/s", 50.0, NOW - 60)
    store.set_load(LoadView(**{**{f: getattr(view, f) for f in LoadView.__slots__}, "totals": totals,
                               "last": store.load.last}), NOW)  # fmt: skip


def _stale(session: FakeSession) -> None:
    session.fill()
    lost = SourceStatus(SourceState.RECONNECTING, NOW - 95, "cannot connect to 10.0.0.1:6443: refused", NOW - 95)
    for kind in (Kind.HPA, *DETAILS):
        session.store.take(Seen(NOW, StatusChanged(kind, lost, "" if kind is Kind.HPA else str(KEY))))


def _refused(state: SourceState, message: str) -> Callable[[FakeSession], None]:
    def fill(session: FakeSession) -> None:
        _bare(session)
        for kind in DETAILS:
            status = SourceStatus(state, NOW, message.format(kind.value))
            session.store.take(Seen(NOW, StatusChanged(kind, status, str(KEY))))

    return fill


STATES: dict[str, Callable[[FakeSession], None]] = {
    "loading": _loading,
    "empty": _empty,
    "waiting": _bare,
    "live": _live,
    "stale": _stale,
    "forbidden": _refused(SourceState.FORBIDDEN, 'cannot list resource "{}" in namespace heyongjia'),
    "failed": _refused(SourceState.FAILED, "the credentials have expired ({})"),
}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
async def test_the_screen_in_each_state(state: str, size: tuple[int, int]) -> None:
    session = FakeSession(live=False)
    STATES[state](session)
    session.publish()
    shown: list[str] = []
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=size) as pilot:
        panes = ("",) if size[0] >= 100 else ("2", "3", "4", "5", "6", "7")
        for pane in panes:
            if pane:
                await pilot.press(pane)
            shown.append(await _settled(app, pilot.pause))
    _compare(f"{state}-{size[0]}x{size[1]}.txt", "\n".join(shown))


async def _settled(app: HpatuiApp, pause: Callable[[float], object]) -> str:
    before, same = "", 0
    for _ in range(200):
        await pause(0.05)  # type: ignore[misc]  # Pilot.pause
        now = screen_text(app)
        same = same + 1 if now == before and app.body is not None else 0
        if same >= 3:
            break
        before = now
    return before


def _compare(name: str, text: str) -> None:
    path = SNAPSHOTS / name
    if os.environ.get("HPATUI_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no snapshot {name}: see the module's text"
    assert text == path.read_text(encoding="utf-8")
