"""Kubernetes quantities ("250m", "80Mi", "1e3"), exact: parsed, rounded, scaled and written back as Kubernetes does.

Source of the rules: k8s.io/apimachinery/pkg/api/resource. Two habits of it are kept on purpose: a short quantity remembers
the text it came from (so "+1" and "5." are written back unchanged), and rounding goes away from zero for those but upward
for long ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

MAX_INT64 = 2**63 - 1
MIN_INT64 = -(2**63)

_FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_SUFFIX = "unable to parse quantity's suffix"

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {0: "", **{exponent: suffix for suffix, exponent in _BINARY.items()}}
_NANO = -9
_MAX_DIGITS = 18  # decimal digits that always fit in an int64
_WRAPPING_SHIFTS = (1, 2, 3, 6, 9)  # where a short quantity that overflows keeps its low 64 bits
_DIGITS = frozenset("0123456789")


class Format(StrEnum):
    """How a quantity is written."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


class QuantityError(ValueError):
    """The text is not a quantity; the message is the one Kubernetes gives."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unscaled` * 10**`scale`. `big` quantities did not fit the fast 64-bit form; `text` is what a short one came from."""

    unscaled: int
    scale: int = 0
    format: Format = Format.DECIMAL_SI
    text: str = ""
    big: bool = False

    def scaled_value(self, scale: int) -> int:
        """The value in units of 10**`scale`, as an int64.

        Rounded away from zero (short) or up (long). What does not fit in 64 bits gives what Kubernetes gives: the low
        64 bits, or 0.
        """
        shift = self.scale - scale
        if shift >= 0:
            value = _times_ten(self.unscaled, shift)
            if MIN_INT64 <= value <= MAX_INT64:
                return value
            return _wrap(value) if self.big or shift in _WRAPPING_SHIFTS else 0
        if self.big:
            return _scale_down(self.unscaled, -shift)
        magnitude = _ceil_ten(abs(self.unscaled), -shift)
        return magnitude if self.unscaled >= 0 else -magnitude

    def milli_value(self) -> int:
        """Thousandths."""
        return self.scaled_value(-3)

    def value(self) -> int:
        """Whole units."""
        return self.scaled_value(0)

    @property
    def overflow(self) -> bool:
        """Whether the exact value in thousandths does not fit in 64 bits."""
        shift = self.scale + 3
        exact = _times_ten(self.unscaled, shift) if shift >= 0 else _ceil_ten(abs(self.unscaled), -shift)
        return not MIN_INT64 <= exact <= MAX_INT64

    def approximate_float(self) -> float:
        """The nearest float that Kubernetes' arithmetic gives; infinite where it overflows."""
        try:
            base = float(self.unscaled)
        except OverflowError:
            return math.copysign(math.inf, self.unscaled)
        return base if self.scale == 0 else base * _pow10(self.scale)

    def __str__(self) -> str:
        """As Kubernetes writes it."""
        return self.text or self.canonical()

    def canonical(self) -> str:
        """The canonical form: the largest suffix without a fraction."""
        if self.unscaled == 0:
            return "0"
        kind = self.format
        if kind is Format.BINARY_SI:
            whole = self._whole()
            small = abs(self.unscaled) * 10 ** max(self.scale, 0) < 1024 * 10 ** max(-self.scale, 0)
            if whole is None or small:
                kind = Format.DECIMAL_SI
            else:
                return _binary(whole)
        return _decimal(self.unscaled, self.scale, kind)

    def _whole(self) -> int | None:
        if self.scale >= 0:
            return int(self.unscaled * 10**self.scale)
        quotient, rest = divmod(self.unscaled, 10**-self.scale)
        return quotient if rest == 0 else None


def milli(value: int, fmt: Format = Format.DECIMAL_SI) -> Quantity:
    """A quantity of `value` thousandths."""
    return Quantity(value, -3, fmt)


_STEP = 32  # Go keeps powers of ten up to 1e31 and every 32nd one


def _pow10(exponent: int) -> float:
    """Go's math.Pow10: a product (or quotient) of two powers, which is not always the float nearest to the power."""
    if not -323 <= exponent <= 308:
        return math.inf if exponent > 0 else 0.0
    high, low = divmod(abs(exponent), _STEP)
    if exponent >= 0:
        return float(f"1e{high * _STEP}") * float(f"1e{low}")
    return float(f"1e-{high * _STEP}") / float(f"1e{low}")


_FAR = 400  # no power of ten beyond this can matter to a 64-bit result


def _times_ten(value: int, power: int) -> int:
    return value * int(10 ** min(power, _FAR))


def _ceil_ten(value: int, power: int) -> int:
    """value / 10**power, rounded up."""
    if power > len(str(value)) + 1:
        return 1 if value > 0 else 0
    return int(-(-value // 10**power))


def _scale_down(value: int, power: int) -> int:
    """A long quantity's value / 10**power as Kubernetes rounds it: cut, then up by one if anything was cut off.

    Below the largest int64 only the low 64 bits take part, so large negative values are accidents there.
    """
    if value < MAX_INT64:
        low, unit = _wrap(value), int(10**power)
        whole = abs(low) // unit * (1 if low >= 0 else -1)
        return whole + 1 if low % unit else whole
    return _wrap(_ceil_ten(value, power))


def _wrap(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def _binary(whole: int) -> str:
    exponent = 0
    while whole % 1024 == 0 and exponent < 60:
        whole //= 1024
        exponent += 10
    return f"{whole}{_BINARY_SUFFIX[exponent]}"


def _decimal(unscaled: int, scale: int, kind: Format) -> str:
    while unscaled % 10 == 0:
        unscaled //= 10
        scale += 1
    extra = scale % 3
    unscaled *= 10**extra
    scale -= extra
    if kind is Format.DECIMAL_EXPONENT:
        return f"{unscaled}e{scale}" if scale else str(unscaled)
    return f"{unscaled}{_DECIMAL_SUFFIX.get(scale, '')}"


def parse_quantity(text: str) -> Quantity:
    """Text -> Quantity. Raises QuantityError with Kubernetes' message when it is none."""
    if text == "":
        raise QuantityError(_FORMAT_WRONG)
    if text == "0":
        return Quantity(0, text=text)
    positive, whole, fraction, suffix = _split(text)
    exponent, kind = _interpret(suffix)
    short = _short(text, positive, whole, fraction, exponent, kind)
    return short if short is not None else _long(positive, whole, fraction, exponent, kind)


def _split(text: str) -> tuple[bool, str, str, str]:
    """(positive, whole digits, fraction digits, suffix)."""
    end = len(text)
    position = 1 if text[0] in "+-" else 0
    positive = text[0] != "-"
    while position < end and text[position] == "0":
        position += 1
    if position >= end:
        return positive, "0", "", ""
    start = position
    while position < end and text[position] in _DIGITS:
        position += 1
    whole = text[start:position] or "0"
    fraction = ""
    if position < end and text[position] == ".":
        start = position = position + 1
        while position < end and text[position] in _DIGITS:
            position += 1
        fraction = text[start:position]
    start = position
    while position < end and text[position] in "eEinumkKMGTP":
        position += 1
    if position < end and text[position] in "+-":
        position += 1
    while position < end and text[position] in _DIGITS:
        position += 1
    if position < end:
        raise QuantityError(_FORMAT_WRONG)
    return positive, whole, fraction, text[start:]


def _interpret(suffix: str) -> tuple[int, Format]:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], Format.DECIMAL_SI
    if suffix in _BINARY:
        return _BINARY[suffix], Format.BINARY_SI
    if len(suffix) > 1 and suffix[0] in "eE":
        try:
            exponent = int(suffix[1:])
        except ValueError:
            raise QuantityError(_SUFFIX) from None
        if not MIN_INT64 <= exponent <= MAX_INT64:
            raise QuantityError(_SUFFIX)
        return (exponent + 2**31) % 2**32 - 2**31, Format.DECIMAL_EXPONENT
    raise QuantityError(_SUFFIX)


def _short(text: str, positive: bool, whole: str, fraction: str, exponent: int, kind: Format) -> Quantity | None:
    """The fast form, where the number surely fits in 64 bits; it remembers its text if that is nearly canonical."""
    mantissa = 1
    if kind is Format.BINARY_SI:
        if fraction:
            return None
        scale = 0
        mantissa = 1 << exponent
        room = 15 - len(whole) - int(exponent * 3 / 10) - 1
    else:
        scale = exponent
        room = _MAX_DIGITS - len(whole) - len(fraction)
    scale -= len(fraction)
    if room < 0 or scale < _NANO:
        return None
    digits = whole + fraction
    value = int(digits) * mantissa
    if value > MAX_INT64:
        return None
    if kind is Format.BINARY_SI:
        keep = int(digits) % 8 != 0
    else:
        keep = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    return Quantity(value if positive else -value, scale, kind, text if keep else "")


def _long(positive: bool, whole: str, fraction: str, exponent: int, kind: Format) -> Quantity:
    """The exact form: rounded up to 1e-9, binary ones capped at the largest int64."""
    unscaled, scale = int(whole + fraction), -len(fraction)
    if kind is Format.BINARY_SI:
        unscaled <<= exponent
    else:
        scale += exponent
    if scale < _NANO:
        unscaled = _ceil_ten(unscaled, _NANO - scale)
        scale = _NANO
    elif unscaled and scale - _NANO <= _FAR:
        unscaled *= 10 ** (scale - _NANO)
        scale = _NANO
    if kind is Format.BINARY_SI:
        if unscaled > MAX_INT64 * 10 ** -min(scale, 0):
            unscaled, scale = MAX_INT64, 0
        if 0 < unscaled < 10 ** -min(scale, 0):
            kind = Format.DECIMAL_SI
    return Quantity(unscaled if positive else -unscaled, scale, kind, big=True)
