"""Recorded reconciles of the real controller against `decide`: the whole `expect` is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpatui.autoscaler.canonical import canonical_json
from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import (
    ControllerConfig,
    Memory,
    MetricAnswer,
    MetricsInput,
    OtherHpa,
    Recommendation,
    ScaleEvent,
    ScaleInput,
    ScaleUpdateError,
)
from hpatui.autoscaler.parse import parse_hpa, parse_metric_item, parse_pod, parse_pod_metrics, parse_scale
from hpatui.autoscaler.rules import rules_of
from hpatui.autoscaler.times import to_ns

Row = Mapping[str, Any]


def run(row: Row) -> Decision:
    """Decide on a recorded row's inputs."""
    return decide(
        parse_hpa(row["hpa"]),
        _scale(row),
        [parse_pod(pod) for pod in row["pods"] or ()],
        _metrics(row),
        _memory(row),
        _config(row["config"], row.get("rules", "1.36")),
        to_ns(row["now"]),
        others=[_other(item) for item in row["otherHPAs"] or ()],
        status_update_error=row["statusUpdateError"],
    )


def _config(config: Row, rules: str) -> ControllerConfig:
    return ControllerConfig(
        tolerance=config["tolerance"],
        downscale_stabilization=config["downscaleStabilizationSeconds"],
        cpu_initialization=config["cpuInitializationPeriodSeconds"],
        initial_readiness_delay=config["initialReadinessDelaySeconds"],
        rules=rules_of(rules),
    )


def _scale(row: Row) -> ScaleInput:
    parsed = parse_scale(row["scale"] or {})
    failing = row["scaleUpdateError"]
    return ScaleInput(
        spec_replicas=parsed.spec_replicas,
        status_replicas=parsed.status_replicas,
        selector=parsed.selector,
        mapper_error=row["mapperError"],
        get_error=row["scaleGetError"],
        update_error=ScaleUpdateError(failing["message"], failing["conflict"], failing["times"]) if failing else None,
    )


def _metrics(row: Row) -> MetricsInput:
    def answers(items: list[Row] | None) -> dict[str, MetricAnswer]:
        return {
            item["metricName"]: MetricAnswer(tuple(parse_metric_item(v) for v in item["items"] or ()), item["error"])
            for item in items or ()
        }

    return MetricsInput(
        pod_metrics=tuple(parse_pod_metrics(item) for item in row["podMetrics"] or ()),
        pod_metrics_error=row["podMetricsError"],
        custom=answers(row["customMetrics"]),
        external=answers(row["externalMetrics"]),
    )


def _memory(row: Row) -> Memory:
    def events(items: list[Row] | None) -> tuple[ScaleEvent, ...]:
        return tuple(ScaleEvent(to_ns(e["time"]), e.get("change", 0), e.get("outdated", False)) for e in items or ())

    return Memory(
        tuple(Recommendation(to_ns(r["time"]), r.get("replicas", 0)) for r in row["recommendations"] or ()),
        events(row["scaleUpEvents"]),
        events(row["scaleDownEvents"]),
    )


def _other(item: Row) -> OtherHpa:
    namespace, _, name = item["key"].partition("/")
    return OtherHpa(namespace, name, item["selector"])


def outcome(row: Row) -> dict[str, Any]:
    """What our code gives, in the shape of `expect`."""
    decision = run(row)
    memory = decision.memory

    def events(items: tuple[ScaleEvent, ...]) -> list[dict[str, Any]]:
        return [{"time": e.time, "change": e.change, "outdated": e.outdated} for e in items]

    return {
        "status": canonical_json(decision.status),
        "statusUpdate": decision.status_update,
        "rescaledTo": decision.rescaled_to,
        "scaleUpdateCalls": decision.scale_update_calls,
        "events": [{"type": e.type, "reason": e.reason, "message": e.message} for e in decision.events],
        "error": decision.error,
        "recommendationsAfter": [{"time": r.time, "replicas": r.replicas} for r in memory.recommendations],
        "scaleUpEventsAfter": events(memory.scale_up),
        "scaleDownEventsAfter": events(memory.scale_down),
    }


def expected(row: Row) -> dict[str, Any]:
    """The recorded `expect`, made comparable."""
    expect = row["expect"]

    def times(items: list[Row] | None, defaults: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**defaults, **item, "time": to_ns(item["time"])} for item in items or ()]

    return {
        "status": canonical_json(expect["status"]),
        "statusUpdate": expect["statusUpdate"],
        "rescaledTo": expect["rescaledTo"],
        "scaleUpdateCalls": expect["scaleUpdateCalls"],
        "events": expect["events"] or [],
        "error": expect["error"],
        "recommendationsAfter": times(expect["recommendationsAfter"], {"replicas": 0}),
        "scaleUpEventsAfter": times(expect["scaleUpEventsAfter"], {"change": 0, "outdated": False}),
        "scaleDownEventsAfter": times(expect["scaleDownEventsAfter"], {"change": 0, "outdated": False}),
    }


def check(row: Row) -> str:
    """Empty if all is equal, else a text with each part that differs."""
    want, have = expected(row), outcome(row)
    parts = [f"{key}:\n    want {want[key]}\n    have {have[key]}" for key in want if want[key] != have[key]]
    return "\n".join(parts)


def apart(row: Row) -> bool:
    """Rows whose quantities overflow are reported apart: what upstream makes of them is an accident."""
    return "quantity-overflow" in row["tags"]
