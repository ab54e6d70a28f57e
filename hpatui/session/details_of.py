"""The details of one HPA out of a recording of many: what was watched for all HPAs tells of its target and pods as well.

While an HPA was the selected one its details were recorded as such (the scope is its name). While another one was, or
none, its pods, samples and target are among the facts of the scope EVERYTHING: from those its details are made here, so
that any HPA can be looked at in a replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hpatui.forms.label_selectors import Selector, SelectorError, parse_selector
from hpatui.model import (
    EVERYTHING,
    Deleted,
    Event,
    Hpa,
    Key,
    Kind,
    Listed,
    OwnerLink,
    Pod,
    PodUsage,
    Scale,
    Seen,
    StatusChanged,
    Upserted,
    Workload,
)

_DETAILS = (Kind.WORKLOAD, Kind.SCALE, Kind.POD, Kind.POD_USAGE, Kind.OWNER, Kind.EVENT)
_OVER = 4  # polls of all samples after which details whose own samples stand still are no longer watched


class DetailsOf:
    """`take` gives each fact, and after it the details of `key` that follow from it."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self._scope = str(key)
        self._hpa: Hpa | None = None
        self._own: set[Kind] = set()  # kinds whose details were recorded as such, and still are
        self._behind = 0
        self._workloads: dict[tuple[str, Key], Workload] = {}
        self._scales: dict[tuple[str, Key], Scale] = {}
        self._pods: dict[Key, Pod] = {}
        self._usages: dict[Key, PodUsage] = {}
        self._events: dict[str, Event] = {}
        self._links: dict[str, OwnerLink] = {}
        self._selector_text = ""
        self._selector: Selector | None = None

    def take(self, seen: Seen) -> Iterator[Seen]:
        """The fact itself, then what it means for the HPA's details."""
        what = seen.what
        yield seen
        if not isinstance(what, Listed | Upserted | Deleted | StatusChanged):
            return
        if what.kind is Kind.HPA:
            for found in self._hpa_facts(what):
                yield Seen(seen.time, found)
        elif what.scope == EVERYTHING:
            for made in self._of_all(what):
                yield Seen(seen.time, made)
        elif what.scope == self._scope:
            self._own.add(what.kind)
            self._behind = 0
        elif what.scope:  # another HPA is the selected one from here on
            for again in self._everything() if self._own else ():
                yield Seen(seen.time, again)

    # In -------------------------------------------------------------------------------------------------------

    def _hpa_facts(self, what: Listed | Upserted | Deleted | StatusChanged) -> Iterator[Listed]:
        items = what.items if isinstance(what, Listed) else (what.item,) if isinstance(what, Upserted) else ()
        for item in items:
            if isinstance(item, Hpa) and item.key == self.key:
                moved = self._hpa is not None and self._hpa.reference != item.reference
                self._hpa = item
                if moved:
                    yield from self._everything()

    def _of_all(self, what: Listed | Upserted | Deleted | StatusChanged) -> Iterable[Listed | StatusChanged]:
        kind = what.kind
        if isinstance(what, StatusChanged):
            return () if kind in self._own else (StatusChanged(kind, what.status, self._scope),)
        self._keep(what)
        if kind in (Kind.WORKLOAD, Kind.SCALE):
            changed = self._select()
            if kind in self._own or not self._concerns(what):
                return ()
            return [*self._lists(kind), *(self._lists(Kind.POD, Kind.POD_USAGE, Kind.OWNER) if changed else ())]
        if kind is Kind.POD_USAGE and kind in self._own:
            self._behind += 1  # the details' own samples come as often
            return self._everything() if self._behind > _OVER else ()
        return () if kind in self._own or not self._concerns(what) else self._lists(kind)

    def _keep(self, what: Listed | Upserted | Deleted) -> None:
        match what:
            case Listed(kind=kind, items=items, of=of):
                self._drop_all(kind, of)
                for item in items:
                    self._put(item)
            case Upserted(item=item):
                self._put(item)
            case Deleted(kind=Kind.POD, key=key):
                self._pods.pop(key, None)
            case Deleted(kind=Kind.POD_USAGE, key=key):
                self._usages.pop(key, None)
            case Deleted(kind=Kind.WORKLOAD | Kind.SCALE, key=key, of=of):
                self._scales.pop((of, key), None)
                if what.kind is Kind.WORKLOAD:
                    self._workloads.pop((of, key), None)
            case Deleted(kind=Kind.EVENT, key=key):
                for uid in [uid for uid, event in self._events.items() if event.key == key]:
                    del self._events[uid]
            case Deleted(kind=Kind.OWNER, key=key):
                for uid in [uid for uid, link in self._links.items() if link.key == key]:
                    del self._links[uid]

    def _drop_all(self, kind: Kind, of: str) -> None:
        if kind is Kind.WORKLOAD:
            self._workloads = {target: item for target, item in self._workloads.items() if target[0] != of}
        elif kind is Kind.SCALE:
            self._scales = {target: item for target, item in self._scales.items() if target[0] != of}
        elif kind is Kind.POD:
            self._pods.clear()
        elif kind is Kind.POD_USAGE:
            self._usages.clear()
        elif kind is Kind.EVENT:
            self._events.clear()
        elif kind is Kind.OWNER:
            self._links.clear()

    def _put(self, item: object) -> None:
        namespace = self.key.namespace
        match item:
            case Workload() if item.key.namespace == namespace:
                self._workloads[item.kind, item.key] = item
            case Scale() if item.key.namespace == namespace:
                self._scales[item.kind, item.key] = item
            case Pod() if item.key.namespace == namespace:
                self._pods[item.key] = item
            case PodUsage() if item.key.namespace == namespace:
                self._usages[item.key] = item
            case Event() if item.about.namespace == namespace:
                self._events[item.uid or str(item.key)] = item
            case OwnerLink() if item.key.namespace == namespace:
                self._links[item.uid] = item

    def _concerns(self, what: Listed | Upserted | Deleted) -> bool:
        """Whether a fact of all is about this HPA's own; lists always are."""
        if isinstance(what, Listed):
            return True
        key = what.item.key if isinstance(what, Upserted) else what.key
        if key.namespace != self.key.namespace:
            return False
        if isinstance(what, Upserted) and isinstance(what.item, Pod):
            return self._selects(what.item)
        return what.kind not in (Kind.WORKLOAD, Kind.SCALE) or (self._hpa is not None and key.name == self._hpa.reference.name)

    # Out ------------------------------------------------------------------------------------------------------

    def _target(self) -> tuple[str, Key]:
        if self._hpa is None:
            return "", Key("", "")
        return self._hpa.reference.kind, Key(self.key.namespace, self._hpa.reference.name)

    def _select(self) -> bool:
        """Read the selector anew; whether it is another."""
        scale, workload = self._scales.get(self._target()), self._workloads.get(self._target())
        text = scale.selector if scale is not None else workload.selector if workload is not None else ""
        if text == self._selector_text:
            return False
        self._selector_text = text
        try:
            self._selector = parse_selector(text) if text else None
        except SelectorError:
            self._selector = None
        return True

    def _selects(self, pod: Pod) -> bool:
        return self._selector is not None and self._selector.matches(pod.labels)

    def _everything(self) -> Iterator[Listed | StatusChanged]:
        """All details anew, from what is known of all: nobody watches this HPA's own any more."""
        self._own.clear()
        self._behind = 0
        self._select()
        if self._workloads or self._pods:
            yield from self._lists(*_DETAILS)

    def _lists(self, *kinds: Kind) -> Iterator[Listed | StatusChanged]:
        for kind in kinds:
            if kind in self._own:
                continue
            yield Listed(kind, self._items(kind), self._scope)

    def _items(self, kind: Kind) -> tuple[Workload | Scale | Pod | PodUsage | OwnerLink | Event, ...]:
        target = self._target()
        workload, scale = self._workloads.get(target), self._scales.get(target)
        pods = {key: pod for key, pod in self._pods.items() if self._selects(pod)}
        match kind:
            case Kind.WORKLOAD:
                return (workload,) if workload is not None else ()
            case Kind.SCALE:
                return (scale or _scale_of(workload),) if scale is not None or workload is not None else ()  # type: ignore[arg-type]
            case Kind.POD:
                return tuple(pods.values())
            case Kind.POD_USAGE:
                return tuple(usage for key, usage in self._usages.items() if key in pods)
            case Kind.OWNER:
                uids = {owner.uid for pod in pods.values() for owner in pod.owners}
                return tuple(link for uid, link in self._links.items() if uid in uids)
            case _:
                return tuple(event for event in self._events.values() if self._is_about(event))

    def _is_about(self, event: Event) -> bool:
        kind, (_, name) = self._target()
        if event.about_kind == "HorizontalPodAutoscaler":
            return event.about == self.key
        if event.about_kind in ("Pod", "ReplicaSet"):
            return event.about.name.startswith(f"{name}-")
        return event.about_kind == kind and event.about.name == name


def _scale_of(workload: Workload) -> Scale:
    """The scale of a target that tells its whole scale itself, as the built-in kinds do."""
    return Scale(
        workload.kind, workload.key, workload.replicas, workload.status_replicas, workload.selector, "", workload.uid
    )



