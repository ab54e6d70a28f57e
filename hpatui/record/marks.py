"""Rescales among facts, which are remembered apart so that they are found at once."""

from __future__ import annotations

from collections.abc import Iterator

from hpatui.model import ClusterEvent, Event, Hpa, Kind, Listed, LoadChanged, LoadSample, Tick, Upserted
from hpatui.record.known import Known

SCALED = "SuccessfulRescale"
_ABOUT = "HorizontalPodAutoscaler"


def rescales_in(what: ClusterEvent | LoadSample | LoadChanged | Tick, known: Known) -> Iterator[Hpa | Event]:
    """HPAs that scaled since they were seen last (never those that are seen first), and new events that tell of it."""
    if not isinstance(what, Listed | Upserted) or what.kind not in (Kind.HPA, Kind.EVENT):
        return
    items = what.items if isinstance(what, Listed) else (what.item,)
    for item in items:
        if isinstance(item, Hpa):
            before = known.channels.get((Kind.HPA, what.scope, ""), {}).get(tuple(item.key))
            if before is not None and before.last_scale_time != item.last_scale_time:
                yield item
        elif isinstance(item, Event) and item.about_kind == _ABOUT and item.reason == SCALED:
            old = known.channels.get((Kind.EVENT, what.scope, ""), {}).get((item.uid or str(item.key),))
            if old is None or old.count != item.count:
                yield item
