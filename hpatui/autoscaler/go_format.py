"""What Go's fmt.Sprintf makes of a text without arguments: old controllers ran finished messages through it."""

from __future__ import annotations

_FLAGS = "#0+- "
_TOO_LARGE = 1_000_000


def mangled(text: str) -> str:
    """fmt.Sprintf(text): `app%3Dweb` -> `app%!D(MISSING)web`, `50%` -> `50%!(NOVERB)`, `a %% b` -> `a % b`."""
    out: list[str] = []
    position = 0
    while True:
        start = text.find("%", position)
        if start < 0:
            return "".join([*out, text[position:]])
        out.append(text[position:start])
        written, position = _verb(text, start + 1)
        out.append(written)


def _verb(text: str, at: int) -> tuple[str, int]:
    """One verb from behind its percent sign: what is written for it, and where the text goes on."""
    end, notes, good = len(text), "", True
    while at < end and text[at] in _FLAGS:
        at += 1
    at, indexed, good = _index(text, at, good)
    if at < end and text[at] == "*":
        at, notes, indexed = at + 1, "%!(BADWIDTH)", False
    else:
        at, found = _number(text, at)
        good = good and not (indexed and found)
    if at < end and text[at] == ".":
        at += 1
        good = good and not indexed
        at, indexed, good = _index(text, at, good)
        if at < end and text[at] == "*":
            at, notes, indexed = at + 1, notes + "%!(BADPREC)", False
        else:
            at, _ = _number(text, at)
    if not indexed:
        at, indexed, good = _index(text, at, good)
    if at >= end:
        return f"{notes}%!(NOVERB)", end
    verb, at = text[at], at + 1
    if verb == "%":
        return f"{notes}%", at
    return f"{notes}%!{verb}({'MISSING' if good else 'BADINDEX'})", at


def _number(text: str, at: int) -> tuple[int, bool]:
    """Digits: where they end, and whether there were any; a number beyond a million swallows the rest."""
    start, value = at, 0
    while at < len(text) and "0" <= text[at] <= "9":
        if value > _TOO_LARGE:
            return len(text), False
        value = value * 10 + int(text[at])
        at += 1
    return at, at > start


def _index(text: str, at: int, good: bool) -> tuple[int, bool, bool]:
    """An explicit argument index `[n]`: there is never such an argument. (where it ends, whether it is one, good)"""
    if at >= len(text) or text[at] != "[":
        return at, False, good
    close = text.find("]", at + 1)
    if len(text) - at < 3 or close < 0:
        return at + 1, False, False
    digits_end, found = _number(text, at + 1)
    return close + 1, found and digits_end == close, False
