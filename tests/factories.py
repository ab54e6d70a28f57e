"""Facts for tests: each maker has sensible defaults and takes what the test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpatui.model import Condition, Event, Hpa, Key, MetricTarget, Pod, PodUsage, Reference, Workload

NOW = 1_780_000_000.0


def metric(current: float | None = 45.0, target: float = 30.0, name: str = "cpu") -> MetricTarget:
    """A Resource metric with a Utilization target."""
    shown = "<unknown>" if current is None else f"{current:g}%"
    return MetricTarget(
        type="Resource",
        name=name,
        container="",
        target_type="Utilization",
        target=target,
        current=current,
        target_text=f"{target:g}%",
        current_text=shown,
        unit="%",
        ratio=None if current is None else current / target,
    )


def condition(type_: str, status: str, reason: str, message: str = "", at: float = NOW - 60) -> Condition:
    """A condition that changed at `at`."""
    return Condition(type_, status, reason, message, at)


STEADY = (
    condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
    condition(
        "ScalingActive", "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count"
    ),
    condition("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
)


def hpa(
    name: str = "php-apache-hpa",
    namespace: str = "heyongjia",
    *,
    current: int = 1,
    desired: int = 1,
    low: int = 1,
    high: int = 3,
    metrics: Sequence[MetricTarget] | None = None,
    conditions: Sequence[Condition] = STEADY,
    version: str = "1",
    uid: str = "",
    scaled: float | None = None,
    labels: Mapping[str, str] | None = None,
    raw: bytes = b"",
) -> Hpa:
    """An HPA on Deployment php-apache."""
    found = tuple(metrics) if metrics is not None else (metric(),)
    return Hpa(
        key=Key(namespace, name),
        uid=uid or f"uid-{namespace}-{name}",
        resource_version=version,
        created=NOW - 3600,
        reference=Reference("Deployment", "php-apache", "apps/v1"),
        min_replicas=low,
        max_replicas=high,
        current_replicas=current,
        desired_replicas=desired,
        targets=", ".join(f"{m.name}: {m.current_text}/{m.target_text}" for m in found),
        metrics=found,
        conditions=tuple(conditions),
        last_scale_time=scaled,
        labels=labels or {},
        raw=raw,
    )


def event(reason: str, message: str, *, at: float = NOW, uid: str = "", count: int = 1, kind: str = "Normal") -> Event:
    """An event about php-apache-hpa, last seen at `at`."""
    return Event(
        key=Key("heyongjia", f"php-apache-hpa.{uid or reason}"),
        uid=uid or reason,
        about_kind="HorizontalPodAutoscaler",
        about=Key("heyongjia", "php-apache-hpa"),
        type=kind,
        reason=reason,
        message=message,
        count=count,
        first_seen=at,
        last_seen=at,
        component="horizontal-pod-autoscaler",
    )


def pod(name: str = "php-apache-1", *, ready: bool = True) -> Pod:
    """A pod of php-apache with requests of 100m and 100Mi."""
    return Pod(
        key=Key("heyongjia", name),
        uid=f"uid-{name}",
        phase="Running",
        ready=ready,
        reason="Running",
        restarts=0,
        node="node-1",
        ip="10.244.0.5",
        created=NOW - 600,
        started=NOW - 599,
        ready_since=NOW - 595 if ready else None,
        deleted=None,
        labels={"app": "php-apache"},
        containers=(),
        cpu_request=100.0,
        memory_request=100 * 2**20,
        cpu_limit=100.0,
        memory_limit=100 * 2**20,
    )


def usage(name: str = "php-apache-1", cpu: float = 45.0, at: float = NOW) -> PodUsage:
    """A usage sample that ended at `at`."""
    return PodUsage(Key("heyongjia", name), at, 15.0, cpu, 22 * 2**20)


def workload(replicas: int = 1, ready: int = 1) -> Workload:
    """Deployment php-apache."""
    return Workload(
        "Deployment", Key("heyongjia", "php-apache"), "uid-w", replicas, ready, replicas, ready, "app=php-apache"
    )
