"""`hpatui explain`: why an HPA has the size it has, as text or JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import Any, TextIO

import yaml

from hpatui.autoscaler.explain import Explanation
from hpatui.autoscaler.explanation import ExplainLine, Tone
from hpatui.autoscaler.keda import facts_of, is_paused, scaled_object
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.errors import HpatuiError
from hpatui.model import Key
from hpatui.plain.await_hpa import find_row, wait_detail, wait_live
from hpatui.plain.watch import settled
from hpatui.session.port import SessionPort, parse_hpa_name
from hpatui.state.snapshot import Detail
from hpatui.text import printable

TIMEOUT = 10.0


async def explain(session: SessionPort, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print the explanation of the HPA that the settings name. Returns the exit code."""
    stream = out or sys.stdout
    snapshot = await wait_live(session)
    row = find_row(snapshot, parse_hpa_name(session.settings.hpa or ""))
    detail = await wait_detail(session, row.key, lambda d: settled(d) and d.explanation is not None, TIMEOUT)
    if detail is None or detail.explanation is None:
        raise HpatuiError(f"nothing is known yet that explains {printable(str(row.key))}", hint="try again in a moment")
    explanation = await with_scaled_object(session, detail, detail.explanation)
    if as_json:
        stream.write(json.dumps(explanation_json(detail, explanation), ensure_ascii=False) + "\n")
    else:
        stream.write(explanation_text(detail, explanation))
    return 0


async def with_scaled_object(session: SessionPort, detail: Detail, explanation: Explanation) -> Explanation:
    """With what KEDA's ScaledObject says beside an HPA that KEDA made (pause, cooldown to 0, cron windows), as far as it
    may be read.
    """
    hpa = detail.row.hpa
    name = scaled_object(hpa.labels)
    if not name:
        return explanation
    try:
        found = yaml.safe_load(await session.object_yaml("ScaledObject", Key(hpa.key.namespace, name)))
    except (HpatuiError, yaml.YAMLError):
        found = None
    if isinstance(found, dict):
        tone = Tone.WARN if is_paused(found) else Tone.PLAIN
        more = tuple(ExplainLine("KEDA", text, tone) for text in facts_of(found))
    else:
        text = "the ScaledObject could not be read, so its pause, cooldown and cron windows are not known"
        more = (ExplainLine("KEDA", text, Tone.PLAIN),)
    at = next((i + 1 for i, line in enumerate(explanation.lines) if line.label == "KEDA"), len(explanation.lines))
    return replace(explanation, lines=(*explanation.lines[:at], *more, *explanation.lines[at:]))


def explanation_json(detail: Detail, explanation: Explanation) -> dict[str, Any]:
    """The explanation as the JSON object that scripts rely on."""
    value = asdict(explanation)
    value["countdowns"] = [
        {"kind": c.kind, "text": printable(c.text), "until": format_rfc3339(as_datetime(c.until))}
        for c in explanation.countdowns
    ]
    known = explanation.known_since
    value["known_since"] = format_rfc3339(as_datetime(known)) if known is not None else None
    hpa = detail.row.hpa
    return {"namespace": hpa.key.namespace, "name": hpa.key.name, "state": detail.row.state.value, **value}


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
