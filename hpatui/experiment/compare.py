"""Two results beside each other: what changed, by how much, how sure that is, whether it is more than allowed. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from hpatui.errors import UsageError
from hpatui.experiment.measures import NAMES, UNITS
from hpatui.experiment.result import VERSION, Result
from hpatui.text import printable

_DRAWS = 2000
_BY_NAME = {**{name: key for key, name in NAMES.items()}, **{name: name for name in NAMES}}
_LIMIT = re.compile(
    r"(?P<measure>[A-Za-z0-9_. -]+?)\s*(?P<sign>[+-])\s*(?P<amount>\d+(?:\.\d+)?)\s*(?P<unit>%|ms|s|m|h|)"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """`p95 +20%`: it may not be so much more (`-`: not so much less) than before; `share` in percent, or an amount in the
    measure's unit.
    """

    text: str
    measure: str
    more: bool
    share: float | None
    amount: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """A measure of a variant in both. `percent`: None where there is nothing to compare with. `low` to `high`: 95 % of
    resampled differences, in percent (None with less than three runs each). `missed`: the limit that it breaks.
    """

    variant: str
    measure: str
    before: float | None
    after: float | None
    percent: float | None
    low: float | None = None
    high: float | None = None
    missed: str = ""

    @property
    def sure(self) -> bool:
        """Whether chance alone hardly explains it."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def parse_limit(text: str) -> Limit:
    """UsageError for one that cannot be read."""
    match = _LIMIT.fullmatch(" ".join(text.split()))
    measure = _BY_NAME.get(match["measure"].strip().replace("_", " ")) if match else None
    measure = measure or (_BY_NAME.get(match["measure"].strip()) if match else None)
    if match is None or measure is None:
        known = ", ".join(NAMES.values())
        raise UsageError(f"--fail-if {printable(text, 60)!r} cannot be read", hint=f'write "p95 +20%"; of: {known}')
    number, unit = float(match["amount"]), match["unit"]
    own = UNITS[measure]
    if unit == "%" and own != "%":
        return Limit(text, measure, match["sign"] == "+", number, None)
    if unit == "%":
        return Limit(text, measure, match["sign"] == "+", None, number)  # of a percentage: points
    factors = {"ms": {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}, "s": {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}}
    if (own in factors and unit not in factors[own]) or (own not in factors and unit):
        hint = f"write {match['amount']}{own or ''} or {match['amount']}%"
        raise UsageError(f"--fail-if {printable(text, 60)!r}: {NAMES[measure]} has another unit", hint=hint)
    return Limit(text, measure, match["sign"] == "+", None, number * factors.get(own, {}).get(unit, 1.0))


def read_result(path: Path) -> Result:
    """A result of `hpatui run --json`. UsageError for what is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name a file of `hpatui run --json`") from error
    try:
        result = msgspec.json.decode(data, type=Result)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is no result of an experiment", hint="write it with `hpatui run --json > FILE`"
        ) from error
    if result.version != VERSION:
        raise UsageError(f"{path} is of version {result.version}", hint=f"this hpatui reads version {VERSION}")
    return result


def compare(before: Result, after: Result, limits: Sequence[Limit]) -> list[Change]:
    """Each measure of each variant that both have. UsageError where they have no variant in common."""
    names = [variant.name for variant in before.variants]
    common = [variant.name for variant in after.variants if variant.name in names]
    if not common:
        raise UsageError("the two have no variant in common", hint="compare two runs of the same experiment")
    found: list[Change] = []
    for name in common:
        for measure in NAMES:
            one, two = _values(before, name, measure), _values(after, name, measure)
            if one or two:
                found.append(_change(name, measure, one, two, limits))
    return found


def _values(result: Result, variant: str, measure: str) -> list[float]:
    values = [run.measures.get(measure) for run in result.runs if run.variant == variant and not run.error]
    return [value for value in values if value is not None]


def _change(name: str, measure: str, one: list[float], two: list[float], limits: Sequence[Limit]) -> Change:
    before = median(one) if one else None
    after = median(two) if two else None
    percent = 100.0 * (after - before) / before if before and after is not None else None
    low = high = None
    if len(one) >= 3 and len(two) >= 3 and before:
        dice = random.Random(0)
        drawn = sorted(
            median(dice.choices(two, k=len(two))) - median(dice.choices(one, k=len(one))) for _ in range(_DRAWS)
        )
        low, high = (100.0 * drawn[int(share * (_DRAWS - 1))] / before for share in (0.025, 0.975))
    missed = next((limit.text for limit in limits if limit.measure == measure and _breaks(limit, before, after)), "")
    return Change(name, measure, before, after, percent, low, high, missed)


def _breaks(limit: Limit, before: float | None, after: float | None) -> bool:
    """What was known before and no longer is (it never scaled, nothing was answered) breaks every limit."""
    if before is None:
        return False
    if after is None:
        return True
    step = limit.amount if limit.amount is not None else before * (limit.share or 0.0) / 100.0
    return after > before + step + 1e-9 if limit.more else after < before - step - 1e-9
