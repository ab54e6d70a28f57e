"""What a run in the cluster orders and what it counted. Shipped beside the locustfile; standard library only.

    worker: Counting -> closed seconds -> (Locust's report) -> master: Merging -> one line a second for hpatui
    hpatui: orders -> (control connection) -> master: Schedule -> the rate, once a second

Lines and orders are those of `hpatui.load.messages`; a second has the fields of `hpatui.load.stats.Second`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

CANCELLED = "cancelled"  # a request that the end of the run cut off: neither good nor bad
SILENCE = 1.6  # seconds without a word from hpatui after which nothing is sent until the next word
PATIENCE = 2.5  # seconds that the master waits for the workers' reports of a second
_KEYED = ("statuses", "errors", "response", "service", "late", "bad")
_SUMMED = ("sent", "ok", "failed", "unserved", "bytes", "in_flight", "peak")


def slot(microseconds: float) -> int:
    """The slot of a value, in the layout of hpatui.load.histogram."""
    value = min(max(int(microseconds), 1), 60_000_000)
    shift = value.bit_length() - 11
    return value if shift <= 0 else (shift << 10) + (value >> shift)


def rate_of(stage: Mapping[str, Any], t: float) -> float:
    """The rate at `t` seconds after the stage's start."""
    start, end, duration, period = stage["start"], stage["end"], stage["duration"], stage["period"]
    if stage["shape"] == "sine":
        return float((start + end) / 2 - (end - start) / 2 * math.cos(2 * math.pi * t / period))
    if stage["shape"] == "sawtooth":
        return float(start + (end - start) * ((t % period) / period))
    if duration is None or start == end:
        return float(end)
    return float(start + (end - start) * min(t / duration, 1.0))


def pace(plan: Mapping[str, Any]) -> float:
    """Closed model: seconds between two requests of a user, so that all users together keep below the plan's `max_rate`."""
    return float(plan["concurrency"]) / float(plan["max_rate"])


class Schedule:
    """The plan, and what was ordered since. Times are seconds of one clock; `began` None: not yet."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan = plan
        self._stages: list[Mapping[str, Any]] = list(plan["stages"])
        self._began: float | None = None
        self._at = 0.0  # when the first of the stages began
        self._paused: float | None = None
        self.ended = False
        self.heard: float | None = None

    def begin(self, now: float) -> None:
        """The workers are there: the run starts, unless it did, or waits for hpatui's first word."""
        if self._began is None and (self.heard is not None or not self._plan.get("lease")):
            self._began = self._at = now

    def obey(self, order: Mapping[str, Any], now: float) -> None:
        """An order of hpatui; any is a word that it is still there."""
        self.heard = now
        kind = order.get("type")
        if kind == "stages":
            self._stages, self._at = list(order["stages"]), now
        elif kind == "pause" and self._paused is None:
            self._paused = now
        elif kind == "resume" and self._paused is not None:
            self._at, self._paused = self._at + now - self._paused, None
        elif kind == "skip" and self._stages:
            self._stages, self._at = self._stages[1:], now
        elif kind == "stop":
            self.ended = True

    def held(self, now: float) -> bool:
        """Whether hpatui is silent: stopped (ctrl-z), or cut off. The lease ends a run that stays so."""
        return bool(self._plan.get("lease")) and self.heard is not None and now - self.heard > SILENCE

    def rate(self, now: float) -> float | None:
        """Requests/s (closed model: connections) now; 0 before the start and in a pause; None when it is over."""
        lease, duration = self._plan.get("lease"), self._plan["duration"]
        if self.ended or (lease and self.heard is not None and now - self.heard > lease):
            return None
        if self._began is None:
            return 0.0
        if duration is not None and now - self._began >= duration:
            return None
        if self._paused is not None:
            return 0.0
        if self._plan["model"] != "open":
            return float(self._plan["concurrency"])
        stage = self._stage(now)
        return None if stage is None else min(rate_of(stage, now - self._at), float(self._plan["max_rate"]))

    def elapsed(self, now: float) -> float:
        """Seconds since the run began."""
        return now - self._began if self._began is not None else 0.0

    def stage_name(self, now: float) -> str:
        """The stage in force."""
        stage = self._stage(now) if self._plan["model"] == "open" else None
        return "" if stage is None else str(stage["name"])

    def _stage(self, now: float) -> Mapping[str, Any] | None:
        while self._stages:
            duration = self._stages[0]["duration"]
            if duration is None or now - self._at < duration:
                return self._stages[0]
            self._stages, self._at = self._stages[1:], self._at + duration
        return None


def empty(second: int) -> dict[str, Any]:
    """A second in which nothing was counted yet."""
    return {"time": second, **dict.fromkeys(_SUMMED, 0), **{name: {} for name in _KEYED}}


class Counting:
    """A worker's seconds. `now` arguments: epoch seconds; durations: seconds."""

    def __init__(self) -> None:
        self._seconds: dict[int, dict[str, Any]] = {}
        self._in_flight = 0

    def sent(self, now: float, late: float) -> None:
        """A request starts, `late` after its planned time."""
        self._in_flight += 1
        entry = self._entry(now)
        entry["sent"] += 1
        entry["peak"] = max(entry["peak"], self._in_flight)
        _count(entry["late"], str(slot(late * 1e6)))

    def answered(self, now: float, status: int, error: str, size: int, *, response: float, service: float) -> None:
        """It ended: with a status, or without (0), and what was wrong with it ("": nothing)."""
        self._in_flight -= 1
        if error == CANCELLED:
            return
        entry = self._entry(now)
        entry["bytes"] += size
        if status:
            _count(entry["statuses"], str(status))
            _count(entry["response"], str(slot(response * 1e6)))
            _count(entry["service"], str(slot(service * 1e6)))
            if error:
                _count(entry["bad"], str(slot(response * 1e6)))
        entry["failed" if error else "ok"] += 1
        if error:
            _count(entry["errors"], error)

    def unserved(self, now: float, count: int) -> None:
        """Requests that were due and are too late to be sent."""
        self._entry(now)["unserved"] += count

    def take(self, before: float) -> list[dict[str, Any]]:
        """The seconds that are over at `before`; they are forgotten here."""
        closed = sorted(second for second in self._seconds if second + 1 <= before)
        taken = [self._seconds.pop(second) for second in closed]
        if taken:
            taken[-1]["in_flight"] = self._in_flight
        return taken

    def _entry(self, now: float) -> dict[str, Any]:
        return self._seconds.setdefault(int(now), empty(int(now)))


class Merging:
    """The master's seconds: those of all workers together."""

    def __init__(self, first: float) -> None:
        self._seconds: dict[int, dict[str, Any]] = {}
        self._next = int(first)

    def add(self, seconds: list[dict[str, Any]]) -> None:
        """A worker's report; what comes too late counts in the next second, so that nothing is lost."""
        for given in seconds:
            at = max(int(given["time"]), self._next)
            entry = self._seconds.setdefault(at, empty(at))
            for name in _SUMMED:
                entry[name] += given[name]
            for name in _KEYED:
                for key, count in given[name].items():
                    entry[name][key] = entry[name].get(key, 0) + count

    def take(self, before: float) -> list[dict[str, Any]]:
        """Every second that is over at `before`, the empty ones too."""
        taken = []
        while self._next + 1 <= before:
            taken.append(self._seconds.pop(self._next, empty(self._next)))
            self._next += 1
        return taken

    def rest(self) -> list[dict[str, Any]]:
        """All there is, at the end."""
        return self.take(max(self._seconds, default=self._next - 1) + 1)


def _count(counter: dict[str, int], key: str) -> None:
    counter[key] = counter.get(key, 0) + 1
