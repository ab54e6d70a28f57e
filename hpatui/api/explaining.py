"""Why an HPA has the size it has, with all that can be read about it."""

from __future__ import annotations

from dataclasses import replace

import yaml

from hpatui.api.waiting import find_row, settled, wait_detail, wait_live
from hpatui.autoscaler.explanation import ExplainLine, Explanation, Tone
from hpatui.autoscaler.keda import facts_of, is_paused, scaled_object
from hpatui.errors import HpatuiError
from hpatui.model import Key
from hpatui.session.port import SessionPort, parse_hpa_name
from hpatui.state.snapshot import Detail
from hpatui.text import printable

TIMEOUT = 10.0  # seconds that an HPA's details may take


async def explained(session: SessionPort, name: str) -> tuple[Detail, Explanation]:
    """The details and the explanation of an HPA (`[NS/]NAME`), which becomes the selected one.

    HpatuiError where there is no such HPA, no connection, or nothing that explains it.
    """
    snapshot = await wait_live(session)
    row = find_row(snapshot, parse_hpa_name(name))
    detail = await wait_detail(session, row.key, lambda d: settled(d) and d.explanation is not None, TIMEOUT)
    if detail is None or detail.explanation is None:
        raise HpatuiError(f"nothing is known yet that explains {printable(str(row.key))}", hint="try again in a moment")
    return detail, await with_scaled_object(session, detail, detail.explanation)


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
