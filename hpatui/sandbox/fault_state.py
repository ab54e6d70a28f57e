"""The faults of a running sandbox: begun and ended on request, some by themselves after a while."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.cluster import Cluster

_API_DOWN_FOR = 10.0  # seconds, where none are given: nobody could end it through an API that is down
_SLOW_START = 10.0  # seconds of the cluster's time, where no delay is given
_LAST_WORD = 0.1  # seconds for the answer that the API will be down
_CRASH_AGAIN = 0.5  # seconds between looks at a pod that shall crash again and again


@dataclass(slots=True)
class Fault:
    """A fault in force. `until`: the loop's time, None for ever. `end` undoes it."""

    name: str
    until: float | None
    end: Callable[[], None]
    timer: asyncio.TimerHandle | None = None


class Faults:
    """`delay` (seconds by which answers are late) and `api_down` are for the API server to follow.

    `hang_up` closes the connections that are open, watches among them.
    """

    def __init__(self, cluster: Cluster, hang_up: Callable[[], None]) -> None:
        self._cluster = cluster
        self._hang_up = hang_up
        self._loop = asyncio.get_running_loop()
        self._faults: dict[str, Fault] = {}
        self.delay = 0.0
        self.api_down = False

    def in_force(self) -> list[dict[str, Any]]:
        """Name and seconds left (None: until cleared) of each."""
        now = self._loop.time()
        return [
            {"name": fault.name, "seconds_left": None if fault.until is None else max(0.0, fault.until - now)}
            for fault in self._faults.values()
        ]

    def clear(self, name: str = "") -> list[str]:
        """End one, or all; the names of those that ended. 404 if there is none of that name."""
        if name and name not in self._faults:
            raise StatusError(404, "NotFound", f'fault "{name}" not found')
        ended = [name] if name else list(self._faults)
        for each in ended:
            self._end(each)
        return ended

    def begin(self, body: dict[str, Any]) -> str:
        """Begin what `body` asks for; a sentence about it. StatusError 400 or 404 if it makes no sense."""
        kind, target = str(body.get("fault") or ""), str(body.get("target") or "")
        seconds = _number(body.get("seconds"), "seconds")
        if kind == "metrics-down":
            self._cluster.metrics.down = True
            return self._keep(kind, seconds, lambda: setattr(self._cluster.metrics, "down", False))
        if kind == "api-slow":
            self.delay = _number(body.get("delay"), "delay") or 1.0
            return self._keep(kind, seconds, lambda: setattr(self, "delay", 0.0))
        if kind == "slow-start":
            self._cluster.kubelet.slow_start = _number(body.get("delay"), "delay") or _SLOW_START
            return self._keep(kind, seconds, lambda: setattr(self._cluster.kubelet, "slow_start", 0.0))
        if kind == "api-down":
            self.api_down = True
            self._loop.call_later(_LAST_WORD, self._hang_up)
            return self._keep(kind, seconds or _API_DOWN_FOR, lambda: setattr(self, "api_down", False))
        if kind == "node-gone":
            if not self._cluster.nodes.lose(target):
                raise StatusError(404, "NotFound", f'nodes "{target}" not found')
            return self._keep(f"{kind}/{target}", seconds, lambda: self._cluster.nodes.restore(target))
        if kind == "pod-crash":
            return self._crash(target, seconds)
        raise StatusError(400, "BadRequest", f"no fault {kind!r}")

    def _crash(self, target: str, seconds: float | None) -> str:
        """Crash the pod now, and if `seconds` are given whenever it runs again until they are over."""
        space, _, name = target.rpartition("/")
        spaces = [space] if space else [key[0] for key in self._cluster.kubelet.runs if key[1] == name]
        key = (spaces[0] if spaces else "", name)
        if not self._cluster.kubelet.crash(key):
            raise StatusError(404, "NotFound", f'no running pod "{target}"')
        if seconds is None:
            return f"pod {key[0]}/{name} crashed"
        fault = f"pod-crash/{key[0]}/{name}"
        end = self._loop.time() + seconds

        def again() -> None:
            if fault in self._faults and self._loop.time() < end:
                self._cluster.kubelet.crash(key)
                self._loop.call_later(_CRASH_AGAIN, again)

        said = self._keep(fault, seconds, lambda: None)
        self._loop.call_later(_CRASH_AGAIN, again)
        return said

    def _keep(self, name: str, seconds: float | None, end: Callable[[], None]) -> str:
        old = self._faults.pop(name, None)
        if old is not None and old.timer is not None:
            old.timer.cancel()
        until = self._loop.time() + seconds if seconds is not None else None
        fault = self._faults[name] = Fault(name, until, end)
        if seconds is None:
            return f"{name}: until `hpatui sandbox fault clear`"
        fault.timer = self._loop.call_later(seconds, self._end, name)
        return f"{name}: for {seconds:g} s"

    def _end(self, name: str) -> None:
        fault = self._faults.pop(name, None)
        if fault is not None:
            if fault.timer is not None:
                fault.timer.cancel()
            fault.end()


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 < value <= 86400:
        return float(value)
    raise StatusError(400, "BadRequest", f"{name} must be a number between 0 and 86400")
