"""What is looked at, as a file: a picture of the screen, its text, or the graph's numbers."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

from textual.app import App

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.state.series import SeriesView
from hpatui.state.snapshot import Snapshot
from hpatui.text import harmless
from hpatui.ui.textual_private import screen_lines

KINDS: tuple[tuple[str, str], ...] = (
    ("svg", "a picture of the screen (SVG)"),
    ("txt", "the screen's text"),
    ("csv", "the graph's numbers (CSV: time, series, value)"),
)


def save(app: App[Any], kind: str, snapshot: Snapshot) -> Path:
    """Write a new file `hpatui-DATE-TIME.KIND` in the current folder. OSError where that cannot be."""
    path = Path(f"hpatui-{datetime.now().astimezone():%Y%m%d-%H%M%S}.{kind}")
    if kind == "svg":
        content = app.export_screenshot()
    else:
        content = screen_text(app) if kind == "txt" else numbers(snapshot)
    with path.open("x", encoding="utf-8") as file:
        file.write(harmless(content))
    return path


def screen_text(app: App[Any]) -> str:
    """The lowest screen as text, right-hand blanks removed."""
    return "\n".join(line.rstrip() for line in screen_lines(app.screen_stack[0])) + "\n"


def numbers(snapshot: Snapshot) -> str:
    """The selected HPA's series and the load's as CSV; a gap has an empty value."""
    series: dict[str, SeriesView] = {}
    if snapshot.detail is not None:
        history = snapshot.detail.history
        series |= {"desired": history.desired, "current": history.current, "ready": history.ready}
        series |= {f"metric {label}": values for label, values in history.metrics.items()}
        series |= {f"target {label}": values for label, values in history.targets.items()}
    load = snapshot.load_history
    series |= {"load offered/s": load.offered, "load sent/s": load.rate, "load errors/s": load.errors}
    series |= {"load p50 ms": load.p50, "load p95 ms": load.p95, "load p99 ms": load.p99}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("time", "series", "value"))
    for name, values in series.items():
        for time, value in values:
            writer.writerow((format_rfc3339(as_datetime(time)), name, "" if value is None else f"{value:g}"))
    return out.getvalue()
