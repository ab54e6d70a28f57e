"""The search for a better spec of one HPA, from a recording or a live watch (`tune.search`), as a recommendation."""

from __future__ import annotations

from collections.abc import Callable

from hpatui.api.advice_shapes import RecommendationJson
from hpatui.model import Key
from hpatui.record.reader import Recording
from hpatui.session.live import Session
from hpatui.tune.rank import Judged

Searched = tuple[dict[Key, RecommendationJson | None], dict[Key, str]]


def improve_recorded(
    recording: Recording, judged: Judged, since: float, until: float, goal: str, note: Callable[[str], None]
) -> Searched:  # fmt: skip
    """By the facts of a recording."""
    return {}, {}


async def improve_live(session: Session, judged: Judged, goal: str, note: Callable[[str], None]) -> Searched:
    """By what the session's observer recorded of the HPA in focus."""
    return {}, {}
