"""What if the HPA had another spec: the recorded syncs, decided again.

    frames (inputs of each sync) + Edit -> decide sync by sync, with the sizes that come out of it -> Outcome

Where the trial size equals the recorded one, the recorded pods and samples are used as they are, so replaying a run
with its own spec gives the run itself. Where it differs, the recorded use is spread evenly over the trial's pods, which
are taken as ready at once: start-up, queueing and a cpu limit that was reached are not modelled, and `notes` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import HpaObject, Memory, PodInput, PodMetricsInput
from hpatui.autoscaler.parse import parse_hpa
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.errors import UsageError
from hpatui.model import ControllerFlags
from hpatui.state.facts import Inputs
from hpatui.state.frames import Frame

SPREAD = "use is spread evenly over the trial's pods; start-up and limits that were reached are not modelled"


@dataclass(frozen=True, slots=True)
class Edit:
    """Trial changes of a spec; None or empty leaves a field as it is.

    `targets` by index in spec.metrics: percent for Utilization, else a quantity's text. `behavior` replaces the whole
    of spec.behavior (JSON as the API has it).
    """

    min_replicas: int | None = None
    max_replicas: int | None = None
    targets: Mapping[int, int | str] = field(default_factory=dict)
    behavior: Mapping[str, Any] | None = None
    tolerance: float | None = None  # the controller's flag


@dataclass(frozen=True, slots=True)
class Outcome:
    """A replayed run: the size from each sync on, and what it cost. `above_target` in seconds."""

    replicas: tuple[tuple[float, int], ...]
    pod_hours: float
    above_target: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The run as it was, as the trial would have gone, and what the trial leaves out."""

    now: Outcome
    then: Outcome
    notes: tuple[str, ...]


def edited(obj: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """The HPA's JSON with the edit applied: what could be applied to the cluster, without status and server's fields.

    Raises UsageError where the edit names no metric of the spec, or min is above max.
    """
    metadata = obj.get("metadata") or {}
    spec = _copied(obj.get("spec") or {})
    if edit.min_replicas is not None:
        spec["minReplicas"] = edit.min_replicas
    if edit.max_replicas is not None:
        spec["maxReplicas"] = edit.max_replicas
    if spec.get("minReplicas", 1) > spec.get("maxReplicas", 1):
        raise UsageError("minReplicas is above maxReplicas", hint="raise maxReplicas or lower minReplicas")
    if edit.behavior is not None:
        spec["behavior"] = _copied(edit.behavior)
    for index, value in edit.targets.items():
        _retarget(spec, index, value)
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if metadata.get(key)}
    return {
        "apiVersion": obj.get("apiVersion", "autoscaling/v2"),
        "kind": "HorizontalPodAutoscaler",
        "metadata": kept,
        "spec": spec,
    }


def _retarget(spec: dict[str, Any], index: int, value: int | str) -> None:
    metrics = spec.get("metrics")
    if not isinstance(metrics, list) or not 0 <= index < len(metrics):
        raise UsageError(f"the HPA has no metric {index}")
    for source in metrics[index].values():
        if isinstance(source, dict) and isinstance(source.get("target"), dict):
            target = source["target"]
            name = {"Utilization": "averageUtilization", "Value": "value"}.get(target.get("type"), "averageValue")
            target[name] = value if name == "averageUtilization" else str(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def what_if(
    frames: Sequence[Frame], hpa: Mapping[str, Any], edit: Edit, flags: ControllerFlags, until: float
) -> Comparison:
    """Replay `frames` (oldest first) with the edited spec of `hpa` (its JSON) up to `until` (epoch seconds).

    Raises UsageError for an edit that makes no sense, MalformedObject for one that is no HPA.
    """
    trial = parse_hpa(edited(hpa, edit))
    trial_flags = flags if edit.tolerance is None else replace(flags, tolerance=edit.tolerance)
    then, spread = _replay(frames, trial, trial_flags, until)
    recorded, _ = _replay(frames, None, flags, until)
    notes = (SPREAD,) if spread else ()
    return Comparison(recorded, then, notes)


def _replay(
    frames: Sequence[Frame], trial: HpaObject | None, flags: ControllerFlags, until: float
) -> tuple[Outcome, bool]:
    """The run with the trial's spec; without one, the sizes as recorded. Also whether any use had to be spread."""
    config = config_of(flags)
    memory = frames[0].memory if frames else Memory()
    size = frames[0].inputs.scale.spec_replicas if frames else 0
    series: list[tuple[float, int]] = []
    hot: list[tuple[float, bool]] = []
    spread = False
    for frame in frames:
        inputs = frame.inputs
        recorded = inputs.scale.spec_replicas
        if trial is None:
            size = recorded
        elif size != recorded:
            inputs, spread = spread_over(inputs, size), True
        spec = inputs.hpa if trial is None else _with_spec(inputs.hpa, trial)
        used = frame.memory if trial is None else memory
        decision = decide(spec, inputs.scale, inputs.pods, inputs.metrics, used, config, seconds_to_ns(frame.time))
        memory = decision.memory
        hot.append((frame.time, _above(decision, config.tolerance)))
        size = frame.to_size if trial is None else decision.replicas
        series.append((frame.time, size))
    return Outcome(tuple(series), _pod_hours(series, until), _seconds(hot, until)), spread


def _with_spec(recorded: HpaObject, trial: HpaObject) -> HpaObject:
    return replace(
        recorded,
        min_replicas=trial.min_replicas,
        max_replicas=trial.max_replicas,
        metrics=trial.metrics,
        behavior=trial.behavior,
    )


def spread_over(inputs: Inputs, size: int) -> Inputs:
    """The same use on `size` pods instead of the recorded ones."""
    scale = replace(inputs.scale, spec_replicas=size, status_replicas=size)
    pods = {pod.name: pod for pod in inputs.pods if not pod.terminating and pod.phase == "Running"}
    samples = [sample for sample in inputs.metrics.pod_metrics if sample.name in pods]
    if not samples or size <= 0:
        return replace(inputs, scale=scale)
    chosen = [samples[index % len(samples)] for index in range(size)]
    factor = len(samples) / size
    new_pods: list[PodInput] = []
    new_samples: list[PodMetricsInput] = []
    for index, sample in enumerate(chosen):
        name = f"trial-{index}"
        new_pods.append(replace(pods[sample.name], name=name))
        new_samples.append(replace(sample, name=name, containers=_scaled(samples, sample, factor)))
    metrics = replace(inputs.metrics, pod_metrics=tuple(new_samples))
    return replace(inputs, scale=scale, pods=tuple(new_pods), metrics=metrics)


def _scaled(
    samples: Sequence[PodMetricsInput], like: PodMetricsInput, factor: float
) -> tuple[tuple[str, Mapping[str, int]], ...]:
    """Each container's mean cpu over all pods times `factor`; memory stays as it is, because it belongs to the pod."""
    means = {name: _mean(samples, name) * factor for name, _ in like.containers}
    return tuple(
        (name, {key: round(means[name]) if key == "cpu" else value for key, value in usage.items()})
        for name, usage in like.containers
    )


def _mean(samples: Sequence[PodMetricsInput], container: str) -> float:
    values = [usage.get("cpu", 0) for sample in samples for name, usage in sample.containers if name == container]
    return sum(values) / len(values) if values else 0.0


def _above(decision: Decision, tolerance: float) -> bool:
    """Whether a metric was above its target by more than the tolerance."""
    return any(e.proposal is not None and e.proposal.ratio > 1 + tolerance for e in decision.metrics)


def _pod_hours(series: Sequence[tuple[float, int]], until: float) -> float:
    return sum(seconds * size for seconds, size in lasting(series, until)) / 3600


def _seconds(flags: Sequence[tuple[float, bool]], until: float) -> float:
    return sum((seconds for seconds, hot in lasting(flags, until) if hot), 0.0)


def lasting(series: Sequence[tuple[float, int]], until: float) -> Iterable[tuple[float, int]]:
    """(seconds for which it held, value) of each point."""
    ends = [time for time, _ in series[1:]] + [until]
    return ((max(0.0, end - time), value) for (time, value), end in zip(series, ends, strict=True)) if series else ()
