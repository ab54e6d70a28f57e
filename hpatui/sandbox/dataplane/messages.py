"""What the sandbox and its data plane say to each other: JSON, one object a line, over a socket pair.

Rates are requests per second, CPU is cores or CPU seconds, times are seconds of the machine's monotonic clock.
"""

from __future__ import annotations

import msgspec


class StartPod(msgspec.Struct, tag="start"):
    """Serve HTTP as this pod. `rate` cores of quota, `cost` CPU seconds a request, `backlog` requests at most."""

    uid: str
    name: str
    rate: float
    cost: float
    backlog: int
    body: str = "OK!"
    startup: float = 0.0  # CPU seconds spent at the start, before any request


class StopPod(msgspec.Struct, tag="stop"):
    """End it. `drain`: finish what is in flight, take no more, keep the counters; else close at once and forget it."""

    uid: str
    drain: bool = False


class SetEndpoints(msgspec.Struct, tag="endpoints"):
    """The ready pods of a Service's port, named `namespace/name:port`; new connections go to these."""

    service: str
    uids: list[str]
    sticky: bool = False  # sessionAffinity ClientIP: all of this machine's connections go to one pod


class DropService(msgspec.Struct, tag="drop"):
    """The Service is gone."""

    service: str


class SetTraffic(msgspec.Struct, tag="traffic"):
    """Requests to a Service from inside the cluster, without connections; replaces the source of that name.

    `stages`: (seconds, rate at the start, rate at the end), repeated for ever. No stages: the source ends.
    """

    name: str
    service: str
    stages: list[tuple[float, float, float]]


class SetCallers(msgspec.Struct, tag="callers"):
    """`workers` clients that each send the next request to the Service when the last is answered (a wget loop)."""

    name: str
    service: str
    workers: int


Order = StartPod | StopPod | SetEndpoints | DropService | SetTraffic | SetCallers


class PodListening(msgspec.Struct, tag="pod"):
    """The pod's server is at 127.0.0.1:`port`."""

    uid: str
    port: int


class ServiceListening(msgspec.Struct, tag="service"):
    """The Service's port is at 127.0.0.1:`port`."""

    service: str
    port: int


class PodUsage(msgspec.Struct, array_like=True):
    """Counters of one pod since its start: CPU seconds, requests taken and refused, requests in flight now."""

    cpu: float
    served: int
    refused: int
    in_flight: int


class Usage(msgspec.Struct, tag="usage"):
    """Counters of the pods that did something since the last message; the others stand still."""

    time: float
    pods: dict[str, PodUsage]


Report = PodListening | ServiceListening | Usage

_encoder = msgspec.json.Encoder()


def to_line(message: Order | Report) -> bytes:
    """One line of the protocol."""
    return _encoder.encode(message) + b"\n"


class Lines:
    """Cuts a byte stream into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The complete lines so far."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines
