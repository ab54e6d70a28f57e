"""A plan from a file: TOML -> `plan_schema` -> LoadPlan. Errors name the file, the line and the field.

Files that a plan names (body_file, trace, TLS) are relative to the plan.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from hpatui.errors import UsageError
from hpatui.load.plan import LoadPlan, RequestSpec, Stage, connection_age, parse_bytes, parse_duration, parse_stages
from hpatui.load.plan_schema import CHOICES, TABLES, WORDS, PlanTable, RequestTable, StageTable
from hpatui.load.target import Target
from hpatui.load.trace import read_trace

__all__ = ["TlsOptions", "plan_within", "read_plan", "read_trace", "with_tls"]

_UNTIL = re.compile(r"scaled|stable|min|replicas>=\d{1,6}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_PATH = re.compile(r"\$|\.([A-Za-z_]+)|\[(\d+|\.\.\.)\]")


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The plan's [tls] table: files, the name in the certificate, and whether not to check it."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None
    insecure: bool = False


def with_tls(target: Target, tls: TlsOptions) -> Target:
    """The target, reached as the options say. UsageError where they would say how we reach an API server."""
    if tls == TlsOptions():
        return target
    if target.kind == "proxy":
        raise UsageError(
            "TLS options are for the target; the service proxy is reached as the kubeconfig says",
            hint="leave out --insecure, --ca, --cert and --server-name ([tls] of the plan), or use --via port-forward",
        )
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
    return _Reader(path, text, data).plan(max_rate)


def plan_within(
    path: Path, text: str, data: dict[str, Any], table: str, max_rate: float
) -> tuple[LoadPlan, TlsOptions]:  # fmt: skip
    """The plan that is a table of a larger file: `data` is that table, `text` the whole file. UsageError as `read_plan`."""
    return _Reader(path, text, data, table).plan(max_rate)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"cannot read {path}: {reason}", hint="name a file that can be read") from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field stands: `table` is empty for the file's own fields."""

    table: str = ""
    index: int = 0


class _Reader:
    """Reads one file; knows where a field stands."""

    def __init__(self, path: Path, text: str, data: dict[str, Any], inside: str = "") -> None:
        """`inside`: the table of a larger file that is the plan."""
        self._path = path
        self._inside = inside
        self._lines = text.splitlines()
        self._data = data

    def plan(self, max_rate: float) -> tuple[LoadPlan, TlsOptions]:
        if not self._data:
            raise UsageError(f"{self._path} is empty", hint="write [[stage]] with a rate, or concurrency")
        table = self._checked()
        defaults = LoadPlan()
        closed = table.model == "closed" or (table.model is None and table.concurrency is not None)
        self._one_model(table, closed=closed)
        plan = LoadPlan(
            model="closed" if closed else "open",
            stages=self._stages(table) or defaults.stages,
            concurrency=table.concurrency or defaults.concurrency,
            duration=self._duration(table.duration, "duration"),
            requests=tuple(self._request(item, index) for index, item in enumerate(table.request)) or defaults.requests,
            timeout=defaults.timeout if table.timeout is None else self._duration(table.timeout, "timeout") or 0.0,
            connections=table.max_connections or defaults.connections,
            connection_age=self._age(table.connections),
            max_rate=max_rate,
            max_body=defaults.max_body if table.max_body is None else self._bytes(table.max_body),
            max_in_flight=table.max_in_flight,
            arrivals=table.arrivals,
            seed=table.seed,
            http2=table.http2,
            breaker=table.breaker,
        )
        try:
            plan.check()
        except UsageError as error:
            raise UsageError(f"{self._path}: {error.message}", hint=error.hint) from error
        return plan, self._tls(table)

    def _checked(self) -> PlanTable:
        """The file as its schema has it. UsageError for what does not fit."""
        try:
            return msgspec.convert(self._data, PlanTable)
        except msgspec.ValidationError as error:
            raise self._misfit(str(error)) from error

    def _misfit(self, problem: str) -> UsageError:
        """msgspec's words -> ours."""
        words, _, where = problem.partition(" - at ")
        keys = [match[1] or match[2] for match in _PATH.finditer(where.strip("`")) if match[0] != "$"]
        value: Any = self._data
        for key in keys:
            if key == "...":
                break
            value = value[int(key)] if key.isdecimal() else value[key]
        place, names = _Place(), keys
        if len(keys) > 1 and keys[0] in ("stage", "request") and keys[1].isdecimal():
            place, names = _Place(keys[0], int(keys[1])), keys[2:]
        elif len(keys) > 1 and keys[0] == "tls":
            place, names = _Place("tls"), keys[1:]
        if unknown := re.search(r"unknown field `(.*)`", words):
            table = place.table or (names[0] if names == ["tls"] else "")
            known = ", ".join(field.encode_name for field in msgspec.structs.fields(TABLES[table]))
            return self._error(unknown[1], _Place(table, place.index), "is no known field", f"known: {known}")
        field = names[0] if names else place.table
        if not names:  # an element of [[stage]] or [[request]]
            return self._error(field, _Place(), "is no list of tables", f"write [[{field}]]")
        if "..." in names:  # msgspec does not say which
            return self._error(field, place, "has a value of the wrong kind", _expected(words, field))
        inside = len(names) > 1 and names[1].isdecimal()
        return self._error(field, place, f"{'holds' if inside else 'is'} {value!r}", _expected(words, field))

    def _one_model(self, table: PlanTable, *, closed: bool) -> None:
        if closed and (table.stage or table.stages):
            name = "stage" if table.stage else "stages"
            place = _Place("stage") if table.stage else _Place()
            raise self._error(
                name, place, "does not go with concurrency (the closed model has no rates)", "drop one of them"
            )
        if not closed and table.concurrency is not None:
            raise self._error("concurrency", _Place(), "is of the closed model", "write model = 'closed', or drop it")

    # Tables ---------------------------------------------------------------------------------------------------

    def _stages(self, table: PlanTable) -> tuple[Stage, ...]:
        found: list[Stage] = []
        for text in table.stages:
            try:
                found += parse_stages(text)
            except UsageError as error:
                raise self._error("stages", _Place(), error.message, error.hint) from error
        last: list[tuple[Stage, _Place]] = []
        for index, item in enumerate(table.stage):
            place = _Place("stage", index)
            if last and last[-1][0].duration is None and not last[-1][0].until:
                raise self._error("rate", last[-1][1], "has no end, so that the next stage never begins", "for = '1m'")
            stages = self._stage(item, place)
            found += stages
            last = [(stages[-1], place)]
        return tuple(found)

    def _stage(self, table: StageTable, place: _Place) -> tuple[Stage, ...]:
        if table.trace:
            for name in self._data["stage"][place.index]:
                if name not in ("trace", "name"):
                    raise self._error(name, place, "does not go with trace, which says all", "drop it")
            return read_trace(self._path.parent / table.trace)
        if table.rate is None:
            raise self._error("rate", place, "is missing", "every [[stage]] has a rate")
        if table.until and not _UNTIL.fullmatch(table.until):
            raise self._error("until", place, f"is {table.until!r}", "scaled, stable, min or replicas>=N")
        if table.max is not None and not table.until:
            raise self._error("max", place, "is the most that `until` may take", "write for = ...")
        if table.every is not None and table.shape not in ("sine", "sawtooth"):
            raise self._error("every", place, "is the period of a sine or sawtooth", "set shape, or drop it")
        given = [(name, value) for name, value in (("for", table.lasting), ("over", table.over), ("max", table.max))
                 if value is not None]  # fmt: skip
        if len(given) > 1:
            raise self._error(given[1][0], place, f"stands beside {given[0][0]}: both say how long", "drop one of them")
        duration = self._positive(given[0][1], given[0][0], place) if given else None
        period = 60.0 if table.every is None else self._positive(table.every, "every", place)
        for name, rate in (("rate", table.rate), ("to", table.to)):
            if rate is not None and not math.isfinite(rate):
                raise self._error(name, place, f"is {rate}", "it takes a number")
        end = table.rate if table.to is None else table.to
        if end != table.rate and table.shape in ("ramp", "steady") and duration is None:
            raise self._error("to", place, "needs to know in which time", "over = '2m'")
        shape = "ramp" if table.shape == "steady" else table.shape
        return (Stage(float(table.rate), float(end), duration, shape, period, table.until, table.name),)

    def _request(self, table: RequestTable, index: int) -> RequestSpec:
        place = _Place("request", index)
        if not _TOKEN.fullmatch(table.method):
            raise self._error("method", place, f"is {table.method!r}", "a word such as GET or POST")
        if not table.path.isprintable() or " " in table.path:
            raise self._error("path", place, f"is {table.path!r}", "no spaces, no control characters")
        if not math.isfinite(table.weight):
            raise self._error("weight", place, f"is {table.weight}", "above 0")
        body = (table.body or "").encode()
        if table.body_file:
            if table.body is not None:
                raise self._error("body_file", place, "stands beside body", "drop one of them")
            try:
                body = (self._path.parent / table.body_file).read_bytes()
            except OSError as error:
                raise self._error("body_file", place, f"cannot be read: {error.strerror}", "name a file") from error
        return RequestSpec(
            table.method.upper(), table.path, self._headers(table.headers, place), body, table.weight,
            tuple(table.expect),
        )  # fmt: skip

    def _headers(
        self, given: Mapping[str, str | int | list[str]], place: _Place
    ) -> dict[str, str] | tuple[tuple[str, str], ...]:
        """A mapping; pairs where a name comes several times."""
        pairs: list[tuple[str, str]] = []
        for name, value in given.items():
            values = value if isinstance(value, list) else [str(value)]
            problem = next((why for text in values if (why := header_problem(name, text))), "")
            if problem:
                raise self._error("headers", place, problem, "correct it")
            pairs += [(name, text) for text in values]
        return dict(pairs) if len(dict(pairs)) == len(pairs) else tuple(pairs)

    def _tls(self, table: PlanTable) -> TlsOptions:
        tls, folder = table.tls, self._path.parent
        files = []
        for name in ("ca", "cert", "key"):
            value = getattr(tls, name)
            files.append(None if value is None else str(folder / Path(value).expanduser()))
        if tls.key is not None and tls.cert is None:
            raise self._error("key", _Place("tls"), "is the key of a cert that is missing", "add cert")
        ca, cert, key = files
        return TlsOptions(ca, cert, key, tls.server_name, tls.insecure)

    # Fields ---------------------------------------------------------------------------------------------------

    def _duration(self, value: str | float | None, key: str, place: _Place | None = None) -> float | None:
        return None if value is None else self._positive(value, key, place or _Place())

    def _positive(self, value: str | float, key: str, place: _Place) -> float:
        """Seconds above 0."""
        try:
            seconds = float(value) if isinstance(value, int | float) else parse_duration(value)
        except UsageError as error:
            raise self._error(key, place, f"is {value!r}", error.hint) from error
        if not 0 < seconds < 1e8:
            raise self._error(key, place, f"is {value!r}", "give a time above 0, e.g. 30s")
        return seconds

    def _age(self, value: str | float) -> float:
        try:
            return connection_age(value if isinstance(value, str) else f"{value:g}")
        except UsageError as error:
            raise self._error("connections", _Place(), f"is {value!r}", error.hint) from error

    def _bytes(self, value: str | int) -> int:
        try:
            return parse_bytes(str(value))
        except UsageError as error:
            raise self._error("max_body", _Place(), f"is {value!r}", error.hint) from error

    def _error(self, key: str, place: _Place, what: str, hint: str) -> UsageError:
        inside = f"[[{place.table}]] {place.index + 1}: " if place.table in ("stage", "request") else ""
        return UsageError(f"{self._path}:{self._line(key, place)}: {inside}{key} {what}", hint=hint)

    def _line(self, key: str, place: _Place) -> int:
        """The line on which a field stands (its table's, where it is missing), counted from 1."""
        start, seen = 0, -1
        table = ".".join(part for part in (self._inside, place.table) if part)
        if table:
            for number, line in enumerate(self._lines):
                if re.match(rf"\s*\[\[?\s*{re.escape(table)}\s*\]\]?", line):
                    seen += 1
                    if seen == place.index:
                        start = number
                        break
        within = re.escape(table)
        pattern = rf'\s*(?:["\']?{re.escape(key)}["\']?\s*[=.]|\[\[?\s*(?:{within}\.)?{re.escape(key)}\s*\]\]?)'
        for number in range(start, len(self._lines)):
            if re.match(pattern, self._lines[number]):
                return number + 1
        return start + 1


def header_problem(name: str, value: str) -> str:
    """What is wrong with a header (RFC 9110, 5.5 and 5.6.2); empty where nothing is. The value is shown nowhere: it may be
    a secret.
    """
    if not _TOKEN.fullmatch(name):
        return f"{name!r} is no name of a header"
    if any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in value):
        return f"the value of {name} holds a line break or another control character"
    return ""


def _expected(words: str, field: str) -> str:
    """What a field takes, from msgspec's words."""
    if field in CHOICES and "enum" in words:
        return CHOICES[field]
    if bound := re.search(r"Expected `\w+`(?: [a-z ]+)? (>=|<=|>) ([\d.]+)", words):
        return {">=": "{} or more", "<=": "at most {}", ">": "above {}"}[bound[1]].format(f"{float(bound[2]):g}")
    if kinds := re.search(r"Expected `([^`]*)`", words):
        known = [WORDS[kind.strip()] for kind in kinds[1].split("|") if kind.strip() in WORDS]
        if known:
            return f"it takes {' or '.join(known)}"
    return "correct it"
