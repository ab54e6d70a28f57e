"""Times of events, whichever API wrote them."""

from __future__ import annotations

from hpatui.doctor.fields import Json, time_of


def event_time(event: Json) -> float | None:
    """When an event was seen last."""
    for path in (("series", "lastObservedTime"), ("lastTimestamp",), ("eventTime",), ("metadata", "creationTimestamp")):
        moment = time_of(event, *path)
        if moment is not None:
            return moment
    return None
