"""Timelines for tests of advice: an HPA's statuses over time, one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hpatui.model import Condition, ControllerFlags, Hpa, Kind, Seen, Upserted
from hpatui.tune.timeline import Collector, Timeline
from tests import factories
from tests.factories import NOW

FLAGS = ControllerFlags()
State = tuple[float, int, float | None, dict[str, Any]]  # seconds, replicas, ratio, more


def spec(low: int = 1, high: int = 5, **more: Any) -> dict[str, Any]:
    """A spec of an HPA on cpu 50 %."""
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": low,
        "maxReplicas": high,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        **more,
    }


def status(
    at: float, size: int, ratio: float | None, *, low: int = 1, high: int = 5, name: str = "cpu", scaled: float | None = None,
    limited: str = "", able: str = "ReadyForNewScale", active: str = "", **more: Any,
) -> Seen:  # fmt: skip
    """The HPA `at` seconds after NOW."""
    conditions = [Condition("AbleToScale", "True", able, "", NOW)]
    conditions.append(Condition("ScalingActive", "False" if active else "True", active or "ValidMetricFound", "", NOW))
    conditions.append(
        Condition("ScalingLimited", "True" if limited else "False", limited or "DesiredWithinRange", "", NOW)
    )
    metric = replace(
        factories.metric(None if ratio is None else ratio * 50, 50.0, name), unit="%" if name == "cpu" else "B"
    )
    found: Hpa = factories.hpa(
        "web", "shop", current=size, desired=size, low=low, high=high, metrics=[metric], conditions=conditions,
        scaled=None if scaled is None else NOW + scaled,
        raw=json.dumps({"spec": spec(low, high, **more)}).encode(),
    )  # fmt: skip
    return Seen(NOW + at, Upserted(Kind.HPA, found))


def timeline(facts: Sequence[Seen], seconds: float) -> Timeline:
    """What a collector makes of them."""
    last = next(seen.what.item for seen in facts if isinstance(seen.what, Upserted) and seen.what.kind is Kind.HPA)
    assert isinstance(last, Hpa)
    collector = Collector(last.key, FLAGS)
    for seen in facts:
        collector.take(seen)
    found = collector.timeline(NOW, NOW + seconds)
    assert found is not None
    return found
