"""The HTTP API of Prometheus, which Thanos, Mimir and VictoriaMetrics speak as well: queries in, series out, bounded.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import NoReturn

import msgspec

from hpatui.errors import PrometheusError
from hpatui.masking import masked
from hpatui.prometheus.door import TIMEOUT, Answer, Door, TooMuchError
from hpatui.text import printable

MOST_SERIES = 50_000  # of one answer
AT_ONCE = 4  # requests under way
AGAIN = 1.0  # seconds until a server that is busy is asked once more
_BUSY = (429, 502, 503, 504)
_TOO_MUCH = ("too many", "exceed", "limit", "maximum", "too large", "too long", "timed out", "timeout", "canceled")


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments `start`, `start + step`, ... `start + (count - 1) * step`, in epoch seconds."""

    start: float
    step: float
    count: int

    @property
    def end(self) -> float:
        """The last moment."""
        return self.start + (self.count - 1) * self.step

    def times(self) -> Iterator[float]:
        """Each moment."""
        return (self.start + index * self.step for index in range(self.count))


@dataclass(frozen=True, slots=True)
class Series:
    """`values` has one for each moment of the grid; NaN where there is none."""

    labels: Mapping[str, str]
    values: array[float]

    @property
    def name(self) -> str:
        """The metric's name; empty where the query took it away."""
        return self.labels.get("__name__", "")


class _Result(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    value: tuple[float, str] | None = None


class _Data(msgspec.Struct):
    resultType: str = ""
    result: list[_Result] = []


class _Body(msgspec.Struct):
    status: str
    data: _Data | None = None
    errorType: str = ""
    error: str = ""
    warnings: list[str] | None = None


class _Refusal(msgspec.Struct):
    status: str = ""
    errorType: str = ""
    error: str = ""


_BODY = msgspec.json.Decoder(_Body)
_REFUSAL = msgspec.json.Decoder(_Refusal)


class Api:
    """Queries through a door. `warnings` are those of the server, each once."""

    def __init__(self, door: Door, *, named: bool = False, again: float = AGAIN) -> None:
        """`named`: credentials are sent."""
        self._door, self._named, self._again = door, named, again
        self._free = asyncio.Semaphore(AT_ONCE)
        self.warnings: list[str] = []
        self.asked = 0

    async def range(self, query: str, grid: Grid) -> list[Series]:
        """The series of a query at the grid's moments. TooMuchError or PrometheusError."""
        params = {"start": f"{grid.start:.3f}", "end": f"{grid.end:.3f}", "step": f"{grid.step:.3f}"}
        found = []
        for one in await self._ask("query_range", query, params):
            values = array("d", [nan]) * grid.count
            for time, text in one.values:
                index = round((time - grid.start) / grid.step)
                if 0 <= index < grid.count:
                    values[index] = _number(text)
            found.append(Series(one.metric, values))
        return found

    async def instant(self, query: str, time: float) -> list[Series]:
        """The series of a query at one moment, each with one value."""
        found = await self._ask("query", query, {"time": f"{time:.3f}"})
        return [Series(one.metric, array("d", [_number(one.value[1])])) for one in found if one.value is not None]

    async def _ask(self, what: str, query: str, params: Mapping[str, str]) -> list[_Result]:
        more = {"timeout": f"{TIMEOUT:g}s", "dedup": "true", "nocache": "1"}  # the latter two: Thanos, VictoriaMetrics
        async with self._free:
            for last in (False, True):
                self.asked += 1
                answer = await self._door.get(f"/api/v1/{what}", {"query": query, **params, **more})
                if last or answer.status not in _BUSY or _is_too_much(answer):
                    break
                await asyncio.sleep(self._again)
        return self._read(answer, what)

    def _read(self, answer: Answer, what: str) -> list[_Result]:
        if answer.status != 200:
            self._refused(answer, what)
        try:
            body = _BODY.decode(answer.body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._refused(answer, what)
        if body.status != "success" or body.data is None or body.data.resultType not in ("matrix", "vector"):
            self._refused(answer, what)
        for warning in body.warnings or ():
            text = printable(masked(warning), 200)
            if text not in self.warnings and len(self.warnings) < 10:
                self.warnings.append(text)
        if len(body.data.result) > MOST_SERIES:
            raise TooMuchError(
                f"Prometheus has too many series for one answer ({len(body.data.result):,}, the limit is {MOST_SERIES:,})",
                hint="ask for one namespace (-n), or set prometheus_match",
            )
        return body.data.result

    def _refused(self, answer: Answer, what: str) -> NoReturn:
        """One line for each way in which an answer is none."""
        host, status = self._door.host, answer.status
        told = _told(answer)
        if status == 401:
            if "org id" in answer.body[:1000].decode("utf-8", "replace").lower():
                raise PrometheusError(f"{host} wants to know which tenant is asked for", hint="set prometheus_org_id")
            known = "does not accept these credentials" if self._named else "wants to know who asks"
            raise PrometheusError(
                f"Prometheus at {host} {known} (401)",
                hint="set prometheus_user and $HPATUI_PROMETHEUS_PASSWORD, or $HPATUI_PROMETHEUS_TOKEN",
            )
        if status == 403:
            who = "these credentials may not" if self._named else "nobody may unnamed"
            raise PrometheusError(f"Prometheus at {host} refuses (403): {who} query it", hint="ask its owner for leave")
        if 300 <= status < 400:
            raise PrometheusError(
                f"{host} answers with a redirect to {printable(masked(answer.location), 120) or 'nowhere'}",
                hint="give the address behind it, or the credentials that it wants",
            )
        if told is not None and _is_too_much(answer):
            raise TooMuchError(
                f"Prometheus at {host} says: {told}", hint="ask for one namespace (-n) or a shorter time (--since)"
            )
        if told is not None:
            raise PrometheusError(
                f"Prometheus at {host} says: {told}", hint="is it a Prometheus, or something that speaks its API?"
            )
        if status in _BUSY or status == 500:
            raise PrometheusError(f"Prometheus at {host} is not well ({status})", hint="try again later")
        kind = answer.content_type.partition(";")[0].strip()
        what = f"/api/v1/{what} answered {status}" + (f" with {printable(kind, 60)}" if kind else "")
        raise PrometheusError(
            f"{host} is no Prometheus: {what}",
            hint="give the address below which /api/v1/query answers, as .../prometheus or .../select/0/prometheus",
        )


def _told(answer: Answer) -> str | None:
    """What the API says is wrong; None where it is not the API that answers."""
    try:
        found = _REFUSAL.decode(answer.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if found.status != "error":
        return None
    return printable(masked(f"{found.errorType}: {found.error}" if found.errorType else found.error), 300)


def _is_too_much(answer: Answer) -> bool:
    told = _told(answer)
    return told is not None and any(word in told.lower() for word in _TOO_MUCH)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return nan
    return value if isfinite(value) else nan
