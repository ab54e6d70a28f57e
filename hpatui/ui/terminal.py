"""Whether this terminal can show the screen. Imports nothing heavy, so the answer comes before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TextIO

from hpatui.errors import UsageError


def screen_possible(environ: Mapping[str, str], stdin: TextIO | None, stdout: TextIO | None) -> str | None:
    """None if the screen can be shown, else why not (a few words for a sentence).

    Standard error may be a file: the screen is written to the terminal that is standard output. UsageError where a
    stream is closed: nothing can be printed instead, or whoever closed it did not mean a screen.
    """
    streams = ((stdin, "standard input"), (stdout, "standard output"))
    for stream, name in streams:
        if stream is None or stream.closed:
            raise UsageError(f"{name} is closed", hint="the screen needs a terminal; `hpatui watch` prints lines")
    for stream, name in streams:
        if stream is not None and not stream.isatty():
            return f"{name} is not a terminal"
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"TERM={environ.get('TERM', '') or '(not set)'} cannot show a screen"
    return None


def prepare(environ: MutableMapping[str, str]) -> None:
    """Correct what the environment says wrongly of the terminal. Before Textual is imported, which reads it then.

    GNU screen and the Linux console do not know 24-bit colours, but inherit COLORTERM from the terminal around them;
    exported COLUMNS and LINES are those of another moment (the kernel knows the size).
    """
    for name in ("COLUMNS", "LINES"):
        environ.pop(name, None)
    term = environ.get("TERM", "")
    if (term == "linux" or term.startswith("screen")) and "TMUX" not in environ:
        environ.pop("COLORTERM", None)
        environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set decides, as in C.

    Python itself sets LC_CTYPE=C.UTF-8 where the locale is C (PEP 538): that says nothing of the terminal.
    """
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C.UTF-8"
    if named == "C.UTF-8" and not environ.get("LC_ALL") and environ.get("LANG") in ("C", "POSIX"):
        return False
    return named.lower().replace("-", "").partition("@")[0].endswith("utf8")
