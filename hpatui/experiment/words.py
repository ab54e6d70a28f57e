"""Expectations in words -> what to check. Pure.

    replicas >= 3 within 60s of stage spike      replicas == min within 10m of end      p95 < 250ms after stable
    errors < 0.5%       rescales <= 4       no flapping      never blind      pod-minutes < 40
    time to scale < 45s (p90 of 5)          agrees with the controller >= 99%

`replicas`, `ready` and `desired` hold at some moment of `within ...`, else at every moment of their span; the others are one
number over their span. Durations are in the cluster's time, latencies are what a client waits.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hpatui.errors import UsageError
from hpatui.load.plan import parse_duration
from hpatui.state.snapshot import HpaState
from hpatui.text import printable

SIZES = ("replicas", "ready", "desired")
LATENCIES = ("p50", "p90", "p95", "p99", "p99.9", "max latency")
STATES = {state.value for state in HpaState}
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Anchor:
    """A moment: start or end (of the load), stable, or the begin (`ends`: the end) of a stage, a fault or the load."""

    kind: str  # start, end, stable, load, stage, fault
    name: str = ""
    ends: bool = False

    def text(self) -> str:
        """As people write it."""
        words = f"{self.kind} {self.name}".strip()
        return f"end of {words}" if self.ends else words


@dataclass(frozen=True, slots=True)
class Span:
    """When it has to hold. `kind`: run (from the load's start to the end of what was observed), within, after, before or
    during. `seconds`: of within.
    """

    kind: str = "run"
    anchor: Anchor = Anchor("start")
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Several:
    """Over repetitions: this percentile (0 to 100) of at least so many."""

    percentile: float
    of: int

    def text(self) -> str:
        """As people write it."""
        named = {50.0: "median", 0.0: "min", 100.0: "max"}
        return f"{named.get(self.percentile, f'p{self.percentile:g}')} of {self.of}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """`subject` is one of SIZES, LATENCIES, errors, rescales, flapping, pod-minutes, time to scale, agreement, or
    `never STATE`. `limit` is a number (of replicas, ms, %, s) or `min` or `max` of the HPA's spec.
    """

    text: str
    subject: str
    operator: str = "=="
    limit: float | str = 0.0
    span: Span = Span()
    several: Several | None = None

    def holds(self, value: float, limit: float) -> bool:
        """Whether a value is as expected."""
        return OPERATORS[self.operator](value, limit)


_ANCHOR = r"(?P<{0}>(?:end of )?(?:stage|fault) (?:\"[^\"]+\"|.+?)|the load|start|end|stable)"
_LINE = re.compile(
    r"(?:(?P<no>no flapping)|never (?P<never>[a-z]+)|"
    r"(?P<subject>replicas|ready(?: pods)?|desired|p50|p90|p95|p99|p99\.9|max latency|errors|rescales|pod-minutes|"
    r"time to scale|agrees with the controller)"
    r"(?: of stage (?P<of>\"[^\"]+\"|.+?))?"
    r"\s*(?P<operator><=|>=|==|!=|<|>|=|≤|≥)\s*(?P<value>[0-9.]+(?:ms|s|m|h|%)?[0-9msh]*|min|max|[a-z]+))"
    r"(?:\s+(?:within\s+(?P<seconds>\S+)\s+(?:of|after)\s+" + _ANCHOR.format("within")
    + r"|after\s+" + _ANCHOR.format("after") + r"|before\s+" + _ANCHOR.format("before")
    + r"|during\s+" + _ANCHOR.format("during") + r"))?"
    r"(?:\s*\((?P<several>p[0-9.]+|median|min|max|mean) of (?P<count>\d+)\))?"
)  # fmt: skip
_FORMS = (
    "replicas >= 3 within 60s of stage NAME", "replicas == min within 10m of end", "p95 < 250ms after stable",
    "errors < 0.5%", "rescales <= 4", "no flapping", "never blind", "pod-minutes < 40", "time to scale < 45s (p90 of 5)",
    "agrees with the controller >= 99%",
)  # fmt: skip
_SAME = {"=": "==", "≤": "<=", "≥": ">="}


def parse(text: str) -> Expectation:
    """UsageError says what of it cannot be read, with the form that is nearest."""
    words = " ".join(text.split())
    match = _LINE.fullmatch(words)
    if match is None:
        near = difflib.get_close_matches(words, _FORMS, 1, 0.0)
        begins = [form.split()[0] for form in (*_FORMS, *LATENCIES, *SIZES)]
        first = words.partition(" ")[0]
        meant = [] if first in begins else difflib.get_close_matches(first, begins, 1)
        hint = (f"did you mean {meant[0]!r}? " if meant else "") + f"write it as `{near[0]}`"
        raise UsageError(f"the expectation {printable(words, 80)!r} cannot be read", hint=hint)
    span = _span(match, words)
    if match["no"]:
        return _whole(Expectation(words, "flapping", "==", 0.0, span, _several(match, words)))
    if match["never"]:
        state = match["never"]
        if state not in STATES:
            raise UsageError(f"there is no state {state!r} in {words!r}", hint=_choices(state, sorted(STATES)))
        return _whole(Expectation(words, f"never {state}", "==", 0.0, span, _several(match, words)))
    subject = {"ready pods": "ready", "agrees with the controller": "agreement"}.get(match["subject"], match["subject"])
    if match["of"]:
        if subject != "time to scale":
            raise UsageError(f"{words!r}: `of stage` goes with time to scale", hint="write `during stage NAME`")
        span = Span("during", Anchor("stage", match["of"].strip('"')))
    limit = _limit(subject, match["value"], words)
    found = Expectation(
        words, subject, _SAME.get(match["operator"], match["operator"]), limit, span, _several(match, words)
    )
    return _whole(found)


def _whole(expectation: Expectation) -> Expectation:
    """UsageError for parts that do not go together."""
    words, subject, span = expectation.text, expectation.subject, expectation.span
    if span.kind == "within" and span.seconds <= 0:
        raise UsageError(f"{words!r} leaves no time", hint="give within a duration above 0")
    if span.kind == "within" and subject not in SIZES:
        raise UsageError(
            f"{words!r}: `within` is for replicas, ready and desired, which are reached at a moment",
            hint="write `after`, `before` or `during`",
        )
    spans = {"time to scale": ("run", "during"), "agreement": ("run",), "flapping": ("run",)}
    if span.kind not in spans.get(subject, (span.kind,)):
        raise UsageError(f"{words!r}: {subject} is of the whole run", hint="leave the span away")
    if expectation.several is not None and (subject in SIZES or subject == "flapping" or subject.startswith("never")):
        raise UsageError(f"{words!r}: only a number can be taken over repetitions", hint="leave `(... of N)` away")
    return expectation


def _span(match: re.Match[str], words: str) -> Span:
    for kind in ("within", "after", "before", "during"):
        if (text := match[kind]) is not None:
            anchor = _anchor(text)
            if kind == "during" and anchor.kind not in ("stage", "fault", "load"):
                raise UsageError(f"{words!r}: `during` is for a stage or a fault", hint="write `after` or `before`")
            if kind == "within":
                try:
                    return Span(kind, anchor, parse_duration(match["seconds"]))
                except UsageError as error:
                    raise UsageError(f"{words!r}: {error.message}", hint=error.hint) from error
            return Span(kind, anchor)
    return Span()


def _anchor(text: str) -> Anchor:
    ends = text.startswith("end of ")
    kind, _, name = text.removeprefix("end of ").partition(" ")
    if text == "the load":
        return Anchor("load")
    return Anchor(kind, name.strip('"'), ends)


def _several(match: re.Match[str], words: str) -> Several | None:
    if match["several"] is None:
        return None
    name, count = match["several"], int(match["count"])
    named = {"median": 50.0, "min": 0.0, "max": 100.0}
    if name == "mean":
        raise UsageError(f"{words!r}: a mean hides the bad run", hint="write `median of N` or `p90 of N`")
    percentile = named[name] if name in named else float(name[1:])
    if not 0 <= percentile <= 100 or count < 1:
        raise UsageError(f"{words!r}: there is no {name} of {count}", hint="write `p90 of 5`")
    return Several(percentile, count)


def _limit(subject: str, value: str, words: str) -> float | str:
    """The number in the subject's unit: replicas, ms, % or seconds."""
    if value in ("min", "max"):
        if subject not in SIZES:
            raise UsageError(f"{words!r}: min and max are numbers of replicas", hint="write a number")
        return value
    number, unit = re.fullmatch(r"([0-9]*\.?[0-9]*)(.*)", value).groups()  # type: ignore[union-attr]  # always matches
    units = {"errors": "%", "agreement": "%", "time to scale": "s"} | dict.fromkeys(LATENCIES, "ms")
    wanted = units.get(subject, "")
    if wanted in ("ms", "s"):
        if value.replace(".", "", 1).isdigit() and float(value) != 0:
            raise UsageError(f"{words!r}: {value} says no unit", hint=f"write {value}ms or {value}s")
        try:
            seconds = parse_duration(value)
        except UsageError as error:
            raise UsageError(f"{words!r}: {error.message}", hint="write 250ms or 45s") from error
        return seconds * 1000.0 if wanted == "ms" else seconds
    try:
        found = float(number)
    except ValueError:
        raise UsageError(
            f"{words!r}: {value!r} is no number", hint="write a number" + f" and {wanted}" * bool(wanted)
        ) from None
    if unit != wanted:
        hint = f"write {number}{wanted}" if wanted else f"write {number}"
        raise UsageError(
            f"{words!r}: {value!r} has {'no unit' if not unit else 'another unit than it can have'}", hint=hint
        )
    return found


def _choices(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
