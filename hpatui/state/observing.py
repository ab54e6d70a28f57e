"""How far a fleet can be observed: whether the first lists are here, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Set

from hpatui.model import Kind, SourceState, SourceStatus
from hpatui.text import printable

_TO_COME = (SourceState.CONNECTING, SourceState.LISTING, SourceState.LIVE)


def complete(listed: Set[Kind], statuses: Mapping[Kind, SourceStatus]) -> bool:
    """Whether the first lists are here: half of the facts would give a wrong decision, not half of one."""
    usage = statuses.get(Kind.POD_USAGE)
    no_usage = usage is not None and usage.state not in _TO_COME
    return Kind.POD in listed and (Kind.POD_USAGE in listed or no_usage)


def missing(statuses: Mapping[Kind, SourceStatus], everything: bool) -> list[str]:
    """Why not every HPA is observed; empty where each is, as far as its target is known."""
    found = [
        f"{kind.value} {status.state.value}" + (f": {printable(status.message, 120)}" if status.message else "")
        for kind, status in statuses.items()
        if status.state in (SourceState.FORBIDDEN, SourceState.NOT_SERVED, SourceState.FAILED)
    ]
    return found if everything else ["those in view only", *found]
