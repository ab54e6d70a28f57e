"""Snapshots and explanations as the JSON objects that scripts rely on (`shapes`)."""

from __future__ import annotations

from hpatui.api.explain_shapes import ExplainLineJson, ExplanationJson
from hpatui.api.shapes import (
    AgreementJson,
    ConditionJson,
    DecisionJson,
    EventJson,
    HpaJson,
    LoadJson,
    MetricJson,
    PodJson,
    SnapshotJson,
    SourceJson,
)
from hpatui.autoscaler.explanation import ExplainLine, Explanation
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import Condition, Event, Key, MetricTarget, SourceStatus
from hpatui.state.snapshot import Detail, HpaRow, PodRow, Snapshot
from hpatui.text import printable


def snapshot_json(snapshot: Snapshot, details: dict[Key, Detail]) -> SnapshotJson:
    """A snapshot as the JSON object that scripts rely on."""
    return {
        "time": time_json(snapshot.time),
        "context": printable(snapshot.context),
        "namespace": snapshot.namespace,
        "source": status_json(snapshot.status),
        "observing": printable(snapshot.observing),
        "hpas": [hpa_json(row, details.get(row.key)) for row in snapshot.rows],
        "load": load_json(snapshot),
    }


def status_json(status: SourceStatus) -> SourceJson:
    """How far what is told can be trusted."""
    return {
        "state": status.state,
        "since": time_json(status.since),
        "message": printable(status.message),
        "last_contact": time_json(status.last_contact),
    }


def hpa_json(row: HpaRow, detail: Detail | None) -> HpaJson:
    """One HPA, with pods and events where its details are at hand."""
    hpa = row.hpa
    known = row.decision
    value: HpaJson = {
        "namespace": hpa.key.namespace,
        "name": hpa.key.name,
        "reference": printable(str(hpa.reference)),
        "targets": printable(hpa.targets),
        "min": hpa.min_replicas,
        "max": hpa.max_replicas,
        "current": hpa.current_replicas,
        "desired": hpa.desired_replicas,
        "state": row.state,
        "headline": printable(row.headline),
        "last_scale_time": time_json(hpa.last_scale_time),
        "decision": _decision_json(row),
        "predicted": known.predicted if known is not None else None,
        "held_until": time_json(known.held_until) if known is not None else None,
        "agreement": _agreement_json(row),
        "metrics": [_metric_json(metric) for metric in hpa.metrics],
        "conditions": [_condition_json(condition) for condition in hpa.conditions],
    }
    if detail is not None:
        value["pods"] = [_pod_json(pod) for pod in detail.pods]
        value["events"] = [_event_json(event) for event in detail.events]
        value["sources"] = {
            kind.value: {"state": status.state, "message": printable(status.message)}
            for kind, status in detail.statuses.items()
        }
    return value


def _decision_json(row: HpaRow) -> DecisionJson | None:
    """What the next sync will do; null where the HPA is not observed or too little is known."""
    known = row.decision
    if known is None:
        return None
    names = {metric.index: metric.label or metric.name for metric in row.hpa.metrics}
    return {
        "text": printable(known.text),
        "size": known.size,
        "wanted": known.wanted,
        "metric": printable(names.get(known.winner, "")) if known.winner is not None else None,
        "metric_index": known.winner,
        "reason": printable(known.reason),
        "next_sync": time_json(known.at),
        "more_at": time_json(known.more_at),
        "assumed": known.assumed,
        "error": printable(known.error),
    }


def _agreement_json(row: HpaRow) -> AgreementJson | None:
    known = row.decision
    if known is None:
        return None
    return {"agreed": known.agreed, "compared": known.compared, "known_since": time_json(known.known_since)}


def _metric_json(metric: MetricTarget) -> MetricJson:
    return {
        "index": metric.index,
        "type": metric.type,
        "name": printable(metric.name),
        "label": printable(metric.label or metric.name),
        "container": printable(metric.container),
        "selector": printable(metric.selector),
        "object": printable(metric.object),
        "current": printable(metric.current_text),
        "target": printable(metric.target_text),
        "ratio": round(metric.ratio, 4) if metric.ratio is not None else None,
    }


def _condition_json(condition: Condition) -> ConditionJson:
    return {
        "type": printable(condition.type),
        "status": printable(condition.status),
        "reason": printable(condition.reason),
        "message": printable(condition.message),
        "last_transition_time": time_json(condition.last_transition_time),
    }


def _pod_json(row: PodRow) -> PodJson:
    pod, usage = row.pod, row.usage
    return {
        "name": pod.key.name,
        "status": printable(pod.reason or pod.phase),
        "ready": pod.ready,
        "restarts": pod.restarts,
        "node": printable(pod.node),
        "cpu_m": round(usage.cpu, 3) if usage else None,
        "memory_bytes": round(usage.memory) if usage else None,
        "cpu_request_m": pod.cpu_request,
        "memory_request_bytes": pod.memory_request,
        "cpu_limit_m": pod.cpu_limit,
        "memory_limit_bytes": pod.memory_limit,
        "sample_time": time_json(usage.time) if usage else None,
        "sample_window_s": usage.window if usage else None,
    }


def _event_json(event: Event) -> EventJson:
    return {
        "type": printable(event.type),
        "reason": printable(event.reason),
        "message": printable(event.message),
        "count": event.count,
        "first_seen": time_json(event.first_seen),
        "last_seen": time_json(event.last_seen),
        "about": f"{event.about_kind}/{event.about.name}",
    }


def load_json(snapshot: Snapshot) -> LoadJson:
    """The load of this session."""
    load = snapshot.load
    value: LoadJson = {
        "state": load.state,
        "target": load.target,
        "rate": load.rate,
        "message": load.message,
    }
    if load.last is not None:
        last = load.last
        value |= {
            "offered": last.offered,
            "sent": last.sent,
            "ok": last.ok,
            "failed": last.failed,
            "unserved": last.unserved,
            "in_flight": last.in_flight,
            "latency_ms": {"p50": last.p50, "p95": last.p95, "p99": last.p99},
        }
    return value


def time_json(seconds: float | None) -> str | None:
    """RFC 3339, UTC."""
    return format_rfc3339(as_datetime(seconds)) if seconds is not None else None


def explanation_json(detail: Detail, explanation: Explanation) -> ExplanationJson:
    """The explanation as the JSON object that scripts rely on."""
    hpa = detail.row.hpa
    return {
        "namespace": hpa.key.namespace,
        "name": hpa.key.name,
        "state": detail.row.state,
        "headline": printable(explanation.headline),
        "lines": [_line_json(line) for line in explanation.lines],
        "countdowns": [
            {"kind": c.kind, "text": printable(c.text), "until": format_rfc3339(as_datetime(c.until))}
            for c in explanation.countdowns
        ],
        "would_change": [printable(text) for text in explanation.would_change],
        "known_since": time_json(explanation.known_since),
        "agreed": explanation.agreed,
        "compared": explanation.compared,
        "next_size": explanation.next_size,
        "next_reason": explanation.next_reason,
        "patterns": [_line_json(line) for line in explanation.patterns],
        "tolerance": list(explanation.tolerance) if explanation.tolerance is not None else None,
        "rules": printable(explanation.rules),
        "assumed": explanation.assumed,
        "hints": [printable(text) for text in explanation.hints],
    }


def _line_json(line: ExplainLine) -> ExplainLineJson:
    return {"label": printable(line.label), "text": printable(line.text), "tone": line.tone}
