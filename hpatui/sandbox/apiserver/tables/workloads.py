"""The rows of Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs, Rollouts and autoscalers."""

from __future__ import annotations

from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.autoscaler.targets_column import targets_column
from hpatui.clock import parse_rfc3339
from hpatui.sandbox.apiserver.tables.columns import (
    Cells,
    JsonObject,
    age,
    columns,
    containers_of,
    count,
    dig,
    entries,
    human_duration,
    labels_text,
    selector_text,
    since,
)

_TEMPLATE = "Containers|Images|Selector"
DEPLOYMENT_COLUMNS = columns("Name|Ready|Up-to-date|Available|Age", _TEMPLATE, ("Up-to-date", "Available"))
SET_COLUMNS = columns("Name|Desired|Current|Ready|Age", _TEMPLATE, ("Desired", "Current", "Ready"))
STATEFUL_COLUMNS = columns("Name|Ready|Age", "Containers|Images")
DAEMON_COLUMNS = columns("Name|Desired|Current|Ready|Up-to-date|Available|Node Selector|Age", _TEMPLATE,
                         ("Desired", "Current", "Ready", "Up-to-date", "Available"))  # fmt: skip
REVISION_COLUMNS = columns("Name|Controller|Revision|Age", "", ("Revision",))
JOB_COLUMNS = columns("Name|Status|Completions|Duration|Age", _TEMPLATE)
CRON_COLUMNS = columns("Name|Schedule|Timezone|Suspend|Active|Last Schedule|Age", _TEMPLATE, ("Active",))
HPA_COLUMNS = columns("Name|Reference|Targets|MinPods|MaxPods|Replicas|Age", "", ("MaxPods", "Replicas"))
ROLLOUT_COLUMNS = columns("Name|Desired|Current|Up-to-date|Available|Age", "",
                          ("Desired", "Current", "Up-to-date", "Available"))  # fmt: skip


def _template(obj: JsonObject) -> Cells:
    names, images = containers_of(dig(obj, "spec", "template", "spec"))
    return [names, images, selector_text(dig(obj, "spec", "selector"))]


def print_deployment(obj: JsonObject, now: float) -> Cells:
    """The cells of one Deployment."""
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"], f"{count(status, 'readyReplicas')}/{count(obj, 'spec', 'replicas')}",
        count(status, "updatedReplicas"), count(status, "availableReplicas"), age(obj, now), *_template(obj),
    ]  # fmt: skip


def print_set(obj: JsonObject, now: float) -> Cells:
    """The cells of one ReplicaSet or ReplicationController."""
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"], count(obj, "spec", "replicas"), count(status, "replicas"),
        count(status, "readyReplicas"), age(obj, now), *_template(obj),
    ]  # fmt: skip


def print_stateful(obj: JsonObject, now: float) -> Cells:
    """The cells of one StatefulSet."""
    ready = f"{count(obj, 'status', 'readyReplicas')}/{count(obj, 'spec', 'replicas')}"
    return [obj["metadata"]["name"], ready, age(obj, now), *_template(obj)[:2]]


def print_daemon(obj: JsonObject, now: float) -> Cells:
    """The cells of one DaemonSet."""
    status = obj.get("status") or {}
    numbers = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
               "numberAvailable")  # fmt: skip
    where = labels_text(dig(obj, "spec", "template", "spec", "nodeSelector"))
    return [
        obj["metadata"]["name"], *(count(status, name) for name in numbers), where, age(obj, now), *_template(obj)
    ]  # fmt: skip


def print_revision(obj: JsonObject, now: float) -> Cells:
    """The cells of one ControllerRevision."""
    owners = [entry for entry in entries(obj["metadata"].get("ownerReferences")) if entry.get("controller")]
    kinds = {"StatefulSet": "statefulset.apps", "DaemonSet": "daemonset.apps"}
    named = [f"{kinds.get(str(entry.get('kind')), entry.get('kind'))}/{entry.get('name')}" for entry in owners]
    return [obj["metadata"]["name"], named[0] if named else "<none>", count(obj, "revision"), age(obj, now)]


def print_job(obj: JsonObject, now: float) -> Cells:
    """The cells of one Job."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    done = count(status, "succeeded")
    if spec.get("completions") is not None:
        completions = f"{done}/{spec['completions']}"
    else:
        parallel = count(spec, "parallelism")
        completions = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    duration = ""
    if status.get("startTime"):
        start = parse_rfc3339(status["startTime"]).timestamp()
        end = parse_rfc3339(status["completionTime"]).timestamp() if status.get("completionTime") else now
        duration = human_duration(end - start)
    return [obj["metadata"]["name"], _job_status(obj), completions, duration, age(obj, now), *_template(obj)]


def _job_status(obj: JsonObject) -> str:
    held = {entry.get("type") for entry in entries(dig(obj, "status", "conditions")) if entry.get("status") == "True"}
    for kind, text in (("Complete", "Complete"), ("Failed", "Failed")):
        if kind in held:
            return text
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind, text in (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"),
                       ("SuccessCriteriaMet", "SuccessCriteriaMet")):  # fmt: skip
        if kind in held:
            return text
    return "Running"


def print_cron(obj: JsonObject, now: float) -> Cells:
    """The cells of one CronJob."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    last = status.get("lastScheduleTime")
    names, images = containers_of(dig(spec, "jobTemplate", "spec", "template", "spec"))
    return [
        obj["metadata"]["name"], spec.get("schedule", ""), spec.get("timeZone") or "<none>",
        "True" if spec.get("suspend") else "False", len(status.get("active") or ()),
        since(last, now) if last else "<none>", age(obj, now), names, images,
        selector_text(dig(spec, "jobTemplate", "spec", "selector")),
    ]  # fmt: skip


def print_hpa(obj: JsonObject, now: float, rules: Rules = RECORDED) -> Cells:
    """The cells of one HorizontalPodAutoscaler (as stored: autoscaling/v2)."""
    spec = obj["spec"]
    target = spec["scaleTargetRef"]
    least = spec.get("minReplicas")
    return [
        obj["metadata"]["name"], f"{target.get('kind', '')}/{target.get('name', '')}", targets_column(obj, rules),
        "<unset>" if least is None else str(least), count(spec, "maxReplicas"), count(obj, "status", "currentReplicas"),
        age(obj, now),
    ]  # fmt: skip


def print_rollout(obj: JsonObject, now: float) -> Cells:
    """The cells of one Rollout."""
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"], count(obj, "spec", "replicas"), count(status, "replicas"),
        count(status, "updatedReplicas"), count(status, "availableReplicas"), age(obj, now),
    ]  # fmt: skip
