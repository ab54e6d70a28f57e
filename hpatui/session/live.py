"""The real session: one cluster source, one store, at most one load run, one clock, on one event loop.

    source.events() --apply--> store --(at most 4 times a second)--> subscribers
    load engine -----apply-----^            commands (select, start_load, ...) go the other way

A lost connection is retried for ever, with growing pauses; what cannot mend itself (credentials, configuration) is
shown as failed until the user switches context.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui.clock import Clock, SystemClock
from hpatui.errors import AuthError, ClusterError, HpatuiError, LoginNeededError, NoClusterError, UsageError
from hpatui.model import (
    ClusterEvent,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.session.flags import controller_flags
from hpatui.session.load import LoadControl
from hpatui.session.port import ContextInfo, parse_hpa_name
from hpatui.session.remember import ALL, Memory
from hpatui.settings import Settings, state_dir
from hpatui.state.snapshot import Snapshot
from hpatui.state.store import Store

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.source import ClusterSource
    from hpatui.doctor.report import Report
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.sandbox.process import SandboxProcess
    from hpatui.session.trial import Trial

PUBLISH_INTERVAL = 0.25  # seconds; data in the store is on the screen within 0.3 s
TICK = 1.0
RETRY_FIRST, RETRY_MOST = 1.0, 30.0


class Session:
    """See `SessionPort` for what each command does."""

    def __init__(
        self, settings: Settings, clock: Clock | None = None, *, demo: SandboxOptions | None = None,
        details: bool = True,
    ) -> None:  # fmt: skip
        """With `demo`, `start` first starts a sandbox in a child process and watches that; `stop` ends it. Without
        `details` no HPA is selected by itself.
        """
        self.settings = settings
        self._details = details
        self._demo: SandboxProcess | None = None
        if demo is not None:
            from hpatui.sandbox.process import SandboxProcess

            self._demo = SandboxProcess(demo)
        self.clock: Clock = clock or SystemClock()
        wanted = parse_hpa_name(settings.hpa) if settings.hpa else None
        self._wanted: Key | None = wanted
        namespace = settings.namespace or (wanted.namespace if wanted and wanted.namespace else None)
        self._namespace: str | None = None if settings.all_namespaces else namespace
        self._store = Store(
            context=settings.context or "", namespace=self._namespace, flags=None, now=self.clock.time()
        )
        self.load = LoadControl(self)
        self._context: str | None = settings.context
        self._connection: Connection | None = None
        self._source: ClusterSource | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._publish_handle: asyncio.TimerHandle | None = None
        self._published_at = -1e9
        self._snapshot = self._store.snapshot(self.clock.time())
        self._stopped = False
        self._login = b""
        self._login_needed: LoginNeededError | None = None
        self._everywhere = False  # the user chose all namespaces
        self._memory = Memory(state_dir(settings))

    # What others of this room use -----------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The single writer; only this room touches it."""
        return self._store

    @property
    def connection(self) -> Connection | None:
        """The connection to the API server, once it stands."""
        return self._connection

    def changed(self) -> None:
        """Something in the store changed: publish soon."""
        if self._publish_handle is None and not self._stopped:
            loop = asyncio.get_running_loop()
            delay = max(0.0, self._published_at + PUBLISH_INTERVAL - loop.time())
            self._publish_handle = loop.call_later(delay, self._publish)

    # Out ------------------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def _publish(self) -> None:
        if self._publish_handle is not None:
            self._publish_handle.cancel()
            self._publish_handle = None
        self._published_at = asyncio.get_running_loop().time()
        snapshot = self._store.snapshot(self.clock.time())
        if snapshot is self._snapshot:
            return
        self._snapshot = snapshot
        for callback in tuple(self._subscribers):
            callback(snapshot)

    # Life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        if not self._tasks and not self._stopped:
            self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._tick())]

    async def stop(self) -> None:
        if self._stopped:
            return
        await self.load.close()
        self._stopped = True
        if self._publish_handle is not None:
            self._publish_handle.cancel()
        try:
            await self._end_tasks()
        finally:
            if self._demo is not None:
                await self._demo.stop()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        await self._close_source()

    async def _close_source(self) -> None:
        source, connection = self._source, self._connection
        self._source = self._connection = None
        if source is not None:
            await source.close()
        if connection is not None:
            await connection.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            if self._store.tick(self.clock.time()):
                self.changed()

    async def _watch(self) -> None:
        """Connect and take events until cancelled; returns only when nothing but the user can help."""
        pause = RETRY_FIRST
        while True:
            try:
                await self._start_demo()
                await self._connect()
            except (AuthError, NoClusterError) as error:
                self._login_needed = error if isinstance(error, LoginNeededError) else None
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
            assert self._source is not None
            async for event in self._source.events():
                self._take(event)
            return

    async def _start_demo(self) -> None:
        if self._demo is None or self._demo.running:
            return
        self._set_status(SourceState.CONNECTING, "starting the sandbox")
        handle = await self._demo.start()
        self.settings = replace(self.settings, kubeconfig=str(handle.kubeconfig_path), context=None)

    async def _connect(self) -> None:
        from hpatui.cluster.connect import connect
        from hpatui.cluster.source import ClusterSource

        login, self._login = self._login, b""
        connection = await connect(self.settings, self.clock, context=self._context, login=login)
        self._connection = connection
        if self._namespace is None and not self.settings.all_namespaces and not self._everywhere:
            known = None if connection.sandbox else self._memory.namespace(connection.context)
            self._namespace = None if known == ALL else known or connection.namespace
            self._everywhere = known == ALL
        self._store.namespace = self._namespace
        source = ClusterSource(connection, self.clock, self._namespace)
        flags = controller_flags(await source.controller_flags(), self.settings)
        self._store.connected(
            context=connection.context,
            sandbox=connection.sandbox,
            server_version=connection.server_version,
            flags=flags,
        )
        self._source = source
        self.changed()

    def _set_status(self, state: SourceState, message: str) -> None:
        now = self.clock.time()
        known = self._store.status(Kind.HPA)
        since = known.since if known is not None and known.state is state else now
        status = SourceStatus(state, since, message, known.last_contact if known else None)
        self._store.apply(StatusChanged(Kind.HPA, status), now)
        self.changed()

    def _take(self, event: ClusterEvent) -> None:
        now = self.clock.time()
        focused = self._store.focused
        before = self._store.hpa(focused) if focused else None
        self._store.apply(event, now)
        if isinstance(event, Listed | Upserted | Deleted) and event.kind is Kind.HPA:
            self._keep_focus(before)
        if self._first_live():
            self._publish()  # what everybody waits for does not wait for the interval
        else:
            self.changed()

    def _first_live(self) -> bool:
        status = self._store.status(Kind.HPA)
        return (
            status is not None and status.state is SourceState.LIVE and self._snapshot.status.state is not status.state
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
        rows = self._store.snapshot(self.clock.time()).rows
        if self._wanted is not None:
            wanted = self._wanted
            for row in rows:
                if row.key.name == wanted.name and wanted.namespace in ("", row.key.namespace):
                    self._wanted = None
                    return row.key
        return rows[0].key if rows else None

    # Commands -------------------------------------------------------------------------------------------------

    def select(self, key: Key | None) -> None:
        if key == self._store.focused:
            return
        hpa = self._store.focus(key, self.clock.time())
        if self._source is not None:
            self._source.set_focus(hpa)
        self.changed()

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
            self._context, self._namespace, self._everywhere = name, None, False
            self._store.reset(context=name, namespace=None, now=self.clock.time())
            self.changed()
            await self.start()

    def login_needed(self) -> LoginNeededError | None:
        return self._login_needed

    async def reconnect(self, login: bytes = b"") -> None:
        await self._end_tasks()
        self._login, self._login_needed = login, None
        self._set_status(SourceState.CONNECTING, "")
        await self.start()

    async def namespaces(self) -> Sequence[str]:
        if self._source is None:
            return self._store.namespaces()
        try:
            return await self._source.namespaces()
        except ClusterError:
            return self._store.namespaces()

    def set_namespace(self, namespace: str | None) -> None:
        if namespace == self._namespace:
            return
        self._namespace, self._everywhere = namespace, namespace is None
        if not self._store.sandbox:
            self._memory.remember(self._store.context, namespace)
        store, now = self._store, self.clock.time()
        store.reset(context=store.context, namespace=namespace, now=now, sandbox=store.sandbox)
        if self._source is not None:
            self._source.set_namespace(namespace)
        self.changed()

    async def object_yaml(self, kind: str, key: Key) -> str:
        from hpatui.session.objects import to_yaml

        return to_yaml(await self._need_source().get_object(kind, key))

    async def describe(self, key: Key) -> str:
        from hpatui.session.objects import describe

        source = self._need_source()
        raw = await source.get_object("HorizontalPodAutoscaler", key)
        return describe(raw, await source.events_of("HorizontalPodAutoscaler", key), self.clock.time())

    async def examine(self) -> Report:
        from hpatui.session.doctor import examine

        if self._connection is None:
            raise HpatuiError("not connected to a cluster yet", hint="wait for it, or choose a context with c")
        namespace = self._namespace
        scope = replace(self.settings, namespace=namespace, all_namespaces=namespace is None, hpa=None)
        return await examine(self._connection, self.clock, scope)

    def what_if(self) -> Trial:
        from hpatui.session.trial import trial_of

        store = self._store
        hpa = store.hpa(store.focused) if store.focused else None
        return trial_of(hpa, store.frames(), store.flags, self.clock.time())

    def _need_source(self) -> ClusterSource:
        if self._source is None:
            raise HpatuiError("not connected to a cluster yet", hint="wait for it, or choose a context with c")
        return self._source
