"""One run: objects, variant, a stable HPA, the load with its faults, the end; what was seen is judged as it comes.

opened (ground) -> create, patch -> Session -> stable -> load + faults -> observed -> taken away
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hpatui import logs
from hpatui.api.waiting import find_row, raise_if_ended, wait_live
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.errors import HpatuiError, LoadError, UsageError
from hpatui.experiment.collect import Collector, at_speed
from hpatui.experiment.facts import Facts, Struck
from hpatui.experiment.file import Experiment, Fault, Variant, check_bounds
from hpatui.experiment.ground import Ground, opened, recording_beside
from hpatui.experiment.judge import FAILED, UNKNOWN, WAITING, Verdict, judge
from hpatui.experiment.possible import Bounds
from hpatui.model import Key, LoadState
from hpatui.session.live import Session
from hpatui.state.snapshot import HpaRow, HpaState
from hpatui.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from hpatui.cluster.auth import Ask
    from hpatui.load.run import Finished, Sampled
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.session.aim import Aim
    from hpatui.settings import Settings

LOOK = 0.1  # real seconds between looks at what is due
SHORTEST = 1.0  # real seconds of a stage: its samples are seconds
_LATE = 120.0  # real seconds that generators in the cluster may take to begin
_BLIND = (HpaState.BLIND, HpaState.FAILING, HpaState.NEW, HpaState.AMBIGUOUS, HpaState.OFF)


@dataclass(slots=True)
class Ran:
    """One run, as far as it came. `error`: why it could not go on; empty where it did."""

    number: int
    variant: Variant
    facts: Facts
    verdicts: list[Verdict]
    key: Key | None = None
    error: str = ""
    started: str = ""
    context: str = ""
    server: str = ""
    sandbox: bool = False
    rules: str = ""
    target: str = ""
    made: list[str] = field(default_factory=list)
    interrupted: bool = False
    recording: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. `phase` in a few words; `verdicts` so far."""

    number: int
    of: int
    variant: str
    phase: str
    facts: Facts
    verdicts: tuple[Verdict, ...] = ()
    row: HpaRow | None = None


Show = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs of an experiment have in common: where, whom to tell, whether somebody said yes."""

    experiment: Experiment
    settings: Settings
    sandbox: SandboxOptions | None
    show: Show
    say: Callable[[str], None]
    ask: Ask | None = None
    confirmed: bool = False
    beside: Path | None = None  # the report beside which recordings are kept


class Run:
    """One run; `run` returns what came of it, whatever that was."""

    def __init__(self, setting: Setting, variant: Variant, number: int, of: int) -> None:
        self._s, self._variant, self._number, self._of = setting, variant, number, of
        self._experiment = setting.experiment
        self.ran = Ran(number, variant, Facts(settle=self._experiment.stable), [])
        self._collector: Collector | None = None
        self._row: HpaRow | None = None
        self._phase = "starting"

    async def run(self) -> Ran:
        """To its end; what it made is taken away by then."""
        ran = self.ran
        try:
            async with opened(self._s.settings, self._s.sandbox, self._s.say, self._s.ask) as ground:
                ran.started = format_rfc3339(as_datetime(ground.clock.time()))
                await self._on(ground)
        except HpatuiError as error:
            ran.error = str(error)
        except asyncio.CancelledError:
            ran.interrupted = True
            if (task := asyncio.current_task()) is not None:
                task.uncancel()  # what remains is to say what was seen
            ran.error = ran.error or f"interrupted while {self._phase}"
        except Exception as error:  # noqa: BLE001 - whatever nobody expected: the report says so, the log has it
            ran.error = logs.failure("the experiment", error)
        self._judge(final=True)
        return ran

    async def _on(self, ground: Ground) -> None:
        experiment, ran = self._experiment, self.ran
        plan = at_speed(experiment.plan, ground.speed)
        self._check_speed(ground)
        space = experiment.namespace or ground.settings.namespace or ground.connection.namespace
        ran.context, ran.server = ground.connection.context, ground.connection.server_version
        ran.sandbox = ground.sandbox
        self._check_yes(ground)
        if experiment.objects:
            self._tell("creating objects")
            ran.made = await ground.create(experiment.objects, space)
        async with self._watching(ground, space) as session:
            collector = self._collector
            assert collector is not None
            if self._variant.spec:
                self._tell("changing the HPA's spec")
                meta = {"name": collector.key.name, "namespace": collector.key.namespace}
                await ground.patch_hpa({"kind": "HorizontalPodAutoscaler", "metadata": meta}, self._variant.spec)
                await self._has_spec(session)
            await self._settled(session, ground)
            session.load.given = (plan, experiment.way.tls)
            session.load.listener = _Ear(ground, collector)
            await self._drive(session, ground)

    def _check_speed(self, ground: Ground) -> None:
        experiment = self._experiment
        for stage in experiment.plan.stages if experiment.plan.model == "open" and experiment.quiet is None else ():
            real = None if stage.duration is None else stage.duration / ground.speed
            if real is not None and real < SHORTEST and not stage.until:
                raise UsageError(
                    f"stage {printable(stage.text(), 60)} would last {real:.2g} s at speed {ground.speed:g}",
                    hint=f"at most speed {stage.duration or 0:g} leaves it a second",
                )

    def _check_yes(self, ground: Ground) -> None:
        """What is asked before anything is made outside of a sandbox."""
        experiment = self._experiment
        if ground.sandbox and not experiment.way.url:
            return
        if experiment.faults and not ground.sandbox:
            raise UsageError("faults are for sandboxes only", hint="run it with --on sandbox, or leave [[fault]] out")
        if self._s.confirmed:
            return
        what = [f"load ({experiment.plan.text()}, at most {experiment.way.max_rate:g}/s)"]
        if experiment.way.url:
            from hpatui.load.target import url_target

            what[0] += f" to {url_target(experiment.way.url).text}"
        if experiment.objects:
            what.append(f"{len(experiment.objects)} objects created and deleted")
        if any(variant.spec for variant in experiment.variants):
            what.append("the HPA's spec changed and put back")
        where = f"context {ground.connection.context} ({ground.connection.host})"
        raise LoadError(f"{', '.join(what)}, on {where}?", hint="say --yes if you mean it")

    # Watching -------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _watching(self, ground: Ground, space: str) -> AsyncIterator[Session]:
        """A session on the HPA, whose facts are collected."""
        experiment = self._experiment
        wanted = Key(experiment.hpa.namespace or space, experiment.hpa.name) if experiment.hpa else None
        settings = replace(
            ground.settings, hpa=str(wanted) if wanted else None, namespace=wanted.namespace if wanted else space,
            all_namespaces=False, observe="focus", load_via=experiment.way.via, load_workers=experiment.way.workers,
            load_url=experiment.way.url or None, load_plan=None, max_rate=experiment.way.max_rate,
        )  # fmt: skip
        path = recording_beside(self._s.beside, self._number, self._of)
        session = Session(settings, ground.clock, say=self._s.say, ask=self._s.ask, record=str(path) if path else False)
        try:
            self._tell("connecting")
            snapshot = await wait_live(session)
            if wanted is None and len(snapshot.rows) != 1:
                names = ", ".join(str(row.key) for row in snapshot.rows[:5])
                found = f"{len(snapshot.rows)} HPAs in namespace {printable(space)}"
                raise UsageError(
                    f"there are {found}", hint=f"say which: hpa = ... ({printable(names) or 'none is there'})"
                )
            row = find_row(snapshot, wanted if wanted is not None else snapshot.rows[0].key)
            spec = {"minReplicas": row.hpa.min_replicas, "maxReplicas": row.hpa.max_replicas}
            check_bounds(experiment, Bounds.of({**spec, **self._variant.spec}), self._variant)
            self.ran.key, self.ran.rules = row.key, snapshot.rules
            plan = at_speed(experiment.plan, ground.speed)
            collector = Collector(row.key, plan, ground.clock, ground.speed, experiment.stable)
            self._collector, self.ran.facts = collector, collector.facts
            session.select(row.key)
            unsubscribe = session.subscribe(collector.saw)
            try:
                yield session
            finally:
                unsubscribe()
        finally:
            await session.stop()
            self.ran.recording = str(path) if path is not None and path.exists() else ""

    def _look(self, session: Session) -> HpaRow:
        """The HPA as it is. HpatuiError where it is gone, or nothing can be told any more."""
        assert self._collector is not None
        raise_if_ended(session.snapshot)
        row = next((row for row in session.snapshot.rows if row.key == self._collector.key), None)
        if row is None:
            raise HpatuiError(f"HPA {printable(str(self._collector.key))} was deleted while the experiment ran")
        self._row = row
        return row

    async def _has_spec(self, session: Session) -> None:
        """Until the changed spec has come back over the watch."""
        import json

        deadline = asyncio.get_running_loop().time() + 10.0
        while asyncio.get_running_loop().time() < deadline:
            spec = json.loads(self._look(session).hpa.raw or b"{}").get("spec") or {}
            if _covers(spec, self._variant.spec):
                return
            await asyncio.sleep(LOOK)
        raise HpatuiError(f"the spec of variant {printable(self._variant.name)} did not come to be")

    async def _settled(self, session: Session, ground: Ground) -> None:
        """Until the HPA has metrics and has not changed for a while. HpatuiError that says what is so instead."""
        experiment = self._experiment
        began = since = ground.clock.time()
        size: tuple[int, int] | None = None
        while True:
            row = self._look(session)
            now, hpa = ground.clock.time(), row.hpa
            found = (hpa.current_replicas, hpa.desired_replicas)
            ready = session.snapshot.detail.history.ready.last if session.snapshot.detail is not None else None
            sleeps = row.state is HpaState.OFF and hpa.min_replicas == 0
            calm = (
                (sleeps or row.state not in _BLIND) and found[0] == found[1] and (ready is None or ready[1] == found[0])
            )
            calm = calm and experiment.size in (None, found[0])
            if found != size or not calm:
                size, since = found, now
            if calm and now - since >= experiment.stable:
                return
            if now - began > experiment.patience:
                state = f"{row.state.value}: {row.headline}" if row.headline else row.state.value
                if row.state is HpaState.BLIND:
                    why = f"HPA {row.key} has no metrics"
                elif row.state in _BLIND:
                    why = f"HPA {row.key} cannot work"
                else:
                    why = f"HPA {row.key} did not become stable within {experiment.patience:g} s"
                begins = "" if experiment.size is None else f", to begin with {experiment.size}"
                sizes = f"{found[0]} replicas, {found[1]} wanted{begins}"
                raise HpatuiError(
                    printable(f"{why} ({sizes}; {state})", 500),
                    hint="`hpatui doctor` says more; [prepare] within = ...",
                )
            self._tell(f"waiting until stable ({min(now - since, experiment.stable):.0f} of {experiment.stable:g} s)")
            await asyncio.sleep(LOOK)

    # The load -------------------------------------------------------------------------------------------------

    async def _drive(self, session: Session, ground: Ground) -> None:
        """The load, its faults, and what is observed after it."""
        collector, facts = self._collector, self.ran.facts
        assert collector is not None
        waiting = list(self._experiment.faults)
        collector.begin()
        await self._begin(session, collector, ground)
        looked = 0.0
        while True:
            self._look(session)
            now = ground.clock.time()
            facts.until = max(facts.until, now)
            if self._experiment.quiet is not None:
                if facts.ended is None and facts.began is not None and now >= facts.began + self._experiment.quiet:
                    facts.ended = facts.began + self._experiment.quiet
            elif not session.load.active and facts.ended is None:
                view = session.store.load
                collector.end(view.message if view.state is LoadState.FAILED else "")
                if facts.load_error or facts.began is None:
                    raise LoadError(f"the load ended before its time: {facts.load_error or 'nothing was sent'}")
            waiting = await self._strike(waiting, ground)
            if now - looked >= min(1.0, 0.5 * ground.speed):
                looked = now
                self._judge()
                self._tell(self._where(now))
            if facts.ended is not None and now - facts.ended >= self._experiment.observe and not self._open(now):
                return
            await asyncio.sleep(LOOK)

    async def _begin(self, session: Session, collector: Collector, ground: Ground) -> None:
        if self._experiment.quiet is not None:
            collector.quiet(ground.clock.time())
            return
        self._tell("starting the load")
        async with asyncio.timeout(_LATE + 30.0):
            await session.load.start(confirmed=True)
        self.ran.target = session.snapshot.load.target

    def _where(self, now: float) -> str:
        facts = self.ran.facts
        if self._experiment.quiet is not None:
            return "observing"
        if facts.ended is not None:
            return "observing"
        return f"load: {facts.stages[-1].name}" if facts.stages else "starting the load"

    def _open(self, now: float) -> bool:
        """Whether something is still waited for that can come: a `within` whose time is not over, a stage for stability."""
        facts = self.ran.facts
        for verdict in self.ran.verdicts:
            if verdict.state != WAITING:
                continue
            span = verdict.expectation.span
            start = facts.moment(span.anchor)
            if span.kind == "within" and start is not None and now < start + span.seconds + 0.5:
                return True
        return False

    async def _strike(self, waiting: list[Fault], ground: Ground) -> list[Fault]:
        """Begin the faults that are due; those that are not."""
        facts, left = self.ran.facts, []
        for fault in waiting:
            moment = facts.moment(fault.anchor)
            if moment is None or ground.clock.time() < moment + fault.after:
                left.append(fault)
                continue
            await ground.strike(fault)
            now = ground.clock.time()
            facts.faults.append(Struck(fault.name, now, None if fault.lasting is None else now + fault.lasting))
        return left

    # Out ------------------------------------------------------------------------------------------------------

    def _judge(self, *, final: bool = False) -> None:
        self.ran.verdicts = [judge(item, self.ran.facts, final=final) for item in self._experiment.expectations]

    def _tell(self, phase: str) -> None:
        self._phase = phase
        self._s.show(
            Progress(
                self._number, self._of, self._variant.name, phase, self.ran.facts, tuple(self.ran.verdicts), self._row
            )
        )  # fmt: skip


class _Ear:
    """Hears what the load says: generators in the cluster are noted before they are created."""

    def __init__(self, ground: Ground, collector: Collector) -> None:
        self._ground, self._collector = ground, collector

    def aimed(self, aim: Aim) -> None:
        if aim.place is not None:
            self._ground.note({"generators": aim.place.name, "namespace": aim.place.namespace})

    def reported(self, report: Sampled | Finished) -> None:
        self._collector.took(report)


def _covers(spec: object, patch: object) -> bool:
    """Whether a spec has all that a merge patch sets."""
    if isinstance(patch, dict):
        known = spec if isinstance(spec, dict) else {}
        return all(value is None or _covers(known.get(key), value) for key, value in patch.items())
    if isinstance(patch, list):
        known_items = spec if isinstance(spec, list) else []
        return len(known_items) == len(patch) and all(_covers(*pair) for pair in zip(known_items, patch, strict=True))
    return spec == patch


def passed(ran: Ran) -> bool:
    """Whether every expectation was met, as far as one run can tell."""
    return not ran.error and not any(verdict.state in (FAILED, UNKNOWN) for verdict in ran.verdicts)
