"""What `kubectl explain` says of autoscalers: by Go type and field, in our own words. Facts: docs/versions.md and the rules.

Fields that every kind has stand under "". A type's own text is under the empty field.
"""

from __future__ import annotations

_ANY = {
    "apiVersion": "Group and version of this object's form; for an autoscaler autoscaling/v2.",
    "kind": "The kind of object.",
    "metadata": "Name, namespace, labels, annotations and what the server keeps about the object.",
    "spec": "What is wanted.",
    "status": "What was last seen; written by the controller, not by you.",
}
_IDENTITY = {
    "metric": "Which metric: its name, and optionally a selector that narrows its series.",
    "target": "The value at which the size stays as it is.",
    "current": "The value at the controller's last look.",
}
_PODS_RESOURCE = {
    "name": "cpu or memory; the metrics API knows no other resources.",
    "target": "The value per pod at which the size stays as it is: a share of the requests, or an amount.",
    "current": "The average over the pods at the controller's last look.",
}
_VALUES = {
    "value": "A total that is compared as it is.",
    "averageValue": "An amount for each pod.",
    "averageUtilization": "A percentage of what the pods request.",
}

TEXTS: dict[str, dict[str, str]] = {
    "": _ANY,
    "HorizontalPodAutoscaler": {
        "": "Keeps the number of pods of a workload at what its metrics ask for, between a minimum and a maximum.",
        "spec": "Target, limits, metrics and pace of the scaling.",
        "status": "Sizes, metrics and conditions as the controller last saw them.",
    },
    "HorizontalPodAutoscalerSpec": {
        "scaleTargetRef": "The workload whose size is set, by group, kind and name, in the same namespace. It needs a scale.",
        "minReplicas": "Never fewer pods than this; 1 where it is left out. 0 needs an Object or External metric and a "
        "server that allows it.",
        "maxReplicas": "Never more pods than this. It must be set, and not below minReplicas.",
        "metrics": "What is measured. Each metric proposes a size and the largest wins; a metric that cannot be read "
        "stops every scale-down. Without any: cpu at 80 % of the requests.",
        "behavior": "How fast it may go up and down. Without it: up at once, by at most the double or 4 pods; down after the "
        "highest recommendation of the last 5 minutes.",
        "targetCPUUtilizationPercentage": "The share of the requested cpu that is aimed at.",
    },
    "HorizontalPodAutoscalerStatus": {
        "observedGeneration": "The generation of the spec that this status belongs to.",
        "lastScaleTime": "When the controller last changed the size.",
        "currentReplicas": "The size that the controller last saw.",
        "desiredReplicas": "The size that the controller last decided on.",
        "currentMetrics": "The metrics at the last look, in the spec's order; an entry without content could not be read.",
        "currentCPUUtilizationPercentage": "The average share of the requested cpu in use at the last look.",
        "conditions": "AbleToScale: can the size be read and set. ScalingActive: are metrics to be had. ScalingLimited: does "
        "something hold the wanted size back. ScaledToZero: did the controller itself set 0.",
    },
    "CrossVersionObjectReference": {
        "": "Another object by its kind and name.",
        "apiVersion": "Its API group, with any version of it: group/version.",
        "kind": "Its kind, in the singular.",
        "name": "Its name.",
    },
    "MetricSpec": {
        "type": "Which of the sources is filled in: Resource, ContainerResource, Pods, Object or External.",
        "resource": "cpu or memory of whole pods.",
        "containerResource": "cpu or memory of one container of each pod.",
        "pods": "A custom metric that each pod has; its average over the pods counts.",
        "object": "A metric of one other object, such as an Ingress.",
        "external": "A metric from outside of the cluster, such as the length of a queue.",
    },
    "ResourceMetricSource": _PODS_RESOURCE,
    "ContainerResourceMetricSource": {**_PODS_RESOURCE, "container": "The container's name in the pods."},
    "PodsMetricSource": _IDENTITY,
    "ObjectMetricSource": {**_IDENTITY, "describedObject": "The object that the metric belongs to."},
    "ExternalMetricSource": _IDENTITY,
    "MetricIdentifier": {"name": "The metric's name.", "selector": "Labels that its series must have."},
    "MetricTarget": {**_VALUES, "type": "Which value is set: Utilization, Value or AverageValue."},
    "MetricValueStatus": _VALUES,
    "HorizontalPodAutoscalerBehavior": {
        "scaleUp": "The pace upwards. By default no window, and the larger of 4 pods or 100 % in 15 s.",
        "scaleDown": "The pace downwards. By default a window of 300 s, then up to 100 % in 15 s.",
    },
    "HPAScalingRules": {
        "stabilizationWindowSeconds": "The most cautious recommendation of this many seconds counts; 0 to 3600.",
        "selectPolicy": "Which policy counts where there are several: Max (the fastest), Min (the slowest), or Disabled: "
        "never in this direction.",
        "policies": "How much may change in which time.",
        "tolerance": "How far a metric may be from its target, as a fraction, before anything changes in this direction; the "
        "controller's own tolerance (0.1) where it is left out. Kept by 1.35 and later.",
    },
    "HPAScalingPolicy": {
        "type": "Pods (a number) or Percent (of the size at the beginning of the period).",
        "value": "How many, or how many percent; above 0.",
        "periodSeconds": "The time in which that much may change; 1 to 1800.",
    },
}  # fmt: skip


def of_type(go: str) -> str:
    """What a type is, or an empty text."""
    return TEXTS.get(go, {}).get("", "")


def of_field(go: str, name: str) -> str:
    """What a field of a Go type means, or an empty text."""
    return TEXTS.get(go, {}).get(name, "") or TEXTS[""].get(name, "")
