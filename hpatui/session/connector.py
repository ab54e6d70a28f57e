"""Gets a session to its cluster: which context and namespace, with which login, after starting the sandbox if asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui.clock import Clock
from hpatui.errors import LoginNeededError, SandboxError
from hpatui.model import ControllerFlags, Key, Seen
from hpatui.session.flags import controller_flags
from hpatui.session.port import parse_hpa_name
from hpatui.session.remember import ALL, Memory
from hpatui.settings import Settings, state_dir

if TYPE_CHECKING:
    from hpatui.cluster.auth import Ask
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.source import ClusterSource
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.sandbox.process import SandboxProcess


class Connector:
    """`connection` and `source` stand after `connect`, until `close`."""

    def __init__(self, settings: Settings, clock: Clock, demo: SandboxOptions | None) -> None:
        self.settings = settings
        self.observe = settings.observe
        self.connection: Connection | None = None
        self.source: ClusterSource | None = None
        self.login_needed: LoginNeededError | None = None
        self._clock = clock
        self._demo: SandboxProcess | None = None
        if demo is not None:
            from hpatui.sandbox.process import SandboxProcess

            self._demo = SandboxProcess(demo)
        self.wanted: Key | None = parse_hpa_name(settings.hpa) if settings.hpa else None
        named = self.wanted.namespace if self.wanted is not None else ""
        self.namespace: str | None = None if settings.all_namespaces else settings.namespace or named or None
        self._single = self.wanted.name if self.wanted is not None else ""
        self.say: Callable[[str], None] = lambda _text: None  # is told what a login plugin says, and what is waited for
        # Is told the context, and whom we impersonate, before anything is sent.
        self.known: Callable[[str, str], None] = lambda _context, _acting_as: None
        self.ask: Ask | None = None  # gives a login plugin that has to ask something the terminal
        self._context: str | None = settings.context
        self._login = b""
        self._everywhere = False  # the user chose all namespaces
        self._memory = Memory(state_dir(settings))

    @property
    def starts_sandbox(self) -> bool:
        """Whether `connect` has to start a sandbox first, which takes a moment."""
        return self._demo is not None and not self._demo.running

    async def connect(self) -> ControllerFlags:
        """Connect; returns the controller's flags as far as known. Raises HpatuiError where there is no way."""
        from hpatui.cluster.connect import connect
        from hpatui.cluster.source import ClusterSource

        await self.close()
        await self._start_demo()
        login, self._login = self._login, b""
        connection = self.connection = await connect(
            self.settings,
            self._clock,
            context=self._context,
            login=login,
            say=self.say,
            ask=self.ask,
            known=self.known,
        )
        if self.namespace is None and not self.settings.all_namespaces and not self._everywhere:
            known = None if connection.sandbox else self._memory.namespace(connection.context)
            self.namespace = None if known == ALL else known or connection.namespace
            self._everywhere = known == ALL
        observe = self.observe != "focus"
        source = ClusterSource(connection, self._clock, self.namespace, observe=observe, single=self._single)
        flags = controller_flags(await source.controller_flags(), self.settings, connection.version)
        self.source = source
        return flags

    async def events(self) -> AsyncIterator[Seen]:
        """The source's events. SandboxError as soon as the sandbox that was started here has ended: it never comes back
        by itself.
        """
        assert self.source is not None
        if self._demo is None:
            async for event in self.source.events():
                yield event
            return
        events = aiter(self.source.events())
        ended = asyncio.create_task(self._demo.ended())
        coming: asyncio.Task[Seen | None] | None = None
        try:
            while True:
                coming = asyncio.create_task(_next(events))
                await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    raise SandboxError("the sandbox has ended", hint="press L to start a new one")
                found = coming.result()
                if found is None:
                    return
                yield found
        finally:
            tasks = [task for task in (coming, ended) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_demo(self) -> None:
        if self._demo is not None and not self._demo.running:
            handle = await self._demo.start()
            self.settings = replace(self.settings, kubeconfig=str(handle.kubeconfig_path), context=None)

    async def close(self) -> None:
        """Drop the connection; idempotent."""
        source, connection = self.source, self.connection
        self.source = self.connection = None
        if source is not None:
            await source.close()
        if connection is not None:
            await connection.close()

    async def end(self) -> None:
        """Drop the connection and end the sandbox that was started."""
        try:
            await self.close()
        finally:
            if self._demo is not None:
                await self._demo.stop()

    def use_context(self, name: str) -> None:
        """Another context from the next `connect` on, in its own namespace."""
        self._context, self.namespace, self._everywhere, self._single = name, None, False, ""

    def needs_login(self) -> LoginNeededError | None:
        """The login that the way to the cluster waits for, at the start or in mid-session."""
        connection = self.connection
        return self.login_needed or (connection.login_needed if connection is not None else None)

    def use_login(self, login: bytes) -> None:
        """What a login plugin printed, for the next `connect`."""
        self._login, self.login_needed = login, None

    def use_namespace(self, namespace: str | None, context: str, *, remember: bool) -> None:
        """Another namespace (None: all) from now on, and the next time in this context."""
        self.namespace, self._everywhere = namespace, namespace is None
        if remember:
            self._memory.remember(context, namespace)
        if self.source is not None:
            self.source.set_namespace(namespace)


async def _next(events: AsyncIterator[Seen]) -> Seen | None:
    return await anext(events, None)
