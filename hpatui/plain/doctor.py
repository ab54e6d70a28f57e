"""`hpatui doctor`: what is broken in the autoscaling pipeline, as text or JSON."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from hpatui.doctor.report import report_json, report_text
from hpatui.plain.login import ask, say
from hpatui.session.doctor import run_doctor
from hpatui.settings import Settings


async def doctor(settings: Settings, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print the report. Returns 1 if a check failed, else 0; raises ClusterError where there is no connection."""
    stream = out or sys.stdout
    report = await run_doctor(settings, say=say, ask=ask)
    if as_json:
        stream.write(json.dumps(report_json(report), ensure_ascii=False) + "\n")
    else:
        stream.write(report_text(report))
    return report.exit_code
