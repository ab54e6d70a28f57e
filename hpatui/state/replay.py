"""Facts that were seen before, played into a store: for tests, and for recordings.

What a live source delivers one by one, a list of `Seen` delivers again, with the times at which it was seen then. Between
two facts time passes in the steps in which a session lets it pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hpatui.model import Seen, Tick
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


def replay(store: Store, facts: Iterable[Seen]) -> Iterator[Seen]:
    """Play facts into `store`; each is handed on after the store took it, so that a caller may look in between."""
    for seen in facts:
        store.take(seen)
        yield seen
