"""The real session: one cluster source, one store, at most one load run, one clock, on one event loop.

    source.events() --take--> store --(at most 4 times a second)--> subscribers
    load engine -----apply-----^            commands (select, start_load, ...) go the other way

A lost connection is retried for ever, with growing pauses; what cannot mend itself (credentials, configuration) is
shown as failed until the user switches context.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpatui import logs
from hpatui.clock import Clock, SystemClock
from hpatui.errors import (
    AuthError,
    ClusterError,
    HpatuiError,
    LoginNeededError,
    NoClusterError,
    SandboxError,
    TrustError,
    UsageError,
)
from hpatui.model import (
    ClusterEvent,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.session.connector import Connector
from hpatui.session.load import LoadControl
from hpatui.session.port import ContextInfo, unknown_hpa
from hpatui.session.publisher import Publisher
from hpatui.session.recorded import RecordedStore
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.supervise import Supervisor

if TYPE_CHECKING:
    from hpatui.cluster.auth import Ask
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.source import ClusterSource
    from hpatui.doctor.report import Report
    from hpatui.model import ControllerFlags
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.session.trial import Trial
    from hpatui.state.frames import Frame

TICK, RETRY_FIRST, RETRY_MOST = 1.0, 1.0, 30.0


class Session:
    """See `SessionPort` for what each command does."""

    def __init__(
        self, settings: Settings, clock: Clock | None = None, *, demo: SandboxOptions | None = None,
        details: bool = True, say: Callable[[str], None] | None = None, ask: Ask | None = None, record: bool | str = False,
    ) -> None:  # fmt: skip
        """With `demo`, `start` first starts a sandbox in a child process and watches that; `stop` ends it. Without
        `details` no HPA is selected by itself. `say` and `ask`: for commands without a screen (`plain/login.py`). `record`:
        see `RecordedStore`.
        """
        self._details = details
        self.clock: Clock = clock or SystemClock()
        self._connector = Connector(settings, self.clock, demo)
        self._store = RecordedStore(
            lambda: self._connector.settings, record, self.clock,
            context=settings.context or "", namespace=self._connector.namespace, observe=self._connector.observe,
        )  # fmt: skip
        self._publisher = Publisher(self._store, self.clock, self._broke)
        self._connector.say, self._connector.ask = self._heard, ask
        self._connector.known = self._store.connecting
        self._say = say
        self.load = LoadControl(self)
        self._tasks = Supervisor(self._failed, first=RETRY_FIRST, longest=RETRY_MOST)
        self._running = False
        self._stopped = False
        self._before_failure: SourceStatus | None = None

    # What others of this room use -----------------------------------------------------------------------------

    @property
    def store(self) -> RecordedStore:
        """The single writer; only this room touches it."""
        return self._store

    @property
    def settings(self) -> Settings:
        """The settings in force; with a sandbox they name its kubeconfig once it runs."""
        return self._connector.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._connector.settings = settings

    @property
    def connection(self) -> Connection | None:
        """The connection to the API server, once it stands."""
        return self._connector.connection

    @property
    def _source(self) -> ClusterSource | None:
        return self._connector.source

    def changed(self) -> None:
        """Something in the store changed: publish soon."""
        self._publisher.changed()

    # Out ------------------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        return self._publisher.snapshot

    @property
    def recording(self) -> Path | None:
        return self._store.recording

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        return self._publisher.subscribe(callback)

    # Life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        if not self._running and not self._stopped:
            self._running = True
            self._tasks.start("watching the cluster", self._watch)
            self._tasks.start("letting time pass", self._tick)

    async def stop(self) -> None:
        if self._stopped:
            return
        await self.load.close()
        self._stopped = True
        self._publisher.close()
        try:
            await self._tasks.close()
        finally:
            await self._store.end()
            await self._connector.end()

    async def _end_tasks(self) -> None:
        await self._tasks.close()
        self._running = False
        await self._connector.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            if self._store.take(Seen(self.clock.time(), Tick())):
                self.changed()
            if self._before_failure is not None:  # what failed works again
                status, self._before_failure = self._before_failure, None
                self._apply(StatusChanged(Kind.HPA, status))

    async def _watch(self) -> None:
        """Connect and take events until cancelled; returns only when nothing but the user can help."""
        pause = RETRY_FIRST
        while True:
            try:
                if self._connector.starts_sandbox:
                    self._set_status(SourceState.CONNECTING, "starting the sandbox")
                await self._connect()
            except (AuthError, NoClusterError, TrustError) as error:
                if isinstance(error, TrustError) and self._had_contact():  # a server or a network that is being mended
                    self._set_status(SourceState.RECONNECTING, str(error))
                    await asyncio.sleep(RETRY_MOST)
                    continue
                self._connector.login_needed = error if isinstance(error, LoginNeededError) else None
                self._set_status(SourceState.FAILED, str(error))
                return
            except ClusterError as error:
                self._set_status(SourceState.RECONNECTING, str(error))
                await asyncio.sleep(max(pause, error.retry_after or 0.0))
                pause = min(pause * 2, RETRY_MOST)
                continue
            except HpatuiError as error:  # the sandbox, or something the user gave: trying again changes nothing
                self._set_status(SourceState.FAILED, str(error))
                return
            try:
                async for seen in self._connector.events():
                    self._take(seen)
            except SandboxError as error:
                self._set_status(SourceState.FAILED, str(error))
                await self.load.stop()  # whoever gets its port next is nobody's target
                self._store.note(error.message, error.hint, "error", self.clock.time())
            return

    async def _connect(self) -> None:
        flags = await self._connector.connect()
        connection = self.connection
        assert connection is not None
        self._store.namespace = self._connector.namespace
        self._store.connected(
            context=connection.context,
            sandbox=connection.sandbox,
            server_version=connection.server_version,
            flags=flags,
        )
        self.changed()

    # What goes wrong ------------------------------------------------------------------------------------------

    async def _failed(self, _name: str, line: str) -> None:
        """A task met something that nobody expected; it begins anew after a pause."""
        self._broke(line)

    def _broke(self, line: str) -> None:
        known = self._store.status(Kind.HPA)
        if known is not None and known.state is not SourceState.FAILED:
            self._before_failure = known
        self._set_status(SourceState.FAILED, line, retrying=True)

    def _apply(self, event: ClusterEvent) -> None:
        self._store.take(Seen(self.clock.time(), event))
        self.changed()

    def _heard(self, text: str) -> None:
        """What is waited for on the way to the cluster: shown beside the state."""
        if self._say is not None:
            self._say(text)
        known = self._store.status(Kind.HPA)
        self._set_status(known.state if known is not None else SourceState.CONNECTING, text)

    def _had_contact(self) -> bool:
        known = self._store.status(Kind.HPA)
        return known is not None and known.last_contact is not None

    def _set_status(self, state: SourceState, message: str, *, retrying: bool = False) -> None:
        now = self.clock.time()
        known = self._store.status(Kind.HPA)
        since = known.since if known is not None and known.state is state else now
        status = SourceStatus(state, since, message, known.last_contact if known else None, retrying=retrying)
        try:
            self._apply(StatusChanged(Kind.HPA, status))
        except Exception as error:  # noqa: BLE001 - the store itself: the retry begins anew
            logs.failure("taking a status", error)

    def _take(self, seen: Seen) -> None:
        event = seen.what
        if isinstance(event, StatusChanged) and event.kind is Kind.HPA:
            self._before_failure = None
        focused = self._store.focused
        before = self._store.hpa(focused) if focused else None
        self._store.take(seen)
        first_live = self._first_live()
        if first_live or (isinstance(event, Listed | Upserted | Deleted) and event.kind is Kind.HPA):
            self._keep_focus(before)
        if first_live:
            self._publisher.publish()  # what everybody waits for does not wait for the interval
        else:
            self.changed()

    def _first_live(self) -> bool:
        status = self._store.status(Kind.HPA)
        return (
            status is not None and status.state is SourceState.LIVE and self.snapshot.status.state is not status.state
        )

    def _keep_focus(self, before: Hpa | None) -> None:
        """After the HPAs changed: select one if none is, and follow the selected one's scale target."""
        focused = self._store.focused
        if focused is None:
            first = self._first_choice() if self._details else None
            if first is not None:
                self.select(first)
            elif self._source is not None:
                self._source.set_focus(None)
            return
        after = self._store.hpa(focused)
        if after is not None and self._source is not None and (before is None or before.reference != after.reference):
            self._source.set_focus(after)

    def _first_choice(self) -> Key | None:
        keys = self._store.keys()
        wanted = self._connector.wanted
        for key in keys if wanted is not None else ():
            if wanted is not None and key.name == wanted.name and wanted.namespace in ("", key.namespace):
                self._connector.wanted = None
                return key
        if wanted is None:
            return keys[0] if keys else None
        if self._first_live():
            error = unknown_hpa(wanted, keys, self._store.namespace)
            self._store.note(error.message, error.hint, "error", self.clock.time())
        return None  # another HPA than the one that was asked for is not chosen silently

    # Commands -------------------------------------------------------------------------------------------------

    def select(self, key: Key | None) -> None:
        if key == self._store.focused:
            return
        self._connector.wanted = None
        hpa = self._store.focus(key, self.clock.time())
        if self._source is not None:
            self._source.set_focus(hpa)
        self.changed()

    def view(self, keys: Iterable[Key]) -> None:
        self._store.view(keys)

    def contexts(self) -> Sequence[ContextInfo]:
        from hpatui.cluster.connect import list_contexts

        return [
            ContextInfo(name=c.name, server=c.server, namespace=c.namespace, current=c.name == self._store.context)
            for c in list_contexts(self.settings)
        ]

    async def switch_context(self, name: str) -> None:
        if name not in {context.name for context in self.contexts()}:
            raise UsageError(f"there is no context {name!r}", hint="press c for the list")
        async with self.load.held():
            await self._end_tasks()
            self._connector.use_context(name)
            self._store.reset(context=name, namespace=None, now=self.clock.time())
            self.changed()
            await self.start()

    def login_needed(self) -> LoginNeededError | None:
        return self._connector.needs_login()

    async def reconnect(self, login: bytes = b"") -> None:
        await self._end_tasks()
        self._connector.use_login(login)
        self._set_status(SourceState.CONNECTING, "")
        await self.start()

    async def namespaces(self) -> Sequence[str]:
        if self._source is None:
            return sorted({key.namespace for key in tuple(self._store.keys())})
        try:
            return await self._source.namespaces()
        except ClusterError:
            return sorted({key.namespace for key in tuple(self._store.keys())})

    def set_namespace(self, namespace: str | None) -> None:
        if namespace == self._connector.namespace:
            return
        store, now = self._store, self.clock.time()
        store.reset(context=store.context, namespace=namespace, now=now, sandbox=store.sandbox)
        self._connector.use_namespace(namespace, store.context, remember=not store.sandbox)
        self.changed()

    async def object_yaml(self, kind: str, key: Key) -> str:
        from hpatui.session.objects import to_yaml

        return to_yaml(await self._need_source().get_object(kind, key))

    async def describe(self, key: Key) -> str:
        from hpatui.session.objects import described

        return await described(self._need_source(), key, self.clock.time())

    async def examine(self) -> Report:
        from hpatui.session.doctor import examine

        if self.connection is None:
            raise HpatuiError("not connected to a cluster yet", hint="wait for it, or choose a context with c")
        namespace = self._connector.namespace
        scope = replace(self.settings, namespace=namespace, all_namespaces=namespace is None, hpa=None)
        return await examine(self.connection, self.clock, scope)

    def what_if(self) -> Trial:
        from hpatui.session.trial import trial_of

        store = self._store
        hpa = store.hpa(store.focused) if store.focused else None
        return trial_of(hpa, store.frames(), store.flags, self.clock.time(), self.snapshot.detail)

    def recorded(self) -> tuple[Frame, ...]:
        """The selected HPA's recorded syncs, and last its present if it can be read."""
        present = self._store.present(self.clock.time())
        return self._store.frames() if present is None else (*self._store.frames(), present)

    def controller(self) -> ControllerFlags:
        """The controller's flags and rules, as far as known."""
        return self._store.flags

    def _need_source(self) -> ClusterSource:
        if self._source is None:
            raise HpatuiError("not connected to a cluster yet", hint="wait for it, or choose a context with c")
        return self._source
