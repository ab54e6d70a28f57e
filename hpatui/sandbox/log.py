"""What goes wrong inside a sandbox, on standard error: one line each, never a traceback."""

from __future__ import annotations

import logging

from hpatui.text import printable


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f": {record.exc_info[1]!r}"
        return printable(f"hpatui sandbox: {' '.join(text.split())}", 1000)


def log_to_stderr() -> None:
    """Warnings and errors of everything in this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
