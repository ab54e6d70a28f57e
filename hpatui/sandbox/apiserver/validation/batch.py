"""Validation of Jobs' schedules, LimitRanges and ResourceQuotas."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from hpatui.quantity import parse_quantity
from hpatui.sandbox.apiserver.status import FieldError
from hpatui.sandbox.apiserver.validation.errors import required, unsupported, wrong

JsonObject = dict[str, Any]

# minute, hour, day of month, month, day of week: least, most, names (robfig/cron, which the API server uses)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, tuple[str, ...], int], ...] = (
    (0, 59, (), 0), (0, 23, (), 0), (1, 31, (), 0), (1, 12, _MONTHS, 1), (0, 6, _DAYS, 0),
)  # fmt: skip
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_POLICIES = ("Allow", "Forbid", "Replace")
_QUOTA = re.compile(
    r"cpu|memory|ephemeral-storage|storage|pods|services|replicationcontrollers|resourcequotas|secrets|configmaps|"
    r"persistentvolumeclaims|services\.(nodeports|loadbalancers)|hugepages-.*|"
    r"(requests|limits)\.(cpu|memory|ephemeral-storage|storage|hugepages-.*)"
)


def check_cron_job(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """The schedule, its zone and what overlapping runs do."""
    spec = obj.get("spec") or {}
    errors = []
    schedule = spec.get("schedule") or ""
    if not schedule:
        errors.append(required("spec.schedule"))
    elif problem := schedule_problem(schedule):
        errors.append(wrong("spec.schedule", schedule, problem))
    zone = spec.get("timeZone")
    if zone is not None and not _known_zone(zone):
        errors.append(wrong("spec.timeZone", zone, f"unknown time zone {zone}"))
    policy = spec.get("concurrencyPolicy") or "Allow"
    if policy not in _POLICIES:
        errors.append(unsupported("spec.concurrencyPolicy", policy, _POLICIES))
    return errors


def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def schedule_problem(text: str) -> str:
    """What is wrong with a cron line in the API server's words, or an empty text."""
    if text.startswith("@"):
        known = text in _DESCRIPTORS or re.fullmatch(r"@every [0-9.a-zµ]+", text)
        return "" if known else f"unrecognized descriptor: {text}"
    parts = text.split()
    if len(parts) != 5:
        shown = " ".join(parts)
        return f"expected exactly 5 fields, found {len(parts)}: [{shown}]"
    for part, field in zip(parts, _FIELDS, strict=True):
        for term in part.split(","):
            if problem := _term_problem(term, field):
                return problem
    return ""


def _term_problem(term: str, field: tuple[int, int, tuple[str, ...], int]) -> str:
    least, most, names, base = field
    span, slash, step = term.partition("/")
    if "/" in step:
        return f"too many slashes: {term}"
    low = high = least
    if span not in ("*", "?"):
        ends = span.split("-")
        if len(ends) > 2:
            return f"too many hyphens: {term}"
        numbers = []
        for end in ends:
            if end.lower() in names:
                numbers.append(names.index(end.lower()) + base)
            elif not re.fullmatch(r"[+-]?[0-9]+", end):
                return f'failed to parse int from {end}: strconv.Atoi: parsing "{end}": invalid syntax'
            elif int(end) < 0:
                return f"negative number ({int(end)}) not allowed: {end}"
            else:
                numbers.append(int(end))
        low, high = numbers[0], numbers[-1]
    if slash and not step.isdigit():
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if low < least:
        return f"beginning of range ({low}) below minimum ({least}): {term}"
    if high > most:
        return f"end of range ({high}) above maximum ({most}): {term}"
    if low > high:
        return f"beginning of range ({low}) beyond end of range ({high}): {term}"
    return f"step of range should be a positive number: {term}" if slash and int(step) == 0 else ""


def check_limit_range(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """min <= defaultRequest <= default <= max, for each resource of each limit."""
    errors: list[FieldError] = []
    pairs = (
        ("min", "max", "min", "min value {a} is greater than max value {b}"),
        ("min", "defaultRequest", "defaultRequest", "min value {a} is greater than default request value {b}"),
        ("defaultRequest", "max", "defaultRequest", "default request value {a} is greater than max value {b}"),
        (
            "defaultRequest",
            "default",
            "defaultRequest",
            "default request value {a} is greater than default limit value {b}",
        ),
        ("min", "default", "default", "min value {a} is greater than default value {b}"),
        ("default", "max", "default", "default value {a} is greater than max value {b}"),
    )
    for index, entry in enumerate((obj.get("spec") or {}).get("limits") or ()):
        names = sorted({name for key in ("min", "max", "default", "defaultRequest") for name in entry.get(key) or {}})
        for name in names:
            for left, right, at, text in pairs:
                a, b = (entry.get(left) or {}).get(name), (entry.get(right) or {}).get(name)
                if a is not None and b is not None and _amount(a) > _amount(b):
                    shown = b if (left, right) == ("min", "defaultRequest") else a  # as the API server has it
                    where = f"spec.limits[{index}].{at}[{name}]"
                    errors.append(wrong(where, str(_shown(shown)), text.format(a=_shown(a), b=_shown(b))))
    return errors


def _shown(value: Any) -> str:
    return str(parse_quantity(str(value)))


def _amount(value: Any) -> int:
    return parse_quantity(str(value)).milli_value()


def check_quota(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """Names that a quota may have, and no negative amounts."""
    errors = []
    for name, value in ((obj.get("spec") or {}).get("hard") or {}).items():
        where = f"spec.hard[{name}]"
        if "/" not in name and not _QUOTA.fullmatch(name):
            errors.append(wrong(where, name, "must be a standard resource type or fully qualified"))
            errors.append(wrong(where, name, "must be a standard resource for quota"))
        if _amount(value) < 0:
            errors.append(wrong(where, str(value), "must be greater than or equal to 0"))
    return errors
