"""GET of a pod's log."""

from __future__ import annotations

from aiohttp import web

from hpatui.sandbox.apiserver.context import Call
from hpatui.sandbox.apiserver.status import bad_request
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
    elif container not in names:
        raise bad_request(f"container {container} is not valid for pod {target.name}")
    lines = call.server.runtime.pod_logs(
        target.namespace or "", target.name, container, previous=_flag(call, "previous"),
        tail=_number(call, "tailLines"), follow=_flag(call, "follow"),
    )  # fmt: skip
    most = _number(call, "limitBytes")
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
