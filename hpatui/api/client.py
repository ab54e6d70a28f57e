"""hpatui for programs: a cluster (or a sandbox of its own) that is watched, waited for, explained and loaded.

What is returned are the objects that the commands print with --json; `hpatui schema NAME` describes their keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Self

from hpatui.api.as_json import explanation_json, hpa_json, snapshot_json
from hpatui.api.explain_shapes import ExplanationJson
from hpatui.api.explaining import explained
from hpatui.api.history import HistoryJson, history_of
from hpatui.api.load_result import carried_out, result_json
from hpatui.api.load_shapes import LoadResultJson
from hpatui.api.shapes import HpaJson, SnapshotJson
from hpatui.api.trials import TrialJson, tried
from hpatui.api.waiting import find_row, raise_if_ended, wait_live, wait_until
from hpatui.doctor.report import ReportJson, report_json
from hpatui.errors import HpatuiError, LoadError, UsageError
from hpatui.load.plan import LoadPlan, Stage
from hpatui.model import LoadSample
from hpatui.session.aim import Wish, question, take_aim
from hpatui.session.live import Session
from hpatui.session.port import parse_hpa_name
from hpatui.session.steer import SteeredRun
from hpatui.settings import Settings, load_settings
from hpatui.state.snapshot import Snapshot

Condition = Callable[[HpaJson], bool]


class Client:
    """An open session. Use it as `async with`; its end stops what it started. Names of HPAs are `[NS/]NAME`.

    All methods raise HpatuiError, one line, where something cannot be done.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._focus = asyncio.Lock()  # one HPA at a time is the selected one

    async def __aenter__(self) -> Self:
        try:
            await wait_live(self._session)
        except BaseException:
            await self._session.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.stop()

    @property
    def session(self) -> Session:
        """The session underneath, for what has no method here."""
        return self._session

    def snapshot(self) -> SnapshotJson:
        """What is known now, as `hpatui watch --json` prints it."""
        return snapshot_json(self._alive(), {})

    def hpas(self) -> list[HpaJson]:
        """The HPAs as they are now."""
        return self.snapshot()["hpas"]

    def hpa(self, name: str) -> HpaJson:
        """One HPA as it is now."""
        return hpa_json(find_row(self._alive(), parse_hpa_name(name)), None)

    async def wait(self, name: str, condition: Condition, timeout: float = 300.0) -> HpaJson:
        """The HPA as soon as `condition` holds of it: at once, or after a change. HpatuiError after `timeout` seconds, with
        what it was last; also where the HPA is deleted or the cluster cannot be watched any more.
        """
        key = find_row(self._alive(), parse_hpa_name(name)).key

        def look(snapshot: Snapshot) -> HpaJson | None:
            raise_if_ended(snapshot)
            value = hpa_json(find_row(snapshot, key), None)
            return value if condition(value) else None

        found = await wait_until(self._session, look, timeout)
        if found is not None:
            return found
        last = self.hpa(str(key))
        raise HpatuiError(
            f"{key} is not as waited for after {timeout:g} s: {last['current']} replicas, {last['state']}",
            hint="wait longer, or ask why: explain",
        )

    async def explain(self, name: str) -> ExplanationJson:
        """Why it has the size it has."""
        self._alive()
        async with self._focus:
            return explanation_json(*await explained(self._session, name))

    async def doctor(self) -> ReportJson:
        """Whether the whole pipeline is sound: that of the HPAs which are watched."""
        self._alive()
        return report_json(await self._session.examine())

    async def what_if(self, name: str, changes: dict[str, str]) -> TrialJson:
        """The recorded syncs of this session decided again with another spec; nothing is applied. `changes`: fields of the
        trial (min, max, target.0, tolerance, up.window, up.policies, down.window, down.policies) -> texts; empty: the fields.
        """
        async with self._focus:
            detail, _ = await explained(self._session, name)
            return tried(self._session.what_if(), detail.row.key, changes)

    async def history(self, name: str, seconds: float = 3600.0) -> HistoryJson:
        """The rescales and sizes of the last `seconds`: from the recording, else since this session began."""
        key = find_row(self._alive(), parse_hpa_name(name)).key
        async with self._focus:
            return await history_of(self._session, key, seconds)

    async def load_question(self, name: str, rate: float, seconds: float) -> str:
        """What a person should be asked before that load is sent; empty where it stays in a sandbox on this machine."""
        wish, plan = self._wish(name), _plan(rate, seconds, self._session.settings.max_rate)
        return question(wish, self._session.connection, plan.text()) or ""

    async def load(
        self, name: str, rate: float, seconds: float, *, confirmed: bool = False,
        on_second: Callable[[LoadSample], None] = lambda sample: None,
    ) -> LoadResultJson:  # fmt: skip
        """Send `rate` requests/s at the HPA's target for `seconds`, and return the result. LoadError where the session is
        read-only, where the rate is above its max_rate, or where there is a question and it is not `confirmed`.
        """
        settings, connection = self._session.settings, self._session.connection
        if settings.read_only:
            raise LoadError("this session is read-only", hint="open it with read_only=False")
        wish, plan = self._wish(name), _plan(rate, seconds, settings.max_rate)
        asked = question(wish, connection, plan.text())
        if asked is not None and not confirmed:
            raise LoadError(asked, hint="confirmed=True if you mean it")
        aim = await take_aim(wish, connection, settings)
        run = SteeredRun(aim, self._session.clock, aim.look, lambda text: None)
        samples: list[LoadSample] = []

        def second(sample: LoadSample) -> None:
            samples.append(sample)
            on_second(sample)

        finished = await carried_out(run, plan, 1, second)
        if finished.error and not finished.totals.requests:
            raise LoadError(finished.error)
        return result_json(finished, samples, plan, finished.error or finished.reason or "complete")

    def _wish(self, name: str) -> Wish:
        settings = self._session.settings
        if settings.load_url:
            return Wish(url=settings.load_url)
        return Wish(hpa=find_row(self._alive(), parse_hpa_name(name)).hpa, via=settings.load_via)

    def _alive(self) -> Snapshot:
        snapshot = self._session.snapshot
        raise_if_ended(snapshot)
        return snapshot


def _plan(rate: float, seconds: float, most: float) -> LoadPlan:
    if not 0 < rate <= most:
        raise LoadError(f"{rate:g} requests/s cannot be ordered", hint=f"above 0 and at most {most:g} (max_rate)")
    if not 1 <= seconds <= 86400:
        raise LoadError(f"a load of {seconds:g} s cannot be ordered", hint="1 s to a day")
    return LoadPlan(stages=(Stage(rate, rate, seconds),), max_rate=most)


def open_session(*, sandbox: str = "", **settings: Any) -> Client:
    """A client of the cluster that the settings name (keywords as in `hpatui config`: kubeconfig, context, namespace,
    all_namespaces, ...), or of a sandbox of its own that runs this scenario (`sandbox="walkthrough"`).

    UsageError for a setting that there is not. It connects when it is entered.
    """
    known = {item.name for item in fields(Settings)}
    if unknown := sorted(settings.keys() - known):
        raise UsageError(f"unknown setting {unknown[0]!r}", hint=f"known: {', '.join(sorted(known))}")
    demo = None
    if sandbox:
        from hpatui.sandbox.options import SandboxOptions

        demo = SandboxOptions(scenario=sandbox)
        demo.check()
    return Client(Session(load_settings({"observe": "all", **settings}), demo=demo))


def replicas_at_least(count: int) -> Condition:
    """A condition for `wait`: that many replicas or more."""
    return lambda hpa: hpa["current"] >= count


def replicas_at_most(count: int) -> Condition:
    """A condition for `wait`: that many replicas or fewer."""
    return lambda hpa: hpa["current"] <= count


def state_is(*states: str) -> Condition:
    """A condition for `wait`: one of these states (steady, up, capped, ...)."""
    return lambda hpa: hpa["state"] in states
