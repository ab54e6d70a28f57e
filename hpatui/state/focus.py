"""All facts about the one HPA that is looked at: its target, pods, usage and events, and the observer that explains
it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.autoscaler.explanation import Explanation
from hpatui.model import (
    ControllerFlags,
    Event,
    Hpa,
    Key,
    Kind,
    LoadSample,
    OwnerLink,
    Pod,
    PodUsage,
    Reference,
    Scale,
    ScaledObject,
    SourceState,
    SourceStatus,
    Workload,
)
from hpatui.state.facts import Facts
from hpatui.state.frames import Frame
from hpatui.state.history import record_events
from hpatui.state.observer import Observer
from hpatui.state.series import HpaHistory
from hpatui.state.snapshot import Detail, HpaRow, PodRow

DetailFact = Workload | Scale | ScaledObject | OwnerLink | Pod | Event | PodUsage

MAX_EVENTS = 500

_UNKNOWN = SourceStatus(SourceState.CONNECTING, 0.0)


class Focus:
    """Facts of one HPA in focus. Changes are marked; `detail` builds the frozen view from the parts that changed."""

    def __init__(
        self, key: Key, history: HpaHistory, flags: ControllerFlags, seed: tuple[Observer, Facts] | None = None
    ) -> None:
        """`seed`: the observer that watched the HPA so far, and what is known of its target."""
        self.key = key
        self.statuses: dict[Kind, SourceStatus] = {}
        self.metrics_time: float | None = None
        self._history = history
        self._observer = seed[0] if seed is not None else Observer(key, flags, history)
        self._reference: Reference | None = None
        self._workload: Workload | None = None
        self._pods: dict[Key, Pod] = {}
        self._usages: dict[Key, PodUsage] = {}
        self._scale: Scale | None = None
        self._links: dict[str, OwnerLink] = {}
        self._scaled_object: ScaledObject | None = None
        self._events: dict[str, Event] = {}
        self._load_per_pod: dict[str, float] = {}
        self._pod_rows: tuple[PodRow, ...] | None = ()
        self._event_view: tuple[Event, ...] | None = ()
        if seed is not None:
            facts = seed[1]
            self._workload, self._scale = facts.workload, facts.scale
            self._pods.update(facts.pods)
            self._usages.update(facts.usages)
            self._pod_rows = None
            self.statuses[Kind.POD_USAGE] = facts.usage_status
        self._explanation: Explanation | None = None
        self._last: Detail | None = None

    @property
    def observer(self) -> Observer:
        """Who watches the HPA."""
        return self._observer

    def set_flags(self, flags: ControllerFlags) -> None:
        """The controller's flags became known."""
        self._observer.set_flags(flags)

    def connected(self, live: bool, now: float) -> None:
        """Whether the HPA's own stream is live: without it nothing can be said about syncs."""
        self._observer.connected(live, now)

    # In -------------------------------------------------------------------------------------------------------

    def hpa_changed(self, hpa: Hpa, now: float) -> None:
        """A new version of the HPA itself. With another target, nothing known of the one before counts any more."""
        if self._reference not in (None, hpa.reference):
            self._workload = self._scale = None
            for known in (self._pods, self._usages, self._links):
                known.clear()
            self._changed(Kind.POD, now)
        self._reference = hpa.reference
        self._observer.hpa_changed(hpa, now)

    def listed(self, kind: Kind, items: Sequence[DetailFact], now: float) -> None:
        """Everything of one kind, anew."""
        match kind:
            case Kind.WORKLOAD:
                self._workload = None
            case Kind.SCALE:
                self._scale = None
            case Kind.SCALED_OBJECT:
                self._scaled_object = None
            case Kind.OWNER:
                self._links.clear()
            case Kind.POD:
                self._pods.clear()
            case Kind.EVENT:
                self._events.clear()
            case Kind.POD_USAGE:
                self._usages.clear()
        for item in items:
            self._take(item)
        self._record([item for item in items if isinstance(item, Event)])
        self._changed(kind, now)

    def upserted(self, item: DetailFact, now: float) -> None:
        """One object is new or changed."""
        kind = self._take(item)
        if isinstance(item, Event):
            self._record([item])
        self._changed(kind, now)

    def _record(self, events: Sequence[Event]) -> None:
        """Rescales that events tell of. Only of the new ones: there may be hundreds."""
        record_events(self._history, [event for event in events if event.about_kind == "HorizontalPodAutoscaler"])

    def deleted(self, kind: Kind, key: Key, now: float) -> None:
        """One object is gone."""
        match kind:
            case Kind.WORKLOAD:
                self._workload = None
            case Kind.SCALE:
                self._scale = None
            case Kind.SCALED_OBJECT:
                self._scaled_object = None
            case Kind.OWNER:
                for uid in [uid for uid, link in self._links.items() if link.key == key]:
                    del self._links[uid]
            case Kind.POD:
                self._pods.pop(key, None)
            case Kind.EVENT:
                for uid in [uid for uid, event in self._events.items() if event.key == key]:
                    del self._events[uid]
            case Kind.POD_USAGE:
                self._usages.pop(key, None)
        self._changed(kind, now)

    def _take(self, item: DetailFact) -> Kind:
        match item:
            case Workload():
                self._workload = item
                return Kind.WORKLOAD
            case Scale():
                self._scale = item
                return Kind.SCALE
            case ScaledObject():
                self._scaled_object = item
                return Kind.SCALED_OBJECT
            case OwnerLink():
                self._links[item.uid] = item
                return Kind.OWNER
            case Pod():
                self._pods[item.key] = item
                return Kind.POD
            case Event():
                self._events[item.uid or str(item.key)] = item
                return Kind.EVENT
            case PodUsage():
                self._usages[item.key] = item
                return Kind.POD_USAGE

    def status_changed(self, kind: Kind, status: SourceStatus, now: float) -> None:
        """A detail stream has a new status."""
        self.statuses[kind] = status
        if kind in (Kind.POD_USAGE, Kind.SCALED_OBJECT):
            self._changed(kind, now)

    def load_sampled(self, sample: LoadSample) -> None:
        """One second of load: how much each pod got, where that is known."""
        shares = {name: float(count) for name, count in sample.per_pod.items()}
        if shares != self._load_per_pod:
            self._load_per_pod = shares
            self._pod_rows = None

    def _changed(self, kind: Kind, now: float) -> None:
        if kind in (Kind.POD, Kind.POD_USAGE):
            self._pod_rows = None
        if kind is Kind.POD_USAGE:
            self.metrics_time = max((usage.time for usage in self._usages.values()), default=None)
        if kind is Kind.EVENT:
            self._bound_events()
            self._event_view = None
            about_hpa = [e for e in self._events.values() if e.about_kind == "HorizontalPodAutoscaler"]
            self._observer.events(about_hpa, now)
            return
        if kind in (Kind.WORKLOAD, Kind.POD):
            self._record_ready(now)
        usage_status = self.statuses.get(Kind.POD_USAGE, _UNKNOWN)
        self._observer.facts(
            Facts(
                now,
                self._workload,
                dict(self._pods),
                dict(self._usages),
                usage_status,
                self._scale,
                dict(self._links),
                scaled_object=self._scaled_object,
            )
        )

    def _record_ready(self, now: float) -> None:
        if self._pods:
            self._history.ready.append(now, sum(1 for pod in self._pods.values() if pod.ready))
        elif self._workload is not None:
            self._history.ready.append(now, self._workload.ready)

    def _bound_events(self) -> None:
        if len(self._events) > MAX_EVENTS:
            newest = sorted(self._events.items(), key=lambda pair: pair[1].last_seen or 0.0)[-MAX_EVENTS:]
            self._events = dict(newest)

    def present(self, now: float) -> Frame | None:
        """The present as a sync would find it; None where too little is known."""
        return self._observer.present(now)

    def frames(self) -> tuple[Frame, ...]:
        """The recorded syncs, oldest first."""
        return tuple(self._observer.frames)

    # Out ------------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> bool:
        """Let time pass; True if the explanation reads differently now."""
        explanation = self._observer.explanation(now)
        if explanation == self._explanation:
            return False
        self._explanation = explanation
        return True

    def pass_time(self, now: float) -> None:
        """Let time pass that nobody looks at: `tick` shows later what it would have shown."""
        self._observer.pass_time(now)

    def detail(self, row: HpaRow, now: float) -> Detail:
        """The frozen view; unchanged parts are the same objects as last time."""
        if self._pod_rows is None:
            self._pod_rows = tuple(
                PodRow(pod, self._usages.get(key), self._load_per_pod.get(key.name))
                for key, pod in sorted(self._pods.items())
            )
        if self._event_view is None:
            self._event_view = tuple(sorted(self._events.values(), key=lambda e: (-(e.last_seen or 0.0), e.key)))
        self.tick(now)
        statuses = dict(self.statuses)
        last = self._last
        if last is not None and last.statuses == statuses:
            statuses = dict(last.statuses)
        self._last = Detail(
            row,
            self._workload,
            self._pod_rows,
            self._event_view,
            self._explanation,
            self._history.frozen(),
            statuses,
            self._scale,
            last.links if last is not None and last.links == self._links else dict(self._links),
        )
        return self._last
