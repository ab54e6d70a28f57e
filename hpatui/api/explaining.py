"""Why an HPA has the size it has, with all that can be read about it."""

from __future__ import annotations

from hpatui.api.waiting import find_row, settled, wait_detail, wait_live
from hpatui.autoscaler.explanation import Explanation
from hpatui.errors import HpatuiError
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
    return detail, detail.explanation
