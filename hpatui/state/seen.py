"""Facts -> what the words of an explanation need beside the decision's inputs: owners, causes of unreadiness, limits, and
what the controller said of each metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hpatui.autoscaler.amounts import RESOURCES, is_percent
from hpatui.autoscaler.inputs import MetricSpec
from hpatui.autoscaler.seen import Seen, Stranger
from hpatui.model import Event, Hpa, Pod, belongs_to, controller_of, owners_of
from hpatui.state.facts import Facts, Inputs

_OWNERS = ("Deployment", "ReplicaSet", "StatefulSet", "Rollout")
_BUILT_IN = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")
_STARTING = ("", "ContainerCreating", "PodInitializing", "Running", "Pending")


def seen_of(hpa: Hpa, facts: Facts, inputs: Inputs, events: Iterable[Event], now: float) -> Seen:
    """All of it. `events` are those about the HPA."""
    workload, keda = facts.workload, of_keda(facts)
    strangers = _strangers(hpa, facts)
    own = [pod for pod in facts.pods.values() if pod.key.name not in strangers and not pod.completed]
    owner = controller_of(workload.owners) if workload is not None else None
    ready = [now - pod.ready_since for pod in own if pod.ready and pod.ready_since is not None]
    measured = {name for pod in own if pod.key in facts.usages for name in facts.usages[pod.key].containers}
    sidecars = {c.name for pod in own for c in pod.init_containers if c.sidecar}
    return Seen(
        unready={pod.key.name: cause for pod in own if (cause := _cause(pod, now))},
        ready=frozenset(pod.key.name for pod in own if pod.ready),
        strangers=strangers,
        containers=frozenset({c.name for pod in own for c in pod.containers} | sidecars),
        sidecars=frozenset(sidecars),
        inits=frozenset(c.name for pod in own for c in pod.init_containers if not c.sidecar),
        measured=frozenset(measured),
        most=_most(inputs.hpa.metrics, own),
        failures=_failures(inputs.hpa.metrics, hpa, tuple(events)),
        target=f"{workload.kind}/{workload.key.name}" if workload is not None else "",
        target_owner=str(owner) if owner is not None and owner.kind in _OWNERS else "",
        status_replicas=inputs.scale.status_replicas,
        running_for=max(ready, default=None),
        keda=keda.keda,
        keda_paused=keda.keda_paused,
    )


def of_keda(facts: Facts | None) -> Seen:
    """Only what KEDA's ScaledObject says."""
    found = facts.scaled_object if facts is not None else None
    return Seen(keda=found.notes, keda_paused=found.paused) if found is not None else Seen()


def _strangers(hpa: Hpa, facts: Facts) -> Mapping[str, Stranger]:
    """Selected pods that certainly are not the target's."""
    workload = facts.workload
    if workload is None:
        return {}
    built_in = workload.kind in _BUILT_IN
    whose = {key: belongs_to(pod, workload.uid, facts.links) for key, pod in facts.pods.items()}
    some_own = any(owned is True for owned in whose.values())  # else owners may just not have been read
    found: dict[str, Stranger] = {}
    for key, pod in facts.pods.items():
        chain = owners_of(pod, facts.links)
        if whose[key] is not False or (not chain and not (built_in and some_own)):
            continue
        if built_in or chain[-1].kind in ("Job", "DaemonSet", "CronJob"):
            owner = str(chain[-1]) if chain else ""
            found[pod.key.name] = Stranger(owner, pod.phase == "Succeeded")
    return found


def _cause(pod: Pod, now: float) -> str:
    """Why the pod is not ready; empty for one that is, or that may just be starting."""
    if pod.ready or pod.deleted is not None:
        return ""
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.reason == "SchedulingGated":
        return "never started (held back by scheduling gates)"
    if scheduled is not None and scheduled.reason == "Unschedulable":
        return "never started (no node has room)"
    for kind, containers in (("init container", pod.init_containers), ("container", pod.containers)):
        for container in containers:
            word = "sidecar" if container.sidecar else kind
            if container.state in ("CrashLoopBackOff", "Error") and not container.ready:
                start = "never started" if word == "init container" else "not ready"
                return f"{start} ({word} {container.name} crashes)"
            if container.state.endswith(("BackOff", "Error")) or container.state in (
                "ErrImageNeverPull",
                "InvalidImageName",
            ):
                return f"never started ({word} {container.name}: {container.state})"
    since = pod.unready_since if pod.unready_since is not None else pod.created
    lasted = now - since if since is not None else 0.0
    if pod.phase == "Pending":
        return f"never started, for {_span(lasted)} ({pod.reason})" if lasted >= 60 else ""
    gates = [g for g in pod.readiness_gates if (c := pod.condition(g)) is None or c.status != "True"]
    inside = pod.condition("ContainersReady")
    ready = pod.condition("Ready")
    if (gates or (ready is not None and ready.reason == "ReadinessGatesNotReady")) and (
        inside is None or inside.status == "True"
    ):
        which = f"readiness gate {gates[0]} is not met" if gates else ready.message if ready is not None else ""
        return f"not ready for {_span(lasted)} ({which})"
    return f"not ready for {_span(lasted)}" if lasted >= 1 and pod.ready_since is None and lasted >= 60 else ""


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _most(metrics: Sequence[MetricSpec], own: Sequence[Pod]) -> Mapping[int, float]:
    """What each resource metric can reach at most: limits over requests in percent, or the limit in thousandths."""
    found: dict[int, float] = {}
    for index, spec in enumerate(metrics):
        if spec.type not in RESOURCES or spec.name not in ("cpu", "memory"):
            continue
        values = [value for pod in own if (value := _reach(spec, pod)) is not None]
        if own and len(values) == len(own):
            found[index] = max(values)
    return found


def _reach(spec: MetricSpec, pod: Pod) -> float | None:
    cpu = spec.name == "cpu"
    counted = [*pod.containers, *(c for c in pod.init_containers if c.sidecar)]
    chosen = [c for c in counted if spec.container in ("", c.name)]
    limits = [c.cpu_limit if cpu else c.memory_limit for c in chosen]
    requests = [c.cpu_request if cpu else c.memory_request for c in chosen]
    if not chosen or any(value is None for value in limits):
        return None
    limit = sum(value for value in limits if value is not None)
    if not is_percent(spec):
        return limit if cpu else limit * 1000
    asked = [r if r is not None else most for r, most in zip(requests, limits, strict=True)]
    request = sum(value for value in asked if value is not None)
    return 100 * limit / request if request else None


def _failures(metrics: Sequence[MetricSpec], hpa: Hpa, events: Sequence[Event]) -> Mapping[int, str]:
    """The controller's newest word on each metric that only it reads: of its events, else of the condition where only one
    metric is of the kind that the condition names.
    """
    found: dict[int, str] = {}
    active = hpa.condition("ScalingActive")
    for index, spec in enumerate(metrics):
        if spec.type in RESOURCES:
            continue
        reason = f"FailedGet{spec.type}Metric"
        told = [e for e in events if e.reason == reason and spec.name in e.message]
        if told:
            found[index] = max(told, key=lambda event: event.last_seen or 0.0).message
        elif active is not None and active.reason == reason and sum(m.type == spec.type for m in metrics) == 1:
            found[index] = active.message
    return found
