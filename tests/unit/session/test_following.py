"""What a session does when the HPAs change: it selects one, and follows its scale target."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hpatui.clock import ManualClock
from hpatui.model import (
    ClusterEvent,
    Hpa,
    Kind,
    Listed,
    Reference,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.session.live import Session
from hpatui.settings import Settings
from hpatui.state.store import Store
from tests.factories import NOW, hpa


class Source:
    """Records what the session asks of a cluster source."""

    def __init__(self) -> None:
        self.focused: list[Hpa | None] = []

    def set_focus(self, wanted: Hpa | None) -> None:
        self.focused.append(wanted)

    async def close(self) -> None:
        return


async def session_over(source: Source) -> Session:
    """A session that is connected to `source`."""
    session = Session(Settings(state_dir="/nonexistent/hpatui"), ManualClock(NOW))
    session._connector.source = source  # type: ignore[assignment]
    return session


def take(session: Session, *events: ClusterEvent) -> None:
    """Events of the source come."""
    for event in events:
        session._take(Seen(session.clock.time(), event))


async def test_the_details_follow_a_changed_scale_target() -> None:
    source = Source()
    session = await session_over(source)
    take(session, Listed(Kind.HPA, (hpa("a", "shop"),)))
    assert [found and found.reference.name for found in source.focused] == ["php-apache"]
    take(
        session,
        Upserted(Kind.HPA, replace(hpa("a", "shop", version="2"), reference=Reference("Deployment", "b", "v1"))),
    )
    assert [found and found.reference.name for found in source.focused] == ["php-apache", "b"]
    take(
        session,
        Upserted(Kind.HPA, replace(hpa("a", "shop", version="3"), reference=Reference("Deployment", "b", "v1"))),
    )
    assert len(source.focused) == 2, "another change of the HPA is none of its target"
    await session.stop()


async def test_selecting_the_first_loses_no_notice() -> None:
    source = Source()
    session = await session_over(source)
    seen: list[str] = []
    session.subscribe(lambda snapshot: seen.extend(notice.title for notice in snapshot.notices))
    live = StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))
    take(session, Listed(Kind.HPA, (hpa("a", "shop"), hpa("b", "shop"))), live)
    take(
        session,
        Upserted(Kind.HPA, hpa("b", "shop", desired=3, scaled=NOW, version="2")),
        Listed(Kind.HPA, (hpa("b", "shop", desired=3, scaled=NOW, version="2"),)),
    )
    session._publisher.publish()
    assert "shop/b: 1 → 3 replicas" in seen
    await session.stop()


async def test_a_store_that_fails_is_shown_and_recovers() -> None:
    source = Source()
    session = await session_over(source)
    take(session, Listed(Kind.HPA, (hpa("a", "shop"),)), StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW)))
    broken = True
    whole = Store.snapshot

    def snapshot(now: float) -> object:
        if broken:
            raise ZeroDivisionError("rows")
        return whole(session.store, now)

    session.store.snapshot = snapshot  # type: ignore[method-assign,assignment]
    session._publisher.publish()
    await asyncio.sleep(0)
    status = session.store.status(Kind.HPA)
    assert status is not None and status.state is SourceState.FAILED and status.retrying
    assert "ZeroDivisionError" in status.message
    broken = False
    session._publisher.publish()
    assert session.snapshot.status.state is SourceState.FAILED
    await session.stop()
