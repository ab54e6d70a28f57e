"""Making text from a cluster safe and short to show. Text from outside is untrusted."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls, DEL, and the Unicode marks that reorder or hide text (bidi controls, zero width, BOM, tags).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)

# What joins pictures to one, and chooses between a letter and a picture: terminals count the result differently, so the
# pictures are shown side by side instead. Anywhere else these characters only hide something, and are shown as escapes.
_PICTURE = "\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_CHOICE = re.compile(f"(?<=[{_PICTURE}\xa9\xae])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)")
_JOINT = re.compile(f"(?<=[{_PICTURE}])\u200d(?=[{_PICTURE}])")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MANY_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")  # no script puts more on one letter


def printable(text: str, limit: int = 4096) -> str:
    """`text` on one line with every control, escape and reordering character shown as `\\xNN` or `\\uNNNN`.

    Newlines and tabs become a space, joined emoji stand side by side, and a letter keeps four of its combining marks. At
    most `limit` characters of input are looked at; the rest becomes `…`.
    """
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isascii() and text.isprintable():
        return text
    text = _MANY_MARKS.sub(r"\1", _JOINT.sub("", _CHOICE.sub("", text)))
    return _UNSAFE.sub(_shown, text)


def harmless(text: str) -> str:
    """`text` for a way out of the program: its lines and tabs stay, every other control, escape and reordering character
    becomes the escape of JSON (`\\u001b`), so that JSON still says the same and nothing moves a cursor.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    if char in "\n\t":
        return char
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def is_unsafe(char: str) -> bool:
    """Whether a character may not reach a terminal."""
    return _UNSAFE.match(char) is not None


def _shown(match: re.Match[str]) -> str:
    char = match.group()
    if char in "\n\r\t":
        return " "
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell_width(text: str) -> int:
    """Columns that `text` takes in a terminal: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    if "\U0001f3fb" <= char <= "\U0001f3ff":  # a skin tone belongs to the picture before it
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: int) -> str:
    """`text` padded or cut to exactly `width` columns; a cut ends in `…`."""
    have = cell_width(text)
    if have <= width:
        return text + " " * (width - have)
    if width <= 0:
        return ""
    out: list[str] = []
    used = 0
    for char in text:
        step = _char_width(char)
        if used + step > width - 1:
            break
        out.append(char)
        used += step
    return "".join(out) + "…" + " " * (width - 1 - used)


def fit_name(text: str, width: int) -> str:
    """As `fit`, but cut in the middle: names of pods differ at their ends."""
    if cell_width(text) <= width or not text.isascii() or width < 9:
        return fit(text, width)
    tail = (width - 1) * 2 // 3
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def age(seconds: float) -> str:
    """A duration as kubectl prints ages: `42s`, `4m8s`, `27m`, `3h5m`, `12h`, `2d3h`, `14d`, `3y10d`.

    Source: k8s.io/apimachinery duration.HumanDuration.
    """
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 10:
        rest = whole % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = whole // 3600
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        rest = hours % 24
        return f"{days}d{rest}h" if rest else f"{days}d"
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if days < 365 * 8:
        rest = days % 365
        return f"{years}y{rest}d" if rest else f"{years}y"
    return f"{years}y"
