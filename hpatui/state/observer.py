"""Watches one HPA as the controller would, predicts each sync, checks itself, and explains what it sees.

    hpa_changed / facts / events  ->  ring of Facts, memory  ->  decide at each sync  ->  Sync records, agreement
    explanation(now)              ->  decide for the next sync  ->  sentences, countdowns

The controller reads the world a moment before it writes, and its write (and what follows) reaches an observer in any order.
So the facts of the last seconds are kept, and a sync is predicted from those that do not show its effect yet. Bounded memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.explain import Explanation, Timing, explain, explain_status
from hpatui.autoscaler.inputs import Memory
from hpatui.autoscaler.seen import NOTHING
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.errors import MalformedObject
from hpatui.model import ControllerFlags, Event, Hpa, Key
from hpatui.state.adjust import adjusted
from hpatui.state.facts import Facts, Inputs, Reader, untold
from hpatui.state.frames import Frame, Sync, prediction_of, status_of
from hpatui.state.hints import Hints
from hpatui.state.memory import EDGE, bounded, first_memory, longest_window, mended, shifted, with_events
from hpatui.state.outlook import Outlook, guessed, of_samples, outlook, untimed
from hpatui.state.pattern_lines import pattern_lines
from hpatui.state.patterns import ReplicaWrite
from hpatui.state.ring import Ring
from hpatui.state.seen import of_keda, seen_of
from hpatui.state.series import HpaHistory
from hpatui.state.syncs import SyncClock
from hpatui.state.writes import SETTLE, WriteWatch, own_rescales

RESOURCES = ("Resource", "ContainerResource")
OLD_SAMPLES = 6.0  # resolutions: samples older than this are worth a word
MAX_SAMPLES = 30_000  # pod samples in all frames together, about 20 MB
NEW_HPA = 2.0  # seconds: an HPA without a status and not older than this is seen from its beginning


@dataclass(frozen=True, slots=True)
class Keep:
    """How much an observer remembers: moments of facts, syncs, and frames (syncs with all that they came from)."""

    facts: int
    syncs: int
    frames: int


ALL, FEW = Keep(64, 512, 512), Keep(4, 8, 1)  # for the HPA in focus, and for each of a fleet


class Observer:
    """One per HPA. All times are epoch seconds."""

    def __init__(
        self, key: Key, flags: ControllerFlags, history: HpaHistory | None = None, *, keep: Keep | None = None
    ) -> None:
        """`history`: what the store records of the HPA, for the patterns over time (None: none are looked for)."""
        self.key = key
        self._history = history
        self._most = keep or ALL
        self.syncs: deque[Sync] = deque(maxlen=self._most.syncs)
        self.frames: deque[Frame] = deque()
        self._samples = 0
        self.known_since: float | None = None
        self._flags = flags
        self._clock = SyncClock(flags.sync_period)
        self._reader = Reader()
        self._hpa: Hpa | None = None
        self._ring = Ring(self._most.facts)
        self._memory = Memory()
        self._from_start = False
        self._divisor: int | None = None  # status size of the scale at the sync that wrote the status
        self._events: tuple[Event, ...] = ()
        self._warnings: tuple[Event, ...] = ()
        self._writes = WriteWatch()
        self._compared = self._agreed = 0
        self._dirty = True
        self._explanation: Explanation | None = None
        self._from_status = False  # the explanation is of the HPA's status alone
        self._waiting_since: float | None = None
        self._owed: float | None = None  # an explanation of then was not made, because nobody looked
        self._ahead_of: tuple[tuple[object, ...], tuple[Inputs, Decision]] | None = None
        self._gap_since: float | None = None
        self._hints = Hints()

    def keep(self, most: Keep) -> None:
        """Remember more or less from now on."""
        self._most = most
        self.syncs = deque(self.syncs, maxlen=most.syncs)
        self._ring.keep(most.facts)
        while len(self.frames) > most.frames:
            self._samples -= len(self.frames.popleft().inputs.metrics.pod_metrics)

    def set_flags(self, flags: ControllerFlags) -> None:
        """The controller's flags became known."""
        if flags != self._flags:
            self._flags, self._hints.rules = flags, None
            self._clock.set_period(self._period(self._hpa))
            self._dirty = True

    # In -------------------------------------------------------------------------------------------------------

    def hpa_changed(self, hpa: Hpa, now: float) -> None:
        """A new version of the HPA."""
        before = self._hpa
        self._dirty = True
        if before is None or before.uid != hpa.uid:
            self._begin(hpa, now)
            return
        if status_of(before) != status_of(hpa):
            self.count_out(now)
            self._observe(hpa, now)
        elif None not in (before.generation, hpa.generation) and before.generation != hpa.generation:
            self._clock.hurry(now)
        if hpa.sync_period != before.sync_period:
            self._clock.set_period(self._period(hpa))
        self._hpa = hpa

    def connected(self, live: bool, now: float) -> None:
        """Whether the HPA is watched at present. After a gap, memory is known from its end."""
        if live and self._gap_since is not None:
            if now - self._gap_since >= self._clock.step:
                self.known_since, self._from_start = now, False
                self._clock.start(now)
            self._gap_since = None
            self._dirty = True
        elif not live and self._gap_since is None:
            self.count_out(now)
            self._gap_since = now

    def facts(self, new: Facts) -> None:
        """What is known about its target from `new.time` on."""
        self._dirty = True
        last = self._ring.last
        if last is not None and last.workload is not None and new.workload is not None:
            self._writes.note(last.workload, new.workload, new.time)
        self._ring.add(new)

    def events(self, events: Sequence[Event], now: float) -> None:
        """The HPA's events, all that are known."""
        told = tuple(event for event in events if event.reason == "SuccessfulRescale")
        warnings = tuple(event for event in events if event.reason.startswith("FailedGet"))
        if warnings != self._warnings:
            self._warnings, self._dirty = warnings, True
        if told == self._events:
            return
        self._events = told
        if self.known_since is not None and not self._from_start:
            self._memory = with_events(self._memory, told, self.known_since, now)
        self._dirty = True

    # Out ------------------------------------------------------------------------------------------------------

    def explanation(self, now: float) -> Explanation | None:
        """Why it has the size it has; equal to the one before as long as nothing changed."""
        if self._owed is not None:
            self._explanation, self._owed = self._explain(self._owed), None
        if self._is_due(now):
            self._explanation = self._explain(now)
        return self._explanation

    def pass_time(self, now: float) -> None:
        """As `explanation` where nobody looks; the next one is the same as if somebody had."""
        if self._is_due(now):
            self._owed = now
            self._hints.look(self._compared - self._agreed, self.frames, self._flags, self._clock)

    @property
    def due(self) -> float:  # from when on a sync has passed that nobody counted
        return self._clock.due

    def _is_due(self, now: float) -> bool:
        """Whether there is something to explain anew at `now`."""
        self.count_out(now)
        if self._writes.judge(now, lambda: own_rescales(self._hpa, self._events, self.syncs)):
            self._dirty = True
        if not self._dirty or self._waits(now):
            return False
        self._dirty = False
        return True

    def _waits(self, now: float) -> bool:
        """Whether the explanation stays as it is until the other side of a change of size arrives: for a moment, however
        often the size changes, and never one that was made without the target.
        """
        if (self._explanation is None and self._owed is None) or self._from_status or not self._writes.unsettled(now):
            self._waiting_since = None
            return False
        if self._waiting_since is None:
            self._waiting_since = now
        if now - self._waiting_since < SETTLE:
            return True
        self._waiting_since = None
        return False

    def present(self, now: float) -> Frame | None:
        """What a sync at this moment would be decided from; None where too little is known."""
        decided = self._decide(self._hpa, self._ring.last, now) if self._hpa else None
        return None if decided is None else Frame(now, decided[0], self._memory, decided[1].replicas)

    @property
    def writes(self) -> tuple[ReplicaWrite, ...]:
        """Changes of the target's size that the HPA did not make, oldest first."""
        return tuple(self._writes.found)

    @property
    def flags(self) -> ControllerFlags:
        """The flags in use: as known, with what was inferred."""
        return self._hints.used(self._flags, self._clock)

    # Syncs ----------------------------------------------------------------------------------------------------

    def _begin(self, hpa: Hpa, now: float) -> None:
        """The first sight of an HPA: its memory is empty if it is brand-new, else assumed from its status."""
        self._hpa = hpa
        self.syncs.clear()
        self.frames.clear()
        self._samples = 0
        self._compared = self._agreed = 0
        new = not hpa.conditions and hpa.created is not None and now - hpa.created <= NEW_HPA + 1.0
        self._from_start = new
        self.known_since = now
        self._memory = Memory() if new else first_memory(hpa, now)
        if not new:
            self._memory = with_events(self._memory, self._events, now, now)
        self._clock = SyncClock(self._period(hpa))
        self._clock.start(now, at_once=new and self._prompt)

    def count_out(self, now: float) -> None:
        """Syncs that came without a write: they must have changed nothing."""
        for time in self._clock.passed(now) if self._gap_since is None else ():
            hpa = self._hpa
            if hpa is None:
                return
            decided = self._decide(hpa, self._ring.at(time), time)
            if decided is not None and not self._put_off(hpa, decided, time):
                self._record(hpa, hpa, decided, time, seen=False)
            self._dirty = True

    def _put_off(self, hpa: Hpa, decided: tuple[Inputs, Decision], time: float) -> bool:
        """Whether a sync that left no trace may not have come at all. From 1.37 on the controller waits until it has seen
        its own last write (gate StaleControllerConsistencyHPA): the sync after a write that should have changed the
        size. And the first sync of an HPA always writes.
        """
        if not self._prompt:
            return False
        inputs, decision = decided
        return not hpa.conditions or (
            self._clock.follows_write(time) and decision.replicas != inputs.scale.spec_replicas
        )

    @property
    def _prompt(self) -> bool:
        """Whether the controller is of 1.37 or newer, where it reconciles at once and waits for its own writes."""
        return config_of(self.flags).rules.minor >= 37

    def _period(self, hpa: Hpa | None) -> float:
        """The sync period: the HPA's own where it has one."""
        return hpa.sync_period if hpa is not None and hpa.sync_period is not None else self._flags.sync_period

    def _observe(self, hpa: Hpa, now: float) -> None:
        """The controller wrote: a sync has been seen."""
        before = self._hpa
        assert before is not None
        if not hpa.sampled:
            self._clock.wrote(now)
        decided = self._decide(before, self._ring.before(before, hpa, now), now)
        if decided is not None:
            self._record(before, hpa, decided, now, seen=True)
            self._divisor = decided[0].scale.status_replicas

    def _record(self, before: Hpa, after: Hpa, decided: tuple[Inputs, Decision], time: float, *, seen: bool) -> None:
        inputs, decision = decided
        if not all(spec.type in RESOURCES for spec in inputs.hpa.metrics):
            # Nobody but the controller sees other metrics beforehand: there only its reasoning can be checked.
            inputs, decision = self._as_measured(inputs, decision, after, time)
        scaled = after.last_scale_time != before.last_scale_time and after.last_scale_time is not None
        prediction = prediction_of(decision, time)
        shown = scaled and inputs.scale.spec_replicas == after.desired_replicas  # its effect came before it
        size = before.desired_replicas if shown else inputs.scale.spec_replicas
        sync = Sync(time, seen, prediction, size, after.desired_replicas if scaled else size, scaled)
        inputs, decision = self._as_measured(inputs, decision, after, time)
        assumed = guessed(inputs.hpa, decision, config_of(self.flags), self._assumed(inputs, time))
        comparable = (bool(before.conditions) or self._from_start) and not (shown or untold(inputs) or assumed)
        comparable = comparable and not after.sampled
        if comparable:
            self.syncs.append(sync)
            self._compared += 1
            # Where the controller had a newer sample than we, its reasoning is judged by what it measured.
            self._agreed += sync.agreed or replace(sync, predicted=prediction_of(decision, time)).agreed
        self._keep(Frame(time, inputs, self._memory, sync.to_size, seen))
        memory = decision.memory
        if decision.replicas != sync.to_size or (decision.rescaled_to is not None) != sync.rescaled:
            memory = mended(self._memory, memory, time, sync.from_size, sync.to_size if scaled else None)
        self._memory = bounded(memory)

    def _as_measured(self, inputs: Inputs, decision: Decision, after: Hpa, time: float) -> tuple[Inputs, Decision]:
        """The decision made again from what the controller's status says it measured, where that differs."""
        try:
            better = adjusted(inputs, decision, self._reader.hpa(after))
        except MalformedObject:
            better = None
        return (inputs, decision) if better is None else (better, self._decide_on(better, time))

    def _keep(self, frame: Frame) -> None:
        """Record a frame; the oldest go when there are many, or many samples in them."""
        self.frames.append(frame)
        self._samples += len(frame.inputs.metrics.pod_metrics)
        while len(self.frames) > self._most.frames or (self._samples > MAX_SAMPLES and len(self.frames) > 1):
            self._samples -= len(self.frames.popleft().inputs.metrics.pod_metrics)

    def _decide(self, hpa: Hpa, facts: Facts | None, now: float) -> tuple[Inputs, Decision] | None:
        """The inputs and the decision on them at `now`, or None where too little is known."""
        if facts is None or not facts.usable() or not hpa.raw:
            return None
        try:
            inputs = self._reader.read(hpa, facts, self._divisor)
        except MalformedObject:
            return None
        return inputs, self._decide_on(inputs, now)

    def _decide_on(self, inputs: Inputs, now: float) -> Decision:
        config, when = config_of(self.flags), seconds_to_ns(now)
        early = seconds_to_ns(EDGE) if self._clock.step > self._clock.period else 0
        memory = shifted(self._memory, -early)
        decision = decide(
            inputs.hpa, inputs.scale, inputs.pods, inputs.metrics, memory, config, when, others=inputs.others
        )
        return replace(decision, memory=shifted(decision.memory, early, before=when)) if early else decision

    # Explaining -----------------------------------------------------------------------------------------------

    def outlook(self, now: float) -> Outlook | None:
        """What the next sync will do; None where too little is known."""
        self.count_out(now)
        ahead = self._ahead(now)
        if ahead is None or self._hpa is None:
            return None
        (inputs, decision, timing), judged = ahead, (self._agreed, self._compared, self.known_since)
        found = outlook(inputs.hpa, decision, config_of(self.flags), timing, judged)
        return untimed(found) if self._hpa.sampled else found

    def _ahead(self, now: float) -> tuple[Inputs, Decision, Timing] | None:
        """The decision of the next sync, and when things will happen."""
        at = self._clock.next(now)
        if self._hpa is None or at is None:
            return None
        came_from = self._hpa, self._ring.last, self._memory, at, self._divisor, self._clock.step, self.flags
        if self._ahead_of is None or not _same(self._ahead_of[0], came_from):
            decided = self._decide(self._hpa, self._ring.last, at)
            if decided is None:
                return None
            self._ahead_of = came_from, decided
        inputs, decision = self._ahead_of[1]
        sample = self._ring.newest_sample()
        due = None if sample is None else max(now, sample + self._flags.metrics_resolution)
        old = sample if sample is not None and now - sample > OLD_SAMPLES * self._flags.metrics_resolution else None
        return inputs, decision, Timing(at, self._clock.after, self._assumed(inputs, now), due, old)

    def _explain(self, now: float) -> Explanation | None:
        hpa = self._hpa
        if hpa is None:
            return None
        self._hints.look(self._compared - self._agreed, self.frames, self._flags, self._clock)
        ahead = self._ahead(now)
        self._from_status = ahead is None
        if ahead is None:
            return self._with_watch(explain_status(hpa, of_keda(self._ring.last)), hpa, now)
        inputs, decision, timing = ahead
        facts = self._ring.last
        seen = seen_of(hpa, facts, inputs, self._warnings, now) if facts is not None else NOTHING
        return self._with_watch(explain(hpa, inputs.hpa, decision, config_of(self.flags), timing, seen), hpa, now)

    def _with_watch(self, explanation: Explanation, hpa: Hpa, now: float) -> Explanation:
        """What only watching tells: how far back, how often right, patterns, and hints about the flags."""
        return replace(
            explanation,
            known_since=self.known_since,
            agreed=self._agreed,
            compared=self._compared,
            patterns=pattern_lines(hpa, self._history, self._ring.last, self.writes, self._flags, now),
            hints=(*self._hints.lines(self._flags, self._clock), *of_samples(hpa)),
            rules=self._flags.rules_text,
        )

    def _assumed(self, inputs: Inputs, now: float) -> float | None:
        """Up to when the memory was assumed, as long as that can still matter."""
        if self._from_start or self.known_since is None:
            return None
        return self.known_since if now - self.known_since < longest_window(inputs.hpa, self._flags) else None


def _same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:  # the first three are large and never change
    return all(a is b for a, b in zip(before[:3], now[:3], strict=True)) and before[3:] == now[3:]
