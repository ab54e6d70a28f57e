"""The single writer: cluster events and load samples in, one frozen Snapshot out.

No input or output and no clock: `now` (epoch seconds) is an argument everywhere. Used from one thread.
    take(Seen(time, fact))  ->  facts by kind  ->  histories, observers  ->  rows  ->  snapshot(now)

`snapshot` is cheap when nothing changed (the same object comes back) and keeps the identity of every part that did
not change.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hpatui.model import (
    EVERYTHING,
    ClusterEvent,
    ControllerFlags,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    LoadView,
    Pod,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.state.headline import refined
from hpatui.state.heat import heat_of
from hpatui.state.history import record_gap, record_hpa
from hpatui.state.load_side import LoadSide
from hpatui.state.notices import Notices
from hpatui.state.series import HpaHistory, LoadHistory
from hpatui.state.snapshot import Detail, HpaRow, Snapshot
from hpatui.state.trend import Trends

if TYPE_CHECKING:
    from hpatui.state.fleet import Fleet
    from hpatui.state.focus import Focus
    from hpatui.state.frames import Frame

HISTORY_POINTS = 1024
MANY = 2500  # HPAs; with more, and no choice made, only those in view are decided: about 10 % of a core each 1,000


class Store:
    """What is known of one cluster (and the load of this session)."""

    def __init__(
        self,
        *,
        context: str = "",
        namespace: str | None = None,
        sandbox: bool = False,
        flags: ControllerFlags | None = None,
        now: float = 0.0,
        observe: str = "focus",
    ) -> None:
        """`observe`: focus (the details of one HPA), view or all: an observer for every HPA, from facts of the scope
        EVERYTHING, of which those in view or all are decided; auto chooses by their number.
        """
        self.context = context
        self.namespace = namespace
        self.sandbox = sandbox
        self.server_version = ""
        self.acting_as = ""
        self.flags = flags or ControllerFlags()
        self._hpas: dict[Key, Hpa] = {}
        self._rows: dict[Key, HpaRow] = {}
        self._order: list[Key] = []
        self._histories: dict[Key, HpaHistory] = {}
        self._load = LoadSide(self._histories.get)
        self._trends = Trends(now)
        self._statuses: dict[Kind, SourceStatus] = {Kind.HPA: SourceStatus(SourceState.CONNECTING, now)}
        self._focus: Focus | None = None
        self._fleet: Fleet | None = None
        self.observe = observe
        self._view: frozenset[Key] = frozenset()
        self._notices = Notices()
        self._rows_view: tuple[HpaRow, ...] | None = ()
        self._dirty, self._version = True, 0
        self._last: Snapshot | None = None

    # What the session tells -----------------------------------------------------------------------------------

    def reset(self, *, context: str, namespace: str | None, now: float, sandbox: bool = False) -> None:
        """Forget the cluster (not the load's history): another context or namespace is watched from `now` on."""
        self.context, self.namespace, self.sandbox = context, namespace, sandbox
        for known in (self._hpas, self._rows, self._order, self._histories, self._trends):
            known.clear()
        self._statuses = {Kind.HPA: SourceStatus(SourceState.CONNECTING, now)}
        self._focus = self._fleet = self._rows_view = None
        self._dirty = True

    def connecting(self, context: str, acting_as: str) -> None:
        """To which context, and whom we impersonate there."""
        self.context, self.acting_as, self._dirty = context, acting_as, True

    def connected(self, *, context: str, sandbox: bool, server_version: str, flags: ControllerFlags) -> None:
        """The connection stands."""
        self.context, self.sandbox, self.server_version, self.flags = context, sandbox, server_version, flags
        for known in (self._focus, self._fleet):
            if known is not None:
                known.set_flags(flags)
        self._dirty = True

    def focus(self, key: Key | None, now: float) -> Hpa | None:
        """Make `key` the HPA whose details are kept; returns it if known. Facts of the one before are dropped."""
        if self._focus is not None and self._focus.key == key:
            return self._hpas.get(key) if key else None
        self._dirty = True
        if self._focus is not None and self._fleet is not None:
            self._fleet.release(self._focus.key)
        self._focus = self._load.model = None
        if key is None:
            return None
        from hpatui.state.focus import Focus  # with the whole of the decision code: the list comes first

        hpa = self._hpas.get(key)
        seed = self._fleet.hold(key, now) if self._fleet is not None else None
        self._focus = Focus(key, self._history(key), self.flags, seed)
        if hpa is not None:
            self._focus.hpa_changed(hpa, now)
        return hpa

    def view(self, keys: Iterable[Key]) -> None:
        """The HPAs that a front end shows at present."""
        self._view = frozenset(keys)
        if self._fleet is not None:
            self._fleet.set_view(self._view)

    @property
    def focused(self) -> Key | None:
        """The HPA whose details are kept."""
        return self._focus.key if self._focus else None

    def hpa(self, key: Key) -> Hpa | None:
        """The HPA as last seen."""
        return self._hpas.get(key)

    def keys(self) -> Sequence[Key]:
        """The HPAs known, sorted."""
        return tuple(self._order)

    def present(self, now: float) -> Frame | None:
        """The present of the HPA in focus as a sync would find it; None where too little is known."""
        return self._focus.present(now) if self._focus is not None else None

    def frames(self) -> tuple[Frame, ...]:
        """The recorded syncs of the HPA in focus, oldest first, for replays (`whatif`)."""
        return self._focus.frames() if self._focus is not None else ()

    def pods_of(self, key: Key) -> list[Pod]:
        """The pods of any HPA's target, as far as the fleet is observed."""
        entry = self._fleet.entry(key) if self._fleet is not None else None
        return list(entry.pods.values()) if entry is not None else []

    def status(self, kind: Kind) -> SourceStatus | None:
        """The status of a kind's stream, if it has one."""
        return self._statuses.get(kind)

    # Facts ----------------------------------------------------------------------------------------------------

    def take(self, seen: Seen) -> bool:
        """Take one fact, from whatever source. True if anything visible changed."""
        match seen.what:
            case Tick():
                return self._tick(seen.time)
            case LoadSample() as sample:
                self._load.sampled(sample)
                if self._focus is not None:
                    self._focus.load_sampled(sample)
                self._dirty = True
            case LoadChanged(view=view, mark=mark):
                self.set_load(view, seen.time, mark)
            case event:
                self._apply(event, seen.time)
        return True

    def _apply(self, event: ClusterEvent, now: float) -> None:
        self._dirty = True
        match event:
            case StatusChanged(kind=kind, status=status):
                self._status_changed(kind, status, event.scope, now)
            case Listed(kind=Kind.HPA, items=items):
                listed = {item.key: item for item in items if isinstance(item, Hpa)}
                for key in self._hpas.keys() - listed.keys():
                    self._forget(key)
                for hpa in listed.values():
                    self._upsert(hpa, now)
            case Upserted(kind=Kind.HPA, item=Hpa() as hpa):
                self._upsert(hpa, now)
            case Deleted(kind=Kind.HPA, key=key, uid=uid):
                known = self._hpas.get(key)
                if known is not None and (not uid or uid == known.uid):
                    self._forget(key)
            case _:
                self._apply_detail(event, now)

    def _observing(self) -> Fleet | None:
        if self._fleet is None and self.observe != "focus":
            from hpatui.state.fleet import Fleet  # with the whole of the decision code: the list comes first

            self._fleet = Fleet(self.flags, self._view)
            for hpa in self._hpas.values():
                self._fleet.hpa_changed(hpa, self._history(hpa.key), self._trends.at)
            if self._focus is not None:
                self._fleet.adopt(self._focus.key, self._focus.observer)
            self._fleet.all = self.observe != "view" and (self.observe == "all" or len(self._hpas) <= MANY)
        return self._fleet

    def _apply_detail(self, event: Listed | Upserted | Deleted, now: float) -> None:
        if event.scope == EVERYTHING:
            fleet = self._observing()
            if fleet is not None:
                fleet.apply(event)
            return
        if self._fleet is not None and self._focus is not None:
            self._fleet.touch(self._focus.key)
        focus = self._focus
        if focus is None or (event.scope and event.scope != str(focus.key)):
            return  # a late fact about an HPA that is no longer looked at
        match event:
            case Listed(kind=kind, items=items):
                focus.listed(kind, [i for i in items if not isinstance(i, Hpa)], now)
            case Upserted(item=item) if not isinstance(item, Hpa):
                focus.upserted(item, now)
            case Deleted(kind=kind, key=key):
                focus.deleted(kind, key, now)

    def _status_changed(self, kind: Kind, status: SourceStatus, scope: str, now: float) -> None:
        if scope == EVERYTHING:
            fleet = self._observing()
            if fleet is not None:
                fleet.status_changed(kind, status)
            return
        if kind is not Kind.HPA:
            if self._focus is not None and (not scope or scope == str(self._focus.key)):
                self._focus.status_changed(kind, status, now)
            return
        before = self._statuses.get(kind)
        self._statuses[kind] = status
        if self._focus is not None:
            self._focus.connected(status.state is SourceState.LIVE, now)
        if self._fleet is not None:
            self._fleet.connected(status.state is SourceState.LIVE, now)
        was_live = before is not None and before.state is SourceState.LIVE
        if was_live and status.state is not SourceState.LIVE:
            for history in self._histories.values():
                record_gap(history, now)
            self.note("Connection lost", status.message or status.state.value, "warning", now)
        elif before is not None and before.state is SourceState.RECONNECTING and status.state is SourceState.LIVE:
            self.note("Live again", "", "information", now)

    def _upsert(self, hpa: Hpa, now: float) -> None:
        key = hpa.key
        before = self._hpas.get(key)
        if before is not None and before.uid != hpa.uid:
            self._forget(key)  # deleted and created anew under the same name: another HPA
            before = None
        if before is not None and before.resource_version == hpa.resource_version:
            last = self._history(key).current.last
            if last is not None and last[1] is None:
                record_hpa(self._history(key), None, hpa, now)  # seen again after a gap
            return
        self._hpas[key] = hpa
        insort(self._order, key) if before is None else None
        rescale = record_hpa(self._history(key), before, hpa, now)
        if rescale is not None:
            self._notices.rescaled(hpa, rescale, now)
        if self._focus is not None and self._focus.key == key:
            self._focus.hpa_changed(hpa, now)
            self._load.learn(hpa, self._history(key), self.flags)
        if self._fleet is not None:
            self._fleet.hpa_changed(hpa, self._history(key), now)
        self._build_row(hpa, now)

    def _forget(self, key: Key) -> None:
        self._hpas.pop(key, None)
        self._rows.pop(key, None)
        self._histories.pop(key, None)
        self._trends.forget(key)
        if self._fleet is not None:
            self._fleet.forget(key)
        if key in self._order:
            self._order.remove(key)
        self._rows_view = None
        if self._focus is not None and self._focus.key == key:
            self._focus = None

    def _history(self, key: Key) -> HpaHistory:
        history = self._histories.get(key)
        if history is None:
            history = self._histories[key] = HpaHistory(HISTORY_POINTS)
        return history

    # Rows -----------------------------------------------------------------------------------------------------

    def _build_row(self, hpa: Hpa, now: float) -> None:
        outlook = self._fleet.outlook(hpa.key) if self._fleet is not None else None
        state, text = refined(hpa, outlook, now)
        before = self._rows.get(hpa.key)
        trend = self._trends.of(hpa.key, self._histories[hpa.key].current, now)
        before_it = heat_of(before.heat, before.hpa, now) if before else None  # what was, was so until now
        row = HpaRow(hpa, state, text, trend, outlook, heat_of(before_it, hpa, now))
        if row != before:
            self._rows[hpa.key] = row
            self._rows_view = None

    def pass_time(self, now: float) -> None:
        """A tick that nobody sees, as while a replay jumps: the next one shows the same as had all been seen."""
        self._dirty = self._tick(now, seen=False) or True

    def _tick(self, now: float, *, seen: bool = True) -> bool:
        """Trends move on, countdowns and predictions are looked at. True if anything visible changed."""
        for key in self._trends.due(now):
            self._build_row(self._hpas[key], now)
            self._dirty = self._dirty or self._rows_view is None
        if self._focus is not None and not seen:
            self._focus.pass_time(now)
        elif self._focus is not None and self._focus.tick(now):
            self._dirty = True
        if self._fleet is not None and not seen:
            self._fleet.pass_time(now)
            return True
        for key in self._fleet.tick(now) if self._fleet is not None else ():
            self._build_row(self._hpas[key], now)
            self._dirty = True
        return self._dirty

    # Load -----------------------------------------------------------------------------------------------------

    @property
    def load(self) -> LoadView:
        """The load as it is shown."""
        return self._load.view

    @property
    def load_history(self) -> LoadHistory:
        """What the load did; the store's own, not frozen."""
        return self._load.history

    def set_load(self, view: LoadView, now: float, mark: str = "") -> None:
        """The load's state changed; `mark` (may be empty) names the change on the graphs."""
        self._load.set(view, now, mark, self.focused)
        self._dirty = True

    # Out ------------------------------------------------------------------------------------------------------

    def note(self, title: str, text: str, severity: str, now: float) -> None:
        """Something that a front end tells its user once; the snapshot has it until `published`."""
        self._notices.add(title, text, severity, now)
        self._dirty = True

    def snapshot(self, now: float) -> Snapshot:
        """The state of things; the same object as before if nothing changed since. Notices are in it until `published`."""
        if not self._dirty and self._last is not None:
            return self._last
        if self._rows_view is None:
            self._rows_view = tuple(self._rows[key] for key in self._order)
        self._version += 1
        self._last = Snapshot(
            version=self._version,
            time=now,
            context=self.context,
            namespace=self.namespace,
            sandbox=self.sandbox,
            status=self._statuses[Kind.HPA],
            rows=self._rows_view,
            detail=self._detail(now),
            load=self._load.foretold(self._hpas.get(self._focus.key) if self._focus else None, self.flags),
            load_history=self.load_history.frozen(),
            statuses={**self._statuses, **(self._focus.statuses if self._focus else {})},
            notices=self._notices.waiting(),
            metrics_time=self._focus.metrics_time if self._focus else None,
            server_version=self.server_version,
            acting_as=self.acting_as,
            rules=self.flags.rules_text,
            observing=self._fleet.says() if self._fleet is not None else "",
            observes_less=self._fleet is not None and bool(self._fleet.missing()),
        )
        self._dirty = False
        return self._last

    def published(self, snapshot: Snapshot) -> None:
        """Everybody has seen `snapshot`: its notices are not told again."""
        self._notices.told(snapshot.notices)

    def _detail(self, now: float) -> Detail | None:
        focus = self._focus
        row = self._rows.get(focus.key) if focus else None
        return focus.detail(row, now) if focus and row else None
