"""Objects and the doctor's checks as of a moment: from the facts that were recorded, which are not whole objects.

What was not recorded is said, and no check guesses: those that need the cluster itself are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hpatui.clock import ManualClock, as_datetime, format_rfc3339
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Check, Evidence, Outcome, Report
from hpatui.doctor.run import run_checks
from hpatui.model import Event, Hpa, Key
from hpatui.session.past import nothing_recorded
from hpatui.state.snapshot import Snapshot

Json = dict[str, Any]
_NOTE = "# as recorded: only what decisions need; templates, environment and annotations never enter a recording\n"
# Checks that read only the statuses and events of HPAs, all of which are recorded.
_OF_STATUS = (
    "controller",
    "hpas",
    "flapping",
    "at-max",
    "at-min",
    "rate-limited",
    "held",
    "memory-holds",
    "directions",
)
_OF_CONDITIONS = ("target", "selector", "disabled", "metrics")  # told here, from the conditions
_NEEDS_CLUSTER = "needs the cluster as it was: a recording has only statuses and events of HPAs"
_TITLES = {
    "target": "scale target",
    "selector": "pods of one HPA only",
    "disabled": "scaling switched on",
    "metrics": "metrics of the HPA",
}
_DISABLED, _AMBIGUOUS = "ScalingDisabled", "AmbiguousSelector"


def object_yaml(snapshot: Snapshot, kind: str, key: Key) -> str:
    """An object as far as it was recorded. HpatuiError where none of it was."""
    from hpatui.session.objects import to_yaml

    detail = snapshot.detail
    row = next((row for row in snapshot.rows if row.key == key), None)
    if kind == "HorizontalPodAutoscaler" and row is not None and row.hpa.raw:
        return _NOTE + to_yaml(json.dumps(hpa_json(row.hpa)).encode())
    workload = detail.workload if detail is not None else None
    if workload is not None and (workload.kind, workload.key) == (kind, key) and workload.raw:
        return _NOTE + to_yaml(workload.raw)
    raise nothing_recorded(f"{kind} {key}")


def describe_hpa_of(snapshot: Snapshot, key: Key) -> str:
    """The text of `kubectl describe hpa` at the moment of a snapshot."""
    from hpatui.session.objects import describe

    row = next((row for row in snapshot.rows if row.key == key), None)
    if row is None or not row.hpa.raw:
        raise nothing_recorded(f"HorizontalPodAutoscaler {key}")
    detail = snapshot.detail
    events = None
    if detail is not None and detail.row.key == key:
        events = [json.dumps(event_json(event)).encode() for event in detail.events if event.about == key]
    return describe(json.dumps(hpa_json(row.hpa)).encode(), events, snapshot.time)


def hpa_json(hpa: Hpa) -> Json:
    """An HPA's JSON, with what its facts have beside it."""
    obj: Json = json.loads(hpa.raw)
    metadata = obj.setdefault("metadata", {})
    if hpa.created is not None:
        metadata.setdefault("creationTimestamp", _time(hpa.created))
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", **obj}


def event_json(event: Event) -> Json:
    """A core/v1 Event."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": event.key.namespace, "name": event.key.name, "uid": event.uid},
        "involvedObject": {"kind": event.about_kind, "namespace": event.about.namespace, "name": event.about.name},
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": event.count,
        "firstTimestamp": _time(event.first_seen),
        "lastTimestamp": _time(event.last_seen),
        "source": {"component": event.component},
    }


def _time(moment: float | None) -> str | None:
    return None if moment is None else format_rfc3339(as_datetime(moment))


class RecordedLook:
    """Implements the doctor's `Look` over what was recorded of HPAs and events; the rest is not to be seen."""

    def __init__(self, hpas: Iterable[Hpa], events: Iterable[Event], server_version: str) -> None:
        self._hpas = [hpa_json(hpa) for hpa in hpas if hpa.raw]
        self._events = [event_json(event) for event in events]
        self._version = server_version

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        if path == "/version" and self._version:
            major, _, rest = self._version.removeprefix("v").partition(".")
            return Answer(200, {"gitVersion": self._version, "major": major, "minor": rest.partition(".")[0]})
        if path.endswith("/horizontalpodautoscalers") and "/autoscaling/v2" in path:
            return Answer(200, {"items": [hpa for hpa in self._hpas if _within(path, hpa)]})
        if path.endswith("/events") and path.startswith("/api/v1"):
            return Answer(200, {"items": [event for event in self._events if _within(path, event)]})
        return Answer(0, None, "not recorded")

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        return Answer(0, None, "not recorded")


def _within(path: str, obj: Json) -> bool:
    _, slash, rest = path.partition("/namespaces/")
    return not slash or rest.partition("/")[0] == obj["metadata"].get("namespace")


async def examine(snapshot: Snapshot, namespace: str | None) -> Report:
    """The doctor's checks of statuses and events, as of the moment of a snapshot; those that need more are skipped."""
    events = snapshot.detail.events if snapshot.detail is not None else ()
    look = RecordedLook((row.hpa for row in snapshot.rows), events, snapshot.server_version)
    report = await run_checks(look, ManualClock(snapshot.time), namespace)
    checks = [_as_then(check) for check in report.checks if check.id not in _OF_CONDITIONS]
    rows = [row.hpa for row in snapshot.rows]
    told = [check for hpa in rows for check in _told(hpa)]
    looked = f"{len(rows)} HPA{'' if len(rows) == 1 else 's'} looked at"
    told += [
        Check(id_, "HPA", title, Outcome.OK, reason=looked)
        for id_, title in _TITLES.items()
        if rows and not any(check.id == id_ for check in told)
    ]
    return replace(report, checks=(*told, *checks))


def _as_then(check: Check) -> Check:
    if check.id in _OF_STATUS and check.outcome is not Outcome.FORBIDDEN:
        return replace(check, command="")  # what would mend it is for now, not for then
    return replace(check, outcome=Outcome.SKIPPED, evidence=(), reason=_NEEDS_CLUSTER, command="", follows="")


def _told(hpa: Hpa) -> Iterable[Check]:
    """What the HPA's conditions said is wrong: the controller's own word, for which no cluster is needed."""
    for type_, id_ in (("AbleToScale", "target"), ("ScalingActive", "metrics")):
        condition = hpa.condition(type_)
        if condition is None or condition.status != "False":
            continue
        outcome = Outcome.FAILED
        if condition.reason == _DISABLED:
            id_, outcome = "disabled", Outcome.WARNING
        elif condition.reason == _AMBIGUOUS:
            id_ = "selector"
        about = f"HorizontalPodAutoscaler/{hpa.key}"
        seen = Evidence(about, f"status.conditions[{type_}]", f"False {condition.reason}: {condition.message}")
        reason = f"the controller said so: {condition.message or condition.reason}"
        yield Check(id_, "HPA", _TITLES[id_], outcome, about, (seen,), reason)
