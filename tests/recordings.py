"""A recording in memory: a list of facts, read as a file of `hpatui record` is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hpatui.model import (
    ControllerFlags,
    Deleted,
    Event,
    Fact,
    Hpa,
    Key,
    Kind,
    Listed,
    OwnerLink,
    Seen,
    StatusChanged,
    Tick,
    Upserted,
)


@dataclass(frozen=True, slots=True)
class MemoryMeta:
    """As `hpatui.record.reader.Meta`."""

    context: str = "test"
    server_version: str = ""
    flags: ControllerFlags = field(default_factory=ControllerFlags)
    sandbox: bool = True
    first: float = 0.0
    last: float = 0.0
    anonymized: bool = False
    source: str = "recorded"


class MemoryRecording:
    """Implements `RecordingPort`. Facts of one HPA are all facts here: readers must not need more than is promised."""

    def __init__(self, facts: Sequence[Seen], flags: ControllerFlags | None = None, context: str = "test") -> None:
        self._facts = [seen for seen in facts if not isinstance(seen.what, Tick)]
        first, last = self._facts[0].time, self._facts[-1].time
        self.meta = MemoryMeta(context, "v1.36.2", flags or ControllerFlags(), True, first, last)
        self.closed = False

    def hpas(self, since: float | None = None, until: float | None = None) -> list[Key]:
        found: set[Key] = set()
        for seen in self._facts:
            match seen.what:
                case Listed(kind=Kind.HPA, items=items):
                    found |= {item.key for item in items if isinstance(item, Hpa)}
                case Upserted(kind=Kind.HPA, item=Hpa(key=key)):
                    found.add(key)
        return sorted(found)

    def facts(self, since: float, until: float, hpa: Key | None = None) -> Iterator[Seen]:
        before = [seen for seen in self._facts if seen.time < since]
        for what in _known(before):
            yield Seen(since, what)
        for seen in self._facts:
            if since <= seen.time <= until:
                yield seen

    def close(self) -> None:
        self.closed = True


def _known(facts: Sequence[Seen]) -> Iterator[Listed | StatusChanged]:
    """All that was known at the end of some facts."""
    objects: dict[tuple[Kind, str, str], dict[tuple[str, ...], Fact]] = {}
    statuses: dict[tuple[Kind, str], StatusChanged] = {}
    for seen in facts:
        match seen.what:
            case Listed(kind=kind, items=items, scope=scope, of=of):
                objects[kind, scope, of] = {_name(item): item for item in items}
            case Upserted(kind=kind, item=item, scope=scope):
                of = getattr(item, "kind", "") if scope == "*" and kind in (Kind.WORKLOAD, Kind.SCALE) else ""
                objects.setdefault((kind, scope, of), {})[_name(item)] = item
            case Deleted(kind=kind, key=key, scope=scope, of=of):
                known = objects.get((kind, scope, of), {})
                for name in [name for name, item in known.items() if getattr(item, "key", None) == key]:
                    del known[name]
            case StatusChanged(kind=kind, scope=scope) as status:
                statuses[kind, scope] = status
    for (kind, scope, of), known in sorted(objects.items(), key=lambda pair: pair[0][0] is not Kind.HPA):
        yield Listed(kind, tuple(known.values()), scope, of)
    yield from statuses.values()


def _name(item: Fact) -> tuple[str, ...]:
    if isinstance(item, OwnerLink):
        return (item.uid,)
    if isinstance(item, Event):
        return (item.uid or str(item.key),)
    return (getattr(item, "kind", ""), *item.key)
