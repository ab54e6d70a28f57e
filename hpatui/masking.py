"""Secrets taken out of text that leaves the program by a side door: errors of libraries, log lines, toasts.

Two nets: values that the program read as credentials (`remember_secret`), wherever they appear, and the shapes that
credentials have (userinfo in URLs, Authorization headers, JWTs, PEM private keys, `token=...`). The nets are for text
that somebody else wrote; our own messages never hold a secret in the first place.
"""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote

MASK = "***"
LEAST = 4  # a shorter "secret" would mask ordinary words
_MOST_KNOWN = 256
_known: dict[str, None] = {}

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), MASK),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), MASK),
    (re.compile(r"([a-zA-Z][\w+.-]*://)[^\s/?#'\"<>]*@"), r"\1" + MASK + "@"),
    (re.compile(r"\b((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|negotiate)\s+)[^\s'\"]+", re.I),
     r"\1" + MASK),
    (re.compile(r"\b((?:bearer|basic)\s+)(?=[\w.~+/=-]*[\d=])[\w.~+/-]{8,}=*", re.I), r"\1" + MASK),
    (re.compile(
        r"\b((?:(?:id|access|refresh|bearer)[-_ ]?token|token|password|passwd|[\w*-]*secret|api[-_]?key)"
        r"['\"]?\s*[:=]\s*['\"]?)[^\s'\",;&}\]]+", re.I), r"\1" + MASK),
)  # fmt: skip


def remember_secret(value: str | bytes | None) -> None:
    """`value` is a credential: `masked` takes it out from now on, also where it is percent- or base64-encoded."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    value = (value or "").strip()
    if len(value) < LEAST:
        return
    for form in (value, quote(value, safe=""), b64encode(value.encode()).decode()):
        _known.pop(form, None)
        _known[form] = None
    while len(_known) > _MOST_KNOWN:
        del _known[next(iter(_known))]


def masked(text: str) -> str:
    """`text` with everything in it that is, or looks like, a credential replaced by `***`."""
    for shape, instead in _SHAPES:  # first: a known value may be part of the word by which a shape is known
        text = shape.sub(instead, text)
    for value in sorted(_known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, MASK)
    return text
