"""Facts that were seen before, played into a store: for tests, and for recordings.

What a live source delivers one by one, a list of `Seen` delivers again, with the times at which it was seen then. Between
two facts time passes in the steps in which a session lets it pass.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

from hpatui.model import FactSource, Seen, Tick
from hpatui.state.store import Store

STEP = 1.0  # seconds between ticks, as in a session


def with_ticks(facts: Iterable[Seen], step: float = STEP) -> Iterator[Seen]:
    """`facts` (in order of time) and a tick each `step` seconds between them."""
    next_tick: float | None = None
    for seen in facts:
        if next_tick is None:
            next_tick = seen.time + step
        while next_tick <= seen.time:
            yield Seen(next_tick, Tick())
            next_tick += step
        yield seen


class ReplaySource:
    """A source of facts that were seen before, in the order of time; it ends when they do."""

    def __init__(self, facts: Iterable[Seen]) -> None:
        """`facts` may be made one by one: the next is asked for when the one before was taken."""
        self._facts = iter(facts)
        self._closed = False

    async def events(self) -> AsyncIterator[Seen]:
        """The facts, until there are no more, or until `close`."""
        for seen in self._facts:
            if self._closed:
                return
            yield seen

    async def close(self) -> None:
        """No more facts; idempotent."""
        self._closed = True


async def play(store: Store, source: FactSource) -> None:
    """Let `store` take all that `source` has, as a session does."""
    async for seen in source.events():
        store.take(seen)
