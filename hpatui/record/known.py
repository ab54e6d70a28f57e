"""What is known at a moment: facts folded, and told again as a source tells them at its start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hpatui.model import (
    EVERYTHING,
    ClusterEvent,
    Deleted,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    Seen,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.record.codec import LETTERS, identity

Channel = tuple[Kind, str, str]  # kind, scope, kind of target
# In which order a source tells them: who selects pods comes before the pods.
ORDER = (Kind.HPA, Kind.WORKLOAD, Kind.SCALE, Kind.SCALED_OBJECT, Kind.OWNER, Kind.POD, Kind.POD_USAGE, Kind.EVENT)
LOAD_LASTS = 5.0  # seconds after which the last sample of a load says nothing about now


def channel_of(event: Listed | Upserted | Deleted) -> Channel:
    """The list that an event is about. Lists of targets of all HPAs are one for each kind of target."""
    of = "" if isinstance(event, Upserted) else event.of
    if isinstance(event, Upserted) and event.scope == EVERYTHING and event.kind in (Kind.WORKLOAD, Kind.SCALE):
        of = getattr(event.item, "kind", "")
    return event.kind, event.scope, of


def is_detail(scope: str) -> bool:
    """Whether facts of that scope are details of one HPA."""
    return scope not in ("", EVERYTHING)


class Known:
    """All that was told up to a moment."""

    def __init__(self) -> None:
        self.statuses: dict[tuple[Kind, str], StatusChanged] = {}
        self.channels: dict[Channel, dict[tuple[str, ...], Any]] = {}
        self.load: LoadSample | None = None
        self.view: LoadChanged | None = None
        self.focus = ""  # whose details are told

    def take(self, what: ClusterEvent | LoadSample | LoadChanged | Tick) -> None:
        """Fold one fact in."""
        match what:
            case Tick():
                return
            case LoadSample():
                self.load = what
            case LoadChanged():
                self.view = LoadChanged(what.view)  # the mark on the graphs belongs to its own moment
            case StatusChanged(kind=kind, scope=scope):
                self._look_at(scope)
                self.statuses[kind, scope] = what
            case Listed(items=items):
                self._look_at(what.scope)
                self.channels[channel_of(what)] = {identity(LETTERS[type(item)], item): item for item in items}
            case Upserted(item=item):
                self._look_at(what.scope)
                self.channels.setdefault(channel_of(what), {})[identity(LETTERS[type(item)], item)] = item
            case Deleted():
                self._look_at(what.scope)
                self._delete(what)

    def _look_at(self, scope: str) -> None:
        """Details of another HPA: those of the one before are not told any more."""
        if not is_detail(scope) or scope == self.focus:
            return
        self.focus = scope
        for channel in [channel for channel in self.channels if is_detail(channel[1]) and channel[1] != scope]:
            del self.channels[channel]
        for key in [key for key in self.statuses if is_detail(key[1]) and key[1] != scope]:
            del self.statuses[key]

    def _delete(self, event: Deleted) -> None:
        kind, scope, of = channel_of(event)
        kinds = (kind, Kind.SCALE) if kind is Kind.WORKLOAD and scope == EVERYTHING else (kind,)
        for each in kinds:
            here = self.channels.get((each, scope, of))
            if here is None:
                continue
            if each in (Kind.HPA, Kind.POD, Kind.POD_USAGE):
                known = here.get(tuple(event.key))
                if known is not None and (not event.uid or each is not Kind.HPA or event.uid == known.uid):
                    del here[tuple(event.key)]
            else:
                for name in [name for name, item in here.items() if item.key == event.key]:
                    del here[name]

    def told(self, at: float) -> Iterator[Seen]:
        """All of it, as a source would tell it at its start, stamped with `at`."""
        for kind in ORDER:
            for (of, _), status in tuple(self.statuses.items()):
                if of is kind:
                    yield Seen(at, status)
            for channel, items in tuple(self.channels.items()):
                if channel[0] is kind:
                    yield Seen(at, Listed(kind, tuple(items.values()), channel[1], channel[2]))
        if self.view is not None:
            yield Seen(at, self.view)
        if self.load is not None and 0 <= at - self.load.time <= LOAD_LASTS:
            yield Seen(at, self.load)
