"""Another spec for a live HPA, guarded: what the server would make of it, who manages the fields, then server-side apply.

    plan_change (dry run only) -> Plan: diff, managers, conflicts, the question -> carry_out (keeps the old spec, applies)

Nothing here asks: a front end shows the plan, asks its question, and passes what was answered. `carry_out` refuses where the
answer does not fit the question, so that no front end can forget it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from hpatui.autoscaler.inputs import Behavior, HpaObject, ScalingPolicy, ScalingRules
from hpatui.autoscaler.parse import parse_hpa
from hpatui.clock import Clock
from hpatui.cluster.connect import Connection
from hpatui.cluster.writes import Object, Writer
from hpatui.errors import ConflictError, HpatuiError, NotServedError, UsageError
from hpatui.model import Key
from hpatui.session.managers import FIELD_MANAGER, Manager, kept_by, looks_like_production, spec_managers
from hpatui.session.undo_book import Change, UndoBook
from hpatui.text import printable

KIND = "HorizontalPodAutoscaler"
_VERSION = "autoscaling/v2"
_DEFAULT_METRICS = [  # k8s.io/kubernetes/pkg/apis/autoscaling/v2/defaults.go: what an HPA without metrics gets
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
]
_DEFAULT_BEHAVIOR = Behavior(
    ScalingRules(0, "Max", (ScalingPolicy("Pods", 4, 15), ScalingPolicy("Percent", 100, 15)), None),
    ScalingRules(None, "Max", (ScalingPolicy("Percent", 100, 15),), None),
)
READ_ONLY = UsageError("this hpatui is read-only", hint="unset read_only (--read-only, HPATUI_READ_ONLY, config file)")


@dataclass(frozen=True, slots=True)
class Plan:
    """A change as the server's dry run has it. `diff`: unified, without anything but what changes and its surroundings.

    `conflicts` are (manager's words, field): fields that others own and that only force takes over. `type_name`: what has to
    be typed before it may be applied, because the place looks like production; empty where yes is enough.
    """

    key: Key
    uid: str
    context: str
    host: str
    server: str
    before: Mapping[str, Any]  # spec
    after: Mapping[str, Any]  # spec, as the server would store it
    item: Object  # what is applied
    diff: tuple[str, ...]
    managers: tuple[Manager, ...]
    warnings: tuple[str, ...]
    conflicts: tuple[tuple[str, str], ...]
    type_name: str = ""
    why: str = ""

    @property
    def changes(self) -> bool:
        """Whether the server would change anything of the spec."""
        return bool(self.diff)

    @property
    def question(self) -> str:
        """What the user has to say yes to."""
        force = ""
        if self.conflicts:
            who = ", ".join(dict.fromkeys(manager for manager, _ in self.conflicts))
            force = f", taking {', '.join(field for _, field in self.conflicts)} over by force from {who}"
        return printable(f"Apply this to {self.where}{force}?", 600)

    @property
    def where(self) -> str:
        """What is changed, for people."""
        return printable(f"HPA {self.key} on context {self.context} ({self.host})", 400)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user said. `typed`: the name, where it had to be typed; `force`: yes to what conflicts."""

    yes: bool = False
    typed: str = ""
    force: bool = False


async def plan_change(
    connection: Connection, key: Key, spec: Mapping[str, Any], *, read_only: bool, why: str = ""
) -> Plan:
    """What applying `spec` (of autoscaling/v2) to the live HPA would do, by the server's dry run. Changes nothing.

    UsageError with --read-only, where the HPA is not there, or where the result would not be what was asked for; ClusterError
    where the server refuses.
    """
    if read_only:
        raise READ_ONLY
    writer = Writer(connection)
    live = await _live(writer, key)
    wanted = _complete(spec)
    item = _item(live, key, wanted)
    conflicts: tuple[tuple[str, str], ...] = ()
    try:
        result = await writer.apply(item, FIELD_MANAGER, dry_run=True)
    except ConflictError as error:
        if not error.causes:
            raise
        conflicts = tuple((message.removeprefix("conflict with "), field) for field, message in error.causes)
        result = await writer.apply(item, FIELD_MANAGER, dry_run=True, force=True)
    _check(wanted, result, key)
    access = connection.access
    names = (connection.context, access.cluster, connection.host, key.namespace)
    return Plan(
        key=key,
        uid=str(live["metadata"].get("uid") or ""),
        context=connection.context,
        host=connection.host,
        server=connection.server,
        before=live.get("spec") or {},
        after=result.get("spec") or {},
        item=item,
        diff=_diff(live, result, key),
        managers=spec_managers(live),
        warnings=_warnings(live, conflicts),
        conflicts=conflicts,
        type_name=key.name if looks_like_production(*names) else "",
        why=why,
    )


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as the JSON object that scripts rely on."""
    return {
        "namespace": plan.key.namespace,
        "name": plan.key.name,
        "context": printable(plan.context),
        "changes": plan.changes,
        "diff": [printable(line, 2000) for line in plan.diff],
        "before": plan.before,
        "after": plan.after,
        "managers": [
            {
                "manager": printable(m.name),
                "operation": printable(m.operation),
                "fields": [printable(field) for field in m.fields],
                "gitops": m.gitops,
            }
            for m in plan.managers
        ],
        "warnings": list(plan.warnings),
        "conflicts": [{"manager": printable(who), "field": printable(field)} for who, field in plan.conflicts],
        "production": bool(plan.type_name),
        "question": plan.question,
    }


async def carry_out(connection: Connection, plan: Plan, answer: Answer, book: UndoBook, clock: Clock) -> Change:
    """Apply the plan as it was shown. UsageError where the answer does not allow it; ClusterError where the server refuses,
    or where the spec is another than when the plan was made.
    """
    refuse_unanswered(plan, answer)
    writer = Writer(connection)
    live = await _live(writer, plan.key)
    if live["metadata"].get("uid") != plan.uid or (live.get("spec") or {}) != plan.before:
        raise ConflictError(f"HPA {printable(str(plan.key))} was changed meanwhile", hint="look at it again")
    change = Change(
        server=plan.server,
        context=plan.context,
        namespace=plan.key.namespace,
        name=plan.key.name,
        uid=plan.uid,
        time=clock.time(),
        before=plan.before,
        after=plan.after,
        why=plan.why,
    )
    book.keep(change)
    try:
        result = await writer.apply(plan.item, FIELD_MANAGER, force=bool(plan.conflicts) and answer.force)
    except HpatuiError:
        book.drop(change)
        raise
    done = replace(change, after=result.get("spec") or {})
    if done != change:
        book.drop(change)
        book.keep(done)
    return done


def refuse_unanswered(plan: Plan, answer: Answer) -> None:
    """UsageError, with what to say, where the plan's question was not answered with yes in the way it asks for."""
    if plan.type_name and answer.typed != plan.type_name:
        raise UsageError(
            f"context {printable(plan.context)} looks like production: the HPA's name was not typed",
            hint=f"type {printable(plan.type_name)} at the question, or say --confirm {printable(plan.type_name)}",
        )
    if not answer.yes and not plan.type_name:
        raise UsageError(f"that changes {plan.where}", hint="say --yes if you mean it")
    if plan.conflicts and not answer.force:
        who = ", ".join(dict.fromkeys(f"{manager} manages {field}" for manager, field in plan.conflicts))
        raise UsageError(printable(f"not applied: {who}", 500), hint="say --force-conflicts to take it over")


# Parts ----------------------------------------------------------------------------------------------------------------


async def _live(writer: Writer, key: Key) -> Object:
    named = {"kind": KIND, "metadata": {"name": key.name, "namespace": key.namespace}}
    try:
        live = await writer.read(named)
    except NotServedError as error:
        raise UsageError("this cluster does not serve autoscaling/v2", hint="Kubernetes 1.23 or newer does") from error
    if live is None:
        raise UsageError(f"there is no HPA {printable(str(key))}", hint="was it deleted? look with hpatui watch --once")
    return live


def _complete(spec: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name: value for name, value in spec.items() if value is not None}
    wanted.setdefault("metrics", _DEFAULT_METRICS)
    wanted.setdefault("minReplicas", 1)
    return wanted


def _item(live: Object, key: Key, wanted: Mapping[str, Any]) -> Object:
    """The smallest thing to apply: the fields of the spec that change, and those that hpatui owns already (what an apply no
    longer lists is removed). With the uid, so that an HPA that is gone is not made anew.
    """
    before = live.get("spec") or {}
    if (wanted.get("scaleTargetRef") or before.get("scaleTargetRef")) != before.get("scaleTargetRef"):
        raise UsageError("the candidate scales another target", hint="spec.scaleTargetRef is not for tuning")
    own = {
        field.partition(".")[0]
        for manager in spec_managers(live)
        if manager.name == FIELD_MANAGER and manager.operation == "Apply"
        for field in manager.fields
    }
    spec = {name: value for name, value in wanted.items() if value != before.get(name) or name in own}
    meta = {"name": key.name, "namespace": key.namespace, "uid": live["metadata"].get("uid")}
    return {"apiVersion": _VERSION, "kind": KIND, "metadata": meta, "spec": spec}


def _check(wanted: Mapping[str, Any], result: Object, key: Key) -> None:
    """UsageError where the server would store something else than was asked for: an apply cannot remove what others own."""
    asked = _meaning({"metadata": {"name": key.name, "namespace": key.namespace}, "spec": wanted})
    got = _meaning(result)
    names = ("minReplicas", "maxReplicas", "metrics", "behavior")
    wrong = [name for name, one, two in zip(names, asked, got, strict=True) if one != two]
    if wrong:
        raise UsageError(
            f"the server would not take spec.{', spec.'.join(wrong)} as it was asked for",
            hint="another manager owns a part that is to go: write its default out instead of leaving it away",
        )


def _meaning(obj: Mapping[str, Any]) -> tuple[object, ...]:
    found: HpaObject = parse_hpa(obj)
    return found.min_replicas, found.max_replicas, found.metrics, found.behavior or _DEFAULT_BEHAVIOR


def _warnings(live: Object, conflicts: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    warnings = []
    kept = kept_by(live)
    if kept:
        why = "; ".join(kept)
        warnings.append(f"{why}: what is applied here will be set back there, so change it at its source (GitOps)")
    elif conflicts:
        who = ", ".join(dict.fromkeys(manager for manager, _ in conflicts))
        warnings.append(
            printable(f"{who} wrote these fields: applying the old file again brings the old values back", 400)
        )
    return tuple(warnings)


def _diff(live: Object, result: Object, key: Key) -> tuple[str, ...]:
    """A unified diff of what a person could edit; empty where the server would change nothing of it."""
    lines = difflib.unified_diff(
        _text(live), _text(result), f"{key} now", f"{key} by the server's dry run", lineterm="", n=2
    )
    return tuple(printable(line, 2000) for line in lines)


def _text(obj: Object) -> list[str]:
    meta = obj.get("metadata") or {}
    shown = {name: dict(meta[name]) for name in ("labels", "annotations") if meta.get(name)}
    shown.get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return yaml.safe_dump({"metadata": shown, "spec": obj.get("spec")}, sort_keys=True, width=1000).splitlines()
