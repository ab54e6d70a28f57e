"""Where ticks stand and how they are written. Pure."""

from __future__ import annotations

from math import ceil, floor, log10

from hpatui.clock import as_datetime

_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)


def value_ticks(highest: float, unit: str = "", most: int = 4) -> list[float]:
    """Round values from 0 to at least `highest`; of bytes, round in binary."""
    if not highest > 0:
        return [0.0, 1.0]
    if unit == "B" and highest >= 1024:
        factor = float(next(size for size in (2**30, 2**20, 2**10) if highest >= size))
        return [tick * factor for tick in value_ticks(highest / factor, "", most)]
    raw = highest / most
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    if highest >= 1 and highest == int(highest) and step < 1:
        step = 1.0
    return [step * index for index in range(ceil(highest / step - 1e-9) + 1)]


def time_ticks(start: float, end: float, origin: float | None, most: int = 8) -> list[tuple[float, str]]:
    """(time, text) of round times between `start` and `end`: counted from `origin`, or of the day."""
    span = max(end - start, 1e-9)
    step = next((step for step in _TIMES if span / step <= most), float(ceil(span / most / 86400) * 86400))
    zero = 0.0 if origin is None else origin
    first = ceil((start - zero) / step - 1e-9)
    ticks = []
    for index in range(first, floor((end - zero) / step + 1e-9) + 1):
        time = zero + index * step
        ticks.append((time, _time_of_day(time, step) if origin is None else elapsed(index * step)))
    return ticks


def _time_of_day(time: float, step: float) -> str:
    if step >= 86400:
        return f"{as_datetime(time):%d %b}"
    return f"{as_datetime(time):%H:%M:%S}" if step < 60 else f"{as_datetime(time):%H:%M}"


def elapsed(seconds: float) -> str:
    """`0s`, `45s`, `2m`, `2m30s`, `1h05m`; negative ones with a sign."""
    sign, whole = ("-" if seconds <= -0.5 else ""), round(abs(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{sign}{hours}h{minutes:02d}m" if minutes else f"{sign}{hours}h"
    if minutes:
        return f"{sign}{minutes}m{left:02d}s" if left else f"{sign}{minutes}m"
    return f"{sign}{left}s"


def value_text(value: float, unit: str) -> str:
    """A value with its unit, in as few digits as tell it apart."""
    if unit == "B":
        for factor, name in ((2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki")):
            if abs(value) >= factor:
                return f"{value / factor:.3g}{name}"
        return f"{value:g}"
    if unit == "m" and abs(value) >= 1000:
        return f"{value / 1000:.3g}"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}" if unit in ("ms", "s") else f"{text}{unit}"
