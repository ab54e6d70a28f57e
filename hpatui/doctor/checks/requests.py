"""Requests and limits of pods, as the HPA controller adds them up: containers and native sidecars (init containers with
restartPolicy Always), a pod-level request in place of all of them.

Source: calculateRequests of the controller's replica calculator.
"""

from __future__ import annotations

from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.doctor.fields import Json, amount, child, items, text


def counted(spec: Json) -> list[tuple[str, Json]]:
    """(field, container) of each container that counts: `containers` first, then native sidecars."""
    found = [("containers", c) for c in items(spec, "containers")]
    found += [("initContainers", c) for c in items(spec, "initContainers") if c.get("restartPolicy") == "Always"]
    return found


def lacking_of(spec: Json, resource: str, only: str, rules: Rules = RECORDED) -> list[str]:
    """Containers (of `only`, if named) without a request for the resource, as the rules of the version count them."""
    if rules.pod_level_requests and not only and "requests" in child(spec, "resources"):
        return [] if resource in child(spec, "resources", "requests") else ["(pod level)"]
    return [
        text(container, "name")
        for field, container in counted(spec)
        if (field == "containers" or rules.sidecars_requested)
        and only in ("", text(container, "name"))
        and _request(container, resource) is None
    ]


def request_of(spec: Json, resource: str, only: str) -> float | None:
    """The request in base units (cores, bytes), or None if one is lacking."""
    whole = amount(child(spec, "resources", "requests").get(resource))
    if whole is not None and not only:
        return whole
    return _sum([_request(c, resource) for _, c in counted(spec) if only in ("", text(c, "name"))])


def limit_of(spec: Json, resource: str, only: str) -> float | None:
    """The limit in base units, or None if a container that counts has none."""
    whole = amount(child(spec, "resources", "limits").get(resource))
    if whole is not None and not only:
        return whole
    return _sum([amount(child(c, "resources", "limits").get(resource)) for _, c in counted(spec)
                 if only in ("", text(c, "name"))])  # fmt: skip


def _request(container: Json, resource: str) -> float | None:
    """The request; the API server takes a limit for one that lacks."""
    asked = child(container, "resources")
    found = child(asked, "requests").get(resource)
    return amount(found if found is not None else child(asked, "limits").get(resource))


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
