"""The connections of a run: kept per route, opened when one is missing, renewed by age, timed out.

A route is a place that connections go to: the URL's host, or the local port of one pod's port-forward. Requests take the
routes in turn, so that each pod gets its share of the requests, however few connections there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from hpatui.load.connection import LoadConnection, PodConnection
from hpatui.load.plan import LoadPlan
from hpatui.load.policy import ForbiddenAddress, resolved
from hpatui.load.target import Target


class Route:
    """A place that connections go to, those that are idle there, and the planned times that wait for one."""

    __slots__ = ("gone", "host", "idle", "pod", "port", "waiting")

    def __init__(self, host: str, port: int, pod: str) -> None:
        self.host, self.port, self.pod = host, port, pod
        self.idle: list[LoadConnection] = []
        self.waiting: deque[float] = deque()
        self.gone = False


class Pool:
    """`opened(route, connection, error)` is called for each `open`; `done` once for each request (see LoadConnection)."""

    def __init__(
        self,
        plan: LoadPlan,
        target: Target,
        context: ssl.SSLContext | None,
        *,
        opened: Callable[[Route, LoadConnection | None, str], None],
        done: Callable[[LoadConnection, str], None],
    ) -> None:
        self._plan, self._ssl, self._opened, self._done = plan, context, opened, done
        parts = urlsplit(target.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._server_name = (target.server_name or parts.hostname) if context is not None else None
        self._kind = PodConnection if target.sandbox else LoadConnection
        self._routes = [Route(*place) for place in target.routes or [(parts.hostname or "", port, "")]]
        self._policy = target.policy
        self._turn = 0
        self._random = random.Random(plan.seed)
        self._all: set[LoadConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.opening = 0

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""
        return sum(len(route.waiting) for route in self._routes)

    def next_route(self) -> Route | None:
        """The route whose turn it is; None where there is no pod."""
        routes = self._routes
        if len(routes) == 1:
            return routes[0]
        if not routes:
            return None
        self._turn = (self._turn + 1) % len(routes)
        return routes[self._turn]

    def take(self, route: Route, now: float) -> LoadConnection | None:
        """An idle connection of the route."""
        idle = route.idle
        while idle:
            connection = idle.pop()
            if connection.usable and connection.expires > now:
                return connection
            self.drop(connection)
        return None

    def give(self, connection: LoadConnection, route: Route) -> None:
        """The connection is idle now."""
        if route.gone:
            self.drop(connection)
        else:
            route.idle.append(connection)

    def drop(self, connection: LoadConnection) -> None:
        """Close a connection."""
        self._all.discard(connection)
        connection.close()

    def set_routes(self, places: Sequence[tuple[str, int, str]]) -> list[float]:
        """Connections go to these (host, port, pod) from now on; those to others end after their request.

        Returns the planned times that waited for a connection to a place that is gone.
        """
        known = {(route.host, route.port, route.pod): route for route in self._routes}
        self._routes = [known.pop(place) if place in known else Route(*place) for place in places]
        stranded: list[float] = []
        for route in known.values():
            route.gone = True
            stranded += route.waiting
            route.waiting.clear()
            for connection in route.idle:
                self.drop(connection)
            route.idle.clear()
        for connection in self._all:
            if connection.route is not None and connection.route.gone:
                connection.expires = 0.0
        return sorted(stranded)

    def open(self, route: Route) -> None:
        """Begin to connect."""
        self.opening += 1
        task = asyncio.get_running_loop().create_task(self._connect(route))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, route: Route) -> None:
        error, connection = "", None
        try:
            async with asyncio.timeout(self._plan.timeout):
                connection = await self._reach(route)
        except TimeoutError:
            error = "connect timeout"
        except ConnectionRefusedError:
            error = "refused"
        except ssl.SSLError:
            error = "tls"
        except ConnectionResetError:
            error = "reset"
        except ForbiddenAddress:
            error = "forbidden address"
        except OSError as problem:
            error = "dns" if type(problem).__name__ == "gaierror" else "connect"
        finally:
            self.opening -= 1
        if connection is not None:
            self._all.add(connection)
        self._opened(route, connection, error)

    async def _reach(self, route: Route) -> LoadConnection:
        """To the first of the host's addresses that answers; each was judged before (`policy`)."""
        loop, problem = asyncio.get_running_loop(), OSError("no address")
        for address in await resolved(self._policy, route.host, route.port):
            try:
                _, connection = await loop.create_connection(
                    lambda: self._new(route), address, route.port, ssl=self._ssl, server_hostname=self._server_name
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                problem = error
            else:
                return connection
        raise problem

    def _new(self, route: Route) -> LoadConnection:
        age = self._plan.connection_age
        expires = time.monotonic() + age * self._random.uniform(0.7, 1.3) if age > 0 else 0.0
        connection = self._kind(self._done, expires, self._plan.max_body + 65536)
        connection.route, connection.pod = route, route.pod
        return connection

    def sweep(self, now: float, too_late: float) -> int:
        """Time out requests (a slow drip is no answer) and close idle connections that are too old.

        Returns how many requests waited for a connection for more than `too_late` seconds; they are given up.
        """
        oldest = now - self._plan.timeout
        for connection in [c for c in self._all if c.busy and c.sent < oldest]:
            connection.fail("timeout")
        given_up = 0
        for route in self._routes:
            waiting, idle = route.waiting, route.idle
            while waiting and now - waiting[0] > too_late:
                waiting.popleft()
                given_up += 1
            for connection in [c for c in idle if not c.usable or c.expires <= now]:
                idle.remove(connection)
                self.drop(connection)
        return given_up

    def close(self) -> None:
        """Close everything; nothing is reported any more."""
        for task in self._tasks:
            task.cancel()
        for connection in self._all:
            connection.busy = False
            with contextlib.suppress(RuntimeError):
                connection.close()
        self._all.clear()
        for route in self._routes:
            route.idle.clear()
            route.waiting.clear()
