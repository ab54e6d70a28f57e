"""A session without a cluster: a store that tests write to, and a record of the commands that the screen gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hpatui.doctor.report import Check, Outcome, Report
from hpatui.errors import LoadError, LoginNeededError
from hpatui.model import (
    ClusterEvent,
    Key,
    Kind,
    Listed,
    LoadState,
    LoadView,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
)
from hpatui.session.port import ContextInfo
from hpatui.session.trial import Trial, trial_of
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.state.store import Store
from tests.factories import NOW, event, hpa, metric, pod, usage, workload

KEY = Key("heyongjia", "php-apache-hpa")


class FakeLoad:
    """Implements `LoadPort`."""

    def __init__(self, session: FakeSession) -> None:
        self._session = session

    @property
    def active(self) -> bool:
        return self._session.store.load.state is LoadState.RUNNING

    def question(self) -> str | None:
        return self._session.question

    async def start(self, *, confirmed: bool = False) -> None:
        session = self._session
        if session.fail:
            raise LoadError(session.fail, hint="do something")
        session.commands.append(f"load {'confirmed' if confirmed else 'on'}")
        view = LoadView(LoadState.RUNNING, "php-apache:80", "steady 50/s", 50.0)
        session.store.set_load(view, session.now, "load 50/s")
        session.publish()

    async def stop(self) -> None:
        self._session.commands.append("load off")
        self._session.store.set_load(LoadView(), self._session.now, "load off")
        self._session.publish()

    async def set_rate(self, rate: float) -> None:
        self._session.commands.append(f"rate {rate:g}")

    async def nudge(self, direction: int) -> None:
        self._session.commands.append(f"nudge {direction}")

    def shapes(self) -> Sequence[tuple[str, str]]:
        return [("steady", "steady 50/s"), ("ramp", "ramp to 50/s")]

    async def set_shape(self, shape: str) -> None:
        self._session.commands.append(f"shape {shape}")

    async def pause(self) -> None:
        self._session.commands.append("pause")


class FakeSession:
    """Implements `SessionPort`; time stands at NOW unless `now` is moved."""

    def __init__(self, settings: Settings | None = None, *, live: bool = True) -> None:
        self.settings = settings or Settings()
        self.now = NOW
        self.commands: list[str] = []
        self.question: str | None = None
        self.fail: str | None = None
        self.recording: Path | None = None
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self.store = Store(context="test", namespace="heyongjia", sandbox=True, now=NOW)
        if live:
            self.fill()
        self.snapshot = self.store.snapshot(NOW)
        self.load = FakeLoad(self)

    def fill(self) -> None:
        """The walkthrough's HPA, live, with pods, usage and events."""
        store, scope = self.store, str(KEY)
        store.take(Seen(NOW, Listed(Kind.HPA, (hpa(metrics=[metric(45)]), hpa("other", "shop", current=2, desired=2)))))
        store.take(Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))))
        store.focus(KEY, NOW)
        store.take(Seen(NOW, Listed(Kind.WORKLOAD, (workload(),), scope)))
        store.take(Seen(NOW, Listed(Kind.POD, (pod("php-apache-1"),), scope)))
        store.take(Seen(NOW, Listed(Kind.POD_USAGE, (usage("php-apache-1"),), scope)))
        message = "New size: 1; reason: All metrics below target"
        store.take(Seen(NOW, Listed(Kind.EVENT, (event("SuccessfulRescale", message, at=NOW - 100),), scope)))

    def apply(self, *events: ClusterEvent, after: float = 1.0) -> None:
        """Let time pass and events come, and publish."""
        self.now += after
        for item in events:
            self.store.take(Seen(self.now, item))
        self.publish()

    def publish(self) -> None:
        """Hand out a new snapshot."""
        self.store.take(Seen(self.now, Tick()))
        self.snapshot = self.store.snapshot(self.now)
        self.store.published(self.snapshot)
        for callback in tuple(self._subscribers):
            callback(self.snapshot)

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def start(self) -> None:
        self.commands.append("start")

    async def stop(self) -> None:
        self.commands.append("stop")

    def select(self, key: Key | None) -> None:
        self.commands.append(f"select {key}")
        self.store.focus(key, self.now)
        self.publish()

    def view(self, keys: Iterable[Key]) -> None:
        self.store.view(keys)

    def contexts(self) -> Sequence[ContextInfo]:
        return [
            ContextInfo("test", "http://127.0.0.1", "heyongjia", True),
            ContextInfo("two", "http://two", "x", False),
        ]

    async def switch_context(self, name: str) -> None:
        self.commands.append(f"context {name}")

    def login_needed(self) -> LoginNeededError | None:
        return None

    async def reconnect(self, login: bytes = b"") -> None:
        self.commands.append("reconnect")

    async def namespaces(self) -> Sequence[str]:
        return ["heyongjia", "shop"]

    def set_namespace(self, namespace: str | None) -> None:
        self.commands.append(f"namespace {namespace}")

    async def object_yaml(self, kind: str, key: Key) -> str:
        return f"kind: {kind}\nname: {key.name}\nevil: \x1b[31m[bold]\n"

    async def examine(self) -> Report:
        self.commands.append("examine")
        bad = Check(
            "metrics-api", "metrics", "the metrics API answers", Outcome.FAILED, "", (), "it is down", "kubectl x"
        )
        return Report(self.now, "namespace heyongjia", (bad, Check("hpa", "hpa", "has a target", Outcome.OK)))

    def what_if(self) -> Trial:
        store = self.store
        hpa = store.hpa(store.focused) if store.focused else None
        return trial_of(hpa, store.frames(), store.flags, self.now)

    async def describe(self, key: Key) -> str:
        return f"Name: {key.name}\n"
