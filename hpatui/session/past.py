"""What a replaying session says of itself, and what it refuses: nothing acts on a cluster from the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from hpatui.errors import HpatuiError, UsageError
from hpatui.session.moments import clock_text
from hpatui.state.series import Rescale

SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Past:
    """Where a replay is. Times are epoch seconds. `range` is what `w` and `u` work on; `gaps` were not recorded; what
    happened is known from `known_from` on.
    """

    first: float
    last: float
    now: float
    playing: bool
    speed: float
    range: tuple[float, float]
    rescales: tuple[Rescale, ...]
    gaps: tuple[tuple[float, float], ...]
    known_from: float
    source: str = "recorded"
    anonymized: bool = False
    begins_at_mark: bool = False

    @property
    def title(self) -> str:
        """What the screen says so that nobody takes it for now."""
        return f"PAST {clock_text(self.now)}"


class PastError(UsageError):
    """Something that would act on a cluster was asked of the past."""


class PastLoad:
    """Implements `LoadPort`: the load as it was; nothing starts from here."""

    def __init__(self) -> None:
        self.moment = 0.0
        self.way_back = ""

    def refuse(self, what: str = "no load starts from here") -> NoReturn:
        """PastError."""
        raise PastError(f"this is the past ({clock_text(self.moment)}): {what}", hint=self.way_back)

    @property
    def active(self) -> bool:
        """Never: what is shown was sent then."""
        return False

    def question(self) -> str | None:
        """Nothing is asked: `start` refuses."""
        return None

    async def start(self, *, confirmed: bool = False) -> None:
        """PastError."""
        self.refuse()

    async def stop(self) -> None:
        """Nothing runs."""

    async def set_rate(self, rate: float) -> None:
        """PastError."""
        self.refuse()

    async def nudge(self, direction: int) -> None:
        """PastError."""
        self.refuse()

    def shapes(self) -> Sequence[tuple[str, str]]:
        """None to choose from."""
        return ()

    async def set_shape(self, shape: str) -> None:
        """PastError."""
        self.refuse()

    async def pause(self) -> None:
        """PastError."""
        self.refuse()


def faster(speed: float, direction: int) -> float:
    """The next speed up (+1) or down (-1)."""
    if direction > 0:
        return next((one for one in SPEEDS if one > speed * 1.001), max(speed, SPEEDS[-1]))
    return next((one for one in reversed(SPEEDS) if one < speed * 0.999), min(speed, SPEEDS[0]))


def nothing_recorded(what: str) -> HpatuiError:
    """The error for something that a recording does not have."""
    return HpatuiError(f"{what} was not recorded", hint="a recording has only what decisions need")
