"""Whether this terminal can show the screen. Imports nothing heavy, so the answer comes before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
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
