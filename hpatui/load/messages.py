"""What screen and engine say to each other over pipes: one JSON object a line."""

from __future__ import annotations

import msgspec

from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.stats import Second
from hpatui.load.target import Target


class Start(msgspec.Struct, tag="start"):
    """The first order: what to send where."""

    plan: LoadPlan
    target: Target


class SetStages(msgspec.Struct, tag="stages"):
    """Other stages from now on."""

    stages: tuple[Stage, ...]


class Pause(msgspec.Struct, tag="pause"):
    """Send nothing until Resume."""


class Resume(msgspec.Struct, tag="resume"):
    """Go on."""


class SkipStage(msgspec.Struct, tag="skip"):
    """The stage's condition is met."""


class Stop(msgspec.Struct, tag="stop"):
    """End the run."""


class Routes(msgspec.Struct, tag="routes"):
    """Pods came or went: connections go to these (host, port, name) from now on."""

    routes: list[tuple[str, int, str]]


class Heartbeat(msgspec.Struct, tag="alive"):
    """For generators in a cluster: whoever ordered them is still there. (This machine's workers: `heart`.)"""


class Counted(msgspec.Struct, tag="second"):
    """One second of a worker."""

    second: Second


class Ended(msgspec.Struct, tag="ended"):
    """The worker is done; `error` says why it could not go on, `reason` what cut it short (empty: as planned, or as
    told).
    """

    error: str = ""
    reason: str = ""


Order = Start | SetStages | Pause | Resume | SkipStage | Stop | Routes | Heartbeat
Report = Counted | Ended

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
