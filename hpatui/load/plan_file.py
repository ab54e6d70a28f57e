"""A plan from a file: TOML -> LoadPlan, and recorded traffic (CSV or access log) -> stages. Errors name line and field."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hpatui.errors import UsageError
from hpatui.load.plan import LoadPlan, RequestSpec, Stage, connection_age, parse_duration, parse_stages
from hpatui.load.target import Target

_PLAN = ("model", "concurrency", "duration", "timeout", "connections", "arrivals", "seed", "http2", "breaker", "stages",
         "stage", "request", "tls", "max_connections")  # fmt: skip
_STAGE = ("rate", "to", "for", "over", "shape", "every", "until", "max", "trace", "name")
_REQUEST = ("method", "path", "headers", "body", "body_file", "weight", "expect")
_TLS = ("ca", "cert", "key", "server_name", "insecure")
_KINDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    (int, float): "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_SHAPES = ("steady", "ramp", "sine", "sawtooth")


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The plan's [tls] table: files, the name in the certificate, and whether not to check it."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None
    insecure: bool = False


def with_tls(target: Target, tls: TlsOptions) -> Target:
    """The target, reached as the options say."""
    return replace(
        target,
        ca_file=tls.ca or target.ca_file,
        client_cert=tls.cert,
        client_key=tls.key,
        server_name=tls.server_name or target.server_name,
        verify=target.verify and not tls.insecure,
    )


def read_plan(path: Path, max_rate: float) -> tuple[LoadPlan, TlsOptions]:
    """The plan in a TOML file. UsageError names the file, the line and the field at fault."""
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint="correct the TOML") from error
    return _Reader(path, text).plan(data, max_rate)


def read_trace(path: Path) -> tuple[Stage, ...]:
    """Recorded traffic as stages: a CSV of `seconds,rate`, or an access log whose requests are counted per second."""
    lines = _read(path).splitlines()
    stages = _from_access_log(lines) or _from_csv(path, lines)
    if not stages:
        raise UsageError(f"{path} holds no traffic", hint="write lines of `seconds,rate`, or give an access log")
    return stages


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"cannot read {path}: {reason}", hint="name a file that can be read") from error


class _Reader:
    """Reads one file; knows where a field stands."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def plan(self, data: Mapping[str, Any], max_rate: float) -> tuple[LoadPlan, TlsOptions]:
        self._known(data, _PLAN, "", 0)
        defaults = LoadPlan()
        concurrency = self._get(data, "concurrency", int, defaults.concurrency)
        model = self._get(data, "model", str, "closed" if "concurrency" in data else "open")
        plan = LoadPlan(
            model=model,
            stages=self._stages(data) or defaults.stages,
            concurrency=concurrency,
            duration=self._duration(data, "duration", None),
            requests=self._requests(data) or defaults.requests,
            timeout=self._duration(data, "timeout", defaults.timeout) or defaults.timeout,
            connections=self._get(data, "max_connections", int, defaults.connections),
            connection_age=self._parsed(data, "connections", connection_age, "renewed", "", 0),
            max_rate=max_rate,
            arrivals=self._get(data, "arrivals", str, "even", choices=("even", "poisson")),
            seed=self._get(data, "seed", int, None),
            http2=self._get(data, "http2", bool, False),
            breaker=self._get(data, "breaker", bool, True),
        )
        try:
            plan.check()
        except UsageError as error:
            raise UsageError(f"{self._path}: {error.message}", hint=error.hint) from error
        return plan, self._tls(data)

    # Tables ---------------------------------------------------------------------------------------------------

    def _stages(self, data: Mapping[str, Any]) -> tuple[Stage, ...]:
        found: list[Stage] = []
        for text in self._get(data, "stages", list, []):
            try:
                found += parse_stages(str(text))
            except UsageError as error:
                raise self._error("stages", "", 0, error.message, error.hint) from error
        for index, table in enumerate(self._tables(data, "stage")):
            found += self._stage(table, index)
        return tuple(found)

    def _stage(self, table: Mapping[str, Any], index: int) -> tuple[Stage, ...]:
        where = ("stage", index)
        self._known(table, _STAGE, *where)
        if "trace" in table:
            return read_trace(self._path.parent / self._get(table, "trace", str, "", *where))
        if "rate" not in table:
            raise self._error("rate", *where, "is missing", "every [[stage]] has a rate")
        rate = self._get(table, "rate", (int, float), 0.0, *where)
        shape = self._get(table, "shape", str, "ramp", *where, choices=_SHAPES)
        until = self._get(table, "until", str, "", *where)
        if until and not re.fullmatch(r"scaled|stable|min|replicas>=\d+", until):
            raise self._error("until", *where, f"is {until!r}", "scaled, stable, min or replicas>=N")
        lasting = [name for name in ("for", "over", "max") if name in table]
        duration = self._duration(table, lasting[0], None, *where) if lasting else None
        period = self._duration(table, "every", 60.0, *where) or 60.0
        end = self._get(table, "to", (int, float), rate, *where)
        name = self._get(table, "name", str, "", *where)
        return (Stage(float(rate), float(end), duration, "ramp" if shape == "steady" else shape, period, until, name),)

    def _requests(self, data: Mapping[str, Any]) -> tuple[RequestSpec, ...]:
        found: list[RequestSpec] = []
        for index, table in enumerate(self._tables(data, "request")):
            where = ("request", index)
            self._known(table, _REQUEST, *where)
            headers = self._get(table, "headers", dict, {}, *where)
            body = self._get(table, "body", str, "", *where).encode()
            file = self._get(table, "body_file", str, "", *where)
            if file:
                try:
                    body = (self._path.parent / file).read_bytes()
                except OSError as error:
                    raise self._error(
                        "body_file", *where, f"cannot be read: {error.strerror}", "name a file"
                    ) from error
            weight = float(self._get(table, "weight", (int, float), 1.0, *where))
            if weight <= 0:
                raise self._error("weight", *where, f"is {weight:g}", "above 0")
            found.append(
                RequestSpec(
                    self._get(table, "method", str, "GET", *where).upper(),
                    self._get(table, "path", str, "", *where),
                    {str(key): str(value) for key, value in headers.items()},
                    body,
                    weight,
                    tuple(self._get(table, "expect", list, [], *where)),
                )
            )
        return tuple(found)

    def _tls(self, data: Mapping[str, Any]) -> TlsOptions:
        table = self._get(data, "tls", dict, {})
        self._known(table, _TLS, "tls", 0)
        ca, cert, key, name = (self._get(table, field, str, None, "tls", 0) for field in _TLS[:-1])
        return TlsOptions(ca, cert, key, name, self._get(table, "insecure", bool, False, "tls", 0))

    # Fields ---------------------------------------------------------------------------------------------------

    def _tables(self, data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        tables: list[Mapping[str, Any]] = self._get(data, name, list, [])
        if not all(isinstance(table, dict) for table in tables):
            raise self._error(name, "", 0, "is no list of tables", f"write [[{name}]]")
        return tables

    def _get(
        self, data: Mapping[str, Any], key: str, kind: Any, default: Any, table: str = "", index: int = 0,
        choices: tuple[str, ...] = (),
    ) -> Any:  # fmt: skip
        value = data.get(key, default)
        if key not in data:
            return value
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self._error(key, table, index, f"is {value!r}", f"it takes {_KINDS[kind]}")
        if choices and value not in choices:
            raise self._error(key, table, index, f"is {value!r}", ", ".join(choices))
        return value

    def _parsed(
        self, data: Mapping[str, Any], key: str, parse: Callable[[str], float], default: str, table: str, index: int
    ) -> float:
        value = data.get(key, default)
        try:
            return parse(str(value))
        except UsageError as error:
            raise self._error(key, table, index, f"is {value!r}", error.hint) from error

    def _duration(
        self, data: Mapping[str, Any], key: str, default: float | None, table: str = "", index: int = 0
    ) -> float | None:
        return self._parsed(data, key, parse_duration, "", table, index) if key in data else default

    def _known(self, data: Mapping[str, Any], names: tuple[str, ...], table: str, index: int) -> None:
        for key in data:
            if key not in names:
                raise self._error(key, table, index, "is no known field", f"known: {', '.join(names)}")

    def _error(self, key: str, table: str, index: int, what: str, hint: str) -> UsageError:
        line = self._line(key, table, index)
        inside = f"[[{table}]] {index + 1}: " if table and table != "tls" else ""
        return UsageError(f"{self._path}:{line}: {inside}{key} {what}", hint=hint)

    def _line(self, key: str, table: str, index: int) -> int:
        """The line on which a field stands (its table's, where it is missing), counted from 1."""
        start, seen = 0, -1
        if table:
            for number, line in enumerate(self._lines):
                if re.match(rf"\s*\[\[?\s*{table}\s*\]\]?", line):
                    seen += 1
                    if seen == index:
                        start = number
                        break
        for number in range(start, len(self._lines)):
            if re.match(rf'\s*["\']?{re.escape(key)}["\']?\s*=', self._lines[number]):
                return number + 1
        return start + 1


_STAMP = re.compile(r"\[(\d{2}/\w{3}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\]")


def _from_access_log(lines: list[str]) -> tuple[Stage, ...]:
    """Requests per second of a log in the common or combined format; empty where it is none."""
    counts: Counter[int] = Counter()
    for line in lines:
        match = _STAMP.search(line)
        if match:
            counts[int(datetime.strptime(match[1], "%d/%b/%Y:%H:%M:%S %z").timestamp())] += 1
    if not counts:
        return ()
    return _joined([float(counts.get(second, 0)) for second in range(min(counts), max(counts) + 1)])


def _joined(rates: list[float]) -> tuple[Stage, ...]:
    """One stage for each run of equal rates, a second each."""
    stages: list[Stage] = []
    for rate in rates:
        if stages and stages[-1].start == rate:
            stages[-1] = Stage(rate, rate, (stages[-1].duration or 0.0) + 1.0)
        else:
            stages.append(Stage(rate, rate, 1.0))
    return tuple(stages)


def _from_csv(path: Path, lines: list[str]) -> tuple[Stage, ...]:
    points: list[tuple[float, float]] = []
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split(",")]
        if not line.strip() or line.startswith("#") or (number == 1 and not _is_number(cells[0])):
            continue
        if len(cells) < 2 or not (_is_number(cells[0]) and _is_number(cells[1])):
            raise UsageError(f"{path}:{number}: {line.strip()[:60]!r} is no `seconds,rate`", hint="two numbers a line")
        points.append((float(cells[0]), float(cells[1])))
        if points[-1][1] < 0 or (len(points) > 1 and points[-1][0] <= points[-2][0]):
            raise UsageError(f"{path}:{number}: times must grow and rates be 0 or more")
    ends = [time for time, _ in points[1:]] + [points[-1][0] + 1.0] if points else []
    return tuple(Stage(rate, rate, end - time) for (time, rate), end in zip(points, ends, strict=True))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) is not None
