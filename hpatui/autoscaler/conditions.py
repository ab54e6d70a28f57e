"""The status' conditions: set as the controller sets them, so that the time of the last change is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hpatui.autoscaler.inputs import ConditionInput
from hpatui.autoscaler.times import SECOND, from_ns


class Conditions:
    """A list of conditions in the order of the status; `now` (ns) stamps those whose status changes."""

    def __init__(self, known: Sequence[ConditionInput], now: int) -> None:
        self._items = list(known)
        self._now = now // SECOND * SECOND

    def set(self, type_: str, status: bool, reason: str, message: str) -> None:
        """Set one condition; a new one comes last."""
        text = "True" if status else "False"
        for index, item in enumerate(self._items):
            if item.type == type_:
                changed = item.last_transition_time if item.status == text else self._now
                self._items[index] = replace(
                    item, status=text, reason=reason, message=message, last_transition_time=changed
                )
                return
        self._items.append(ConditionInput(type_, text, reason, message, self._now))

    def inactive(self, reason: str, message: str) -> None:
        """ScalingActive is False. Without a reason the controller sets an empty condition, and leaves ScalingActive be."""
        if reason:
            self.set("ScalingActive", False, reason, message)
        elif self.get("") is None:
            self._items.append(ConditionInput("", "", "", "", None))

    def remove(self, type_: str) -> None:
        """Drop a condition."""
        self._items = [item for item in self._items if item.type != type_]

    def get(self, type_: str) -> ConditionInput | None:
        """The condition of that type, or None."""
        return next((item for item in self._items if item.type == type_), None)

    def to_json(self) -> list[dict[str, Any]]:
        """As status.conditions."""
        return [_json(item) for item in self._items]


def _json(item: ConditionInput) -> dict[str, Any]:
    value: dict[str, Any] = {"type": item.type, "status": item.status}
    value["lastTransitionTime"] = None if item.last_transition_time is None else from_ns(item.last_transition_time)
    if item.reason:
        value["reason"] = item.reason
    if item.message:
        value["message"] = item.message
    return value
