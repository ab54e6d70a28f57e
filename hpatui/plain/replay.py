"""A recording as lines or JSON, as `watch` prints a cluster: the moment asked for first, then what changed up to the end."""

from __future__ import annotations

import asyncio
import sys
from typing import TextIO

from hpatui.plain.options import WatchOptions
from hpatui.plain.watch import printer_of
from hpatui.session.player import Player
from hpatui.session.replaying import INTERVAL, ReplaySession

LATE = 15.0  # seconds that what only time changes may wait


async def replay(
    session: ReplaySession, options: WatchOptions, *, speed: float | None = None, out: TextIO | None = None
) -> int:
    """Print from the session's moment to the end of the recording; without a `speed` as quickly as it goes. Returns 0."""
    printer = printer_of(out or sys.stdout, options)
    await session.start()
    printer(session.snapshot)
    if options.once:
        return 0
    player = session.player
    last = session.past.last
    while player.time < last:
        until = _next(player, last)
        if speed is not None:
            await asyncio.sleep((until - player.time) / speed)
        if session.go_to(until):
            printer(session.snapshot)
    return 0


def _next(player: Player, last: float) -> float:
    """When a session would have told of the next change: as long after it as a live one waits."""
    coming = player.next_time()
    if coming is None:
        return last
    if coming > player.time + LATE:
        return min(last, player.time + LATE, coming)
    return min(last, max(coming, player.time) + INTERVAL)
