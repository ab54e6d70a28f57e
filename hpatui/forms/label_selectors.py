"""Label selectors: as text ("app=web,tier in (a,b),!canary") and as API objects, with Kubernetes' error texts.

Source of the rules: k8s.io/apimachinery/pkg/labels (parser) and meta/v1 LabelSelectorAsSelector.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


class SelectorError(ValueError):
    """The selector cannot be used; the message is the one Kubernetes gives."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: key, operator (=, ==, in, !=, notin, exists, !, gt, lt) and its values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy the term."""
        have = labels.get(self.key)
        match self.operator:
            case "exists":
                return have is not None
            case "!":
                return have is None
            case "=" | "==" | "in":
                return have is not None and have in self.values
            case "!=" | "notin":
                return have is None or have not in self.values
            case _:
                return self._compares(have)

    def _compares(self, have: str | None) -> bool:
        try:
            number, limit = int(have or ""), int(self.values[0])
        except ValueError:
            return False
        return number > limit if self.operator == "gt" else number < limit


@dataclass(frozen=True, slots=True)
class Selector:
    """All terms must hold; without terms everything matches."""

    terms: tuple[Requirement, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy every term."""
        return all(term.matches(labels) for term in self.terms)


_WORDS = {"in": "in", "notin": "notin"}
_SPECIAL = "=!(),><"
_SPACE = " \t\r\n"
_OPERATORS = ("=", "==", "!=", "in", "notin", ">", "<")


def _tokens(text: str) -> list[tuple[str, str]]:
    """(kind, literal); kinds: word, in, notin, =, ==, !=, !, (, ), comma, >, <, error, end."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char in _SPACE:
            position += 1
            continue
        start = position
        if char in _SPECIAL:
            while position < len(text) and text[position] in _SPECIAL:
                literal = text[start : position + 1]
                if position > start and literal not in ("==", "!="):
                    break
                position += 1
            literal = text[start:position]
            found.append((",", literal) if literal == "," else (literal, literal))
            continue
        while position < len(text) and text[position] not in _SPECIAL and text[position] not in _SPACE:
            position += 1
        literal = text[start:position]
        found.append((_WORDS.get(literal, "word"), literal))
    found.append(("end", ""))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0

    def _look(self, *, value: bool = False) -> tuple[str, str]:
        kind, literal = self._tokens[self._position]
        return ("word", literal) if value and kind in ("in", "notin") else (kind, literal)

    def _next(self, *, value: bool = False) -> tuple[str, str]:
        token = self._look(value=value)
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def parse(self) -> list[Requirement]:
        terms: list[Requirement] = []
        while True:
            kind, literal = self._look(value=True)
            if kind in ("word", "!"):
                try:
                    terms.append(self._requirement())
                except SelectorError as error:
                    raise SelectorError(f"unable to parse requirement: {error}") from None
                kind, literal = self._next()
                if kind == "end":
                    return terms
                if kind != ",":
                    raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
                after, literal = self._look(value=True)
                if after not in ("word", "!"):
                    raise SelectorError(f"found '{literal}', expected: identifier after ','")
            elif kind == "end":
                return terms
            else:
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")

    def _requirement(self) -> Requirement:
        operator = ""
        kind, literal = self._next(value=True)
        if kind == "!":
            operator = "!"
            kind, literal = self._next(value=True)
        if kind != "word":
            raise SelectorError(f"found '{literal}', expected: identifier")
        key = literal
        _check_key(key)
        if operator == "!" or self._look()[0] in ("end", ","):
            return Requirement(key, operator or "exists")
        kind, literal = self._next()
        if kind not in _OPERATORS:
            expected = "in, notin, =, ==, !=, gt, lt"
            raise SelectorError(f"found '{literal}', expected: {expected}")
        operator = {">": "gt", "<": "lt"}.get(kind, kind)
        values = self._values() if operator in ("in", "notin") else (self._exact(),)
        return _checked(key, operator, values)

    def _exact(self) -> str:
        if self._look(value=True)[0] in ("end", ","):
            return ""
        kind, literal = self._next(value=True)
        if kind != "word":
            raise SelectorError(f"found '{literal}', expected: identifier")
        return literal

    def _values(self) -> tuple[str, ...]:
        kind, literal = self._next(value=True)
        if kind != "(":
            raise SelectorError(f"found '{literal}' expected: '('")
        kind, literal = self._look(value=True)
        if kind in ("word", ","):
            values = self._identifiers()
            kind, literal = self._next()
            if kind != ")":
                raise SelectorError(f"found '{literal}', expected: ')'")
            return tuple(sorted(set(values)))
        if kind == ")":
            self._next(value=True)
            return ()
        raise SelectorError(f"found '{literal}', expected: ',', ')' or identifier")

    def _identifiers(self) -> list[str]:
        values: list[str] = []
        while True:
            kind, literal = self._next(value=True)
            if kind == "word":
                values.append(literal)
                after, text = self._look(value=True)
                if after == ",":
                    continue
                if after == ")":
                    return values
                raise SelectorError(f"found '{text}', expected: ',' or ')'")
            if kind != ",":
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")
            if not values:
                values.append("")
            after, _ = self._look(value=True)
            if after == ")":
                values.append("")
                return values
            if after == ",":
                self._next(value=True)
                values.append("")


_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_PREFIX_TEXT = (
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def _check_key(key: str) -> None:
    problems: list[str] = []
    prefix, slash, name = key.rpartition("/")
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash and (not _DNS.fullmatch(prefix) or len(prefix) > 253):
        problems.append(_PREFIX_TEXT if len(prefix) <= 253 else "prefix part must be no more than 253 bytes")
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 bytes")
    if not _NAME.fullmatch(name):
        problems.append(_NAME_TEXT)
    if problems:
        raise SelectorError(f'key: Invalid value: "{key}": {"; ".join(problems)}')


def _checked(key: str, operator: str, values: tuple[str, ...]) -> Requirement:
    if operator in ("in", "notin") and not values:
        raise SelectorError("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
    if operator in ("gt", "lt"):
        for index, value in enumerate(values):
            if not re.fullmatch(r"[+-]?\d+", value):
                text = "for 'Gt', 'Lt' operators, the value must be an integer"
                raise SelectorError(f'values[{index}]: Invalid value: "{value}": {text}')
    for index, value in enumerate(values):
        problem = "must be no more than 63 bytes" if len(value) > 63 else ""
        if not problem and value and not _NAME.fullmatch(value):
            problem = _VALUE_TEXT
        if problem:
            raise SelectorError(f'values[{index}][{key}]: Invalid value: "{value}": {problem}')
    return Requirement(key, operator, values)


@lru_cache(maxsize=4096)
def parse_selector(text: str) -> Selector:
    """Text -> Selector. SelectorError with Kubernetes' message when it is none."""
    return Selector(tuple(_Parser(text).parse()))


_API_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def check_api_selector(selector: Mapping[str, Any] | None) -> None:
    """Raise SelectorError where a metric's label selector (API object) could not be used in a query."""
    if not selector:
        return
    for key, value in (selector.get("matchLabels") or {}).items():
        _check_key(key)
        _checked(key, "=", (value,))
    for item in selector.get("matchExpressions") or ():
        operator = _API_OPERATORS.get(item.get("operator", ""))
        if operator is None:
            raise SelectorError(f'"{item.get("operator", "")}" is not a valid label selector operator')
        _check_key(item.get("key", ""))
        values = tuple(item.get("values") or ())
        if operator in ("exists", "!") and values:
            raise SelectorError("values: Invalid value: values set must be empty for exists and does not exist")
        _checked(item.get("key", ""), operator, values)


def format_api_selector(selector: Mapping[str, Any] | None) -> str:
    """As Go prints a *LabelSelector with %+v, which stands in metric names and error texts."""
    if selector is None:
        return "nil"
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{e.get('key', '')},Operator:{e.get('operator', '')},"
        f"Values:[{' '.join(e.get('values') or ())}],}},"
        for e in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
