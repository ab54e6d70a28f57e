"""What load to send: a model, stages of rate over time, and how each request looks. Pure; nothing is sent here.

A stage as people write it: `50/s for 1m`, `50->400/s over 2m`, `400/s until stable max 10m`. Several are joined with `;`
or `,`. Rates are requests per second, durations seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hpatui.errors import UsageError

MAX_RATE = 200_000.0
KEPT = 1e9  # seconds: longer than any run
DEFAULT_CONCURRENCY = 32
DEFAULT_CONNECTIONS = 512
MOST_IN_FLIGHT = 60_000  # more than a machine has ports to one address

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Stage:
    """From `start` to `end` requests/s within `duration` seconds (None: until told), in a `shape`.

    `until`: a condition that ends the stage early: scaled, stable, min or replicas>=N.
    """

    start: float
    end: float
    duration: float | None
    shape: str = "ramp"  # ramp (steady when start == end), sine, sawtooth
    period: float = 60.0
    until: str = ""
    name: str = ""

    def rate_at(self, t: float) -> float:
        """The rate at `t` seconds after the stage's start."""
        if self.shape == "sine":
            middle, swing = (self.start + self.end) / 2, (self.end - self.start) / 2
            return middle - swing * math.cos(2 * math.pi * t / self.period)
        if self.shape == "sawtooth":
            return self.start + (self.end - self.start) * ((t % self.period) / self.period)
        if self.duration is None or self.start == self.end:
            return self.end
        return self.start + (self.end - self.start) * min(t / self.duration, 1.0)

    def check(self, *, last: bool) -> None:
        """Raise UsageError where it cannot be carried out. `last`: no other follows."""
        values = (self.start, self.end, self.period, *([] if self.duration is None else [self.duration]))
        if not all(math.isfinite(value) for value in values):
            raise UsageError(f"the stage {self.text()!r} has a value that is no number", hint="correct it")
        if self.duration is not None and self.duration <= 0:
            raise UsageError(f"the stage {self.text()!r} lasts no time", hint="give it a duration above 0")
        if self.shape in ("sine", "sawtooth") and self.period <= 0:
            raise UsageError(f"the stage {self.text()!r} has a period of 0", hint="write every 1m")
        if not last and self.duration is None and not self.until:
            raise UsageError(
                f"the stage {self.text()!r} has no end, so that the next one never begins", hint="write for 1m"
            )

    def text(self) -> str:
        """The stage as people write it."""
        rate = f"{self.start:g}/s" if self.start == self.end else f"{self.start:g}->{self.end:g}/s"
        kind = "" if self.shape == "ramp" else f"{self.shape} "
        how_long = "" if self.duration is None else f" for {self.duration:g}s"
        return self.name or f"{kind}{rate}{how_long}" + (f" until {self.until}" if self.until else "")


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """How each request looks. `expect` empty: 200 to 399 count as success."""

    method: str = "GET"
    path: str = ""  # appended to the target's base path
    headers: Mapping[str, str] | tuple[tuple[str, str], ...] = field(
        default_factory=dict
    )  # pairs: a name may come twice
    body: bytes = b""
    weight: float = 1.0
    expect: tuple[int, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The headers in their order; a name may come several times."""
        return list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The whole order. `open` model: `stages` of rate; `closed`: `concurrency` connections, as fast as answered.

    `connections` caps the open ones; `connection_age` seconds after which one is renewed (plus or minus 30 %; 0: one per
    request; infinite: kept). `max_rate` is never exceeded. `arrivals`: even or poisson.
    """

    model: str = "open"
    stages: tuple[Stage, ...] = (Stage(50.0, 50.0, None),)
    concurrency: int = DEFAULT_CONCURRENCY
    duration: float | None = None
    requests: tuple[RequestSpec, ...] = (RequestSpec(),)
    timeout: float = 10.0
    connections: int = DEFAULT_CONNECTIONS
    connection_age: float = 5.0
    max_rate: float = 200.0
    max_body: int | None = (
        None  # bytes of an answer's body from which it is an error; None: read to the end, whatever it is
    )
    max_in_flight: int | None = None  # requests under way at most; None: one for each of `connections`
    arrivals: str = "even"
    seed: int | None = None
    http2: bool = False
    breaker: bool = True
    phase: float = 0.0  # how far into the first gap even arrivals begin: workers take turns
    part: int = 0  # which of `parts` workers this is: numbers of requests are taken in turn
    parts: int = 1

    def check(self) -> None:
        """Raise UsageError where a value cannot be used."""
        highest = max((max(stage.start, stage.end) for stage in self.stages), default=0.0)
        lowest = min((min(stage.start, stage.end) for stage in self.stages), default=0.0)
        if self.model not in ("open", "closed"):
            raise UsageError(f"there is no load model {self.model!r}", hint="open or closed")
        if self.model == "open" and (highest <= 0 or lowest < 0 or not math.isfinite(highest)):
            raise UsageError(f"a rate of {highest:g} requests/s is no load", hint="give a rate above 0")
        if self.model == "open" and highest > min(self.max_rate, MAX_RATE):
            raise UsageError(
                f"{highest:g} requests/s is more than the limit of {min(self.max_rate, MAX_RATE):g}",
                hint="raise it with --max-rate if you mean it",
            )
        if not 1 <= self.concurrency <= 10_000:
            raise UsageError(f"a concurrency of {self.concurrency} cannot be used", hint="1 to 10000")
        if self.max_in_flight is not None and not 1 <= self.max_in_flight <= MOST_IN_FLIGHT:
            raise UsageError(f"{self.max_in_flight} requests in flight cannot be used", hint=f"1 to {MOST_IN_FLIGHT}")
        if not 1 <= self.connections <= MOST_IN_FLIGHT:
            raise UsageError(f"{self.connections} connections cannot be used", hint=f"1 to {MOST_IN_FLIGHT}")
        if not 0 < self.timeout < 1e8:
            raise UsageError(f"a timeout of {self.timeout:g} s cannot be used", hint="give one above 0")
        if self.duration is not None and not 0 < self.duration < 1e8:
            raise UsageError(f"a duration of {self.duration:g} s cannot be used", hint="give one above 0")
        if not 0 < self.max_rate < math.inf:
            raise UsageError(f"a limit of {self.max_rate:g} requests/s cannot be used", hint="give one above 0")
        for stage, following in zip(self.stages, (*self.stages[1:], None), strict=True):
            stage.check(last=following is None)

    def share(self, part: int, parts: int) -> LoadPlan:
        """What one of several workers does: its part of rates, connections and limits, which together are no more."""
        if parts == 1:
            return self

        def portion(whole: int) -> int:
            return whole // parts + (part < whole % parts)

        return replace(
            self,
            stages=shared_stages(self.stages, parts),
            concurrency=portion(self.concurrency),
            connections=portion(self.connections if self.http2 else self.most_in_flight),
            max_in_flight=portion(self.most_in_flight),
            max_rate=self.max_rate / parts,
            seed=None if self.seed is None else self.seed + part,
            phase=part / parts,
            part=part,
            parts=parts,
        )

    @property
    def most_in_flight(self) -> int:
        """How many requests may be under way at once. Closed: `concurrency`, unless a lower limit was asked for.

        In HTTP/1.1 each has its connection, so that a limit of connections is one of requests.
        """
        own = None if self.http2 or self.connections == DEFAULT_CONNECTIONS else self.connections
        limits = [limit for limit in (self.max_in_flight, own) if limit is not None]
        return min([self.concurrency, *limits] if self.model == "closed" else limits or [DEFAULT_CONNECTIONS])

    def text(self) -> str:
        """The plan in a few words."""
        if self.model == "closed":
            return f"closed, {self.concurrency} connections"
        return "; ".join(stage.text() for stage in self.stages)


def shared_stages(stages: tuple[Stage, ...], parts: int) -> tuple[Stage, ...]:
    """The stages of one of several workers: a part of each rate, under the whole's name."""
    if parts == 1:
        return stages
    return tuple(replace(s, start=s.start / parts, end=s.end / parts, name=s.text()) for s in stages)


def parse_duration(text: str) -> float:
    """`30`, `30s`, `1m30s`, `500ms`, `2h` -> seconds. UsageError where it is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|)", text.strip())
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip() or not seconds < 1e8:
        raise UsageError(f"{text!r} is no duration", hint="write 30s, 5m or 1h30m")
    return seconds


def connection_age(text: str) -> float:
    """`renewed` (5 s), `kept`, `single` (one a request) or an age as a duration -> seconds. UsageError for others, and for
    a bare number: it could be meant as a number of connections.
    """
    named = {"renewed": 5.0, "kept": KEPT, "single": 0.0}
    if text.strip().replace(".", "", 1).isdigit():
        raise UsageError(
            f"{text!r} says no unit",
            hint=f"write {text}s for an age; --max-in-flight (max_in_flight) limits their number",
        )
    return named[text] if text in named else parse_duration(text)


_BYTES = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9,
          "ki": 2**10, "kib": 2**10, "mi": 2**20, "mib": 2**20, "gi": 2**30, "gib": 2**30}  # fmt: skip


def parse_bytes(text: str) -> int:
    """`1000`, `64Ki`, `1MB` -> bytes. UsageError where it is none, or 0."""
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-zA-Z]{0,3})", text.strip())
    size = int(float(match[1]) * _BYTES[match[2].lower()]) if match and match[2].lower() in _BYTES else 0
    if size <= 0:
        raise UsageError(f"{text!r} is no size", hint="write 64Ki or 1MB")
    return size


_STAGE = re.compile(
    r"(?:(?P<shape>steady|ramp|sine|sawtooth|spike)\s+)?"
    r"(?P<start>\d+(?:\.\d+)?)(?:\s*->\s*(?P<end>\d+(?:\.\d+)?))?\s*(?:/s|rps)?"
    r"(?:\s+(?:for|over)\s+(?P<duration>\S+))?"
    r"(?:\s+every\s+(?P<period>\S+))?"
    r"(?:\s+until\s+(?P<until>scaled|stable|min|replicas>=\d+)(?:\s+max\s+(?P<most>\S+))?)?"
)


def parse_stages(text: str) -> tuple[Stage, ...]:
    """One line of stages -> stages. UsageError names the stage that cannot be read."""
    stages: list[Stage] = []
    for part in re.split(r"[;,]", text):
        words = part.strip()
        match = _STAGE.fullmatch(words)
        if match is None:
            raise UsageError(f"the stage {words!r} cannot be read", hint="write `50/s for 1m` or `50->400/s over 2m`")
        start = float(match["start"])
        end = float(match["end"]) if match["end"] else start
        shape = match["shape"] or "ramp"
        duration = parse_duration(match["duration"]) if match["duration"] else None
        if match["until"] and match["most"]:
            duration = parse_duration(match["most"])
        stages.append(
            Stage(
                start,
                end,
                duration,
                "ramp" if shape in ("steady", "spike", "ramp") else shape,
                parse_duration(match["period"]) if match["period"] else 60.0,
                match["until"] or "",
            )
        )
    return tuple(stages)


def shaped(shape: str, rate: float, duration: float | None) -> tuple[Stage, ...]:
    """The named shapes around a rate: steady, ramp, steps, spike, sine, sawtooth."""
    whole = duration or 300.0
    match shape:
        case "steady":
            return (Stage(rate, rate, duration),)
        case "ramp":
            return (Stage(0.0, rate, whole),)
        case "steps":
            return tuple(Stage(rate * step / 4, rate * step / 4, whole / 4) for step in (1, 2, 3, 4))
        case "spike":
            return (
                Stage(rate / 5, rate / 5, whole / 3),
                Stage(rate, rate, whole / 3),
                Stage(rate / 5, rate / 5, whole / 3),
            )
        case "sine" | "sawtooth":
            return (Stage(rate / 10, rate, duration, shape, max(whole / 5, 10.0)),)
    raise UsageError(f"there is no shape {shape!r}", hint="steady, ramp, steps, spike, sine or sawtooth")


_STEPS = (1, 2, 3, 5, 7.5)


SHAPES = ("steady", "ramp", "steps", "spike", "sine", "sawtooth")


def nudge(rate: float, direction: int, most: float) -> float:
    """The next round rate up (+1) or down (-1): 1, 2, 3, 5, 7.5, 10, 20, ..., at most `most`."""
    ladder = [step * 10.0**power for power in range(-1, 6) for step in _STEPS]
    if direction > 0:
        return min(next((value for value in ladder if value > rate * 1.001), rate), most)
    lower = [value for value in ladder if value < rate * 0.999 and value >= 1]
    return lower[-1] if lower else rate
