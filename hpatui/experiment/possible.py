"""What an expectation can never be, told before anything is started. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpatui.experiment.words import LATENCIES, SIZES, Expectation
from hpatui.load.plan import LoadPlan
from hpatui.text import printable

Wrong = tuple[str, str]  # what is so, what to do


@dataclass(frozen=True, slots=True)
class Known:
    """What an experiment has: the names of its stages and faults, how often it is run, whether it sends anything."""

    stages: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    repeat: int = 1
    sends: bool = True


def impossible(expectation: Expectation, known: Known, before: Sequence[Expectation] = ()) -> Wrong | None:
    """Why it can never hold, or never be judged, whatever the HPA; `before`: the expectations that stand above it."""
    return _unknown_name(expectation, known) or _no_load(expectation, known) or _no_value(expectation, known) or _against(
        expectation, before
    )  # fmt: skip


def _unknown_name(expectation: Expectation, known: Known) -> Wrong | None:
    anchor = expectation.span.anchor
    names = {"stage": known.stages, "fault": known.faults}.get(anchor.kind)
    if names is None or anchor.name in names:
        return None
    near = difflib.get_close_matches(anchor.name, names, 1, 0.5)
    some = f"there are: {printable(', '.join(names), 200)}" if names else f"the experiment has no {anchor.kind}s"
    hint = f"did you mean {printable(near[0])!r}?" if near else some
    return f"names a {anchor.kind} that there is not: {printable(anchor.name, 60)!r}", hint


def _no_load(expectation: Expectation, known: Known) -> Wrong | None:
    """Latency and errors are of the load's time alone; nothing is before its start."""
    if not known.sends and expectation.subject in (*LATENCIES, "errors"):
        return "can never be judged: the experiment sends nothing", "write [load] instead of duration"
    span = expectation.span
    begins = span.anchor.kind == "start" or (span.anchor.kind == "load" and not span.anchor.ends)
    ended = span.anchor.kind == "end" or (span.anchor.kind == "load" and span.anchor.ends)
    if span.kind == "before" and begins:
        return "looks at a time before the load, which is not observed", "write `before end`, or leave it away"
    if expectation.subject in (*LATENCIES, "errors") and span.kind == "after" and ended:
        return "can never be judged: nothing is sent after the end", "write `after stable`, or leave it away"
    return None


def _no_value(expectation: Expectation, known: Known) -> Wrong | None:
    """Values that the subject cannot have."""
    limit, subject, several = expectation.limit, expectation.subject, expectation.several
    if several is not None and several.of > known.repeat:
        return f"needs {several.of} repetitions, and repeat is {known.repeat}", f"write repeat = {several.of}"
    if not isinstance(limit, float):
        return None
    whole = subject in (*SIZES, "rescales")
    if whole and expectation.operator == "==" and limit != int(limit):
        return f"can never hold: {subject} are whole numbers", "write a whole number"
    least, most = 0.0, 100.0 if subject in ("errors", "agreement") else float("inf")
    never = {
        "<": limit <= least, "<=": limit < least, ">": limit >= most, ">=": limit > most, "==": not least <= limit <= most,
        "!=": False,
    }[expectation.operator]  # fmt: skip
    above = subject in (*LATENCIES, "time to scale") and limit == 0 and expectation.operator in ("<=", "==")
    if never or above:
        return (
            f"can never hold: {subject} lies {'above 0' if most > 100 else 'between 0 and 100 %'}",
            "correct the number",
        )
    return None


def _against(expectation: Expectation, before: Sequence[Expectation]) -> Wrong | None:
    """Two that hold for the same values of the same span, and for none together."""
    if expectation.span.kind == "within" or not isinstance(expectation.limit, float):
        return None
    for other in before:
        same = (other.subject, other.span, other.several) == (
            expectation.subject,
            expectation.span,
            expectation.several,
        )
        if not same or not isinstance(other.limit, float):
            continue
        probes = {limit + step for limit in (other.limit, expectation.limit) for step in (-0.5, 0.0, 0.5)}
        probes |= {(other.limit + expectation.limit) / 2}
        if not any(expectation.holds(value, expectation.limit) and other.holds(value, other.limit) for value in probes):
            return f"can never hold together with {other.text!r}", "correct one of them"
    return None


@dataclass(frozen=True, slots=True)
class Bounds:
    """minReplicas and maxReplicas."""

    least: int
    most: int

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Bounds:
        """Of an HPA's spec; minReplicas is 1 where it says none."""
        least, most = spec.get("minReplicas"), spec.get("maxReplicas")
        return cls(least if isinstance(least, int) else 1, most if isinstance(most, int) else 10**6)

    def impossible(self, expectation: Expectation, plan: LoadPlan, observe: float) -> str:
        """Why it can never hold with these bounds; empty where it may."""
        subject, limit = expectation.subject, expectation.limit
        if subject in SIZES:
            wanted = {"min": float(self.least), "max": float(self.most)}.get(str(limit), limit)
            least = 0 if subject == "ready" else self.least
            sizes = {least, self.most, *(n for n in range(least, min(self.most, least + 1000) + 1))}
            if isinstance(wanted, float) and not any(expectation.holds(size, wanted) for size in sizes):
                return f"the HPA has minReplicas {self.least} and maxReplicas {self.most}"
        if subject == "time to scale" and self.least >= self.most:
            return f"the HPA has minReplicas {self.least} and maxReplicas {self.most}, and never scales up"
        if subject == "pod-minutes" and expectation.operator in ("<", "<=") and expectation.span.kind == "run":
            fixed = plan.model == "open" and all(
                stage.duration is not None and not stage.until for stage in plan.stages
            )
            lasts = plan.duration or (sum(stage.duration or 0.0 for stage in plan.stages) if fixed else 0.0)
            cost = self.least * (lasts + observe) / 60.0
            if isinstance(limit, float) and cost > limit:
                return f"minReplicas {self.least} alone costs {cost:.3g} pod-minutes"
        return ""
