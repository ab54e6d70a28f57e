"""What screen and engine say to each other over pipes: one JSON object a line."""

from __future__ import annotations

from typing import Any

import msgspec

from hpatui.load.plan import LoadPlan
from hpatui.load.target import Target
from hpatui.model import LoadSample, LoadTotals


class Start(msgspec.Struct, tag="start"):
    """The first order: what to send where."""

    plan: LoadPlan
    target: Target


class SetRate(msgspec.Struct, tag="rate"):
    """Another steady rate from now on."""

    rate: float


class Pause(msgspec.Struct, tag="pause"):
    """Send nothing until Resume."""


class Resume(msgspec.Struct, tag="resume"):
    """Go on."""


class SkipStage(msgspec.Struct, tag="skip"):
    """The stage's condition is met."""


class Stop(msgspec.Struct, tag="stop"):
    """End the run."""


class Heartbeat(msgspec.Struct, tag="alive"):
    """The screen is still there."""


class Sampled(msgspec.Struct, tag="sample"):
    """One second of the run, and the run so far."""

    sample: LoadSample
    totals: LoadTotals


class Ended(msgspec.Struct, tag="ended"):
    """The run is over; `error` says why it could not go on (empty: as planned)."""

    totals: LoadTotals
    summary: dict[str, Any]
    error: str = ""


Order = Start | SetRate | Pause | Resume | SkipStage | Stop | Heartbeat
Report = Sampled | Ended

_ORDER = msgspec.json.Decoder(Order)
_REPORT = msgspec.json.Decoder(Report)
_ENCODER = msgspec.json.Encoder()


def to_line(message: Order | Report) -> bytes:
    """One line for the pipe."""
    return _ENCODER.encode(message) + b"\n"


def order_of(line: bytes) -> Order:
    """A line -> an order. msgspec.MsgspecError where it is none."""
    order: Order = _ORDER.decode(line)
    return order


def report_of(line: bytes) -> Report:
    """A line -> a report. msgspec.MsgspecError where it is none."""
    report: Report = _REPORT.decode(line)
    return report
