"""What the autoscaler controller reads before it decides: the target's scale, its pods, and the metrics of the HPA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES, Resource, of_kind
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.controllers.context import Context
from hpatui.sandbox.controllers.objects import Object
from hpatui.sandbox.controllers.replicaset import workload_of
from hpatui.sandbox.metrics import Metrics

_UNAVAILABLE = "the server is currently unable to handle the request (get pods.metrics.k8s.io)"


@dataclass(frozen=True, slots=True)
class Target:
    """The scale target. `scale` is an autoscaling/v1 Scale; an error's text stands where there is none."""

    resource: Resource | None = None
    scale: Object | None = None
    selector: Mapping[str, Any] | None = None
    scale_error: str | None = None
    mapper_error: str | None = None


def find_target(context: Context, hpa: Object) -> Target:
    """Look up spec.scaleTargetRef as the controller's REST mapper and scale client do."""
    reference, namespace = hpa["spec"]["scaleTargetRef"], hpa["metadata"]["namespace"]
    kind, name = reference["kind"], reference["name"]
    group = (reference.get("apiVersion") or "").rpartition("/")[0]
    resource = of_kind(group, kind) or _of_kind_in_any_case(group, kind)
    if resource is None and kind == kind.lower():  # the mapper knows each kind in lower case too (recorded of 1.36.2)
        resource = next((r for r in RESOURCES.values() if r.group == group and r.kind.lower() == kind), None)
    if resource is None:
        return Target(mapper_error=f'no matches for kind "{kind}" in group "{group}"')
    obj = context.find(resource, namespace, name)
    if obj is None or "scale" not in resource.subresources:
        wrong = "not found" if obj is None else "has no scale"
        return Target(resource, scale_error=f'{resource.group_resource} "{name}" {wrong}')
    selector = (workload_of(context, obj) or obj)["spec"].get("selector")
    if selector is not None and "matchLabels" not in selector and "matchExpressions" not in selector:
        selector = {"matchLabels": selector}  # a ReplicationController's
    scale = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": obj["spec"].get("replicas", 1)},
        "status": {"replicas": (obj.get("status") or {}).get("replicas", 0), "selector": selector_text(selector)},
    }
    return Target(resource, scale, selector)


def _resource_name(described: Mapping[str, Any]) -> str:
    """`services`, `ingresses.networking.k8s.io`: an object's resource as meta.UnsafeGuessKindToResource names it."""
    kind, group = described["kind"].lower(), (described.get("apiVersion") or "").rpartition("/")[0]
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"
    return f"{plural}.{group}" if group else plural


def _of_kind_in_any_case(group: str, kind: str) -> Resource | None:
    """The controller's mapper ignores the case of a kind; a plural is none."""
    return next(
        (entry for entry in RESOURCES.values() if entry.group == group and entry.singular == kind.lower()), None
    )


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as one string, sorted by label, as metav1.FormatLabelSelector writes it."""
    if not selector:
        return ""
    terms = [(name, f"{name}={value}") for name, value in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or ():
        name, values = term["key"], ",".join(sorted(term.get("values") or ()))
        text = {
            "In": f"{name} in ({values})",
            "NotIn": f"{name} notin ({values})",
            "Exists": name,
            "DoesNotExist": f"!{name}",
        }[term["operator"]]
        terms.append((name, text))
    return ",".join(text for _, text in sorted(terms))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query of a metrics API gave: items, or the error's text."""

    items: tuple[Object, ...] = ()
    error: str | None = None


class MetricsReader:
    """Queries for the metrics that an HPA names; the answers are the API's own JSON."""

    def __init__(self, context: Context, metrics: Metrics) -> None:
        self._c = context
        self._metrics = metrics

    def pods(self, pods: list[Object], now: float) -> Answer:
        """PodMetrics of these pods."""
        if not self._metrics.available():
            return Answer(error=_UNAVAILABLE)
        return Answer(tuple(self._metrics.pods(pods, now)))

    def custom_pods(self, pods: list[Object], metric: str, now: float) -> Answer:
        """A custom metric of these pods."""
        items = self._metrics.for_pods(pods, metric, now)
        if not items:
            return Answer(error=f"the server could not find the metric {metric} for pods")
        return Answer(tuple(items))

    def custom_object(self, namespace: str, described: Mapping[str, Any], metric: str, now: float) -> Answer:
        """A custom metric of one object; only Services have any."""
        plural, name = _resource_name(described), described["name"]
        service = self._c.find(RESOURCES["", "services"], namespace, name) if described["kind"] == "Service" else None
        if service is not None:
            pods = self._c.pods.select(namespace, {"matchLabels": service["spec"].get("selector") or {}})
            item = self._metrics.for_service(service, pods, metric, now)
            if item is not None:
                return Answer((item,))
        return Answer(error=f"the server could not find the metric {metric} for {plural} {name}")

    def external(self, namespace: str, metric: Mapping[str, Any], now: float) -> Answer:
        """The series of an external metric that its selector selects."""
        selector = metric.get("selector")
        try:
            found = self._metrics.external(namespace, metric["name"], now)
        except LookupError:
            return Answer(error="the server could not find the requested resource")
        if selector is not None:
            found = [entry for entry in found if matches(selector, entry["metricLabels"])]
        return Answer(tuple(found))
