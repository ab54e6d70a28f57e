"""An HPA that KEDA made for a ScaledObject: how to know it, and what its metrics are called there.

Source: KEDA's documentation: labels `scaledobject.keda.sh/name`, metric names `s<index>-<trigger>`, keda.sh/v1alpha1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LABEL = "scaledobject.keda.sh/name"
PAUSED = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")
COOLDOWN = 300  # seconds, where spec.cooldownPeriod is not set
_METRIC = re.compile(r"s(\d{1,3})-(.+)")


def scaled_object(labels: Mapping[str, str], owners: Iterable[tuple[str, str]] = ()) -> str:
    """The name of the ScaledObject that an HPA belongs to, by its owners (kind, name) or its label; empty if none."""
    return next((name for kind, name in owners if kind == "ScaledObject"), "") or labels.get(LABEL, "")


def trigger_of(metric: str) -> tuple[int, str] | None:
    """`s0-rabbitmq-orders` -> (0, "rabbitmq-orders"): the place in spec.triggers and what KEDA calls it."""
    found = _METRIC.fullmatch(metric)
    return (int(found[1]), found[2]) if found is not None else None


def told(name: str, metrics: Iterable[str]) -> str:
    """One sentence about an HPA of a ScaledObject, with the triggers behind its metrics."""
    triggers = [(metric, trigger) for metric in metrics if (trigger := trigger_of(metric)) is not None]
    behind = ", ".join(f"{metric} is its trigger {index} ({what})" for metric, (index, what) in triggers)
    text = (
        f"made by KEDA for ScaledObject {name}, which undoes edits of the HPA; from 1 to 0 and back KEDA scales itself"
    )
    return f"{text}; {behind}" if behind else text


def facts_of(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """What a ScaledObject says beside its HPA: pause, cooldown and minimum, cron windows. Odd fields are left out."""
    metadata, spec = _part(obj, "metadata"), _part(obj, "spec")
    found = []
    annotations = _part(metadata, "annotations")
    for name in PAUSED:
        value = annotations.get(name)
        if isinstance(value, str) and value.lower() != "false":
            found.append(f"it is paused (annotation {name}: {value})")
    minimum, idle = spec.get("minReplicaCount"), spec.get("idleReplicaCount")
    if not minimum or idle == 0:
        seconds = spec.get("cooldownPeriod", COOLDOWN)
        found.append(
            f"it goes to 0 when no trigger was active for {seconds} s (cooldownPeriod), apart from the HPA's window"
        )
    triggers = spec.get("triggers")
    for index, trigger in enumerate(triggers if isinstance(triggers, list) else ()):
        data = _part(trigger, "metadata") if isinstance(trigger, Mapping) else {}
        if data and trigger.get("type") == "cron":
            window = f"from {data.get('start')} to {data.get('end')} ({data.get('timezone')})"
            found.append(f"trigger {index} (cron) asks for {data.get('desiredReplicas')} replicas {window}")
    return tuple(found)


def is_paused(obj: Mapping[str, Any]) -> bool:
    """Whether KEDA does not scale it at present."""
    annotations = _part(_part(obj, "metadata"), "annotations")
    return any(isinstance(annotations.get(name), str) and annotations[name].lower() != "false" for name in PAUSED)


def _part(obj: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = obj.get(name)
    return value if isinstance(value, Mapping) else {}
