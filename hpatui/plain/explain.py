"""`hpatui explain`: why an HPA has the size it has, as text or JSON."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from hpatui.api.as_json import explanation_json
from hpatui.api.explaining import explained
from hpatui.autoscaler.explain import Explanation
from hpatui.clock import as_datetime
from hpatui.session.port import SessionPort
from hpatui.state.snapshot import Detail
from hpatui.text import printable


async def explain(session: SessionPort, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print the explanation of the HPA that the settings name. Returns the exit code."""
    stream = out or sys.stdout
    detail, explanation = await explained(session, session.settings.hpa or "")
    if as_json:
        stream.write(json.dumps(explanation_json(detail, explanation), ensure_ascii=False) + "\n")
    else:
        stream.write(explanation_text(detail, explanation))
    return 0


def explanation_text(detail: Detail, explanation: Explanation) -> str:
    """The explanation as a few lines for a person."""
    lines = [f"{printable(str(detail.row.key))}: {printable(explanation.headline)}", ""]
    width = max((len(line.label) for line in explanation.lines), default=0)
    lines += [f"  {printable(line.label).ljust(width)}  {printable(line.text)}" for line in explanation.lines]
    if explanation.countdowns:
        lines.append("")
        lines += [f"  {printable(c.text)} {_clock_time(c.until)}" for c in explanation.countdowns]
    if explanation.would_change:
        lines += ["", "What would change it:"]
        lines += [f"  {printable(text)}" for text in explanation.would_change]
    if explanation.patterns:
        lines += ["", "Over time:"]
        lines += [f"  {printable(line.text)}" for line in explanation.patterns]
    if explanation.known_since is not None:
        before = "; what it recommended and scaled before is assumed from its status" if explanation.assumed else ""
        lines += ["", f"The controller's memory is known since {_clock_time(explanation.known_since)}{before}."]
    if explanation.rules:
        lines.append(f"Decided by the {printable(explanation.rules)}.")
    if explanation.compared:
        lines.append(f"This agrees with the controller: {explanation.agreed} of {explanation.compared} syncs.")
    lines += [f"Hint: {printable(hint)}." for hint in explanation.hints]
    return "\n".join(lines) + "\n"


def _clock_time(seconds: float) -> str:
    return as_datetime(seconds).astimezone().strftime("%H:%M:%S")
