"""The list by the real reason: what each HPA's next sync will do, sorted, filtered, and told for the rows on screen."""

from __future__ import annotations

from hpatui.model import EVERYTHING, Key, Kind, Listed
from tests.factories import NOW
from tests.ui.fakes import FakeSession
from tests.ui.test_selection import _running, _text
from tests.unit.state.test_fleet import World, start


def session_of(world: World) -> FakeSession:
    """A session over a store that observes all."""
    for name in "abc":
        world.outlook(name)
    session = FakeSession(live=False)
    session.store, session.now = world.store, world.now
    session.publish()
    return session


async def test_rows_sort_and_filter_by_the_real_reason() -> None:
    """The status of all three is the same; only what is decided tells them apart."""
    session = session_of(start("a", "b", "c", a=20, b=100, c=45))
    async with _running(session, (160, 40)) as (app, pilot):
        assert "wants 1, held at 2" in _text(app) and "the next sync scales from 2 to 4" in _text(app)
        await pilot.press("s")
        await pilot.pause(0.1)
        assert "by state" in str(app.body.hpas.border_title)
        states = [row.state.value for row in app.body.hpas._rows]
        assert states == sorted(states) and states[0] == "held"
        await pilot.press("slash", *"held", "enter")
        await pilot.pause(0.1)
        assert [row.key.name for row in app.body.hpas._rows] == ["a"]
        app.body.hpas.set_filter("scales from")
        assert [row.key.name for row in app.body.hpas._rows] == ["b"]


async def test_the_rows_on_screen_are_told_to_the_session_and_what_is_missing_is_said() -> None:
    world = World("view")
    many = [f"h{i:03}" for i in range(100)]
    world.tell(Listed(Kind.HPA, tuple(world.hpa(name) for name in many)))
    world.tell(Listed(Kind.POD, (), EVERYTHING))
    session = FakeSession(live=False)
    session.store, session.now = world.store, NOW
    told: list[frozenset[Key]] = []
    session.view = lambda keys: told.append(frozenset(keys))  # type: ignore[method-assign]
    session.publish()
    async with _running(session, (120, 30)) as (app, pilot):
        assert Key("shop", "h000") in told[-1] and Key("shop", "h099") not in told[-1]
        assert "those in view only" in _text(app)
        await pilot.press("j")
        app.body.hpas.move(99)
        await pilot.pause(0.2)
        assert Key("shop", "h099") in told[-1] and Key("shop", "h000") not in told[-1]
