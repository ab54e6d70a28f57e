"""An observer for every HPA: facts of the whole scope in, what each HPA's next sync will do out.

    HPAs ------------------------------> entry (observer, selector, its pods and samples)
    targets, scales, pods, samples ----> to the entries whose selector selects them, by an index of label pairs
    tick(now) -------------------------> the outlooks that have to be made anew, some at a time

Facts come without a scope: they are about the whole namespace or cluster. The entry of the HPA in focus is fed by its
own details, which know more; its observer is the same object, so its memory goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpatui.autoscaler.inputs import OtherHpa
from hpatui.forms.label_selectors import Selector, SelectorError, parse_selector
from hpatui.model import (
    ControllerFlags,
    Deleted,
    Fact,
    Hpa,
    Key,
    Kind,
    Listed,
    Pod,
    PodUsage,
    Scale,
    SourceState,
    SourceStatus,
    Upserted,
    Workload,
)
from hpatui.state.entry import Entry
from hpatui.state.facts import Facts
from hpatui.state.observer import ALL, FEW, Observer
from hpatui.state.observing import complete, missing
from hpatui.state.outlook import Outlook
from hpatui.state.series import HpaHistory
from hpatui.state.syncs import SLACK

Target = tuple[str, Key]  # kind, key
SHARE, LEAST = 4, 50  # of the outlooks that are due, one in SHARE and at least LEAST are made in a tick

_UNKNOWN = SourceStatus(SourceState.CONNECTING, 0.0)


class Fleet:
    """All HPAs that a store knows. All times epoch seconds."""

    def __init__(self, flags: ControllerFlags, view: frozenset[Key] = frozenset()) -> None:
        """`view`: the HPAs on screen, which are decided even where not all are."""
        self._flags = flags
        self._view = view
        self._entries: dict[Key, Entry] = {}
        self._by_target: dict[Target, set[Key]] = {}
        self._by_label: dict[tuple[str, str, str], set[Key]] = {}  # namespace, label, value -> HPAs that select by it
        self._workloads: dict[Target, Workload] = {}
        self._scales: dict[Target, Scale] = {}
        self._pods: dict[str, dict[Key, Pod]] = {}  # by namespace
        self._usages: dict[Key, PodUsage] = {}
        self._dirty: dict[Key, None] = {}  # outlooks to make anew, in order
        self._live = True
        self._listed: set[Kind] = set()
        self.all = True  # else only those in view and the one in focus are decided
        self.statuses: dict[Kind, SourceStatus] = {}

    def set_flags(self, flags: ControllerFlags) -> None:
        """The controller's flags became known."""
        self._flags = flags
        for entry in self._entries.values():
            entry.observer.set_flags(flags)

    # HPAs -----------------------------------------------------------------------------------------------------

    def hpa_changed(self, hpa: Hpa, history: HpaHistory, now: float) -> None:
        """A new HPA, or a new version of one."""
        entry = self._entries.get(hpa.key)
        if entry is None:
            entry = self._entries[hpa.key] = Entry(hpa, Observer(hpa.key, self._flags, history, keep=FEW))
            self._aim(entry)
        elif entry.hpa.reference != hpa.reference:
            self._unaim(entry)
            entry.hpa = hpa
            self._aim(entry)
        entry.hpa = hpa
        if not entry.held:
            self._feed(entry, now)
            entry.observer.hpa_changed(hpa, now)
        self._dirty[hpa.key] = None

    def forget(self, key: Key) -> None:
        """An HPA is gone."""
        entry = self._entries.get(key)
        if entry is not None:
            self._unaim(entry)  # those that shared pods with it are told
            del self._entries[key]
            self._dirty.pop(key, None)

    def connected(self, live: bool, now: float) -> None:
        """Whether the HPAs are watched at present."""
        for entry in self._entries.values() if live is not self._live else ():
            entry.observer.connected(live, now)
        self._live = live

    def entry(self, key: Key) -> Entry | None:
        """What is known of an HPA."""
        return self._entries.get(key)

    def facts(self, entry: Entry, now: float) -> Facts:
        """What is known of its target now."""
        target = (entry.hpa.reference.kind, Key(entry.hpa.key.namespace, entry.hpa.reference.name))
        usage_status = self.statuses.get(Kind.POD_USAGE, _UNKNOWN)
        pods, usages = dict(entry.pods), dict(entry.usages)
        others = self.others(entry.hpa.key)
        return Facts(
            now, self._workloads.get(target), pods, usages, usage_status, self._scales.get(target), others=others
        )

    def others(self, key: Key) -> tuple[OtherHpa, ...]:
        """HPAs that select a pod that this one selects."""
        entry = self._entries.get(key)
        rivals = {other for pod in entry.pods.values() for other in self._selecting(pod)} if entry is not None else ()
        return tuple(
            OtherHpa(other.namespace, other.name, self._entries[other].text) for other in sorted(rivals) if other != key
        )

    # Aiming: which pods are an HPA's --------------------------------------------------------------------------

    def _target(self, hpa: Hpa) -> Target:
        return hpa.reference.kind, Key(hpa.key.namespace, hpa.reference.name)

    def _aim(self, entry: Entry) -> None:
        self._by_target.setdefault(self._target(entry.hpa), set()).add(entry.hpa.key)
        self._select(entry, self._selector_of(self._target(entry.hpa)))

    def _unaim(self, entry: Entry) -> None:
        keys = self._by_target.get(self._target(entry.hpa))
        if keys is not None:
            keys.discard(entry.hpa.key)
            if not keys:
                del self._by_target[self._target(entry.hpa)]
        self._select(entry, "")

    def _selector_of(self, target: Target) -> str:
        scale, workload = self._scales.get(target), self._workloads.get(target)
        return scale.selector if scale is not None else workload.selector if workload is not None else ""

    def _select(self, entry: Entry, text: str) -> None:
        """Let the entry select by `text` (empty: nothing)."""
        if entry.text == text:
            return
        namespace, key = entry.hpa.key.namespace, entry.hpa.key
        self._tell_rivals(entry)
        if entry.index is not None:
            self._by_label[entry.index].discard(key)
        entry.text, entry.selector = text, _parsed(text)
        entry.index = None if entry.selector is None else self._index_of(namespace, entry.selector)
        if entry.index is not None:
            self._by_label.setdefault(entry.index, set()).add(key)
        selector, here = entry.selector, self._pods.get(namespace, {})
        mine = [pod for pod in here.values() if selector is not None and selector.matches(pod.labels)]
        entry.pods = {pod.key: pod for pod in mine}
        entry.usages = {pod.key: self._usages[pod.key] for pod in mine if pod.key in self._usages}
        entry.changed = True
        self._dirty[key] = None
        self._tell_rivals(entry)

    def _index_of(self, namespace: str, selector: Selector) -> tuple[str, str, str]:
        """The label pair of all its pods that the fewest others are found by; empty where it names none."""
        pairs = [(t.key, t.values[0]) for t in selector.terms if t.operator in ("=", "==", "in") and len(t.values) == 1]
        places = [(namespace, *pair) for pair in pairs]
        return min(places, key=lambda place: len(self._by_label.get(place, ())), default=(namespace, "", ""))

    def _tell_rivals(self, entry: Entry) -> None:
        """Those that share a pod with it decide anew."""
        for pod in entry.pods.values():
            for other in tuple(self._selecting(pod)):
                self._changed(self._entries[other])

    def _selecting(self, pod: Pod) -> Iterable[Key]:
        """The HPAs that select a pod."""
        for label, value in (*pod.labels.items(), ("", "")):
            for key in self._by_label.get((pod.key.namespace, label, value), ()):
                entry = self._entries.get(key)
                if entry is not None and entry.selector is not None and entry.selector.matches(pod.labels):
                    yield key

    # Facts of the scope ---------------------------------------------------------------------------------------

    def apply(self, event: Listed | Upserted | Deleted) -> None:
        """Take one fact of the scope."""
        match event:
            case Listed(kind=kind, items=items, of=of):
                self.listed(kind, items, of)
            case Upserted(item=item):
                self.upserted(item)
            case Deleted(kind=kind, key=key, of=of):
                self.deleted(kind, key, of)

    def listed(self, kind: Kind, items: Iterable[Fact], of_kind: str = "") -> None:
        """Everything of one kind, anew (targets: of one kind of object, `of_kind`)."""
        was_complete = complete(self._listed, self.statuses)
        self._listed.add(kind)
        if kind is Kind.POD:
            new = {item.key: item for item in items if isinstance(item, Pod)}
            for key in [key for here in self._pods.values() for key in here if key not in new]:
                self.deleted(kind, key)
            for pod in new.values():
                self._take_pod(pod)
        elif kind is Kind.POD_USAGE:
            self._take_usages({item.key: item for item in items if isinstance(item, PodUsage)})
        elif kind in (Kind.WORKLOAD, Kind.SCALE):
            known: Mapping[Target, object] = self._workloads if kind is Kind.WORKLOAD else self._scales
            found = [item for item in items if isinstance(item, Workload | Scale)]
            still = {(item.kind, item.key) for item in found}
            for target in [target for target in known if target[0] == of_kind and target not in still]:
                self.deleted(kind, target[1], target[0])
            for item in found:
                self.upserted(item)
        if complete(self._listed, self.statuses) and not was_complete:
            for entry in self._entries.values():
                self._changed(entry)

    def upserted(self, item: Fact) -> None:
        """One object is new or changed."""
        if isinstance(item, Pod):
            self._take_pod(item)
        elif isinstance(item, Workload | Scale):
            target = (item.kind, item.key)
            before = self._workloads.get(target)
            if isinstance(item, Scale):
                self._scales[target] = item
            else:
                self._workloads[target] = item
                if before is not None and before.uid != item.uid:
                    self._scales.pop(target, None)  # another object under the same name: its scale is not known yet
            self._target_changed(target)

    def deleted(self, kind: Kind, key: Key, of_kind: str = "") -> None:
        """One object is gone."""
        if kind is Kind.POD:
            pod = self._pods.get(key.namespace, {}).pop(key, None)
            for hpa in set(self._selecting(pod)) if pod is not None else ():
                self._lose(self._entries[hpa], key)
        elif kind in (Kind.WORKLOAD, Kind.SCALE):
            target = (of_kind, key)
            self._scales.pop(target, None)
            if kind is Kind.WORKLOAD:
                self._workloads.pop(target, None)
            self._target_changed(target)

    def _target_changed(self, target: Target) -> None:
        for key in self._by_target.get(target, ()):
            entry = self._entries[key]
            self._select(entry, self._selector_of(target))
            self._changed(entry)

    def _take_pod(self, pod: Pod) -> None:
        here = self._pods.setdefault(pod.key.namespace, {})
        before = here.get(pod.key)
        here[pod.key] = pod
        if before is not None and before.labels != pod.labels:
            for key in set(self._selecting(before)):
                self._lose(self._entries[key], pod.key)
        for key in set(self._selecting(pod)):
            entry = self._entries[key]
            entry.pods[pod.key] = pod
            if pod.key in self._usages:
                entry.usages[pod.key] = self._usages[pod.key]
            self._changed(entry)

    def _lose(self, entry: Entry, pod: Key) -> None:
        entry.pods.pop(pod, None)
        entry.usages.pop(pod, None)
        self._changed(entry)

    def _take_usages(self, new: dict[Key, PodUsage]) -> None:
        before, self._usages = self._usages, new
        for entry in self._entries.values():
            usages = {key: new[key] for key in entry.pods if key in new}
            if any(before.get(key) != usage for key, usage in usages.items()) or usages.keys() != entry.usages.keys():
                entry.usages = usages
                self._changed(entry)

    def _changed(self, entry: Entry) -> None:
        entry.changed = True
        self._dirty[entry.hpa.key] = None

    def status_changed(self, kind: Kind, status: SourceStatus) -> None:
        """A stream of the scope has a new status."""
        before = self.statuses.get(kind)
        self.statuses[kind] = status
        if kind is Kind.POD_USAGE and (before is None or before.state is not status.state):
            for entry in self._entries.values():
                self._changed(entry)

    # Focus ----------------------------------------------------------------------------------------------------

    def hold(self, key: Key, now: float) -> tuple[Observer, Facts] | None:
        """The observer and the facts of an HPA that is in focus from now on, and is fed by its own details."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.held = True
        entry.observer.keep(ALL)
        return entry.observer, self.facts(entry, now)

    def adopt(self, key: Key, observer: Observer) -> None:
        """An HPA was in focus before there was a fleet: its observer goes on, and it is fed by its own details."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.held, entry.observer = True, observer

    def release(self, key: Key) -> None:
        """It is no longer in focus."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.held = False
            entry.observer.keep(FEW)
            self._changed(entry)

    def touch(self, key: Key) -> None:
        """The details of the HPA in focus changed."""
        if key in self._entries:
            self._dirty.setdefault(key)

    # Out ------------------------------------------------------------------------------------------------------

    def outlook(self, key: Key) -> Outlook | None:
        """What the next sync of an HPA will do, as last made."""
        entry = self._entries.get(key)
        return entry.outlook if entry is not None else None

    def missing(self) -> list[str]:
        """Why not every HPA is observed."""
        return missing(self.statuses, self.all)

    def says(self) -> str:
        """How many HPAs are observed, and what is missing."""
        known = sum(1 for entry in self._entries.values() if entry.outlook is not None)
        return "; ".join([f"{known} of {len(self._entries)} HPAs observed", *self.missing()])

    def _feed(self, entry: Entry, now: float) -> None:
        if entry.changed and not entry.held and complete(self._listed, self.statuses):
            entry.changed = False
            entry.observer.facts(self.facts(entry, now))

    def set_view(self, view: frozenset[Key]) -> None:
        """Other HPAs are on screen."""
        self._view = view

    def _past(self) -> list[Key]:
        """HPAs that are decided no more: what was foretold for them is dropped before it is wrong."""
        if self.all:
            return []
        left = [k for k, e in self._entries.items() if e.outlook is not None and k not in self._view and not e.held]
        for key in left:
            self._entries[key].outlook = None
            self._dirty.setdefault(key)
        return left

    def pass_time(self, now: float) -> None:
        """A tick in which no outlook is made: the next one makes them."""
        for key, entry in self._entries.items():
            if not entry.held and (self.all or key in self._view) and (entry.changed or entry.observer.due <= now):
                self._feed(entry, now)
                entry.observer.count_out(now)
                self._dirty.setdefault(key)

    def tick(self, now: float) -> list[Key]:
        """Let time pass; the HPAs whose outlook is another now."""
        for key, entry in self._entries.items():
            if entry.outlook is not None and entry.outlook.at + self._flags.sync_period * SLACK < now:
                self._dirty.setdefault(key)  # a sync must have come: it changed nothing, or was seen
        wanted = [key for key in self._dirty if self.all or key in self._view or self._entries[key].held]
        due = wanted[: max(LEAST, len(wanted) // SHARE)]
        changed = self._past()
        for key in due:
            del self._dirty[key]
            entry = self._entries[key]
            self._feed(entry, now)
            found = entry.observer.outlook(now)
            if found != entry.outlook:
                entry.outlook = found
                changed.append(key)
        return changed


def _parsed(text: str) -> Selector | None:
    try:
        return parse_selector(text) if text else None
    except SelectorError:
        return None
