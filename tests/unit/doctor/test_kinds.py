# ruff: noqa: E501  tables of cases, a case a line
"""Kinds of HPAs that people have, each tried in several cases: whose pods are selected, what scaleTargetRef means, which
metric cannot be read, why pods are not ready, who writes spec.replicas, what can never happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hpatui.clock import ManualClock
from hpatui.cluster.versions import to_v2
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Check, Outcome, Report, report_text
from hpatui.doctor.run import run_checks
from hpatui.model import Key
from tests.unit.doctor import cluster as c
from tests.unit.doctor.cluster import TableCluster, at, cond, healthy

Obj = dict[str, Any]
REPLICASETS = c.listing("replicasets", base="/apis/apps/v1")
JOBS = c.listing("jobs", base="/apis/batch/v1")


async def report_on(cluster: TableCluster, hpa: Key | None = None) -> Report:
    return await run_checks(cluster, ManualClock(c.NOW), c.NS, hpa, to_v2)


def found(report: Report, id_: str) -> Check:
    return next(check for check in report.findings if check.id == id_)


def ids(report: Report) -> list[str]:
    return [check.id for check in report.findings]


def owned() -> TableCluster:
    """The healthy shop, with owners: pods of a ReplicaSet of the Deployment."""
    cluster = healthy()
    cluster.lists[c.DEPLOYMENTS][0]["metadata"]["uid"] = "d1"
    cluster.lists[REPLICASETS] = [_replicaset("shop-rs", "rs1", "Deployment", "shop", "d1")]
    cluster.lists[JOBS] = []
    for pod in cluster.lists[c.PODS]:
        pod["metadata"]["ownerReferences"] = [_owner("ReplicaSet", "shop-rs", "rs1")]
    cluster.documents["/apis/batch/v1"] = {"resources": [{"name": "jobs", "kind": "Job"}]}
    cluster.documents["/api/v1"] = {
        "resources": [{"name": "services", "kind": "Service"}, {"name": "pods", "kind": "Pod"}]
    }
    return cluster


def _owner(kind: str, name: str, uid: str) -> Obj:
    return {"kind": kind, "name": name, "uid": uid, "apiVersion": "apps/v1", "controller": True}


def _replicaset(name: str, uid: str, kind: str, owner: str, owner_uid: str) -> Obj:
    return {
        "metadata": {"name": name, "namespace": c.NS, "uid": uid, "ownerReferences": [_owner(kind, owner, owner_uid)]}
    }


def reference(cluster: TableCluster, **fields: str) -> None:
    cluster.lists[c.HPAS][0]["spec"]["scaleTargetRef"] = {"name": "shop", **fields}


def unable(cluster: TableCluster, reason: str, message: str) -> None:
    conditions = cluster.lists[c.HPAS][0]["status"]["conditions"]
    conditions[0] = cond("AbleToScale", "False", reason, message)


# Ownership ------------------------------------------------------------------------------------------------------------


def _stranger(
    cluster: TableCluster, name: str, owner: Obj | None, *, phase: str = "Running", cpu: str | None = "100m"
) -> None:
    pod = c.pod(name, cpu=cpu, ready=phase == "Running")
    pod["status"]["phase"] = phase
    pod["metadata"]["ownerReferences"] = [owner] if owner else []
    cluster.lists[c.PODS].append(pod)


async def test_finished_pods_of_a_job_are_not_busy() -> None:
    cluster = owned()
    cluster.lists[JOBS] = [{"metadata": {"name": "migrate", "namespace": c.NS, "uid": "j1"}}]
    for number in range(3):
        _stranger(cluster, f"migrate-{number}", _owner("Job", "migrate", "j1"), phase="Succeeded")
    check = found(await report_on(cluster), "foreign-pods")
    assert check.outcome is Outcome.WARNING
    assert "3 finished pods of Job/migrate match the selector app=shop" in check.reason
    assert "100 % of the request on the way down" in check.reason and "not busy" in check.reason
    assert "48 % on 2 pods becomes 79 % over 5" in check.reason
    assert check.command.startswith("kubectl -n shop label pod migrate-0 migrate-1 migrate-2 app-")


async def test_a_jobs_pod_without_a_request_is_not_blamed_on_the_target() -> None:
    cluster = owned()
    cluster.lists[JOBS] = [{"metadata": {"name": "report", "namespace": c.NS, "uid": "j2"}}]
    _stranger(cluster, "report-1", _owner("Job", "report", "j2"), cpu=None)
    conditions = cluster.lists[c.HPAS][0]["status"]["conditions"]
    conditions[1] = cond("ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu")
    report = await report_on(cluster)
    check = found(report, "foreign-pods")
    assert check.outcome is Outcome.FAILED and "container main of report-1 has no cpu request" in check.reason
    assert "requests" not in ids(report) and "metrics" not in ids(report)


@pytest.mark.parametrize(
    ("owner", "links", "words"),
    [
        (_owner("ReplicaSet", "other-rs", "rs2"), [_replicaset("other-rs", "rs2", "Deployment", "other", "d2")], "of Deployment/other"),
        (None, [], "that nobody owns"),
        (_owner("DaemonSet", "agent", "ds1"), [], "of DaemonSet/agent"),
        (_owner("StatefulSet", "db", "ss1"), [], "of StatefulSet/db"),
    ],
)  # fmt: skip
async def test_pods_of_others_are_named_with_their_owner(owner: Obj | None, links: list[Obj], words: str) -> None:
    cluster = owned()
    cluster.lists[REPLICASETS] += links
    _stranger(cluster, "stranger", owner)
    check = found(await report_on(cluster), "foreign-pods")
    assert words in check.reason and "3 pods in all" in check.reason


async def test_owners_that_may_not_be_read_are_not_guessed() -> None:
    cluster = owned()
    cluster.answers[REPLICASETS] = Answer(403, None, "forbidden")
    assert ids(await report_on(cluster)) == []


async def test_failed_pods_of_others_do_not_count() -> None:
    cluster = owned()
    _stranger(cluster, "seed-1", _owner("Job", "seed", "j3"), phase="Failed")
    assert ids(await report_on(cluster)) == []


# scaleTargetRef -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "kind"), [("apps/v1", "Deployment"), ("apps/v1beta2", "Deployment"), ("apps/v1", "deployment")]
)
async def test_group_and_kind_are_what_counts(version: str, kind: str) -> None:
    cluster = owned()
    cluster.documents["/apis"] = {
        "groups": [{"name": "apps", "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}}, {"name": "metrics.k8s.io"}]
    }  # fmt: skip
    reference(cluster, apiVersion=version, kind=kind)
    report = await report_on(cluster)
    assert ids(report) == []
    assert any(check.id == "not-ready" and check.reason == "2 pods looked at" for check in report.checks)


@pytest.mark.parametrize(
    ("fields", "words", "command"),
    [
        ({"kind": "Deployment"}, "has no apiVersion, and the core group has no kind Deployment", '"apiVersion":"apps/v1"'),
        ({"apiVersion": "v1", "kind": "Deployment"}, "v1 has no kind Deployment; apps/v1 has", '"apiVersion":"apps/v1"'),
        ({"apiVersion": "apps/v1", "kind": "deployments"}, "apps/v1 has no kind deployments", '"kind":"Deployment"'),
        ({"apiVersion": "apps/v1", "kind": "DEPLOYMENT"}, "apps/v1 has no kind DEPLOYMENT", '"kind":"Deployment"'),
        ({"apiVersion": "v1", "kind": "Service"}, "a Service has no scale", "Deployment shop"),
        ({"apiVersion": "batch/v1", "kind": "Job"}, "a Job has no scale", "Deployment shop"),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shp"}, "does not exist; there is shop", '"name":"shop"'),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop "}, "there is shop", '"name":"shop"'),
        ({"apiVersion": "gone.example/v1", "kind": "Thing"}, "gone.example/v1 is not served", "edit hpa"),
    ],
)  # fmt: skip
async def test_where_a_reference_leads_to_nothing(fields: dict[str, str], words: str, command: str) -> None:
    cluster = owned()
    cluster.documents["/apis"] = {"groups": [{"name": n} for n in ("apps", "batch", "metrics.k8s.io")]}
    cluster.lists[c.listing("services")] = [{"metadata": {"name": "shop", "namespace": c.NS}}]
    cluster.lists[JOBS] = [{"metadata": {"name": "shop", "namespace": c.NS}}]
    reference(cluster, **fields)
    unable(cluster, "FailedGetScale", "no matches")
    report = await report_on(cluster)
    check = found(report, "target")
    assert words in check.reason and command in check.command
    assert not [x for x in report.checks if x.family == "pods" and x.outcome is Outcome.OK], "nothing was looked at"


@pytest.mark.parametrize(
    ("reason", "message", "words", "command"),
    [
        ("FailedUpdateScale", "admission webhook denied the request", "cannot set it: admission webhook", "scale deployment shop"),
        ("FailedUpdateScale", "deployments.apps is forbidden", "cannot set it", "--dry-run=server"),
        ("FailedGetScale", "deployments.apps is forbidden", "cannot read the target's scale", "kubectl get --raw"),
    ],
)  # fmt: skip
async def test_the_controllers_own_word_of_a_refusal(reason: str, message: str, words: str, command: str) -> None:
    cluster = owned()
    unable(cluster, reason, f"the HPA controller was unable to update the target scale: {message}")
    check = found(await report_on(cluster), "target")
    assert words in check.reason and command in check.command


async def test_a_replicaset_of_a_deployment_is_the_deployments() -> None:
    cluster = owned()
    cluster.documents["/apis/apps/v1"]["resources"] += [
        {"name": "replicasets", "kind": "ReplicaSet"}, {"name": "replicasets/scale", "kind": "Scale"},
    ]  # fmt: skip
    cluster.lists[REPLICASETS][0]["spec"] = {"replicas": 2, "selector": {"matchLabels": {"app": "shop"}}}
    reference(cluster, apiVersion="apps/v1", kind="ReplicaSet", name="shop-rs")
    report = await report_on(cluster)
    check = found(report, "target")
    assert "belongs to Deployment/shop" in check.reason and '"name":"shop"' in check.command
    assert any(x.id == "second-writer" and x.follows == "target" for x in report.checks)


def _rollout(cluster: TableCluster, selector: str | None) -> None:
    """An argoproj Rollout with workloadRef: no selector and no template in its spec."""
    cluster.documents["/apis"] = {
        "groups": [{"name": "apps"}, {"name": "metrics.k8s.io"}, {"name": "argoproj.io", "versions": [{"version": "v1alpha1"}]}]
    }  # fmt: skip
    base = "/apis/argoproj.io/v1alpha1"
    served = [{"name": "rollouts", "kind": "Rollout"}, {"name": "rollouts/scale", "kind": "Scale"}]
    cluster.documents[base] = {"resources": served}
    path = c.listing("rollouts", base=base)
    cluster.lists[path] = [
        {"metadata": {"name": "shop", "namespace": c.NS, "uid": "r1"}, "spec": {"workloadRef": {"name": "shop"}}}
    ]
    status = {"replicas": 2, **({"selector": selector} if selector else {})}
    cluster.documents[f"{path}/shop/scale"] = {"spec": {"replicas": 2}, "status": status}
    cluster.lists[REPLICASETS] = [_replicaset("shop-rs", "rs1", "Rollout", "shop", "r1")]
    reference(cluster, apiVersion="argoproj.io/v1alpha1", kind="Rollout")


async def test_the_scales_selector_is_what_counts() -> None:
    cluster = owned()
    _rollout(cluster, "app=shop")
    report = await report_on(cluster)
    assert ids(report) == []
    assert any(check.id == "not-ready" and check.reason == "2 pods looked at" for check in report.checks)


async def test_a_scale_without_a_selector_fails() -> None:
    cluster = owned()
    _rollout(cluster, None)
    report = await report_on(cluster)
    assert "has no selector" in found(report, "selector").reason
    assert not [x for x in report.checks if x.family == "pods" and x.outcome is Outcome.OK]


# Metrics --------------------------------------------------------------------------------------------------------------


def _add_metric(cluster: TableCluster, spec: Obj, value: Obj | None = None) -> None:
    hpa = cluster.lists[c.HPAS][0]
    hpa["spec"]["metrics"].append(spec)
    hpa["status"]["currentMetrics"].append(value or {"type": ""})
    cluster.documents["/apis"]["groups"] += [
        {"name": n, "versions": [{"version": v}]}
        for n, v in (("custom.metrics.k8s.io", "v1beta2"), ("external.metrics.k8s.io", "v1beta1"))
    ]
    cluster.documents["/apis/custom.metrics.k8s.io/v1beta2"] = {"resources": []}
    cluster.documents["/apis/external.metrics.k8s.io/v1beta1"] = {"resources": []}


def _external(name: str, **labels: str) -> Obj:
    metric: Obj = {"name": name, **({"selector": {"matchLabels": labels}} if labels else {})}
    return {
        "type": "External",
        "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "10"}},
    }


async def test_one_metric_that_cannot_be_read_blocks_every_scale_down() -> None:
    cluster = owned()
    _add_metric(cluster, _external("queue", kind="orders"))
    cluster.lists[c.EVENTS].append(
        {
            "metadata": {"name": "e", "namespace": c.NS}, "reason": "FailedGetExternalMetric",
            "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": "shop"}, "lastTimestamp": at(5),
            "message": "unable to get external metric shop/queue/...: no metrics returned from external metrics API",
        }
    )  # fmt: skip
    check = found(await report_on(cluster), "metrics")
    assert "queue has no value: no metrics returned" in check.reason
    assert "nothing scales down while it lasts" in check.reason
    assert '"op":"remove","path":"/spec/metrics/1"' in check.command
    assert "/namespaces/shop/queue?labelSelector=kind%3Dorders" in check.command


@pytest.mark.parametrize(
    ("target", "words", "fitting"),
    [
        ({"type": "Value", "averageValue": "5"}, "the type Value and no value, only averageValue", "AverageValue"),
        ({"type": "AverageValue", "value": "5"}, "the type AverageValue and no averageValue, only value", "Value"),
        ({"type": "Value", "value": "5"}, "has no value", ""),
        ({"type": "AverageValue", "value": "9", "averageValue": "5"}, "has no value", ""),
    ],
    ids=["value", "average", "fits", "both"],
)
async def test_an_object_metric_whose_type_and_field_do_not_fit(
    target: dict[str, str], words: str, fitting: str
) -> None:
    cluster = owned()
    described = {"apiVersion": "v1", "kind": "Service", "name": "web"}
    spec = {"metric": {"name": "queue"}, "target": target, "describedObject": described}
    _add_metric(cluster, {"type": "Object", "object": spec})
    check = found(await report_on(cluster), "metrics")
    assert words in check.reason
    assert (f'"path":"/spec/metrics/1/object/target/type","value":"{fitting}"' in check.command) == bool(fitting)


async def test_a_missing_metrics_api_explains_only_what_uses_it() -> None:
    cluster = owned()
    _add_metric(cluster, _external("queue"))
    cluster.documents["/apis"]["groups"] = [
        g for g in cluster.documents["/apis"]["groups"] if "external" not in g["name"]
    ]
    other = c.hpa("plain", "plain")
    other["status"]["currentMetrics"] = [{"type": ""}]
    other["status"]["conditions"][1] = cond("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned")
    cluster.lists[c.HPAS].append(other)
    cluster.lists[c.DEPLOYMENTS].append(c.deployment("plain", "plain"))
    cluster.lists[c.PODS].append(c.pod("plain-1", labels={"app": "plain"}))
    report = await report_on(cluster)
    follows = {check.about: check.follows for check in report.checks if check.id == "metrics"}
    assert follows == {
        "HorizontalPodAutoscaler/shop/shop": "external-metrics-api",
        "HorizontalPodAutoscaler/shop/plain": "",
    }


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "ephemeral-storage", "example.com/fpga"])
async def test_other_resources_are_never_measured(resource: str) -> None:
    cluster = owned()
    target = {"type": "Utilization", "averageUtilization": 50}
    _add_metric(cluster, {"type": "Resource", "resource": {"name": resource, "target": target}})
    report = await report_on(cluster)
    check = found(report, "metrics")
    assert "cpu and memory only" in check.reason and "requests" not in ids(report)
    assert "set resources" not in check.command


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("mian", "no pod of Deployment/shop/shop has a container mian; there is main"),
        ("setup", "setup is an init container"),
    ],
)
async def test_a_container_that_no_pod_has(written: str, words: str) -> None:
    cluster = owned()
    for pod in cluster.lists[c.PODS]:
        pod["spec"]["initContainers"] = [{"name": "setup"}]
    target = {"type": "Utilization", "averageUtilization": 50}
    _add_metric(
        cluster,
        {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": written, "target": target}},
    )
    check = found(await report_on(cluster), "metrics")
    assert words in check.reason and '"value":"main"' in check.command


async def test_a_native_sidecar_without_a_request_is_an_init_container() -> None:
    cluster = owned()
    sidecar = {"name": "mesh", "restartPolicy": "Always", "image": "mesh:1"}
    for spec in [pod["spec"] for pod in cluster.lists[c.PODS]] + [
        cluster.lists[c.DEPLOYMENTS][0]["spec"]["template"]["spec"]
    ]:
        spec["initContainers"] = [sidecar]
    check = found(await report_on(cluster), "requests")
    assert "native sidecar mesh" in check.reason
    assert check.evidence[0].field == "spec.template.spec.initContainers[mesh].resources.requests.cpu"
    assert '"initContainers":[{"name":"mesh"' in check.command


# Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(3, 3), (1, 1), (None, 1)])
async def test_one_size_only_can_never_scale(low: int | None, high: int) -> None:
    cluster = owned()
    spec = cluster.lists[c.HPAS][0]["spec"]
    spec["maxReplicas"] = high
    spec.pop("minReplicas")
    if low is not None:
        spec["minReplicas"] = low
    cluster.lists[c.HPAS][0]["status"]["conditions"][2] = cond("ScalingLimited", "True", "TooManyReplicas")
    assert ids(await report_on(cluster)) == ["size-fixed"]


@pytest.mark.parametrize(("limit", "percent", "reached"), [("100m", 150, False), ("100m", 95, False), ("200m", 150, True), ("100m", 80, True)])  # fmt: skip
async def test_a_target_above_the_limit_is_never_reached(limit: str, percent: int, reached: bool) -> None:
    cluster = owned()
    for pod in cluster.lists[c.PODS]:
        pod["spec"]["containers"][0]["resources"]["limits"] = {"cpu": limit}
    cluster.lists[c.HPAS][0]["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = percent
    assert ids(await report_on(cluster)) == ([] if reached else ["reachable"])


async def test_a_switched_off_direction_is_its_selectpolicy() -> None:
    cluster = owned()
    hpa = cluster.lists[c.HPAS][0]
    hpa["spec"]["behavior"] = {"scaleDown": {"selectPolicy": "Disabled"}}
    hpa["status"]["conditions"][2] = cond("ScalingLimited", "True", "ScaleDownLimit")
    check = found(await report_on(cluster), "rate-limited")
    assert "never scales down: scaleDown.selectPolicy is Disabled" in check.reason
    assert check.evidence[-1].field == "spec.behavior.scaleDown.selectPolicy"


async def test_at_max_is_the_conditions_word_whatever_the_metric() -> None:
    cluster = owned()
    _add_metric(
        cluster,
        _external("queue"),
        {"type": "External", "external": {"metric": {"name": "queue"}, "current": {"averageValue": "90"}}},
    )
    hpa = cluster.lists[c.HPAS][0]
    hpa["spec"]["maxReplicas"] = 2
    hpa["status"]["conditions"][2] = cond("ScalingLimited", "True", "TooManyReplicas", ago=600)
    assert "wants 18 replicas" in found(await report_on(cluster), "at-max").reason


# Not ready ------------------------------------------------------------------------------------------------------------


def _sick(cluster: TableCluster, **status: Any) -> None:
    pod = cluster.lists[c.PODS][1]
    pod["status"].update(status)
    pod["status"].setdefault("conditions", [])


def _unready(
    ago: float = 900, reason: str = "ContainersNotReady", message: str = "", inside: str = "False"
) -> list[Obj]:
    return [cond("Ready", "False", reason, message, ago=ago), cond("ContainersReady", inside, "", ago=ago)]


SICK: list[tuple[str, Callable[[TableCluster], None], str]] = [
    ("init", lambda k: _sick(k, phase="Pending", conditions=_unready(), initContainerStatuses=[{"name": "migrate", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]), "never started: init container migrate crashes"),
    ("init-slow", lambda k: _sick(k, phase="Pending", conditions=_unready(), initContainerStatuses=[{"name": "wait", "state": {"running": {}}}]), "never started: init container wait has not ended after 15 min"),
    ("creating", lambda k: _sick(k, phase="Pending", conditions=_unready(), containerStatuses=[{"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}]), "never started: container main is being created for 15 min"),
    ("config", lambda k: _sick(k, phase="Pending", conditions=_unready(), containerStatuses=[{"name": "main", "state": {"waiting": {"reason": "CreateContainerConfigError", "message": 'configmap "x" not found'}}}]), 'cannot be started: configmap "x" not found'),
    ("gated", lambda k: _sick(k, phase="Pending", conditions=[cond("PodScheduled", "False", "SchedulingGated", ago=900)], containerStatuses=[]), "held back from scheduling for 15 min by its scheduling gates"),
    ("gate", lambda k: _sick(k, conditions=_unready(reason="ReadinessGatesNotReady", message='gate "lb" does not exist', inside="True")), "its readiness gate is not for 15 min"),
    ("sidecar", lambda k: _sick(k, conditions=_unready(), initContainerStatuses=[{"name": "mesh", "started": True, "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]), "sidecar mesh crashes again and again (no probe is at fault)"),
    ("probe", lambda k: _sick(k, conditions=_unready(ago=120)), "unready for 2 min, and the readiness probe"),
    ("node", lambda k: _sick(k, conditions=[cond("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting", ago=400)]), "nothing is heard of its node for 7 min"),
]  # fmt: skip


@pytest.mark.parametrize(("sick", "words"), [row[1:] for row in SICK], ids=[row[0] for row in SICK])
async def test_each_cause_of_unreadiness_has_its_words(sick: Callable[[TableCluster], None], words: str) -> None:
    cluster = owned()
    sick(cluster)
    check = found(await report_on(cluster), "not-ready")
    assert words in check.reason
    assert ("0 on the way up, left out on the way down" in check.reason) == (
        "never started" in check.reason or "config" in words
    )


async def test_ten_hours_ready_and_unready_for_five_seconds_is_no_finding() -> None:
    cluster = owned()
    _sick(cluster, startTime=at(36000), conditions=_unready(ago=5))
    assert ids(await report_on(cluster)) == []


# Writers --------------------------------------------------------------------------------------------------------------


def _rescale(
    cluster: TableCluster, size: int, ago: float, reason: str = "cpu above target", count: int = 1, first: float = 0
) -> None:
    cluster.lists[c.EVENTS].append(
        {
            "metadata": {"name": f"e{len(cluster.lists[c.EVENTS])}", "namespace": c.NS}, "reason": "SuccessfulRescale",
            "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": "shop"}, "count": count,
            "message": f"New size: {size}; reason: {reason}", "lastTimestamp": at(ago), "firstTimestamp": at(first or ago),
        }
    )  # fmt: skip


DOWN = "All metrics below target"


async def test_rescales_up_that_do_not_climb_prove_another_writer() -> None:
    cluster = owned()
    for number, size in enumerate((4, 8, 12, 4, 8, 12)):
        _rescale(cluster, size, 300 - 30 * number)
    report = await report_on(cluster)
    assert ids(report) == ["second-writer"]
    assert "no flapping" in found(report, "second-writer").reason


@pytest.mark.parametrize(
    ("sizes", "finding"),
    [
        ([(6, 400, "cpu above target"), (2, 300, DOWN), (6, 200, "cpu above target")], []),
        ([(6, 400, "cpu above target"), (6, 300, "cpu above target")], ["second-writer"]),
        ([(3, 400, DOWN), (3, 300, DOWN)], ["second-writer"]),
        ([(2, 400, "cpu above target"), (4, 300, "cpu above target")], []),
        ([(6, 500, "cpu above target"), (2, 400, DOWN), (6, 300, "cpu above target"), (2, 200, DOWN)], ["flapping"]),
    ],
)
async def test_what_rescales_prove(sizes: list[tuple[int, float, str]], finding: list[str]) -> None:
    cluster = owned()
    for size, ago, reason in sizes:
        _rescale(cluster, size, ago, reason)
    assert ids(await report_on(cluster)) == finding


async def test_counted_events_are_not_taken_for_a_proof_where_another_lies_between() -> None:
    cluster = owned()
    _rescale(cluster, 6, 100, count=3, first=500)
    _rescale(cluster, 2, 130, DOWN, count=3, first=450)
    assert "second-writer" not in ids(await report_on(cluster))


async def test_the_mend_of_flapping_is_never_the_window_that_is_in_force() -> None:
    cluster = owned()
    for number in range(5):
        _rescale(cluster, 6 if number % 2 else 2, 500 - 90 * number, "cpu above target" if number % 2 else DOWN)
    assert '"stabilizationWindowSeconds":600' in found(await report_on(cluster), "flapping").command


# Old versions, single HPAs, guards --------------------------------------------------------------------------------------


def _as_v2beta1(hpa: Obj) -> Obj:
    old = {**hpa, "spec": dict(hpa["spec"]), "status": dict(hpa["status"])}
    old["spec"]["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 50}}]
    old["status"]["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 48, "currentAverageValue": "48m"}}]  # fmt: skip
    return old


def _as_v1(hpa: Obj) -> Obj:
    import json

    old = {**hpa, "metadata": dict(hpa["metadata"]), "spec": dict(hpa["spec"]), "status": dict(hpa["status"])}
    del old["spec"]["metrics"], old["status"]["currentMetrics"]
    old["metadata"]["annotations"] = {
        "autoscaling.alpha.kubernetes.io/conditions": json.dumps(old["status"].pop("conditions"))
    }
    old["spec"]["targetCPUUtilizationPercentage"] = 50
    old["status"]["currentCPUUtilizationPercentage"] = 48
    return old


@pytest.mark.parametrize(("version", "older"), [("v2beta2", dict), ("v2beta1", _as_v2beta1), ("v1", _as_v1)])
async def test_old_versions_say_the_same(version: str, older: Callable[[Obj], Obj]) -> None:
    new, old = owned(), owned()
    for cluster in (new, old):
        cluster.lists[c.HPAS][0]["spec"]["maxReplicas"] = 2
        cluster.lists[c.HPAS][0]["status"]["conditions"][2] = cond("ScalingLimited", "True", "TooManyReplicas", ago=600)
        cluster.lists[c.PODS][0]["spec"]["containers"].append({"name": "sidecar"})
    hpas = old.lists.pop(c.HPAS)
    old.lists[c.listing("horizontalpodautoscalers", base=f"/apis/autoscaling/{version}")] = [older(h) for h in hpas]
    said = [[(x.id, x.outcome, x.reason) for x in (await report_on(k)).checks] for k in (new, old)]
    assert said[0] == said[1]


async def test_one_hpa_needs_get_alone() -> None:
    cluster = owned()
    for path in (c.HPAS, c.DEPLOYMENTS):
        cluster.answers[path] = Answer(403, None, "cannot list")
    cluster.documents[f"{c.HPAS}/shop"] = cluster.lists[c.HPAS][0]
    cluster.documents[f"{c.DEPLOYMENTS}/shop"] = cluster.lists[c.DEPLOYMENTS][0]
    report = await report_on(cluster, Key(c.NS, "shop"))
    assert ids(report) == []
    assert any(check.id == "controller" and check.outcome is Outcome.OK for check in report.checks)


async def test_rivals_are_named_when_one_hpa_is_asked_about() -> None:
    cluster = owned()
    cluster.lists[c.HPAS].append(c.hpa("rival"))
    report = await report_on(cluster, Key(c.NS, "shop"))
    assert ids(report) == ["selector"]
    assert "shop/rival selects the same pods" in report.findings[0].reason
    assert report.findings[0].command.startswith("kubectl -n shop delete hpa rival")


async def test_a_clash_on_a_leaving_pod_only_is_none() -> None:
    """Another HPA's selector matches a pod that still has old labels, and nothing of the template."""
    cluster = owned()
    cluster.lists[c.HPAS].append(c.hpa("canary", "canary"))
    cluster.lists[c.DEPLOYMENTS].append(c.deployment("canary", "canary"))
    cluster.lists[c.DEPLOYMENTS][1]["spec"]["selector"] = {"matchLabels": {"track": "canary"}}
    cluster.lists[c.DEPLOYMENTS][1]["spec"]["template"]["metadata"]["labels"] = {"track": "canary"}
    cluster.lists[c.PODS][0]["metadata"]["labels"]["track"] = "canary"
    assert "selector" not in ids(await report_on(cluster))


@pytest.mark.parametrize(
    ("window", "age", "stale"), [(60, 235, True), (60, 215, False), (15, 95, True), (15, 85, False)]
)
async def test_samples_are_stale_after_three_windows_and_some_slack(window: int, age: float, stale: bool) -> None:
    cluster = owned()
    cluster.lists[c.METRICS] = [{**c.sample(name, age=age), "window": f"{window}s"} for name in ("shop-1", "shop-2")]
    assert ids(await report_on(cluster)) == (["metrics-fresh"] if stale else [])


async def test_nothing_from_the_cluster_escapes_in_a_reason() -> None:
    cluster = owned()
    unable(cluster, "FailedUpdateScale", "denied \x1b[2J\x1b]0;owned\x07 by \u202ewebhook\x9b31m")
    text = report_text(await report_on(cluster))
    assert "denied" in text
    assert not [
        char for char in text if (ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 or char == "\u202e"
    ]
