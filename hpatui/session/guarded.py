"""A change of one live HPA from beginning to end: planned, foretold, applied, and watched: did it do what was foretold?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import HpaObject
from hpatui.autoscaler.parse import parse_hpa
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.errors import HpatuiError
from hpatui.model import Key
from hpatui.session.applying import Answer, Plan, carry_out, plan_change
from hpatui.session.undo_book import Change, UndoBook
from hpatui.settings import state_dir
from hpatui.state.frames import Frame
from hpatui.text import printable

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection
    from hpatui.session.live import Session

SYNCS = 2  # that are watched afterwards
_LOOK = 0.25  # seconds between looks at what was recorded
_PATIENCE = 3.0  # sync periods without a sync until it is said that none was seen


@dataclass(frozen=True, slots=True)
class Foretold:
    """What the next sync will make of the new spec on the facts of now. `why` says it, or why it cannot be known (then `size`
    is None).
    """

    size: int | None
    now: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Followed:
    """One sync after the change: its size before and after, what was foretold, and whether it is as foretold (None: not
    foretold). `why` where it is not.
    """

    time: float
    from_size: int
    to_size: int
    foretold: int | None
    as_foretold: bool | None
    why: str = ""

    def text(self) -> str:
        """One line."""
        moved = f"{self.from_size} -> {self.to_size}" if self.from_size != self.to_size else f"stays {self.to_size}"
        word = {True: "as foretold", False: f"foretold was {self.foretold}", None: "nothing was foretold"}
        return f"{moved}, {word[self.as_foretold]}" + (f": {self.why}" if self.why else "")


class GuardedChange:
    """Changes of the HPA that is in focus of a session that is connected."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.book = UndoBook(state_dir(session.settings))

    @property
    def connection(self) -> Connection:
        """The connection; HpatuiError where there is none yet."""
        connection = self._session.connection
        if connection is None:
            raise HpatuiError("not connected to a cluster yet", hint="wait for it, or choose a context with c")
        return connection

    async def plan(self, key: Key, spec: Mapping[str, Any], why: str = "") -> Plan:
        """See `plan_change`; nothing is sent with read_only."""
        return await plan_change(
            self.connection, key, spec, read_only=self._session.settings.read_only, why=why
        )  # fmt: skip

    def foretell(self, plan: Plan) -> Foretold:
        """What the next sync will make of the plan's spec, if nothing else changes."""
        frame = self._session.store.present(self._session.clock.time())
        if frame is None or self._session.store.focused != plan.key:
            return Foretold(None, None, "cannot be foretold: its pods or metrics are not known")
        return self._foretell(plan, frame)

    def _foretell(self, plan: Plan, frame: Frame) -> Foretold:
        decision = self._decide(plan.after, frame)
        size = frame.inputs.scale.spec_replicas
        if decision.error:
            return Foretold(None, size, f"cannot be foretold: {printable(decision.error, 200)}")
        if decision.replicas == size:
            return Foretold(size, size, f"the next sync leaves it at {size}")
        return Foretold(
            decision.replicas, size, f"the next sync scales {size} -> {decision.replicas}: {decision.reason}"
        )

    def _decide(self, spec: Mapping[str, Any], frame: Frame) -> Decision:
        trial = with_spec(frame.inputs.hpa, spec)
        inputs, config = frame.inputs, config_of(self._session.controller())
        now = seconds_to_ns(frame.time)
        return decide(
            trial, inputs.scale, inputs.pods, inputs.metrics, frame.memory, config, now, others=inputs.others
        )  # fmt: skip

    async def apply(self, plan: Plan, answer: Answer) -> Change:
        """See `carry_out`."""
        return await carry_out(self.connection, plan, answer, self.book, self._session.clock)

    async def follow(
        self, plan: Plan, change: Change, foretold: Foretold, syncs: int = SYNCS
    ) -> AsyncIterator[Followed]:
        """The next syncs under the new spec, as they come. Ends early, with what was seen, where none comes."""
        session = self._session
        period = session.controller().sync_period
        wanted = parse_hpa({"spec": change.after})
        last, seen, waited = change.time, 0, 0.0
        size = foretold.size
        while seen < syncs:
            frame = self._next(plan, wanted, last) if session.store.focused == plan.key else None
            if frame is None:
                if waited > _PATIENCE * period + 5.0:
                    return
                await asyncio.sleep(_LOOK)
                waited += _LOOK
                continue
            waited, last, seen = 0.0, frame.time, seen + 1
            yield self._judge(plan, frame, size)
            size = self.foretell(plan).size

    def _next(self, plan: Plan, wanted: HpaObject, after: float) -> Frame | None:
        """The first sync under the new spec that tells something. One that was counted out and would have changed the size
        tells nothing: it came before the spec did, or not yet.
        """
        for frame in self._session.store.frames():
            if frame.time <= after or not _same_spec(frame.inputs.hpa, wanted):
                continue
            if frame.seen or self._decide(plan.after, frame).replicas == frame.to_size:
                return frame
        return None

    def _judge(self, plan: Plan, frame: Frame, foretold: int | None) -> Followed:
        before = frame.inputs.scale.spec_replicas
        if foretold is None:
            return Followed(frame.time, before, frame.to_size, None, None)
        if frame.to_size == foretold:
            return Followed(frame.time, before, frame.to_size, foretold, True)
        decision = self._decide(plan.after, frame)
        if decision.replicas == frame.to_size:
            why = "the metrics changed before it; by those it decided as the new spec says"
        else:
            why = "look at `hpatui explain`"
        return Followed(frame.time, before, frame.to_size, foretold, False, why)


def with_spec(recorded: HpaObject, spec: Mapping[str, Any]) -> HpaObject:
    """The HPA with the tuning of another spec (autoscaling/v2 JSON)."""
    trial = parse_hpa({"spec": spec})
    return replace(
        recorded,
        min_replicas=trial.min_replicas,
        max_replicas=trial.max_replicas,
        metrics=trial.metrics,
        behavior=trial.behavior,
    )


def _same_spec(one: HpaObject, two: HpaObject) -> bool:
    return (one.min_replicas, one.max_replicas, one.metrics, one.behavior) == (
        two.min_replicas,
        two.max_replicas,
        two.metrics,
        two.behavior,
    )
