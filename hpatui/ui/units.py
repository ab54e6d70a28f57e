"""Numbers as people say them: `75 %`, `80 Mi`, `1.2k`, `9 ms`. kubectl's own text stays where it is promised."""

from __future__ import annotations

_BINARY = (("Ei", 2.0**60), ("Pi", 2.0**50), ("Ti", 2.0**40), ("Gi", 2.0**30), ("Mi", 2.0**20), ("Ki", 2.0**10))
_DECIMAL = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e4))


def number(value: float, digits: int = 3) -> str:
    """`value` with at most `digits` significant digits and no exponent: 0.953, 28.5, 190, 12,300 as 12.3k."""
    for suffix, size in _DECIMAL:
        if abs(value) >= size:
            return f"{short(value / (1e3 if suffix == 'k' else size), digits)}{suffix}"
    return short(value, digits)


def short(value: float, digits: int = 3) -> str:
    """At most `digits` significant digits, but all that stand before the point."""
    if value == 0:
        return "0"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    if abs(value) < 10 ** -(digits + 3):
        return f"{value:.{digits - 1}g}"
    text = f"{value:.{max(0, digits - whole)}f}" if whole else f"{float(f'{value:.{digits}g}'):.{digits + 3}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str) -> str:
    """A metric's value in its unit (`model.MetricTarget.unit`): percent, millicores, bytes, or a plain number."""
    amount, suffix = _scaled(value, value, unit)
    return f"{amount}{suffix}"


def pair(current: float | None, target: float, unit: str) -> str:
    """Current and target in one unit, which is written once: `75/30 %`, `21.1/80 Mi`, `28.5/30`. `?`: not known."""
    amount, suffix = _scaled(target, target, unit)
    now = "?" if current is None else _scaled(current, target, unit)[0]
    return f"{now}/{amount}{suffix}"


def milliseconds(value: float) -> str:
    """A latency, three digits at most: `0.42 ms`, `9.1 ms`, `212 ms`, `1.25 s`, `12 min`."""
    if value < 999.5:
        return f"{short(value)} ms"
    if value < 119_500:
        return f"{short(value / 1000)} s"
    return f"{value / 60_000:.0f} min"


def _scaled(value: float, by: float, unit: str) -> tuple[str, str]:
    """`value` in the unit that suits `by`."""
    if unit == "%":
        return (f"{value:.0f}" if abs(value) < 1e6 else number(value)), " %"
    if unit == "m":
        return (number(value), "m") if abs(by) < 1000 else (short(value / 1000), " cores")
    if unit == "B":
        suffix, size = next(((s, n) for s, n in _BINARY if abs(by) >= n), ("B", 1.0))
        return short(value / size), f" {suffix}"
    return number(value), ""
