"""`hpatui describe`: the text of `kubectl describe hpa`."""

from __future__ import annotations

import sys
from typing import TextIO

from hpatui.api.waiting import find_row, wait_live
from hpatui.plain.safe import safe_lines
from hpatui.session.port import SessionPort, parse_hpa_name


async def describe(session: SessionPort, out: TextIO | None = None) -> int:
    """Print the description of the HPA that the settings name. Returns the exit code."""
    snapshot = await wait_live(session)
    row = find_row(snapshot, parse_hpa_name(session.settings.hpa or ""))
    (out or sys.stdout).write(safe_lines(await session.describe(row.key)))
    return 0
