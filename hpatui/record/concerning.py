"""Of all facts those about one HPA, as if it had been the one in focus the whole time.

While it was in focus its own details were recorded; otherwise its target, scale, pods and samples are among those of all
HPAs, where its target's selector finds them. Both come out with the scope of its own details.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hpatui.forms.label_selectors import Selector, SelectorError, parse_selector
from hpatui.model import (
    EVERYTHING,
    Deleted,
    Event,
    Fact,
    Hpa,
    Key,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    Pod,
    PodUsage,
    Scale,
    Seen,
    StatusChanged,
    Tick,
    Upserted,
    Workload,
)
from hpatui.record.known import is_detail


class Concerning:
    """Facts in, in order of time; those about `hpa` out."""

    def __init__(self, hpa: Key) -> None:
        self._key = hpa
        self._scope = str(hpa)
        self._hpas: dict[Key, Hpa] = {}  # of its namespace
        self._target: tuple[str, Key] | None = None
        self._workloads: dict[tuple[str, Key], Workload] = {}
        self._scales: dict[tuple[str, Key], Scale] = {}
        self._pods: dict[Key, Pod] = {}
        self._usages: dict[Key, PodUsage] = {}
        self._text = ""
        self._selector: Selector | None = None
        self._focus = ""
        self._own: set[Kind] = set()  # kinds of which its own details are told at present

    def filtered(self, facts: Iterable[Seen]) -> Iterator[Seen]:
        """Those about the HPA."""
        for seen in facts:
            for what in self._take(seen.what):
                yield Seen(seen.time, what)

    def _take(self, what: Any) -> Iterator[Any]:
        if isinstance(what, LoadSample | LoadChanged | Tick):
            yield what
            return
        if is_detail(what.scope):
            if what.scope != self._focus:
                yield from self._looked_at(what.scope)
            if what.scope == self._scope:
                if not isinstance(what, StatusChanged):
                    self._own.add(what.kind)
                yield what
        elif what.kind is Kind.HPA:
            yield from self._hpa(what)
        elif isinstance(what, StatusChanged):
            if what.kind not in self._own:
                yield StatusChanged(what.kind, what.status, self._scope)
        else:
            yield from self._shared(what)

    def _looked_at(self, scope: str) -> Iterator[Any]:
        """The focus went elsewhere: from now on what is known of all HPAs counts."""
        was_own, self._own, self._focus = self._own, set(), scope
        if was_own and scope != self._scope:
            yield from self._all_anew()

    def _all_anew(self) -> Iterator[Any]:
        workload = self._workloads.get(self._target) if self._target else None
        scale = self._scales.get(self._target) if self._target else None
        for kind, item in ((Kind.WORKLOAD, workload), (Kind.SCALE, scale)):
            if item is not None:
                yield Upserted(kind, item, self._scope)
        yield self._listed(Kind.POD, self._my_pods())
        yield self._listed(Kind.POD_USAGE, self._my_usages())

    def _listed(self, kind: Kind, items: Iterable[Fact]) -> Listed:
        return Listed(kind, tuple(items), self._scope)

    # HPAs -----------------------------------------------------------------------------------------------------

    def _mine(self, hpa: Any) -> bool:
        """The HPA itself, and those that scale the same target."""
        return hpa.key == self._key or (
            hpa.key.namespace == self._key.namespace
            and self._target is not None
            and (hpa.reference.kind, hpa.reference.name) == (self._target[0], self._target[1].name)
        )

    def _hpa(self, what: Any) -> Iterator[Any]:
        if isinstance(what, StatusChanged):
            yield what
            return
        anew = False
        if isinstance(what, Listed):
            self._hpas = {i.key: i for i in what.items if isinstance(i, Hpa) and i.key.namespace == self._key.namespace}
            anew = self._aim(self._hpas.get(self._key))
            yield Listed(Kind.HPA, tuple(hpa for hpa in self._hpas.values() if self._mine(hpa)), what.scope, what.of)
        elif isinstance(what, Upserted):
            hpa = what.item
            if isinstance(hpa, Hpa) and hpa.key.namespace == self._key.namespace:
                self._hpas[hpa.key] = hpa
                if hpa.key == self._key:
                    anew = self._aim(hpa)
                if self._mine(hpa):
                    yield what
        elif what.key.namespace == self._key.namespace:
            gone = self._hpas.pop(what.key, None)
            if what.key == self._key or (gone is not None and self._mine(gone)):
                yield what
        if anew:
            yield from self._all_anew()

    def _aim(self, hpa: Hpa | None) -> bool:
        """Follow its target. True if that is another one than before."""
        if hpa is None:
            return False
        target = (hpa.reference.kind, Key(self._key.namespace, hpa.reference.name))
        if target == self._target:
            return False
        was, self._target = self._target, target
        self._select()
        return was is not None and not self._own

    def _select(self) -> bool:
        """Select by what the target says now. True if that changed."""
        scale = self._scales.get(self._target) if self._target else None
        workload = self._workloads.get(self._target) if self._target else None
        text = scale.selector if scale is not None else workload.selector if workload is not None else ""
        if text == self._text:
            return False
        self._text = text
        try:
            self._selector = parse_selector(text) if text else None
        except SelectorError:
            self._selector = None
        return True

    # Facts about all HPAs -------------------------------------------------------------------------------------

    def _selects(self, pod: Any) -> bool:
        return (
            isinstance(pod, Pod)
            and pod.key.namespace == self._key.namespace
            and self._selector is not None
            and self._selector.matches(pod.labels)
        )

    def _my_pods(self) -> list[Pod]:
        return [pod for pod in self._pods.values() if self._selects(pod)]

    def _my_usages(self) -> list[PodUsage]:
        return [self._usages[pod.key] for pod in self._my_pods() if pod.key in self._usages]

    def _shared(self, what: Any) -> Iterator[Any]:
        if what.kind in (Kind.WORKLOAD, Kind.SCALE):
            yield from self._targets(what)
        elif what.kind is Kind.POD:
            yield from self._pod(what)
        elif what.kind is Kind.POD_USAGE and isinstance(what, Listed):
            here = (i for i in what.items if isinstance(i, PodUsage) and i.key.namespace == self._key.namespace)
            self._usages = {usage.key: usage for usage in here}
            if Kind.POD_USAGE not in self._own:
                yield self._listed(Kind.POD_USAGE, self._my_usages())
        elif what.kind is Kind.EVENT and what.scope == EVERYTHING and Kind.EVENT not in self._own:
            yield from self._event(what)

    def _event(self, what: Any) -> Iterator[Any]:
        if isinstance(what, Listed):
            yield self._listed(Kind.EVENT, [item for item in what.items if self._about(item)])
        elif isinstance(what, Upserted) and self._about(what.item):
            yield Upserted(Kind.EVENT, what.item, self._scope)
        elif isinstance(what, Deleted) and what.key.namespace == self._key.namespace:
            yield Deleted(Kind.EVENT, what.key, what.uid, self._scope)

    def _about(self, item: Any) -> bool:
        return (
            isinstance(item, Event) and item.about == self._key and item.about_kind in ("HorizontalPodAutoscaler", "")
        )

    def _targets(self, what: Any) -> Iterator[Any]:
        known: dict[tuple[str, Key], Any] = self._workloads if what.kind is Kind.WORKLOAD else self._scales
        if isinstance(what, Listed):
            for key in [key for key in known if key[0] == what.of]:
                del known[key]
            for item in what.items:
                if isinstance(item, Workload | Scale) and item.key.namespace == self._key.namespace:
                    known[item.kind, item.key] = item
        elif isinstance(what, Upserted):
            if isinstance(what.item, Workload | Scale) and what.item.key.namespace == self._key.namespace:
                known[what.item.kind, what.item.key] = what.item
        else:
            known.pop((what.of, what.key), None)
            if what.kind is Kind.WORKLOAD:
                self._scales.pop((what.of, what.key), None)
        if self._target is None or not self._touches_target(what):
            return
        if what.kind not in self._own:
            mine = known.get(self._target)
            yield (
                Upserted(what.kind, mine, self._scope)
                if mine is not None
                else Deleted(what.kind, self._target[1], scope=self._scope)
            )
        if self._select() and Kind.POD not in self._own:
            yield self._listed(Kind.POD, self._my_pods())
            yield self._listed(Kind.POD_USAGE, self._my_usages())

    def _touches_target(self, what: Any) -> bool:
        assert self._target is not None
        if isinstance(what, Listed):
            return bool(what.of == self._target[0])
        if isinstance(what, Upserted):
            return isinstance(what.item, Workload | Scale) and (what.item.kind, what.item.key) == self._target
        return bool((what.of, what.key) == self._target)

    def _pod(self, what: Any) -> Iterator[Any]:
        if isinstance(what, Listed):
            here = (i for i in what.items if isinstance(i, Pod) and i.key.namespace == self._key.namespace)
            self._pods = {pod.key: pod for pod in here}
            if Kind.POD not in self._own:
                yield self._listed(Kind.POD, self._my_pods())
            return
        if isinstance(what, Upserted):
            before = self._pods.get(what.item.key)
            if isinstance(what.item, Pod) and what.item.key.namespace == self._key.namespace:
                self._pods[what.item.key] = what.item
            was, now = before is not None and self._selects(before), self._selects(what.item)
        else:
            before = self._pods.pop(what.key, None)
            was, now = before is not None and self._selects(before), False
        if Kind.POD in self._own:
            return
        if now:
            yield Upserted(Kind.POD, what.item, self._scope)
        elif was and before is not None:
            yield Deleted(Kind.POD, before.key, before.uid, self._scope)
