"""A moment of a field trace, asked as a person would ask: what do explain and doctor say?

The doctor looks at the objects that had arrived by then, over paths as an API server has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpatui.autoscaler.explain import Explanation
from hpatui.clock import ManualClock
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Report, report_text
from hpatui.doctor.run import run_checks
from hpatui.model import Key
from hpatui.plain.explain import explanation_text
from tests.conformance.trace_objects import key_of
from tests.conformance.traces import Replay, flags_of, read, unknowable_of

Known = Mapping[str, Mapping[str, Any]]

_LISTS = {
    "/apis/autoscaling/v2/horizontalpodautoscalers": "hpa",
    "/api/v1/pods": "pod",
    "/api/v1/events": "event",
    "/api/v1/resourcequotas": "resourcequota",
    "/apis/apps/v1/deployments": "deployment",
    "/apis/apps/v1/replicasets": "replicaset",
    "/apis/batch/v1/jobs": "job",
    "/apis/metrics.k8s.io/v1beta1/pods": "podmetrics",
}
_EMPTY = ("/apis/apps/v1/statefulsets",)
_KINDS = {
    "/api/v1": (
        "pods:Pod", "services:Service", "replicationcontrollers:ReplicationController",
        "replicationcontrollers/scale:Scale",
    ),
    "/apis/apps/v1": (
        "deployments:Deployment", "deployments/scale:Scale", "replicasets:ReplicaSet", "replicasets/scale:Scale",
        "statefulsets:StatefulSet", "statefulsets/scale:Scale", "daemonsets:DaemonSet",
    ),
    "/apis/batch/v1": ("jobs:Job", "cronjobs:CronJob"),
}  # fmt: skip
_GROUPS = (
    ("apps", "v1"), ("batch", "v1"), ("autoscaling", "v2"), ("metrics.k8s.io", "v1beta1"),
    ("custom.metrics.k8s.io", "v1beta2"), ("external.metrics.k8s.io", "v1beta1"),
)  # fmt: skip


class SceneLook:
    """Implements Look over the objects of a trace."""

    def __init__(self, known: Known) -> None:
        self._known = known

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        if path == "/apis":
            groups = [*_GROUPS, *{tuple(v.split("/")) for v in self._custom_versions()}]
            return Answer(200, {"groups": [_group(name, version) for name, version in groups]})
        if path in _KINDS:
            return _resources(_KINDS[path])
        if path.removeprefix("/apis/") in self._custom_versions():
            kinds = {o["kind"] for o in self._known["target"].values()}
            return _resources([f"{k.lower()}s{s}" for k in kinds for s in (f":{k}", "/scale:Scale")])
        if path.endswith(".metrics.k8s.io/v1beta2") or path.endswith("external.metrics.k8s.io/v1beta1"):
            return Answer(200, {"resources": []})
        return self._objects(path)

    def _custom_versions(self) -> set[str]:
        return {o["apiVersion"] for o in self._known["target"].values()}

    def _objects(self, path: str) -> Answer:
        before, _, rest = path.partition("/namespaces/")
        steps = rest.split("/") if rest else [""]
        resource = steps[1] if len(steps) > 1 else path.rpartition("/")[2]
        base = before if rest else path.rpartition("/")[0]
        source = _LISTS.get(f"{base}/{resource}")
        if source is None and base.removeprefix("/apis/") in self._custom_versions():
            source = "target"
        if source is None:
            if f"{base}/{resource}" in _EMPTY:
                return Answer(200, {"items": []})
            return Answer(404, None, f"{path} not found")
        where = steps[0]
        found = [self._whole(source, o) for o in self._known[source].values() if not where or key_of(o)[0] == where]
        if len(steps) < 3:
            return Answer(200, {"items": found, "metadata": {}})
        if len(steps) > 3 and steps[3] == "scale":
            return self._scale(path, found, steps[2])
        one = next((o for o in found if o["metadata"]["name"] == steps[2]), None)
        return Answer(200, one) if one is not None else Answer(404, None, f'{resource} "{steps[2]}" not found')

    def _whole(self, source: str, obj: Any) -> Any:
        """A Deployment with its managedFields, which are recorded apart."""
        fields = self._known["managedfields"].get(obj["metadata"]["name"]) if source == "deployment" else None
        if fields is None:
            return obj
        return {**obj, "metadata": {**obj["metadata"], "managedFields": fields["metadata"].get("managedFields", [])}}

    def _scale(self, path: str, found: Sequence[Any], name: str) -> Answer:
        told = next((s["answer"] for s in self._known["scale"].values() if s["path"] == path), None)
        if told is not None:
            return Answer(200, told) if told.get("kind") == "Scale" else Answer(404, None, "not found")
        one = next((o for o in found if o["metadata"]["name"] == name), None)
        if one is None:
            return Answer(404, None, "not found")
        status = one.get("status") or {}
        body = {"spec": {"replicas": one["spec"].get("replicas", 1)}, "status": {"replicas": status.get("replicas", 0)}}
        if isinstance(status.get("selector"), str):
            body["status"]["selector"] = status["selector"]
        return Answer(200, body)

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        return Answer(404, error="no log")


def _group(name: str, version: str) -> dict[str, Any]:
    entry = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [entry], "preferredVersion": entry}


def _resources(pairs: Sequence[str]) -> Answer:
    found = [{"name": pair.split(":")[0], "kind": pair.split(":")[1], "namespaced": True} for pair in pairs]
    return Answer(200, {"resources": found})


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of an HPA at a moment (seconds since the start)."""

    t: float
    hpa: str
    explanation: Explanation
    text: str  # of explain
    report: Report

    @property
    def doctor(self) -> str:
        """The findings, a line each, and what was skipped for a reason."""
        return report_text(self.report)

    @property
    def findings(self) -> dict[str, str]:
        """Reason and mend by the id of each warning and failure (joined where an id occurs twice)."""
        found: dict[str, str] = {}
        for check in self.report.findings:
            found[check.id] = f"{found.get(check.id, '')} {check.reason} [{check.command}]".strip()
        return found


def said_at(path: Path, moments: Sequence[tuple[float, str]]) -> list[Said]:
    """What explain and doctor say of each HPA at each of the moments (seconds, name), in their order."""
    lines, facts, started = read(path)
    answers: dict[tuple[float, str], Said] = {}
    keys = {k.name: k for k in {key_of(line["object"]) for line in lines if line["source"] == "hpa"}}
    for name in sorted({hpa for _, hpa in moments}):
        answers |= _of_one(lines, facts, started, keys[name], sorted(t for t, hpa in moments if hpa == name))
    return [answers[moment] for moment in moments]


def _of_one(
    lines: list[dict[str, Any]], facts: dict[str, Any], started: float, key: Key, moments: Sequence[float]
) -> dict[tuple[float, str], Said]:
    replay = Replay(key.name, flags_of(facts), key, started, unknowable_of(facts))
    found: dict[tuple[float, str], Said] = {}

    def ask(now: float) -> None:
        detail = replay.store.snapshot(now).detail
        assert detail is not None and detail.explanation is not None
        look = SceneLook(replay.known)
        report = asyncio.run(run_checks(look, ManualClock(now), key.namespace, key))
        t = next(moment for moment in moments if abs(started + moment - now) < 1e-6)
        text = explanation_text(detail, detail.explanation)
        found[t, key.name] = Said(t, key.name, detail.explanation, text, report)

    replay.run(lines, moments, ask)
    return found
