"""The API server as an aiohttp application: faults, authentication, negotiation, then one handler for each verb.

request -> faults -> who? -> discovery, health, metrics APIs
                          -> path -> may they? -> read | watch | write | log | proxy | port-forward
StatusError anywhere -> its Status as the answer
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from aiohttp import web

from hpatui.sandbox.apiserver import aggregated, connect, logs, read, watching, write
from hpatui.sandbox.apiserver.access import Access, Attributes, Rule, User, review
from hpatui.sandbox.apiserver.context import Call, Server, json_response
from hpatui.sandbox.apiserver.negotiate import LIMIT, decode, negotiate
from hpatui.sandbox.apiserver.openapi import openapi
from hpatui.sandbox.apiserver.openapi_v2 import openapi_v2
from hpatui.sandbox.apiserver.paths import Target, parse_target, verb_of
from hpatui.sandbox.apiserver.runtime import Runtime
from hpatui.sandbox.apiserver.scale import scale_of
from hpatui.sandbox.apiserver.services import ApiServices
from hpatui.sandbox.apiserver.status import StatusError, bad_request, method_not_allowed, path_not_found
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.edge import local_only
from hpatui.sandbox.release import DEFAULT, Release

log = logging.getLogger(__name__)
Handler = Callable[[Call], Awaitable[web.StreamResponse]]

_OPEN = ("/livez", "/readyz")  # all that is told without a token
_HEALTH = (*_OPEN, "/healthz", "/healthz/ping", "/livez/ping", "/readyz/ping")
_VERBS: dict[str, Handler] = {
    "get": read.get, "list": read.list_, "watch": watching.watch, "create": write.create, "update": write.update,
    "patch": write.patch, "delete": write.delete, "deletecollection": write.delete_collection,
}  # fmt: skip
_DEPRECATED = {"v2beta1": ("v1.22", "v1.25"), "v2beta2": ("v1.23", "v1.26")}


def make_app(
    store: Store,
    runtime: Runtime,
    *,
    token: str,
    restricted: Mapping[str, Sequence[Rule]] | None = None,
    bookmark_interval: float = 60.0,
    release: Release = DEFAULT,
) -> web.Application:
    """The application over a store and the cluster behind it.

    `token` may do everything; `restricted` maps further tokens to what they may do. Without one there is only the health.
    `bookmark_interval` (s) is the pause between bookmarks of a quiet watch.
    """
    server = Server(store, runtime, Access(token, restricted or {}), bookmark_interval, release)
    handler = _Handler(server)
    app = web.Application(client_max_size=LIMIT, middlewares=[local_only])
    app.cleanup_ctx.append(connect.client_context)
    app.router.add_route("*", "/{path:.*}", handler.handle)
    return app


class _Handler:
    """Answers every request."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._services = ApiServices(server.store, server.runtime, server.release)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        runtime = self._server.runtime
        path = urlsplit(request.raw_path).path if "://" in request.raw_path else request.raw_path.partition("?")[0]
        own = path.startswith("/sandbox/")
        if not own:
            if runtime.api_down():
                return _hang_up(request)
            if (delay := runtime.request_delay()) > 0:
                await asyncio.sleep(delay)
        try:
            path = path.rstrip("/") or "/"
            if path in _OPEN and request.method in ("GET", "HEAD"):
                return _health(request, path)
            user = self._server.access.user(request.headers.get("Authorization", ""))
            return await self._dispatch(request, path, user)
        except StatusError as refused:
            return _refusal(refused)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {LIMIT}"))
        except (OSError, asyncio.CancelledError, web.HTTPException):
            raise
        except Exception as error:
            # A body of a shape that nothing above expected: the client's error, and ours to know.
            log.exception("%s %s", request.method, path)
            return _refusal(bad_request(f"the request cannot be handled: {error!r}"))

    async def _dispatch(self, request: web.Request, path: str, user: User) -> web.StreamResponse:
        if path in _HEALTH:
            return _health(request, path)
        if path.startswith("/sandbox/v1/"):
            return await self._sandbox(request, path.removeprefix("/sandbox/v1/"), user)
        self._services.refresh()
        if path == "/version":
            return json_response(self._server.release.version)
        if path == "/openapi/v2":
            return openapi_v2(request.headers.get("Accept", ""), self._server.release)
        if path.startswith("/openapi"):
            return openapi(path, self._server.release)
        document = self._services.document(path, request.headers.get("Accept", ""))
        if document is not None:
            if request.method not in ("GET", "HEAD"):
                raise method_not_allowed()
            return document
        aggregate = aggregated.parse(path, self._server)
        if aggregate is not None:
            return await aggregated.answer(self._server, request, aggregate, user)
        return await self._resource(request, parse_target(path), user)

    async def _sandbox(self, request: web.Request, path: str, user: User) -> web.Response:
        if user.rules is not None:
            raise StatusError(403, "Forbidden", f'User "{user.name}" cannot change the sandbox')
        body = await request.read()
        value = decode(body, request.headers.get("Content-Type", "")) if body.strip() else None
        return json_response(self._server.runtime.sandbox_request(request.method, path, request.query, value))

    async def _resource(self, request: web.Request, target: Target, user: User) -> web.StreamResponse:
        resource = target.resource
        if not self._server.release.serves(resource.group, target.version):
            raise path_not_found()
        verb = verb_of(request.method, target, request.query)
        if resource.virtual:
            return await self._review(request, target, user, verb)
        namespace = target.namespace or ""
        if resource.plural == "namespaces":
            namespace = target.name
        user.check(Attributes(verb, resource.group, resource.plural, target.subresource, namespace, target.name))
        if target.subresource in ("exec", "attach"):
            await self._refuse_processes(target, user)
        if target.subresource in ("proxy", "portforward"):
            return await connect.connect(self._server, request, target)
        if not target.subresource and verb not in resource.verbs:
            raise method_not_allowed(resource, verb)
        call = Call(self._server, request, target, verb, user, negotiate(request.headers.get("Accept", "")))
        if verb == "create" and not target.name and resource.namespaced and target.namespace is None:
            raise method_not_allowed()
        response = await self._handler(call)(call)
        if target.version in _DEPRECATED and not response.prepared:
            since, gone = _DEPRECATED[target.version]
            text = f"{target.api_version} {resource.kind} is deprecated in {since}+, unavailable in {gone}+; "
            response.headers.add("Warning", f'299 - "{text}use {resource.api_version} {resource.kind}"')
        return response

    async def _refuse_processes(self, target: Target, user: User) -> None:
        """StatusError: 404 without the pod, else 400 with what to use instead."""
        self._server.store.get(target.resource, target.namespace, target.name)
        what = f"{target.subresource} is not available: a sandbox's containers are simulated and run no processes; "
        raise bad_request(f"{what}logs, port-forward and the proxy work")

    def _handler(self, call: Call) -> Handler:
        sub, verb = call.target.subresource, call.verb
        if sub == "log":
            if verb != "get":
                raise method_not_allowed()
            return logs.get
        if sub == "scale" and verb == "get":
            return _get_scale
        if sub in ("binding", "eviction") and verb != "create":
            raise method_not_allowed()
        if sub and verb not in ("get", "update", "patch", "create"):
            raise method_not_allowed()
        if verb == "create" and sub not in ("", "binding", "eviction"):
            raise method_not_allowed()
        return _VERBS[verb]

    async def _review(self, request: web.Request, target: Target, user: User, verb: str) -> web.Response:
        if verb != "create":
            raise method_not_allowed(target.resource, verb)
        body = decode(await request.read(), request.headers.get("Content-Type", ""))
        if not isinstance(body, dict):
            raise bad_request("the body is no object")
        if target.resource.group == "metrics.k8s.io":
            raise path_not_found()
        body.setdefault("kind", target.resource.kind)
        body.setdefault("apiVersion", target.api_version)
        return json_response(review(user, target.resource.kind, body), None, 201)


def _health(request: web.Request, path: str) -> web.Response:
    """ok, and with ?verbose every check by name, all of them well."""
    if "verbose" not in request.query:
        return web.Response(text="ok")
    name = path.split("/")[1]
    text = "".join(f"[+]{check} ok\n" for check in ("ping", "log", "etcd")) + f"{name} check passed\n"
    return web.Response(text=text)


async def _get_scale(call: Call) -> web.Response:
    obj = call.store.get(call.target.resource, call.target.namespace, call.target.name)
    return json_response(scale_of(obj), call.form)


def _refusal(refused: StatusError) -> web.Response:
    response = json_response(refused.to_json(), None, refused.code)
    if refused.code in (429, 503, 504):
        response.headers["Retry-After"] = "1"
    return response


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
