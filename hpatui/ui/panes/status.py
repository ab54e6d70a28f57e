"""What a pane says instead of its content: connecting, listing, forbidden, not served, failed, empty."""

from __future__ import annotations

import textwrap

from rich.text import Text

from hpatui.model import SourceState, SourceStatus
from hpatui.text import printable
from hpatui.ui.look import SOURCE_STYLE
from hpatui.ui.marks import FAINT, coarse_age


def state_lines(status: SourceStatus | None, now: float, what: str, empty: str, width: int = 1000) -> list[Text]:
    """Lines for a pane of `width` cells that has nothing to show; `empty` is what to say when the stream is live."""
    if status is None or status.state in (SourceState.IDLE, SourceState.CONNECTING):
        message = printable(status.message) if status is not None and status.message else f"waiting for {what}"
        return [Text(f"{message} ...", style=FAINT, end="")]
    if status.state is SourceState.LISTING:
        return [Text(f"listing {what}: {status.received} so far ...", style=FAINT, end="")]
    if status.state is SourceState.LIVE:
        return [Text(part, style=FAINT, end="") for part in textwrap.wrap(empty, max(10, width))]
    words = {
        SourceState.FORBIDDEN: "forbidden",
        SourceState.NOT_SERVED: "not served",
        SourceState.FAILED: "failed",
        SourceState.RECONNECTING: "reconnecting",
    }
    return [
        Text(words[status.state], style=SOURCE_STYLE[status.state], end=""),
        *(Text(part, end="") for part in textwrap.wrap(printable(status.message), max(10, width))),
    ]


def source_text(status: SourceStatus, now: float) -> Text:
    """The state of the source in a few words, for the header."""
    text = status.state.value
    if status.state is SourceState.RECONNECTING:
        gone = now - status.since
        text = f"reconnecting for {coarse_age(gone)}" if gone >= 5 else "reconnecting"
    return Text(text, style=SOURCE_STYLE[status.state], end="")


def stale_mark(status: SourceStatus | None, now: float) -> str:
    """For a pane's title: since when what it shows is no longer kept up to date; empty while it is."""
    if status is None or status.state is not SourceState.RECONNECTING:
        return ""
    return f" · stale for {coarse_age(now - status.since)}"


def unselected_lines() -> list[Text]:
    """What a pane about one HPA says while none is selected."""
    return [Text("No HPA is selected.", style=FAINT, end="")]
