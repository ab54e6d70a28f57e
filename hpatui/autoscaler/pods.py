"""Step 1: which pods count. Every pod of the target is ready, unready, missing (no sample) or ignored.

Source: groupPods and calculateRequests of the controller's replica calculator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hpatui.autoscaler.inputs import ControllerConfig, PodInput
from hpatui.autoscaler.rules import Rules
from hpatui.autoscaler.times import seconds_to_ns


@dataclass(frozen=True, slots=True)
class Sample:
    """One pod's value in thousandths, with the end and the length of its window (nanoseconds)."""

    value: int
    time: int
    window: int


@dataclass(frozen=True, slots=True)
class PodGroups:
    """Names of the target's pods by how they count. `ready` is the number whose sample is used."""

    ready: int
    unready: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]


class MissingRequest(Exception):
    """A container has no request for the resource, so utilization cannot be computed."""


def group_pods(
    pods: Iterable[PodInput], samples: Mapping[str, Sample], resource: str, config: ControllerConfig, now: int
) -> PodGroups:
    """Sort pods into groups. Only for cpu does it matter how long a pod is ready."""
    ready = 0
    unready: list[str] = []
    missing: list[str] = []
    ignored: list[str] = []
    for pod in pods:
        if pod.terminating or pod.phase == "Failed" or (pod.phase == "Succeeded" and config.rules.succeeded_ignored):
            ignored.append(pod.name)
        elif pod.phase == "Pending":
            unready.append(pod.name)
        elif (sample := samples.get(pod.name)) is None:
            missing.append(pod.name)
        elif resource == "cpu" and _cpu_unready(pod, sample, config, now):
            unready.append(pod.name)
        else:
            ready += 1
    return PodGroups(ready, tuple(unready), tuple(missing), tuple(ignored))


def _cpu_unready(pod: PodInput, sample: Sample, config: ControllerConfig, now: int) -> bool:
    """Whether a pod's cpu sample is not to be trusted: it starts, or it has never been ready."""
    if pod.ready is None or pod.start_time is None:
        return True
    if pod.start_time + seconds_to_ns(config.cpu_initialization) > now:
        return pod.ready == "False" or sample.time < pod.ready_transition + sample.window
    never_ready = pod.start_time + seconds_to_ns(config.initial_readiness_delay) > pod.ready_transition
    return pod.ready == "False" and never_ready


def pod_requests(pods: Iterable[PodInput], container: str, resource: str, rules: Rules) -> dict[str, int]:
    """Each pod's request in thousandths: pod-level if set and no container is asked for, else summed over containers.

    Raises MissingRequest, with the controller's text, at the first container without one.
    """
    return {pod.name: _request(pod, container, resource, rules) for pod in pods}


def _request(pod: PodInput, container: str, resource: str, rules: Rules) -> int:
    if rules.pod_level_requests and pod.pod_requests is not None and not container:
        overhead = {} if rules.overhead_left_out else pod.overhead
        if resource not in pod.pod_requests and resource not in overhead:
            raise MissingRequest(f"missing pod-level request for {resource} in Pod {pod.name}")
        return pod.pod_requests.get(resource, 0) + overhead.get(resource, 0)
    total = 0
    found = not (container and rules.container_required)
    asked = pod.requests if rules.sidecars_requested else pod.requests[: len(pod.requests) - pod.sidecars]
    for name, requests in asked:
        if container in ("", name):
            found = True
            if resource not in requests:
                raise MissingRequest(f"missing request for {resource} in container {name} of Pod {pod.name}")
            total += requests[resource]
    if not found:
        raise MissingRequest(f"container {container} not found in Pod {pod.name}")
    return total


def ready_pods(pods: Sequence[PodInput]) -> int:
    """Pods that run and are ready: what Object and External values are multiplied by."""
    return sum(1 for pod in pods if pod.phase == "Running" and pod.ready == "True")
