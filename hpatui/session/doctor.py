"""Runs the doctor's checks on a cluster: the connection is its way to look."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from hpatui.clock import Clock, SystemClock
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Report
from hpatui.doctor.run import run_checks
from hpatui.errors import ClusterError
from hpatui.model import Key
from hpatui.session.flags import rules_choice
from hpatui.session.port import parse_hpa_name
from hpatui.settings import Settings

if TYPE_CHECKING:
    from hpatui.cluster.auth import Ask
    from hpatui.cluster.connect import Connection


class ConnectionLook:
    """`Look` over a connection to an API server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET as JSON; what goes wrong on the way is an Answer without a status."""
        answer = await self.get_text(path, params)
        try:
            value = json.loads(answer.text) if answer.text else None
        except ValueError:
            return Answer(answer.status, None, answer.error or f"{path} answered with something that is no JSON")
        body = value if isinstance(value, dict) else None
        message = str(body.get("message", "")) if body is not None and not answer.ok else answer.error
        return Answer(answer.status, body, message)

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET as text."""
        try:
            status, data = await self._connection.get(path, params)
        except ClusterError as error:
            return Answer(0, None, str(error))
        return Answer(status, None, "", data.decode("utf-8", "replace"))


async def run_doctor(
    settings: Settings, clock: Clock | None = None, *, say: Callable[[str], None] = lambda _text: None,
    ask: Ask | None = None,
) -> Report:  # fmt: skip
    """Connect as the settings say and look at their namespace, all namespaces, or their HPA.

    Raises ClusterError where no connection can be made.
    """
    from hpatui.cluster.connect import connect

    used = clock or SystemClock()
    connection = await connect(settings, used, context=settings.context, say=say, ask=ask)
    try:
        return await examine(connection, used, settings)
    finally:
        await connection.close()


async def examine(connection: Connection, clock: Clock, settings: Settings) -> Report:
    """The checks over a connection that stands."""
    from hpatui.cluster.versions import to_v2

    namespace = settings.namespace or connection.namespace
    wanted = parse_hpa_name(settings.hpa) if settings.hpa else None
    if wanted is not None and not wanted.namespace:
        wanted = Key(namespace, wanted.name)
    scope = None if settings.all_namespaces else namespace
    choose = partial(rules_choice, settings)
    return await run_checks(ConnectionLook(connection), clock, scope, wanted, to_v2, choose)
