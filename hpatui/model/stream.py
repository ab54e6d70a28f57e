"""How facts come in: the events of a source, how far they can be trusted, and the controller's flags."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hpatui.model.load import LoadChanged, LoadSample
from hpatui.model.objects import Fact, Key, Kind

EVERYTHING = "*"  # the scope of facts that are about all HPAs, not about the details of one


class SourceState(StrEnum):
    """How far what is shown can be trusted."""

    IDLE = "idle"  # not asked for
    CONNECTING = "connecting"
    LISTING = "listing"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    FORBIDDEN = "forbidden"
    NOT_SERVED = "not served"
    FAILED = "failed"  # cannot go on by itself: credentials, configuration


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The state of one kind's stream: since when, and a sentence for the user (empty when live).

    `last_contact` is when the server last said anything about it (an object, a bookmark, an answer): nothing shown is
    older than that. `retrying`: a failure that nobody expected, which is tried again; other failures last until the user
    does something.
    """

    state: SourceState
    since: float
    message: str = ""
    last_contact: float | None = None
    received: int = 0  # objects of the list so far, for progress
    retrying: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects of a kind within `scope` (a namespace, or a selector's text; empty: all asked for), replacing what
    was known there.
    """

    kind: Kind
    items: tuple[Fact, ...]
    scope: str = ""
    of: str = ""  # for targets: which kind of object this is the list of


@dataclass(frozen=True, slots=True)
class Upserted:
    """An object is new or has changed."""

    kind: Kind
    item: Fact
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object is gone. `uid` may be empty where the server did not say."""

    kind: Kind
    key: Key
    uid: str = ""
    scope: str = ""
    of: str = ""  # for targets: the kind of object


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The stream of a kind has a new status: connecting, live, reconnecting since, forbidden, failed, ..."""

    kind: Kind
    status: SourceStatus
    scope: str = ""


ClusterEvent = Listed | Upserted | Deleted | StatusChanged


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed: countdowns and syncs that leave no trace are looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One fact and the moment at which it was seen (epoch seconds): the only thing that ever enters a store. A cluster, a
    recording and a test are sources of the same, and the store cannot tell them apart.
    """

    time: float
    what: ClusterEvent | LoadSample | LoadChanged | Tick


class FactSource(Protocol):
    """Where facts come from: a cluster, or what was seen of one before."""

    def events(self) -> AsyncIterator[Seen]:
        """Facts as they are seen, until `close`."""

    async def close(self) -> None:
        """Stop; idempotent."""


@dataclass(frozen=True, slots=True)
class ControllerFlags:
    """The controller's flags as far as known (seconds; tolerance as a fraction). `known` tells whether they were read
    or assumed. `rules` names the rules of its version, as autoscaler.rules has them ("1.32"; empty: not known), and
    `rules_text` says which and why ("rules of 1.32 (server 1.32.9)").
    """

    sync_period: float = 15.0
    tolerance: float = 0.1
    downscale_stabilization: float = 300.0
    cpu_initialization: float = 300.0
    initial_readiness_delay: float = 30.0
    metrics_resolution: float = 15.0
    known: bool = False
    rules: str = ""
    rules_text: str = ""
