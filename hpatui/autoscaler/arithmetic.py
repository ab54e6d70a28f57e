"""Go's integer arithmetic where it differs from Python's and a decision could show it."""

from __future__ import annotations

import math

MAX_INT64 = 2**63 - 1
MIN_INT64 = -(2**63)
MAX_INT32 = 2**31 - 1
MIN_INT32 = -(2**31)


def quotient(a: int, b: int) -> int:
    """a / b cut toward zero. ZeroDivisionError for b = 0."""
    result = abs(a) // abs(b)
    return result if (a < 0) == (b < 0) else -result


def wrap64(value: int) -> int:
    """The low 64 bits, signed."""
    return value if MIN_INT64 <= value <= MAX_INT64 else (value + 2**63) % 2**64 - 2**63


def wrap32(value: int) -> int:
    """The low 32 bits, signed."""
    return value if MIN_INT32 <= value <= MAX_INT32 else (value + 2**31) % 2**32 - 2**31


def divide(a: float, b: float) -> float:
    """a / b as IEEE 754 has it: infinities and NaN instead of an exception."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def ceil_replicas(value: float) -> int:
    """ceil(value) as a number of replicas; what is beyond an int32 becomes the largest one."""
    if math.isnan(value):
        return MIN_INT32
    if math.isinf(value):
        return MAX_INT32 if value > 0 else MIN_INT32
    return max(MIN_INT32, min(math.ceil(value), MAX_INT32))


def ceil_int32(value: float) -> int:
    """int32(ceil(value)); what does not fit becomes the smallest int32, as on amd64."""
    if math.isnan(value) or math.isinf(value):
        return MIN_INT32
    whole = math.ceil(value)
    return whole if MIN_INT32 <= whole <= MAX_INT32 else MIN_INT32


def ceil_int64(value: float) -> int:
    """int64(ceil(value)); what does not fit becomes the smallest int64, as on amd64."""
    if math.isnan(value) or math.isinf(value):
        return MIN_INT64
    whole = math.ceil(value)
    return whole if MIN_INT64 <= whole <= MAX_INT64 else MIN_INT64


def trunc_int32(value: float) -> int:
    """int32(value), cut toward zero; what does not fit becomes the smallest int32, as on amd64."""
    if math.isnan(value) or math.isinf(value):
        return MIN_INT32
    whole = math.trunc(value)
    return whole if MIN_INT32 <= whole <= MAX_INT32 else MIN_INT32
