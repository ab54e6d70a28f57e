"""Whether the API server still answers, known within seconds.

A watch may be silent for a minute and be well, so its silence says nothing. A server that has said nothing for
`period` seconds is asked for its version; no answer within `period`, twice, and it is silent: 3 1/3 periods at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hpatui.cluster.connect import Connection
from hpatui.errors import ClusterError, UnreachableError

TRIES = 2


class Heartbeat:
    """`said` gets the problem when the server falls silent, and an empty text when it answers again."""

    def __init__(self, connection: Connection, period: float, said: Callable[[str], Awaitable[None]]) -> None:
        self._connection = connection
        self._period = period
        self._said = said
        self._heard_at = -1e9
        self._silent = False

    def heard(self) -> None:
        """The server said something on another way: it need not be asked."""
        self._heard_at = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(
                max(0.0, min(self._heard_at + self._period - loop.time(), self._period)) or self._period
            )
            if not self._silent and loop.time() - self._heard_at < self._period:
                continue
            problem = await self._problem()
            if bool(problem) != self._silent:
                self._silent = bool(problem)
                await self._said(problem)

    async def _problem(self) -> str:
        """Why there is no answer; empty where there is one, whatever it says."""
        problem = ""
        for _ in range(TRIES):
            try:
                async with asyncio.timeout(self._period):
                    await self._connection.request("GET", "/version")
            except TimeoutError:
                problem = f"{self._connection.host} does not answer; what is shown may be old"
            except UnreachableError as error:
                problem = str(error)
            except ClusterError:
                return ""
            else:
                return ""
        return problem
