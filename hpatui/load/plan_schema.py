"""The form of a plan in TOML, as msgspec checks it: which fields there are, their types and bounds."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Duration = str | int | float  # "30s", or seconds
Rate = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]
Status = Annotated[int, Meta(ge=100, le=599)]


class StageTable(msgspec.Struct, forbid_unknown_fields=True, rename={"lasting": "for"}):
    """[[stage]]"""

    rate: Rate | None = None
    to: Rate | None = None
    lasting: Duration | None = None
    over: Duration | None = None
    shape: Literal["steady", "ramp", "sine", "sawtooth"] = "ramp"
    every: Duration | None = None
    until: str = ""
    max: Duration | None = None
    trace: str = ""
    name: str = ""


class RequestTable(msgspec.Struct, forbid_unknown_fields=True):
    """[[request]]; a header with several values is sent several times."""

    method: str = "GET"
    path: str = ""
    headers: dict[str, str | int | list[str]] = {}
    body: str | None = None
    body_file: str = ""
    weight: Positive = 1.0
    expect: list[Status] = []


class TlsTable(msgspec.Struct, forbid_unknown_fields=True):
    """[tls]"""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None
    insecure: bool = False


class PlanTable(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    model: Literal["open", "closed"] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    duration: Duration | None = None
    timeout: Duration | None = None
    connections: str | int | float = "renewed"
    max_connections: Count | None = None
    max_in_flight: Count | None = None
    max_body: str | int | None = None
    arrivals: Literal["even", "poisson"] = "even"
    seed: int | None = None
    http2: bool = False
    breaker: bool = True
    stages: list[str] = []
    stage: list[StageTable] = []
    request: list[RequestTable] = []
    tls: TlsTable = msgspec.field(default_factory=TlsTable)


TABLES: dict[str, type[msgspec.Struct]] = {"": PlanTable, "stage": StageTable, "request": RequestTable, "tls": TlsTable}
CHOICES = {
    "model": "open, closed",
    "arrivals": "even, poisson",
    "shape": "steady, ramp, sine, sawtooth",
}
WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
