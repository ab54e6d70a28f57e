"""Load that an agent orders: told first, with what would be sent, and sent only where the same order comes back confirmed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from hpatui.errors import LoadError

VALID = 120.0  # seconds
SECONDS_MOST = 600.0  # of one load
_MOST = 16  # orders that wait at once


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent: requests/s for some seconds at the target of an HPA."""

    name: str
    rate: float
    seconds: float


class Orders:
    """Orders that wait for their confirmation. Each word of confirmation is good once, for its own order, for two minutes."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic`: seconds that never go back."""
        self._monotonic = monotonic
        self._waiting: dict[str, tuple[Order, float]] = {}

    def ask(self, order: Order) -> str:
        """Remember an order; returns the word that confirms it. LoadError for one that may not be given."""
        if not 1 <= order.seconds <= SECONDS_MOST:
            raise LoadError(f"a load of {order.seconds:g} s cannot be ordered", hint=f"1 to {SECONDS_MOST:g} s")
        while len(self._waiting) >= _MOST:
            del self._waiting[next(iter(self._waiting))]
        word = secrets.token_hex(8)
        self._waiting[word] = (order, self._monotonic() + VALID)
        return word

    def confirm(self, order: Order, word: str) -> None:
        """Use a confirmation up. LoadError where it is none, too old, or that of another order."""
        known = self._waiting.pop(word, None)
        if known is None or known[1] < self._monotonic():
            raise LoadError(
                "this confirmation is not known, used up or too old", hint="order the load without one first"
            )
        if known[0] != order:
            raise LoadError("this confirmation is that of another order", hint="order the load without one first")
