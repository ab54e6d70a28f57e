"""Why a metric has no value: each cause in its own words, "yet" only where it heals by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.amounts import RESOURCES
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.seen import LONG_RUNNING, Seen
from hpatui.autoscaler.zero import NOT_TOLD

_MISSING = re.compile(r"missing request for (\S+) in container (\S+) of Pod (\S+)")
_NO_SAMPLE = ("did not receive metrics for targeted pods", "no metrics returned from resource metrics API")


def blind_text(evaluation: MetricEvaluation, seen: Seen) -> str:
    """One metric's failure as a sentence."""
    spec, message = evaluation.spec, evaluation.event
    if NOT_TOLD in message:
        return f"not known: {NOT_TOLD}"
    if spec.type not in RESOURCES:
        return say.blind(seen.failures.get(evaluation.index, message))
    never = _never(evaluation, seen)
    if never:
        return f"blind: {never}"
    missing = _MISSING.search(message)
    if missing is not None:
        return f"blind: {_request(missing.group(1), missing.group(2), missing.group(3), seen)}"
    if any(text in message for text in _NO_SAMPLE):
        cause = _no_sample(evaluation, seen, message)
        if cause:
            return f"blind: {cause}"
    return say.blind(message)


def _never(evaluation: MetricEvaluation, seen: Seen) -> str:
    """What no waiting heals."""
    spec = evaluation.spec
    if spec.name not in ("cpu", "memory") and not spec.name.startswith("hugepages"):
        return f"metrics-server measures cpu and memory only; {spec.name} needs a metrics adapter (a Pods or External metric)"
    if spec.container and seen.containers and spec.container not in seen.containers:
        there = f"there is {say.names(sorted(seen.containers))}"
        if spec.container in seen.inits:
            return (
                f"{spec.container} is an init container, which ends before the pod serves and is not measured; {there}"
            )
        return f"no pod has a container {spec.container}; {there}"
    return ""


def _request(resource: str, container: str, pod: str, seen: Seen) -> str:
    stranger = seen.strangers.get(pod)
    if stranger is not None:
        whose = f"pod {pod} of {stranger.owner or 'nobody'} matches the target's selector"
        return f"{whose}, and its container {container} has no {resource} request"
    if container in seen.sidecars:
        return f"the native sidecar {container} (spec.initContainers) has no {resource} request"
    return f"container {container} has no {resource} request"


def _no_sample(evaluation: MetricEvaluation, seen: Seen, message: str) -> str:
    spec = evaluation.spec
    if seen.running_for is None and seen.unready:
        return f"no pod is ready: {causes(list(seen.unready), seen)}"
    if seen.running_for is None or seen.running_for < LONG_RUNNING:
        return ""
    if spec.container and seen.measured and spec.container not in seen.measured:
        listed = say.names(sorted(seen.measured))
        return f"the metrics API does not list the container {spec.container} of these pods, only {listed}"
    if not seen.measured:
        ran = say.duration(seen.running_for)
        return f"the metrics API lists none of these pods, though one is ready for {ran}: metrics-server cannot read it"
    return ""


def causes(pods: Sequence[str], seen: Seen) -> str:
    """The pods with what is wrong with them: `web-1 and web-2: init container migrate crashes`."""
    by_cause: dict[str, list[str]] = {}
    for pod in pods:
        other = "just ready, without a full sample yet" if pod in seen.ready else "not ready yet"
        by_cause.setdefault(seen.unready.get(pod, other), []).append(pod)
    return "; ".join(f"{say.names(names)} {cause}" for cause, names in by_cause.items())
