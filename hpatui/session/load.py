"""The load of a session: one run at a time, aimed at the selected HPA's target, started and stopped by command only.

A run is one task from the first look for its target to its last word. `stop` cancels that task, in whatever state it is,
and waits until it has cleaned up: afterwards nothing sends. An order that came before the stop never starts after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hpatui import logs
from hpatui.errors import HpatuiError, LoadError
from hpatui.load.plan import SHAPES, LoadPlan, Stage, nudge, shaped
from hpatui.model import Hpa, Key, LoadChanged, LoadState, LoadView, Seen
from hpatui.session.aim import Wish, answered, cap_of, question, take_aim
from hpatui.session.steer import SteeredRun
from hpatui.text import printable

if TYPE_CHECKING:
    from hpatui.clock import Clock
    from hpatui.cluster.connect import Connection
    from hpatui.load.plan_file import TlsOptions
    from hpatui.load.run import Finished, Sampled
    from hpatui.session.aim import Aim
    from hpatui.settings import Settings
    from hpatui.state.store import Store


class Owner(Protocol):
    """What a session gives to its load."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def clock(self) -> Clock:
        """The session's clock."""

    @property
    def store(self) -> Store:
        """Where the load's view goes."""

    @property
    def connection(self) -> Connection | None:
        """The connection to the API server, once it stands."""

    def changed(self) -> None:
        """Something in the store changed."""


class Listener(Protocol):
    """Whoever is told what a run of load does."""

    def aimed(self, aim: Aim) -> None:
        """Where it goes, before anything is sent or created."""

    def reported(self, report: Sampled | Finished) -> None:
        """A second is over, or the whole run."""


class LoadControl:
    """See `port.LoadPort` for what each command does. `given`: the plan of whoever drives the session, before those of the
    settings.
    """

    def __init__(self, session: Owner) -> None:
        self._session = session
        self._life: asyncio.Task[HpatuiError | None] | None = None
        self._run: SteeredRun | None = None  # once it sends
        self._rate = session.settings.load_rate
        self._shape = "steady"
        self._ordered: tuple[Stage, ...] = ()  # what the run was told last
        self._cap: float | None = None
        self._stage_names: frozenset[str] = frozenset()  # each of these is marked when it begins
        self._planned = False  # a plan from a file runs: its stages say the rate
        self._confirmed: set[tuple[str, ...]] = set()
        self._stops = 0  # how many were ordered: a start from before the newest one is void
        self._held = 0
        self._waiting = ""
        self.given: tuple[LoadPlan, TlsOptions] | None = None
        self.listener: Listener | None = None

    @property
    def active(self) -> bool:
        """Whether a run is there, from the order to start it to its last word."""
        return self._life is not None and not self._life.done()

    @property
    def _view(self) -> LoadView:
        return self._session.store.load

    def _set(self, view: LoadView, mark: str = "") -> None:
        self._session.store.take(Seen(self._session.clock.time(), LoadChanged(view, mark)))
        self._session.changed()

    # Start and stop -------------------------------------------------------------------------------------------

    def question(self) -> str | None:
        """What to ask before the load may start; None where it stays in the sandbox, or once it was answered."""
        wish = self._wish()
        connection = self._session.connection
        if answered(wish, connection) in self._confirmed:
            return None
        if not wish.url and wish.hpa is None:
            return None  # nothing is selected yet: `start` says so
        settings = self._session.settings
        most = min(settings.max_rate, cap_of(wish, connection) or settings.max_rate)
        plan = settings.load_plan
        if plan:
            what = f"what {plan} says (at most {most:g}/s)"
        else:  # the rate that will be sent, not the one that was ordered
            way = "" if self._shape == "steady" else f", as {self._shape}"
            what = f"{'at most ' if way else ''}{min(self._rate, most):g} requests/s{way}"
        try:
            return question(wish, connection, what)
        except HpatuiError:
            return None  # `start` says what is wrong with it

    def _wish(self) -> Wish:
        settings, store = self._session.settings, self._session.store
        if settings.load_url:
            return Wish(settings.load_url, outside=True)  # the question shows the host
        hpa = store.hpa(store.focused) if store.focused else None
        return Wish(hpa=hpa, via=settings.load_via, workers=settings.load_workers)

    async def start(self, *, confirmed: bool = False) -> None:
        """Find the target and start; returns when it sends, or was stopped before. HpatuiError where it cannot."""
        stops = self._stops
        if self._session.settings.read_only:
            raise LoadError("this hpatui is read-only", hint="start it without --read-only")
        while self._life is not None and not self._life.done():
            if not self._life.cancelling():
                return  # it runs already
            await asyncio.wait([self._life])
        if self._held:
            raise LoadError("the context is being changed", hint="start the load when that is done")
        if stops != self._stops:
            return
        if self.question() is not None:
            if not confirmed:
                raise LoadError("load on this target has to be confirmed first")
            self._confirmed.add(answered(self._wish(), self._session.connection))
        begun = asyncio.Event()
        life = self._life = asyncio.create_task(self._live(self._wish(), self._session.store.focused, begun))
        life.add_done_callback(lambda _: begun.set())
        await begun.wait()
        if life.done() and not life.cancelled() and (error := life.result()) is not None:
            raise error

    async def stop(self) -> None:
        """End the run and wait until nothing of it sends any more; from any state, idempotent."""
        self._stops += 1
        life = self._life
        if life is None or life.done():
            return
        if not life.cancelling():
            life.cancel()
        await asyncio.wait([life])

    async def close(self) -> None:
        """Stop, and start nothing any more."""
        self._held += 1
        await self.stop()

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Stop, and start nothing within the block."""
        self._held += 1
        try:
            await self.stop()
            yield
        finally:
            self._held -= 1

    # The life of a run ----------------------------------------------------------------------------------------

    async def _live(self, wish: Wish, key: Key | None, begun: asyncio.Event) -> HpatuiError | None:
        """From the look for the target to the end; `begun` is set when it sends. Returns what kept it from that."""
        self._cap = None
        self._set(LoadView(LoadState.STARTING, "", "", self._rate, for_hpa=key))
        mark = ""
        last = LoadState.IDLE
        message = ""
        run: SteeredRun | None = None
        try:
            plan, tls = self._plan()
            if tls is not None:
                wish = replace(wish, tls=tls)
            aim = await take_aim(wish, self._session.connection, self._session.settings)
            if self.listener is not None:
                self.listener.aimed(aim)
            run = SteeredRun(aim, self._session.clock, self._look_at(key), self._say)
            mark = "load off"
            await self._begin(run, plan, key, planned=tls is not None)
            begun.set()
            async for report in run.reports():
                message = self._take(report)
            last = LoadState.FAILED if message else LoadState.IDLE
        except HpatuiError as error:
            last, message = LoadState.FAILED, str(error)
            return None if begun.is_set() else error
        except Exception as error:  # noqa: BLE001  # whatever it is, the load ends, and the screen says so
            last, message = LoadState.FAILED, logs.failure("the load", error)
            return None if begun.is_set() else LoadError(message)
        finally:
            self._run = None
            try:
                if run is not None:
                    await run.stop()
            finally:
                view = self._view
                mark = mark if view.started is not None else ""
                self._set(replace(view, state=last, message=message), mark)
        return None

    async def _begin(self, run: SteeredRun, plan: LoadPlan, key: Key | None, *, planned: bool) -> None:
        """Start the run and show it."""
        settings, target = self._session.settings, run.aim.target
        self._cap = target.cap
        if planned:
            text, mark = f"plan {Path(settings.load_plan or '').stem}".strip(), "load on"
        else:
            plan = replace(plan, stages=self._stages(self._allowed(self._rate)))
        self._ordered = plan.stages
        await run.start(plan)
        self._run = run
        self._planned, self._stage_names = planned, _names(plan.stages)
        rate = self._allowed(self._rate)
        if not planned:
            self._order(rate)  # another one may have been ordered meanwhile
            text, mark = f"{self._shape} {rate:g}/s", f"load {rate:g}/s"
        message = self._limit(rate) or self._view.message
        now = self._session.clock.time()
        self._set(LoadView(LoadState.RUNNING, target.text, text, rate, now, message=message, for_hpa=key), mark)

    def _take(self, report: Sampled | Finished) -> str:
        """Show a report; why the run failed, if it has."""
        from hpatui.load.run import Finished

        if self.listener is not None:
            self.listener.reported(report)
        if isinstance(report, Finished):
            return report.error or (f"the load was cut short: {report.reason}" if report.reason else "")
        session, sample = self._session, report.sample
        before = self._view.last
        new = before is not None and before.stage != sample.stage
        mark = printable(sample.stage, 40) if new and sample.stage in self._stage_names else ""
        session.store.take(Seen(session.clock.time(), sample))
        view = self._view
        message = "" if view.message == self._waiting else view.message
        rate = sample.offered if self._planned and sample.stage else view.rate
        self._set(replace(view, totals=report.totals, message=message, rate=rate), mark)
        return ""

    def _look_at(self, key: Key | None) -> Callable[[], Awaitable[Hpa | None]]:
        async def look() -> Hpa | None:
            return self._session.store.hpa(key) if key is not None else None

        return look

    def _plan(self) -> tuple[LoadPlan, TlsOptions | None]:
        """The plan of the settings' file with its TLS options, or the shape at the ordered rate. UsageError."""
        settings = self._session.settings
        if self.given is not None:
            return self.given
        if settings.load_plan:
            from hpatui.load.plan_file import read_plan

            return read_plan(Path(settings.load_plan).expanduser(), settings.max_rate)
        return LoadPlan(stages=self._stages(self._allowed(self._rate)), max_rate=settings.max_rate), None

    def _say(self, text: str) -> None:
        """What the generators wait for; shown until they send."""
        self._waiting = text
        self._set(replace(self._view, message=text))

    # Rate and shape -------------------------------------------------------------------------------------------

    def _allowed(self, rate: float) -> float:
        """The rate that may be sent of one that is ordered."""
        return min(rate, self._session.settings.max_rate, self._cap or rate)

    def _limit(self, rate: float) -> str:
        """What to say where less than ordered is sent."""
        if rate >= self._rate:
            return ""
        if self._cap is None or rate < self._cap:
            return f"limited to {rate:g}/s (--max-rate)"
        return f"limited to {rate:g}/s: the API server carries it; use --load-url for more"

    def _stages(self, rate: float) -> tuple[Stage, ...]:
        """The shape around a rate, for ever: what has an end begins anew."""
        if self._shape == "steady":
            return (Stage(rate, rate, None),)
        whole = shaped(self._shape, rate, None)
        return whole if whole[-1].duration is None else (*whole[:-1], replace(whole[-1], duration=None))

    def _order(self, rate: float) -> None:
        stages = self._stages(rate)
        if self._run is not None and stages != self._ordered:
            self._run.set_stages(stages)
            self._ordered = stages
            self._stage_names = _names(stages)

    async def set_rate(self, rate: float) -> None:
        """Another rate, now or for the next start."""
        most = self._session.settings.max_rate
        if not 0 < rate <= most:
            raise LoadError(f"{rate:g} requests/s cannot be ordered", hint=f"above 0 and at most {most:g} (--max-rate)")
        self._rate = rate
        if self._run is not None and self._view.state in (LoadState.RUNNING, LoadState.PAUSED):
            sent = self._allowed(rate)
            self._planned = False
            self._order(sent)
            text, message = f"{self._shape} {sent:g}/s", self._limit(sent)
            self._set(replace(self._view, rate=sent, plan=text, message=message), f"load {sent:g}/s")
        else:
            self._set(replace(self._view, rate=rate))

    def shapes(self) -> list[tuple[str, str]]:
        """(name, what it does at the ordered rate) of each shape."""
        rate = self._rate
        words = {
            "steady": f"{rate:g}/s",
            "ramp": f"from 0 to {rate:g}/s in 5 minutes",
            "steps": f"{rate / 4:g}, {rate / 2:g}, {rate * 3 / 4:g}, {rate:g}/s, 75 s each",
            "spike": f"{rate / 5:g}/s, {rate:g}/s from 100 s to 200 s, then {rate / 5:g}/s",
            "sine": f"between {rate / 10:g} and {rate:g}/s, a wave a minute",
            "sawtooth": f"from {rate / 10:g} to {rate:g}/s each minute",
        }
        return [(name, f"{'> ' if name == self._shape else '  '}{name:<10}{words[name]}") for name in SHAPES]

    async def set_shape(self, shape: str) -> None:
        """Another shape, now or for the next start. LoadError for one that there is not."""
        if shape not in SHAPES:
            raise LoadError(f"there is no shape {shape!r}", hint=", ".join(SHAPES))
        self._shape = shape
        await self.set_rate(self._rate)

    async def nudge(self, direction: int) -> None:
        """One step up or down."""
        await self.set_rate(nudge(self._rate, direction, self._session.settings.max_rate))

    async def pause(self) -> None:
        """Pause a running load, or resume a paused one."""
        if self._run is None:
            return
        if self._view.state is LoadState.RUNNING:
            self._run.pause()
            self._set(replace(self._view, state=LoadState.PAUSED), "load paused")
        elif self._view.state is LoadState.PAUSED:
            self._run.resume()
            self._set(replace(self._view, state=LoadState.RUNNING), "load resumed")


def _names(stages: tuple[Stage, ...]) -> frozenset[str]:
    """What the stages are called, where there are several."""
    return frozenset(stage.text() for stage in stages) if len(stages) > 1 else frozenset()
