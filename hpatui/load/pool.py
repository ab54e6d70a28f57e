"""The connections of a run: kept per route, opened when one is missing, renewed by age, timed out.

A route is a place that connections go to: the URL's host, or the local port of one pod's port-forward. Requests take the
routes in turn, so that each pod gets its share of the requests, however few connections there are.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from urllib.parse import urlsplit

from hpatui.load.connection import Call, Heads, LoadConnection
from hpatui.load.dial import Dialer, DialError
from hpatui.load.gate import gate_of
from hpatui.load.http2 import Http2Connection
from hpatui.load.plan import LoadPlan
from hpatui.load.requests import Template
from hpatui.load.target import Target

SHARED = 8  # HTTP/2: connections to a route at most; one more is opened while all carry requests
_GRACE = 0.2  # seconds that a dial has to say what hangs, before the request that waits for it times out
Connection = LoadConnection | Http2Connection
Done = Callable[[Connection, Call, str], None]


class Route:
    """A place that connections go to, those that are idle there (HTTP/2: all that take requests), and who waits for one."""

    __slots__ = ("dials", "gone", "host", "idle", "pod", "port", "shared", "waiting")

    def __init__(self, host: str, port: int, pod: str) -> None:
        self.host, self.port, self.pod = host, port, pod
        self.idle: list[LoadConnection] = []
        self.shared: list[Http2Connection] = []
        self.waiting: deque[Call] = deque()
        self.dials = 0
        self.gone = False


class Pool:
    """`send(connection, call)` is called when a connection was opened for a request that waits, `failed(call, kind)` when
    it could not be; `done` once for each request that was sent.
    """

    def __init__(
        self,
        plan: LoadPlan,
        target: Target,
        context: ssl.SSLContext | None,
        templates: list[Template],
        *,
        send: Callable[[Connection, Call], None],
        failed: Callable[[Call, str], None],
        done: Done,
    ) -> None:
        self._plan, self._ssl, self._templates = plan, context, templates
        self._send, self._failed, self._done = send, failed, done
        parts = urlsplit(target.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        name = (target.server_name or parts.hostname) if context is not None else None
        self.dialer = Dialer(target.policy, context, name, gate_of(plan, target))
        self._heads = Heads()
        self._limit = inf if plan.max_body is None else float(plan.max_body)
        self._routes = [Route(*place) for place in target.routes or [(parts.hostname or "", port, "")]]
        self._turn = 0
        self._random = random.Random(plan.seed)
        self._all: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dials = 0
        self._most = max(plan.connections, plan.concurrency if plan.model == "closed" else 1)

    def next_route(self) -> Route | None:
        """The route whose turn it is; None where there is no pod."""
        routes = self._routes
        if len(routes) == 1:
            return routes[0]
        if not routes:
            return None
        self._turn = (self._turn + 1) % len(routes)
        return routes[self._turn]

    def take(self, route: Route, now: float) -> Connection | None:
        """A connection of the route that can carry one more request."""
        if self._plan.http2:
            return self._least(route, now)
        idle = route.idle
        while idle:
            connection = idle.pop()
            if connection.usable and connection.expires > now:
                return connection
            self.drop(connection)
        return None

    def _least(self, route: Route, now: float) -> Http2Connection | None:
        """HTTP/2: the connection with the fewest requests; while all have some, another one is opened."""
        fit = [c for c in route.shared if c.expires > now and c.free]
        if not fit:
            return None
        least = min(fit, key=lambda connection: len(connection.calls))
        if least.calls and not route.waiting:
            self._open(route)
        return least

    def want(self, route: Route, call: Call) -> bool:
        """The request waits for a connection; one is dialled for it. False where there may be no more connections."""
        route.waiting.append(call)
        self._open(route)
        if not self._plan.http2 and route.dials < len(route.waiting):
            route.waiting.pop()
            return False
        return True

    def _open(self, route: Route) -> None:
        """Begin to connect, if a connection is missing and there may be one more."""
        if self._plan.http2 and self._plan.connection_age > 0:
            now = time.monotonic()
            if sum(c.expires > now for c in route.shared) + route.dials >= SHARED:
                return
        elif route.dials >= len(route.waiting):
            return
        if len(self._all) + self._dials >= self._most and not self._evict(route):
            return
        route.dials += 1
        self._dials += 1
        task = asyncio.get_running_loop().create_task(self._connect(route))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _evict(self, wanted: Route) -> bool:
        """Close an idle connection to another place."""
        for route in self._routes:
            if route is not wanted and route.idle:
                self.drop(route.idle.pop(0))
                return True
        return False

    async def _connect(self, route: Route) -> None:
        error, connection = "", None
        try:
            connection = await self.dialer.dial(route.host, route.port, lambda: self._new(route), self._plan.timeout)
            error = connection.ready()
        except DialError as problem:
            error = str(problem)
        finally:
            route.dials -= 1
            self._dials -= 1
        if connection is not None and not error:
            self._all.add(connection)
            if isinstance(connection, Http2Connection):
                route.shared.append(connection)
            self.give(connection, route)
        else:
            if connection is not None:
                connection.forget()
            self._undialled(route, error)

    def _undialled(self, route: Route, error: str) -> None:
        """A connection could not be opened: the oldest request that waits fails; HTTP/2: all that waited for it."""
        shared = self._plan.http2 and self._plan.connection_age > 0
        if shared and (route.dials or any(c.free for c in route.shared)):
            return  # another connection will carry them
        for _ in range(len(route.waiting) if shared else min(1, len(route.waiting))):
            self._failed(route.waiting.popleft(), error)

    def _new(self, route: Route) -> Connection:
        age = self._plan.connection_age
        expires = time.monotonic() + age * self._random.uniform(0.7, 1.3) if age > 0 else 0.0
        connection: Connection
        if self._plan.http2:
            connection = Http2Connection(self._done, self._templates, expires, self._limit, tls=self._ssl is not None)
        else:
            connection = LoadConnection(self._done, self._heads, expires, self._limit)
        connection.route, connection.pod = route, route.pod
        return connection

    def give(self, connection: Connection, route: Route) -> None:
        """A connection has room: the oldest request that waits there takes it. HTTP/2: as many as it can carry.

        What is sent a second time waits for a new connection: an idle one may be closed as well.
        """
        waiting = route.waiting
        if isinstance(connection, Http2Connection):
            single = self._plan.connection_age <= 0
            while waiting and connection.free and not (single and (connection.calls or connection.served)):
                self._send(connection, waiting.popleft())
            if not connection.usable or (connection.expires <= time.monotonic() and not connection.calls):
                self.drop(connection)
        elif waiting and connection.usable and not (waiting[0].retried and connection.served):
            self._send(connection, waiting.popleft())
        elif route.gone or not connection.usable:
            self.drop(connection)
        else:
            route.idle.append(connection)

    def release(self, connection: Connection, route: Route, now: float) -> None:
        """A request on it has ended: it is free for another, or it is too old."""
        if connection.expires <= now and not connection.calls:
            self.drop(connection)
            if route.waiting:
                self._open(route)
        else:
            self.give(connection, route)

    def drop(self, connection: Connection) -> None:
        """Close a connection."""
        self._all.discard(connection)
        if isinstance(connection, Http2Connection):
            if connection.route is not None and connection in connection.route.shared:
                connection.route.shared.remove(connection)
            if connection.usable or not connection.calls:
                connection.close()
        else:
            connection.close()

    def set_routes(self, places: Sequence[tuple[str, int, str]]) -> list[Call]:
        """Connections go to these (host, port, pod) from now on; those to others end after their request.

        Returns the requests that waited for a connection to a place that is gone.
        """
        known = {(route.host, route.port, route.pod): route for route in self._routes}
        self._routes = [known.pop(place) if place in known else Route(*place) for place in places]
        stranded: list[Call] = []
        for route in known.values():
            route.gone = True
            stranded += route.waiting
            route.waiting.clear()
            for idle in list(route.idle):
                self.drop(idle)
            for shared in [c for c in route.shared if not c.calls]:
                self.drop(shared)
            route.idle.clear()
        for connection in self._all:
            if connection.route is not None and connection.route.gone:
                connection.expires = 0.0
        return sorted(stranded, key=lambda call: call.planned)

    def sweep(self, now: float) -> None:
        """Time out requests (a slow drip is no answer; nor is a connection that does not come), close what is too old."""
        for connection, call in [(c, call) for c in self._all for call in c.calls if call.deadline <= now]:
            connection.fail(call, "timeout")
        for route in self._routes:
            while route.waiting and route.waiting[0].deadline + _GRACE <= now:
                self._failed(route.waiting.popleft(), "connect timeout")
            for connection in [c for c in route.idle if not c.usable or c.expires <= now]:
                route.idle.remove(connection)
                self.drop(connection)
            for shared in [c for c in route.shared if not c.calls and (not c.usable or c.expires <= now)]:
                self.drop(shared)

    def close(self) -> None:
        """Close everything; nothing is reported any more."""
        for task in self._tasks:
            task.cancel()
        self.dialer.close()
        for connection in self._all:
            connection.forget()
        self._all.clear()
        for route in self._routes:
            route.idle.clear()
            route.shared.clear()
            route.waiting.clear()
