"""Whether this terminal can show the screen. Imports nothing heavy, so the answer comes before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


def screen_possible(environ: Mapping[str, str], stdin: TextIO, stdout: TextIO, stderr: TextIO) -> str | None:
    """None if the screen can be shown, else why not (a few words for a sentence)."""
    for stream, name in ((stdin, "standard input"), (stdout, "standard output"), (stderr, "standard error")):
        try:
            if not stream.isatty():
                return f"{name} is not a terminal"
        except ValueError:
            return f"{name} is closed"
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"TERM={environ.get('TERM', '') or '(not set)'} cannot show a screen"
    return None
