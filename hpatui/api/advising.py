"""Judged HPAs as JSON objects: `hpatui advise --json`, its SARIF and its page are made from them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from hpatui.api.advice_shapes import (
    AdviceJson,
    AdviceTotalsJson,
    AdvisedHpaJson,
    EvidenceJson,
    FindingJson,
    RecommendationJson,
    SearchJson,
)
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import Key
from hpatui.text import printable
from hpatui.tune.advice import Advice
from hpatui.tune.finding import Evidence, Finding, Level
from hpatui.tune.rank import Judged


@dataclass(frozen=True, slots=True)
class Report:
    """All that was judged, the worst first. `file`: the recording (empty: a live watch)."""

    source: str
    file: str
    context: str
    since: float
    until: float
    goal: str
    judged: Sequence[Judged]
    priced: bool
    searched: dict[Key, RecommendationJson | None]
    verdicts: dict[Key, str]
    searches: dict[Key, SearchJson] = field(default_factory=dict)


def report_json(report: Report) -> AdviceJson:
    """The whole report."""
    return {
        "source": printable(report.source, 400),
        "context": printable(report.context),
        "since": _time(report.since),
        "until": _time(report.until),
        "goal": report.goal,
        "totals": totals(report),
        "hpas": [hpa_json(report, item, rank + 1) for rank, item in enumerate(report.judged)],
    }


def totals(report: Report) -> AdviceTotalsJson:
    """All HPAs together."""
    costs = [(item.cost, item.wasted_cost) for item in report.judged]
    known = [(cost, wasted or 0.0) for cost, wasted in costs if cost is not None]
    return {
        "hpas": len(report.judged),
        "pod_hours": round(sum(item.pod_hours for item in report.judged), 6),
        "wasted_pod_hours": round(sum(item.wasted for item in report.judged), 6),
        "cost": round(sum(cost for cost, _ in known), 6) if report.priced else None,
        "wasted_cost": round(sum(wasted for _, wasted in known), 6) if report.priced else None,
        "cost_unknown": len(costs) - len(known) if report.priced else 0,
    }


def hpa_json(report: Report, item: Judged, rank: int) -> AdvisedHpaJson:
    """One HPA."""
    recommendation = recommendation_of(report, item)
    return {
        "rank": rank,
        "namespace": item.key.namespace,
        "name": item.key.name,
        "verdict": verdict_of(report, item),
        "leave": recommendation is None and (item.healthy or item.key in report.searched),
        "since": _time(item.begin),
        "until": _time(item.end),
        "seconds": round(item.seconds, 3),
        "pod_hours": round(item.pod_hours, 6),
        "wasted_pod_hours": round(item.wasted, 6),
        "cost": None if item.cost is None else round(item.cost, 6),
        "wasted_cost": None if item.wasted_cost is None else round(item.wasted_cost, 6),
        "risk": round(item.risk, 3),
        "findings": [_finding(report, item.key, finding) for finding in item.findings.found],
        "unknown": list(item.findings.unknown),
        "recommendation": recommendation,
        "search": report.searches.get(item.key),
    }


def verdict_of(report: Report, item: Judged) -> str:
    """One sentence: the worst finding, or to leave it."""
    if item.key in report.verdicts:
        return report.verdicts[item.key]
    worst = item.worst
    if worst is not None and (worst.level is not Level.HINT or not item.healthy):
        return printable(worst.text, 400)
    return "leave it" + (f": {printable(worst.text, 400)} (a hint only)" if worst is not None else "")


def recommendation_of(report: Report, item: Judged) -> RecommendationJson | None:
    """What the search found, where it searched; else what the rules say."""
    if item.key in report.searched:
        return report.searched[item.key]
    return None if item.advice is None else _by_rule(item, item.advice)


def _by_rule(item: Judged, advice: Advice) -> RecommendationJson:
    saves = f"; it would have saved about {advice.saves:.2f} pod-hours" if advice.saves > 0 else ""
    return {
        "by": "rule",
        "changes": [
            {"path": c.path, "before": c.before, "after": c.after, "reason": printable(c.reason, 400)}
            for c in advice.changes
        ],
        "saves_pod_hours": round(advice.saves, 6),
        "spec": dict(advice.spec),
        "yaml": yaml_of(item.key, dict(advice.spec)),
        "text": f"{', '.join(c.path for c in advice.changes)}, by rule, not simulated{saves}",
    }


def yaml_of(key: Key, spec: dict[str, object]) -> str:
    """The HPA ready for `kubectl apply -f -`."""
    value = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": spec,
    }
    return str(yaml.safe_dump(value, sort_keys=False, width=1000))


def _finding(report: Report, key: Key, finding: Finding) -> FindingJson:
    return {
        "rule": finding.rule,
        "side": finding.side.value,
        "level": finding.level.value,
        "text": printable(finding.text, 600),
        "share": round(finding.share, 4),
        "pod_hours": round(finding.pod_hours, 6),
        "evidence": [_evidence(report, key, item) for item in finding.evidence],
    }


def _evidence(report: Report, key: Key, item: Evidence) -> EvidenceJson:
    return {
        "time": _time(item.time),
        "until": _time(item.until),
        "text": printable(item.text, 400),
        "replay": replay_command(report, key, item.time),
    }


def replay_command(report: Report, key: Key, time: float) -> str:
    """The command that opens the time machine there; empty after a live watch, of which nothing is kept."""
    if not report.file:
        return ""
    file = shlex.quote(printable(report.file, 400))
    return f"hpatui replay {file} --hpa {shlex.quote(printable(str(key), 300))} --at {_time(time)}"


def _time(seconds: float) -> str:
    return format_rfc3339(as_datetime(seconds))
