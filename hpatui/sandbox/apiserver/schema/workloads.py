"""Shapes of workloads, autoscalers (v2, v2beta1 and v1) and the remaining groups; `shape_of` finds one."""

from __future__ import annotations

from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.schema.core import CONDITIONS, CORE, META, SELECTOR, STATUS, TEMPLATE
from hpatui.sandbox.apiserver.schema.shape import (
    ANY,
    BOOL,
    INT,
    INT64,
    INTSTR,
    QUANTITY,
    STR,
    STR_MAP,
    STRS,
    TIME,
    Shape,
    obj,
    whole,
)

_ROLLING = obj("RollingUpdate", maxUnavailable=INTSTR, maxSurge=INTSTR, partition=INT)
_JOB = obj(
    "JobSpec", parallelism=INT, completions=INT, activeDeadlineSeconds=INT64, podFailurePolicy=ANY, successPolicy=ANY,
    backoffLimit=INT, backoffLimitPerIndex=INT, maxFailedIndexes=INT, selector=SELECTOR, manualSelector=BOOL,
    template=TEMPLATE, ttlSecondsAfterFinished=INT, completionMode=STR, suspend=BOOL, podReplacementPolicy=STR,
    managedBy=STR,
)  # fmt: skip
_APPS: dict[str, Shape] = {
    "deployments": obj(
        "DeploymentSpec", replicas=INT, selector=SELECTOR, template=TEMPLATE,
        strategy=obj("DeploymentStrategy", type=STR, rollingUpdate=_ROLLING), minReadySeconds=INT,
        revisionHistoryLimit=INT, paused=BOOL, progressDeadlineSeconds=INT,
    ),
    "replicasets": obj("ReplicaSetSpec", replicas=INT, minReadySeconds=INT, selector=SELECTOR, template=TEMPLATE),
    "statefulsets": obj(
        "StatefulSetSpec", replicas=INT, selector=SELECTOR, template=TEMPLATE, volumeClaimTemplates=whole(ANY),
        serviceName=STR, podManagementPolicy=STR, updateStrategy=obj("Strategy", type=STR, rollingUpdate=_ROLLING),
        revisionHistoryLimit=INT, minReadySeconds=INT, persistentVolumeClaimRetentionPolicy=ANY, ordinals=ANY,
    ),
    "daemonsets": obj(
        "DaemonSetSpec", selector=SELECTOR, template=TEMPLATE, minReadySeconds=INT, revisionHistoryLimit=INT,
        updateStrategy=obj("DaemonSetUpdateStrategy", type=STR, rollingUpdate=_ROLLING),
    ),
}  # fmt: skip

# Autoscaling

_REFERENCE = obj("CrossVersionObjectReference", apiVersion=STR, kind=STR, name=STR)
_METRIC = obj("MetricIdentifier", name=STR, selector=SELECTOR)
_TARGET = obj("MetricTarget", type=STR, value=QUANTITY, averageValue=QUANTITY, averageUtilization=INT)
_VALUES = obj("MetricValueStatus", value=QUANTITY, averageValue=QUANTITY, averageUtilization=INT)


def _metrics(side: str, shape: Shape) -> Shape:
    sources = {
        "resource": obj("ResourceMetricSource", name=STR, **{side: shape}),
        "containerResource": obj("ContainerResourceMetricSource", name=STR, container=STR, **{side: shape}),
        "pods": obj("PodsMetricSource", metric=_METRIC, **{side: shape}),
        "object": obj("ObjectMetricSource", describedObject=_REFERENCE, metric=_METRIC, **{side: shape}),
        "external": obj("ExternalMetricSource", metric=_METRIC, **{side: shape}),
    }
    return whole(obj("MetricSpec", type=STR, **sources))


_RULES = obj(
    "HPAScalingRules", stabilizationWindowSeconds=INT, selectPolicy=STR, tolerance=QUANTITY,
    policies=whole(obj("HPAScalingPolicy", type=STR, value=INT, periodSeconds=INT)),
)  # fmt: skip
_BEHAVIOR = obj("HorizontalPodAutoscalerBehavior", scaleUp=_RULES, scaleDown=_RULES)
_BASE = {"scaleTargetRef": _REFERENCE, "minReplicas": INT, "maxReplicas": INT}
_COUNTS = {
    "observedGeneration": INT64, "lastScaleTime": TIME, "currentReplicas": INT, "desiredReplicas": INT,
    "conditions": CONDITIONS,
}  # fmt: skip


def _flat(prefix: str) -> Shape:
    """Metrics of v2beta1, as spec (`target`) or status (`current`)."""
    use, average, value = f"{prefix}AverageUtilization", f"{prefix}AverageValue", f"{prefix}Value"
    resource = {"name": STR, use: INT, average: QUANTITY}
    sources = {
        "resource": obj("ResourceMetricSource", **resource),
        "containerResource": obj("ContainerResourceMetricSource", container=STR, **resource),
        "pods": obj("PodsMetricSource", metricName=STR, selector=SELECTOR, **{average: QUANTITY}),
        "object": obj("ObjectMetricSource", target=_REFERENCE, metricName=STR, selector=SELECTOR, averageValue=QUANTITY,
                      **{value: QUANTITY}),
        "external": obj("ExternalMetricSource", metricName=STR, metricSelector=SELECTOR,
                        **{value: QUANTITY, average: QUANTITY}),
    }  # fmt: skip
    return whole(obj("MetricSpec", type=STR, **sources))


_HPA: dict[str, dict[str, Shape]] = {
    "v2": {
        "spec": obj("HorizontalPodAutoscalerSpec", **_BASE, metrics=_metrics("target", _TARGET), behavior=_BEHAVIOR),
        "status": obj("HorizontalPodAutoscalerStatus", **_COUNTS, currentMetrics=_metrics("current", _VALUES)),
    },
    "v2beta1": {
        "spec": obj("HorizontalPodAutoscalerSpec", **_BASE, metrics=_flat("target")),
        "status": obj("HorizontalPodAutoscalerStatus", **_COUNTS, currentMetrics=_flat("current")),
    },
    "v1": {
        "spec": obj("HorizontalPodAutoscalerSpec", **_BASE, targetCPUUtilizationPercentage=INT),
        "status": obj("HorizontalPodAutoscalerStatus", **_COUNTS, currentCPUUtilizationPercentage=INT),
    },
}
_HPA["v2beta2"] = _HPA["v2"]
SCALE: dict[str, Shape] = {
    "spec": obj("ScaleSpec", replicas=INT), "status": obj("ScaleStatus", replicas=INT, selector=STR)
}  # fmt: skip
_OTHERS: dict[tuple[str, str], dict[str, Shape]] = {
    ("batch", "jobs"): {"spec": _JOB, "status": STATUS},
    ("batch", "cronjobs"): {
        "spec": obj(
            "CronJobSpec", schedule=STR, timeZone=STR, startingDeadlineSeconds=INT64, concurrencyPolicy=STR,
            suspend=BOOL, successfulJobsHistoryLimit=INT, failedJobsHistoryLimit=INT,
            jobTemplate=obj("JobTemplateSpec", metadata=META, spec=_JOB),
        ),
        "status": STATUS,
    },
    ("apps", "controllerrevisions"): {"data": ANY, "revision": INT64},
    ("policy", "poddisruptionbudgets"): {
        "spec": obj("PodDisruptionBudgetSpec", minAvailable=INTSTR, maxUnavailable=INTSTR, selector=SELECTOR,
                    unhealthyPodEvictionPolicy=STR),
        "status": STATUS,
    },
    ("coordination.k8s.io", "leases"): {
        "spec": obj("LeaseSpec", holderIdentity=STR, leaseDurationSeconds=INT, acquireTime=TIME, renewTime=TIME,
                    leaseTransitions=INT, strategy=STR, preferredHolder=STR),
    },
    ("discovery.k8s.io", "endpointslices"): {
        "addressType": STR, "endpoints": whole(ANY), "ports": whole(ANY),
    },
    ("apiregistration.k8s.io", "apiservices"): {
        "spec": obj("APIServiceSpec", group=STR, version=STR, groupPriorityMinimum=INT, versionPriority=INT,
                    insecureSkipTLSVerify=BOOL, caBundle=STR, service=ANY),
        "status": STATUS,
    },
    ("events.k8s.io", "events"): {
        "regarding": CORE["events"]["involvedObject"], "reason": STR, "note": STR, "type": STR, "eventTime": TIME,
        "series": ANY, "action": STR, "related": ANY, "reportingController": STR, "reportingInstance": STR,
        "deprecatedSource": ANY, "deprecatedFirstTimestamp": TIME, "deprecatedLastTimestamp": TIME,
        "deprecatedCount": INT,
    },
}  # fmt: skip

_TOP = {"apiVersion": STR, "kind": STR, "metadata": META}
_CACHE: dict[tuple[Resource, str], Shape] = {}


def shape_of(resource: Resource, version: str, subresource: str = "") -> Shape:
    """The shape of a whole object. Resources without a description (custom ones) take everything."""
    if subresource == "scale":
        return obj("Scale", **_TOP, **SCALE)
    found = _CACHE.get((resource, version))
    if found is None:
        found = _CACHE[resource, version] = _build(resource, version)
    return found


def _build(resource: Resource, version: str) -> Shape:
    if resource.group == "":
        own = CORE.get(resource.plural)
    elif resource.group == "autoscaling":
        own = _HPA[version]
    elif resource.group == "apps" and resource.plural in _APPS:
        own = {"spec": _APPS[resource.plural], "status": STATUS}
    else:
        own = _OTHERS.get((resource.group, resource.plural))
    if own is None:
        own = {"*": ANY}
        if resource.replicas:
            own["spec"] = Shape("object", {"replicas": INT, "selector": SELECTOR, "template": TEMPLATE, "*": ANY})
    return obj(resource.kind, **_TOP, **own)


__all__ = ["STRS", "STR_MAP", "shape_of"]
