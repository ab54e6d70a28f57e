"""GET of a pod's log."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hpatui.clock import parse_rfc3339
from hpatui.sandbox.apiserver.context import Call
from hpatui.sandbox.apiserver.runtime import LogOptions
from hpatui.sandbox.apiserver.status import StatusError, bad_request
from hpatui.sandbox.apiserver.store import PODS


def _flag(call: Call, name: str) -> bool:
    return call.query.get(name) in ("true", "1")


def _number(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'{name}: invalid value "{text}"') from error


def _positive(call: Call, name: str, least: int) -> int | None:
    """A number that is at least `least`; StatusError 422 if it is not."""
    number = _number(call, name)
    if number is not None and number < least:
        text = f"{name}: Invalid value: {number}: must be greater than {'or equal to ' if least == 0 else ''}0"
        raise StatusError(422, "Invalid", f'PodLogOptions "{call.target.name}" is invalid: {text}', {})
    return number


def _since(call: Call) -> float | None:
    """sinceSeconds or sinceTime as epoch seconds."""
    seconds, time = _positive(call, "sinceSeconds", 1), call.query.get("sinceTime")
    if seconds is not None and time:
        text = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        raise StatusError(422, "Invalid", f'PodLogOptions "{call.target.name}" is invalid: <nil>: {text}', {})
    if seconds is not None:
        return call.store.clock.time() - seconds
    if not time:
        return None
    try:
        return parse_rfc3339(time).timestamp()
    except ValueError as error:
        raise bad_request(f'sinceTime: invalid value "{time}"') from error


def _of_init_container(call: Call, pod: dict[str, Any], container: str) -> web.Response:
    """Init containers are simulated and write nothing; a run before is there once one was restarted."""
    statuses = pod.get("status", {}).get("initContainerStatuses") or ()
    restarts = next((entry.get("restartCount", 0) for entry in statuses if entry.get("name") == container), 0)
    if _flag(call, "previous") and not restarts:
        name = call.target.name
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    return web.Response(text="", content_type="text/plain")


async def get(call: Call) -> web.StreamResponse:
    """The log of one container, as text; with `follow` until the container or the client goes."""
    target = call.target
    pod = call.store.get(PODS, target.namespace, target.name)
    names = [str(entry.get("name")) for entry in pod["spec"].get("containers") or ()]
    container = call.query.get("container") or ""
    if not container:
        if len(names) != 1:
            chosen = " ".join(names)
            raise bad_request(f"a container name must be specified for pod {target.name}, choose one of: [{chosen}]")
        container = names[0]
    elif container in {entry.get("name") for entry in pod["spec"].get("initContainers") or ()}:
        return _of_init_container(call, pod, container)
    elif container not in names:
        raise bad_request(f"container {container} is not valid for pod {target.name}")
    options = LogOptions(
        _flag(call, "previous"), _positive(call, "tailLines", 0), _since(call), _flag(call, "timestamps"),
        _flag(call, "follow"),
    )  # fmt: skip
    lines = call.server.runtime.pod_logs(target.namespace or "", target.name, container, options)
    most = _positive(call, "limitBytes", 1)
    # The first line comes before the headers, so that a refusal can still be a Status.
    iterator = aiter(lines)
    line = await anext(iterator, None)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(call.request)
    while line is not None:
        if most is not None:
            line, most = line[:most], most - len(line)
        await response.write(line)
        if most is not None and most <= 0:
            break
        line = await anext(iterator, None)
    return response
