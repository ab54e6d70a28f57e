"""What a report consists of: a page of blocks, as plain data. `render` makes one HTML file of it.

All texts may come from a cluster: they are made printable and escaped on the way out, nowhere before. Times are epoch
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Judged = Literal["ok", "failed", "unknown", "note"]
Point = tuple[float, float | None]  # (time, value); None is a gap and drawn as one


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a chart, oldest point first. `step`: a value holds until the next. `style`: "" or "dashed" (a target
    or a bound).
    """

    name: str
    points: Sequence[Point]
    step: bool = False
    style: Literal["", "dashed"] = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: a vertical line through the chart with a few words. `kind` chooses its colour."""

    time: float
    text: str
    kind: Literal["note", "load", "rescale", "fault", "failed"] = "note"


@dataclass(frozen=True, slots=True)
class Band:
    """A span of time behind the lines: a stage, a fault."""

    start: float
    end: float
    text: str
    kind: Literal["stage", "fault"] = "stage"


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over time from `start` to `end`. The axis counts from `origin` (None: it shows the time of day, UTC). `unit` is
    written at the values ("%", "ms", "/s", "" for plain numbers). `bound`: the value axis reaches at least so far.
    """

    title: str
    lines: Sequence[Line]
    start: float
    end: float
    unit: str = ""
    origin: float | None = None
    marks: Sequence[Mark] = ()
    bands: Sequence[Band] = ()
    bound: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. `faint`: small print."""

    text: str
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a name and a value."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One judged claim: what was claimed, what was seen, and more words if there are any."""

    state: Judged
    claim: str
    seen: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """A list of judged claims."""

    items: Sequence[Check]


@dataclass(frozen=True, slots=True)
class Table:
    """`numeric`: the columns (from 0) that hold numbers and stand to the right. `best`: (row, column) of cells to stress."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    numeric: frozenset[int] = frozenset()
    best: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Code:
    """Text to copy: a YAML, a command."""

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks behind a line that unfolds them."""

    title: str
    blocks: Sequence[Block]


Block = Heading | Text | Facts | Checks | Table | Code | Chart | Fold


@dataclass(frozen=True, slots=True)
class Page:
    """A report: `verdict` and `state` are the one thing to see first (both may be empty); `made` says by what and when."""

    title: str
    blocks: Sequence[Block]
    verdict: str = ""
    state: Judged = "note"
    subtitle: str = ""
    made: str = ""
