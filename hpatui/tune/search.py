"""The search for a better spec of one HPA: which edits would have made the recorded time cheaper, calmer, or both.

    single edits (ladders)  ->  the good ones put together, and their neighbours  ->  front (Pareto) and the best for the goal
                            ->  each edit taken back once: what it is good for, or it goes

Every candidate is a run of the simulation over the recorded demand. Deterministic: the same arguments and seed give the same
answer, with any number of workers (`evaluate` keeps the order). What the model does not know well enough is no reason for a
change: where its error is larger than the gain, the verdict is to leave it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.parse import parse_hpa
from hpatui.tune.candidate import UP_POLICIES, Candidate, Edit, applied
from hpatui.tune.goal import LEAST_GAIN, LEAST_PER_EDIT, Goal, dominates, gain, loss, no_dearer, worthwhile
from hpatui.tune.ladders import SAFE, edits_for, needs_of
from hpatui.tune.learn import Learned
from hpatui.tune.outcome import Outcome
from hpatui.tune.reasons import Change, changes_of, verdict_of
from hpatui.tune.reasons import seconds as seconds_text
from hpatui.tune.simulate import Cancelled, never, reference_of, simulate
from hpatui.tune.workload import Kind

BATCH = 32
_MOST = 0.7  # of the gain that more pods would bring
_PARENTS = 6
_BEST_SINGLES = 12
_SETTLE_MOST = 3600.0  # seconds: no window is longer
_FREE = 1_000_000  # maxReplicas of a run without a maximum

Evaluate = Callable[[Sequence[Candidate]], Iterable["Outcome | None"]]


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate, the JSON that would be applied, its run, and (of the recommended one) a reason for each change."""

    candidate: Candidate
    spec: Mapping[str, Any]
    outcome: Outcome
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. `baseline`: the spec as it is, simulated. `front`: those that nothing else tried beats in both
    pod-seconds and trouble, cheapest first. `best`: the recommended one (None: leave it). `verdict` says it in a sentence.
    `gain`: the part of the goal's loss that is saved; `uncertainty`: the model's relative error.
    """

    goal: Goal
    baseline: Outcome
    front: tuple[Tried, ...]
    best: Tried | None
    verdict: str
    missing: tuple[str, ...]
    gain: float
    uncertainty: float
    tried: int


@dataclass(frozen=True, slots=True)
class Problem:
    """All that a worker needs to run a candidate: it is sent to it once."""

    json: Mapping[str, Any]
    learned: Learned
    reference: tuple[float, ...] = field(default=())

    def run(self, candidate: Candidate, cancelled: Callable[[], bool] = never) -> Outcome | None:
        """Its run; None for a spec that the API server would refuse."""
        spec = applied(self.json, candidate)
        hpa = parse_hpa(spec)
        if hpa.min_replicas > hpa.max_replicas:
            return None
        columns = list(range(len(hpa.metrics)))
        for edit in candidate.edits:
            if edit.field.startswith("instead."):
                columns[int(edit.field.partition(".")[2])] = len(hpa.metrics)
        known = self.learned
        return simulate(
            hpa,
            known.model,
            known.demand,
            known.setup,
            size=known.size,
            memory=known.memory,
            reference=self.reference,
            columns=columns,
            cancelled=cancelled,
        )


def settled(learned: Learned) -> Learned:
    """With the last part of the demand before its begin, too, of which nothing counts: what a spec does at the begin is not
    judged by the size that the present one had then. Pods that only ever hold more never settle: those begin as they are.
    """
    demand = learned.demand
    seconds = min(_SETTLE_MOST, demand.seconds)
    if seconds <= 0 or any(model.kind is Kind.HELD for model in learned.model.metrics):
        return learned
    since, begin = demand.end - seconds, demand.begin
    first = max(0, bisect_right(demand.times, since) - 1)
    early = [max(time, since) - demand.end + begin for time in demand.times[first:]]
    curves = tuple((*curve[first:], *curve) for curve in demand.curves)
    whole = replace(demand, times=(*early, *demand.times), curves=curves)
    return replace(learned, demand=whole, setup=replace(learned.setup, settle=seconds), memory=None)


def problem_of(json: Mapping[str, Any], learned: Learned) -> Problem:
    """The problem of an HPA (its JSON). "Above target" means the targets as they are, also for candidates with others; for
    memory, which slows nothing until its limit, at least most of the limit.
    """
    hpa = parse_hpa(dict(json))
    flags = learned.setup.flags
    reference = list(reference_of(hpa, learned.model, flags))
    for index, spec in enumerate(hpa.metrics):
        model = learned.model.metrics[index]
        if spec.name == "memory" and spec.type != "Pods" and model.ceiling is not None:
            reference[index] = max(reference[index], SAFE * model.ceiling)
    return Problem(json, settled(learned), tuple(reference))


def search(
    json: Mapping[str, Any],
    learned: Learned,
    *,
    goal: Goal = Goal.BALANCED,
    budget: int = 500,
    seed: int = 1,
    evaluate: Evaluate | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = never,
) -> Found:
    """Search for the HPA (its autoscaling/v2 JSON) with what was learned of it.

    `budget`: how many candidates are run at most. `evaluate`: runs candidates, in order (None: here, one after the other).
    `progress` is told (done, of how many). Raises Cancelled when `cancelled` says so, MalformedObject for what is no HPA.
    """
    problem = problem_of(json, learned)
    run = _Search(problem, goal, budget, Random(seed), evaluate, progress, cancelled)
    return run.go()


class _Search:
    """One search while it runs."""

    def __init__(
        self,
        problem: Problem,
        goal: Goal,
        budget: int,
        random: Random,
        evaluate: Evaluate | None,
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._problem, self._goal, self._budget, self._random = problem, goal, budget, random
        self._evaluate = evaluate or (lambda candidates: (problem.run(one, cancelled) for one in candidates))
        self._progress, self._cancelled = progress, cancelled
        self._runs: dict[Candidate, Outcome] = {}
        self._done = 0
        first = problem.run(Candidate(), cancelled)
        assert first is not None
        self._base = self._runs[Candidate()] = first

    def go(self) -> Found:
        """Search, then say what was found."""
        hpa = parse_hpa(dict(self._problem.json))
        free = self._problem.run(self._unbounded(), self._cancelled)
        assert free is not None
        rules = config_of(self._problem.learned.setup.flags).rules
        singles = edits_for(self._problem.json, hpa, self._problem.learned, self._base, needs_of(free), rules)
        self._try([Candidate((edit,)) for edit in singles])
        self._try(pairs_of(singles))
        for _ in range(64):
            known = len(self._runs)
            before = self._loss(self._best())
            self._try(self._children(singles))
            if len(self._runs) == known or (
                self._loss(self._best()) > 0.998 * before and self._done > self._budget // 2
            ):
                break
        best = self._simplified(self._best())
        return self._found(best)

    def _unbounded(self) -> Candidate:
        """What follows the load as closely as it can: it shows how many pods are needed."""
        window = round(2 * self._problem.learned.setup.flags.sync_period)
        edits = [Edit("max", _FREE), Edit("min", 1), Edit("down.window", window), Edit("up.policies", UP_POLICIES)]
        return Candidate().with_edits(*edits)

    def _try(self, candidates: Iterable[Candidate]) -> None:
        """Run those that were not run yet, as far as the budget goes."""
        fresh = [one for one in dict.fromkeys(candidates) if one not in self._runs]
        fresh = fresh[: max(0, self._budget - self._done)]
        for begin in range(0, len(fresh), BATCH):
            if self._cancelled():
                raise Cancelled
            batch = fresh[begin : begin + BATCH]
            for candidate, outcome in zip(batch, self._evaluate(batch), strict=True):
                self._done += 1
                if outcome is not None:
                    self._runs[candidate] = outcome
                if self._progress is not None:
                    self._progress(self._done, self._budget)

    def _loss(self, candidate: Candidate) -> float:
        return loss(self._runs[candidate], self._base, self._goal)

    def _ranked(self) -> list[Candidate]:
        """From the best: the smaller loss, then fewer edits, then by name, so that ties are always broken alike."""
        return sorted(self._runs, key=lambda one: (self._loss(one), len(one.edits), str(one.edits)))

    def _best(self) -> Candidate:
        ranked = self._ranked()
        if self._goal is Goal.LATENCY:
            # "At no more pod-hours" comes first, where that gives most of what more pods would.
            most = gain(self._runs[ranked[0]], self._base, self._goal)
            for one in ranked:
                if no_dearer(self._runs[one], self._base):
                    if gain(self._runs[one], self._base, self._goal) >= max(LEAST_GAIN, _MOST * most):
                        return one
                    break
        return ranked[0]

    def _children(self, singles: Sequence[Edit]) -> Iterator[Candidate]:
        """Good ones put together with single edits that are good by themselves, and with some at random."""
        ranked = self._ranked()
        parents = [one for one in ranked if one.edits][:_PARENTS]
        good = [one.edits[0] for one in ranked if len(one.edits) == 1][:_BEST_SINGLES]
        made = []
        for parent in [self._best(), *parents]:
            made += [parent.with_edits(edit) for edit in good]
            made += [parent.with_edits(self._random.choice(singles)) for _ in range(3) if singles]
        return iter(made)

    def _simplified(self, best: Candidate) -> Candidate:
        """Without the edits that are good for nothing."""
        for edit in list(best.edits):
            without = best.without(edit.field)
            outcome = self._runs.get(without) or self._problem.run(without, self._cancelled)
            if outcome is None:
                continue
            self._runs[without] = outcome
            slack = LEAST_PER_EDIT * loss(self._base, self._base, self._goal)
            dearer = no_dearer(self._runs[best], self._base) and not no_dearer(outcome, self._base)
            if self._loss(without) <= self._loss(best) + slack and not (self._goal is Goal.LATENCY and dearer):
                best = without
        return best

    def _front(self) -> tuple[Tried, ...]:
        kept = [one for one in self._runs if not any(dominates(o, self._runs[one]) for o in self._runs.values())]
        seen: dict[tuple[float, float], Candidate] = {}
        for one in sorted(kept, key=lambda c: (len(c.edits), str(c.edits))):
            outcome = self._runs[one]
            seen.setdefault((outcome.pod_seconds, outcome.seconds_above_target), one)
        return tuple(self._tried(seen[key]) for key in sorted(seen))

    def _tried(self, candidate: Candidate) -> Tried:
        return Tried(candidate, applied(self._problem.json, candidate), self._runs[candidate])

    def _found(self, best: Candidate) -> Found:
        known, base = self._problem.learned, self._base
        saved = gain(self._runs[best], base, self._goal)
        uncertainty = known.fit.uncertainty
        chosen: Tried | None = None
        if best.edits and saved >= uncertainty and worthwhile(self._runs[best], base, self._goal):
            alone = {edit.field: self._runs.get(best.without(edit.field)) or base for edit in best.edits}
            outcome = self._runs[best]
            changes = changes_of(
                self._problem.json, best, outcome, base, alone, self._learned_kinds(), self._defaults()
            )
            chosen = replace(self._tried(best), changes=changes)
        verdict = verdict_of(
            chosen.outcome if chosen else self._runs[best], base, saved, uncertainty, chosen is not None
        )
        return Found(
            goal=self._goal,
            baseline=base,
            front=self._front(),
            best=chosen,
            verdict=verdict,
            missing=_missing(known),
            gain=saved,
            uncertainty=uncertainty,
            tried=self._done,
        )

    def _defaults(self) -> Mapping[str, float]:
        """What fields mean that the spec does not set."""
        flags = self._problem.learned.setup.flags
        tolerances = {"up.tolerance": flags.tolerance, "down.tolerance": flags.tolerance}
        return {"min": 1.0, "up.window": 0.0, "down.window": flags.downscale_stabilization, **tolerances}

    def _learned_kinds(self) -> Mapping[int, Kind]:
        return {model.index: model.kind for model in self._problem.learned.model.metrics}


def pairs_of(singles: Sequence[Edit]) -> list[Candidate]:
    """A shorter window is good for nothing while every burst then finds too few pods, and a floor for nothing while the
    window holds more: such edits are tried together, though neither is good by itself.
    """
    windows = [edit for edit in singles if edit.field == "down.window"]
    floors = [edit for edit in singles if edit.field == "min"]
    return [Candidate().with_edits(window, floor) for floor in floors for window in windows[::2]]


def _missing(learned: Learned) -> tuple[str, ...]:
    """What is not known, and what it would take."""
    found = list(learned.missing)
    seconds = learned.demand.seconds - learned.setup.settle
    if seconds < 86_400:
        found.append(
            f"only {seconds_text(seconds)} were seen: what comes once a day or a week is not in it; record longer"
        )
    if learned.demand.doubtful > 0.02 * seconds:
        found.append(
            f"for {seconds_text(learned.demand.doubtful)} pods were saturated or metrics unknown: more may have been "
            "asked for than was seen"
        )
    return tuple(found)
