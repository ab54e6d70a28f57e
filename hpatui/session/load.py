"""The load of a session: one run at a time, aimed at the selected HPA's target, started and stopped by command only."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpatui.errors import ClusterError, HpatuiError, LoadError
from hpatui.load.plan import SHAPES, LoadPlan, Stage, nudge, shaped
from hpatui.load.target import Target, check_host, is_loopback, url_target
from hpatui.model import Key, LoadState
from hpatui.state.snapshot import LoadView
from hpatui.text import printable

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.forward import PodForwards
    from hpatui.cluster.target import ServiceRoute
    from hpatui.load.plan_file import TlsOptions
    from hpatui.load.run import LoadRun
    from hpatui.session.live import Session

_ACTIVE = (LoadState.STARTING, LoadState.RUNNING, LoadState.PAUSED)


class LoadControl:
    """Carries out the load commands of `SessionPort`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._run: LoadRun | None = None
        self._reading: asyncio.Task[None] | None = None
        self._rate = session.settings.load_rate
        self._shape = "steady"
        self._forwards: PodForwards | None = None
        self._helpers: list[asyncio.Task[None]] = []
        self._stage_names: frozenset[str] = frozenset()  # each of these is marked when it begins
        self._planned = False  # a plan from a file runs: its stages say the rate
        self._confirmed: set[str] = set()
        self._starting = asyncio.Lock()
        self._stopping = False
        self._waiting = ""

    @property
    def _view(self) -> LoadView:
        return self._session.store.load

    def _set(self, view: LoadView, mark: str = "") -> None:
        self._session.store.set_load(view, self._session.clock.time(), mark)
        self._session.changed()

    def question(self) -> str | None:
        """What to ask before the load may start; None on the sandbox, or once it was answered for this context."""
        session = self._session
        store = session.store
        connection = session.connection
        if connection is None or store.sandbox or connection.context in self._confirmed:
            return None
        hpa = store.hpa(store.focused) if store.focused else None
        target = session.settings.load_url or (f"{hpa.reference} of {hpa.key}" if hpa is not None else "nothing")
        plan = session.settings.load_plan
        most = session.settings.max_rate
        what = f"what {plan} says (at most {most:g}/s)" if plan else f"{min(self._rate, most):g} requests/s"
        ways = {
            "proxy": ", through the API server's service proxy",
            "port-forward": ", by port-forwards to its pods",
            "cluster": f", by {session.settings.load_workers} Locust workers that are created beside it",
        }
        how = "" if session.settings.load_url else ways.get(session.settings.load_via, "")
        return f"Send {what} to {target}{how}, on context {connection.context} ({connection.host})?"

    async def start(self, *, confirmed: bool) -> None:
        """Find the target and start. LoadError where it cannot."""
        session = self._session
        if session.settings.read_only:
            raise LoadError("this hpatui is read-only", hint="start it without --read-only")
        async with self._starting:
            if self._view.state in _ACTIVE:
                return
            connection = session.connection
            if self.question() is not None:
                if not confirmed:
                    raise LoadError("load on this context has to be confirmed first")
                if connection is not None:
                    self._confirmed.add(connection.context)
            key = session.store.focused
            self._set(LoadView(LoadState.STARTING, "", "", self._rate, for_hpa=key))
            self._stopping = False
            try:
                await self._launch(key)
            except HpatuiError as error:
                await self._end_helpers()
                if self._stopping:
                    return
                self._set(LoadView(LoadState.FAILED, rate=self._rate, message=str(error), for_hpa=key))
                raise

    async def _launch(self, key: Key | None) -> None:
        """Start the run, show it and follow it. HpatuiError where it cannot start."""
        from hpatui.load.run import LoadRun

        session, clock = self._session, self._session.clock
        self._run = LoadRun()
        plan, tls = self._plan()
        target = await self._target(key)
        rate = min(self._rate, session.settings.max_rate, target.cap or self._rate)
        if tls is not None:
            from hpatui.load.plan_file import with_tls

            target, text, mark = with_tls(target, tls), f"plan {Path(session.settings.load_plan or '').stem}", "load on"
        else:
            plan = replace(plan, stages=self._stages(rate))
            text, mark = f"{self._shape} {rate:g}/s", f"load {rate:g}/s"
        run = self._run
        await run.start(plan, target)
        message = self._view.message
        if rate < self._rate:
            message = f"limited to {rate:g}/s: the API server carries it; use --load-url for more"
        view = LoadView(
            LoadState.RUNNING, target.text, text, rate, clock.time(), message=message, for_hpa=key
        )  # fmt: skip
        self._set(view, mark)
        self._planned, self._stage_names = tls is not None, _names(plan.stages)
        self._helpers = [asyncio.create_task(self._conditions(run, plan, key))]
        if self._forwards is not None:
            self._helpers.append(asyncio.create_task(self._forwards.follow(run.set_routes)))
        self._reading = asyncio.create_task(self._read(run))

    def _plan(self) -> tuple[LoadPlan, TlsOptions | None]:
        """The plan of the settings' file with its TLS options, or the shape at the ordered rate. UsageError."""
        settings = self._session.settings
        if settings.load_plan:
            from hpatui.load.plan_file import read_plan

            return read_plan(Path(settings.load_plan).expanduser(), settings.max_rate)
        return LoadPlan(stages=self._stages(self._rate), max_rate=settings.max_rate), None

    async def _conditions(self, run: LoadRun, plan: LoadPlan, key: Key | None) -> None:
        """A stage whose condition on the HPA is met gives way to the next."""
        from hpatui.load.conditions import StageWatch

        watch = StageWatch(plan, self._session.clock.monotonic())
        while True:
            await asyncio.sleep(1.0)
            hpa = self._session.store.hpa(key) if key is not None else None
            last = self._view.last
            if last is not None and watch.look(last.stage, hpa, self._session.clock.monotonic()):
                run.skip_stage()

    async def _target(self, key: Key | None) -> Target:
        session = self._session
        connection = session.connection
        if session.settings.load_url:
            target = url_target(session.settings.load_url)
            # The user named this host, and the question (if there was one) showed it.
            from urllib.parse import urlsplit

            host = (urlsplit(target.url).hostname or "").lower()
            check_host(target, api_server=connection.server if connection else "", allowed=(host,))
            return replace(target, sandbox=is_loopback(host))
        if connection is None:
            raise LoadError("not connected to a cluster yet")
        hpa = session.store.hpa(key) if key is not None else None
        if hpa is None:
            raise LoadError("no HPA is selected", hint="select one, or name a URL with --load-url")
        from hpatui.cluster.target import find_route
        from hpatui.session.aim import check_permission, forwarded, proxied

        try:
            route = await find_route(connection, hpa)
        except ClusterError as error:
            raise LoadError(f"the target of {hpa.key} cannot be found: {error}") from error
        if session.settings.load_via == "cluster":
            return self._inside(connection, route)
        await check_permission(connection, route, session.settings.load_via)
        if session.settings.load_via == "port-forward":
            self._forwards, target = await forwarded(connection, route)
            return target
        return proxied(connection, route)

    def _inside(self, connection: Connection, route: ServiceRoute) -> Target:
        """By Locust, in the cluster; the run is then made of its generators."""
        from hpatui.load.run import LoadRun
        from hpatui.session.aim import generators_place, in_cluster
        from hpatui.session.generators import LocustWorker

        target = in_cluster(route)
        place = generators_place(route, target, self._session.settings.load_workers)
        self._run = LoadRun(lambda: LocustWorker(connection, place, self._say))
        return target

    def _say(self, text: str) -> None:
        """What the generators wait for; shown until they send."""
        self._waiting = text
        self._set(replace(self._view, message=text))

    def _stages(self, rate: float) -> tuple[Stage, ...]:
        """The shape around a rate, for ever: what has an end begins anew."""
        if self._shape == "steady":
            return (Stage(rate, rate, None),)
        whole = shaped(self._shape, rate, None)
        return whole if whole[-1].duration is None else (*whole[:-1], replace(whole[-1], duration=None))

    async def _end_helpers(self) -> None:
        helpers, self._helpers = self._helpers, []
        forwards, self._forwards = self._forwards, None
        for helper in helpers:
            helper.cancel()
        if forwards is not None:
            await forwards.close()

    async def _read(self, run: LoadRun) -> None:
        from hpatui.load.run import Finished, Sampled

        session = self._session
        try:
            async for report in run.reports():
                match report:
                    case Sampled(sample=sample, totals=totals):
                        before = self._view.last
                        new = before is not None and before.stage != sample.stage
                        mark = printable(sample.stage, 40) if new and sample.stage in self._stage_names else ""
                        session.store.apply_load(sample)
                        view = self._view
                        message = "" if view.message == self._waiting else view.message
                        rate = sample.offered if self._planned and sample.stage else view.rate
                        view = replace(view, totals=totals, message=message, rate=rate)
                        session.store.set_load(view, session.clock.time(), mark)
                        session.changed()
                    case Finished(error=error):
                        state = LoadState.FAILED if error else LoadState.IDLE
                        await self._end_helpers()
                        self._set(replace(self._view, state=state, message=error), "load off")
        except LoadError as error:
            self._set(replace(self._view, state=LoadState.FAILED, message=str(error)), "load off")

    async def stop(self) -> None:
        """Stop within half a second; idempotent."""
        reading, self._reading = self._reading, None
        self._stopping = True
        active = self._view.state in _ACTIVE
        if reading is not None:
            reading.cancel()
        if self._run is not None:
            await self._run.stop()
        await self._end_helpers()
        if reading is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        if active:
            self._set(replace(self._view, state=LoadState.IDLE, message=""), "load off")

    async def set_rate(self, rate: float) -> None:
        """Another rate, now or for the next start."""
        most = self._session.settings.max_rate
        if not 0 < rate <= most:
            raise LoadError(f"{rate:g} requests/s cannot be ordered", hint=f"above 0 and at most {most:g} (--max-rate)")
        self._rate = rate
        if self._run is not None and self._view.state in (LoadState.RUNNING, LoadState.PAUSED):
            stages = self._stages(rate)
            self._run.set_stages(stages)
            self._planned, self._stage_names = False, _names(stages)
            self._set(replace(self._view, rate=rate, plan=f"{self._shape} {rate:g}/s"), f"load {rate:g}/s")
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
