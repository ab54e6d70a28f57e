"""Each row of the failure table: a healthy cluster with that one thing broken gives that one finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hpatui.clock import ManualClock
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Outcome, Report, report_json, report_text
from hpatui.doctor.run import run_checks
from hpatui.model import Key
from tests.unit.doctor import cluster as c
from tests.unit.doctor.cluster import TableCluster, at, cond, healthy


async def report_on(cluster: TableCluster, hpa: Key | None = None) -> Report:
    return await run_checks(cluster, ManualClock(c.NOW), c.NS, hpa)


def findings(report: Report) -> list[str]:
    return [check.id for check in report.findings]


async def test_a_healthy_cluster_is_silent() -> None:
    report = await report_on(healthy())
    assert findings(report) == []
    assert report.exit_code == 0
    assert report.count(Outcome.FORBIDDEN) == 0
    assert report.count(Outcome.OK) >= 15


def _status(cluster: TableCluster, type_: str, status: str, reason: str, message: str = "", ago: float = 100) -> None:
    status_of = cluster.lists[c.HPAS][0]["status"]
    status_of["conditions"] = [x for x in status_of["conditions"] if x["type"] != type_]
    status_of["conditions"].append(cond(type_, status, reason, message, ago))


def _blind(cluster: TableCluster, reason: str = "FailedGetResourceMetric") -> None:
    _status(cluster, "ScalingActive", "False", reason, "the HPA was unable to compute the replica count")


def no_metrics_server(cluster: TableCluster) -> None:
    cluster.documents["/apis"] = {"groups": [{"name": "apps"}]}
    del cluster.documents[c.APISERVICE]
    del cluster.lists[c.METRICS]
    cluster.lists[c.SYSTEM_PODS] = []
    _blind(cluster)


def api_unavailable(cluster: TableCluster) -> None:
    cluster.documents[c.APISERVICE] = {
        "status": {"conditions": [cond("Available", "False", "FailedDiscoveryCheck", "no route to host")]}
    }
    cluster.answers[c.METRICS] = Answer(503, None, "the server is currently unable to handle the request")
    _blind(cluster)


def crash_loop(cluster: TableCluster) -> None:
    api_unavailable(cluster)
    server = cluster.lists[c.SYSTEM_PODS][0]
    server["status"]["conditions"] = [cond("Ready", "False", "ContainersNotReady")]
    server["status"]["containerStatuses"] = [
        {"name": "m", "restartCount": 12, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    ]
    path = "/api/v1/namespaces/kube-system/pods/metrics-server-1/log"
    cluster.logs[path] = 'panic: Get "https://10.233.0.1:443": dial tcp 10.233.0.1:443: i/o timeout\n'


def stale(cluster: TableCluster) -> None:
    for item in cluster.lists[c.METRICS]:
        item["timestamp"] = at(400)


def no_request(cluster: TableCluster) -> None:
    for found in cluster.lists[c.PODS]:
        found["spec"]["containers"].append({"name": "sidecar"})
    _blind(cluster)


def ambiguous(cluster: TableCluster) -> None:
    cluster.lists[c.HPAS].append(c.hpa("shop-copy"))


def disabled(cluster: TableCluster) -> None:
    cluster.lists[c.DEPLOYMENTS][0]["spec"]["replicas"] = 0
    cluster.lists[c.PODS] = []
    _status(cluster, "ScalingActive", "False", "ScalingDisabled")


def no_status(cluster: TableCluster) -> None:
    cluster.lists[c.HPAS][0]["status"] = {"desiredReplicas": 0, "currentMetrics": None}


def target_gone(cluster: TableCluster) -> None:
    cluster.lists[c.DEPLOYMENTS] = []
    _status(cluster, "AbleToScale", "False", "FailedGetScale", "deployments.apps shop not found")


def wrong_version(cluster: TableCluster) -> None:
    cluster.lists[c.HPAS][0]["spec"]["scaleTargetRef"]["apiVersion"] = "extensions/v1beta1"
    _status(cluster, "AbleToScale", "False", "FailedGetScale", "no matches for kind")


def at_max(cluster: TableCluster) -> None:
    cluster.lists[c.HPAS][0]["spec"]["maxReplicas"] = 2
    cluster.lists[c.HPAS][0]["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"] = 150
    _status(cluster, "ScalingLimited", "True", "TooManyReplicas", ago=900)


def rate_limited(cluster: TableCluster) -> None:
    _status(cluster, "ScalingLimited", "True", "ScaleUpLimit")


def floor(cluster: TableCluster) -> None:
    _status(cluster, "ScalingLimited", "True", "TooFewReplicas", ago=9000)


def held(cluster: TableCluster) -> None:
    _status(cluster, "AbleToScale", "True", "ScaleDownStabilized", "recent recommendations were higher")


def memory(cluster: TableCluster) -> None:
    found = cluster.lists[c.HPAS][0]
    found["spec"]["metrics"].append(
        {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "80Mi"}}}
    )
    found["status"]["currentMetrics"] = [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 2, "averageValue": "2m"}}},
        {"type": "Resource", "resource": {"name": "memory", "current": {"averageValue": "79Mi"}}},
    ]


def flapping(cluster: TableCluster) -> None:
    for index, size in enumerate((3, 2, 3, 2, 3)):
        cluster.lists[c.EVENTS].append(
            {
                "metadata": {"name": f"e{index}", "namespace": c.NS},
                "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": "shop"},
                "reason": "SuccessfulRescale",
                "message": f"New size: {size}; reason: "
                + (
                    "cpu resource utilization (percentage of request) above target"
                    if size > 2
                    else "All metrics below target"
                ),
                "lastTimestamp": at(500 - 90 * index),
            }
        )


def unschedulable(cluster: TableCluster) -> None:
    found = c.pod("shop-3", ready=False, age=100)
    found["status"] = {
        "phase": "Pending",
        "conditions": [cond("PodScheduled", "False", "Unschedulable", "0/2 nodes are available: 2 Insufficient cpu.")],
    }
    cluster.lists[c.PODS].append(found)


def quota(cluster: TableCluster) -> None:
    cluster.lists[c.DEPLOYMENTS][0]["spec"]["replicas"] = 3
    cluster.lists[c.EVENTS].append(
        {
            "metadata": {"name": "q", "namespace": c.NS},
            "involvedObject": {"kind": "ReplicaSet", "name": "shop-5f4b4"},
            "reason": "FailedCreate",
            "message": 'Error creating: pods "shop-5f4b4-x" is forbidden: exceeded quota: small, requested: cpu=100m',
            "lastTimestamp": at(30),
        }
    )


def image(cluster: TableCluster) -> None:
    found = c.pod("shop-3", ready=False, age=100)
    found["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    cluster.lists[c.PODS].append(found)


def crashes(cluster: TableCluster) -> None:
    found = c.pod("shop-3", ready=False, age=100)
    found["status"]["containerStatuses"][0] |= {"restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    cluster.lists[c.PODS].append(found)


def probe(cluster: TableCluster) -> None:
    cluster.lists[c.PODS].append(c.pod("shop-3", ready=False, age=400))


def no_traffic(cluster: TableCluster) -> None:
    cluster.lists[c.PODS].append(c.pod("shop-3", age=300))
    cluster.lists[c.METRICS].append(c.sample("shop-3", "1m"))


def second_writer(cluster: TableCluster) -> None:
    cluster.lists[c.DEPLOYMENTS][0]["metadata"]["managedFields"] = [
        {
            "manager": "argocd-controller",
            "operation": "Apply",
            "time": at(60),
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        }
    ]


def vertical(cluster: TableCluster) -> None:
    cluster.lists[c.listing("verticalpodautoscalers", base="/apis/autoscaling.k8s.io/v1")] = [
        {"metadata": {"name": "shop-vpa", "namespace": c.NS}, "spec": {"targetRef": {"name": "shop"}}}
    ]


def external_missing(cluster: TableCluster) -> None:
    target = {"type": "AverageValue", "averageValue": "5"}
    cluster.lists[c.HPAS][0]["spec"]["metrics"] = [
        {"type": "External", "external": {"metric": {"name": "queue_depth"}, "target": target}}
    ]
    _blind(cluster, "FailedGetExternalMetric")


def custom_name(cluster: TableCluster) -> None:
    cluster.documents["/apis"]["groups"].append({"name": "custom.metrics.k8s.io", "versions": [{"version": "v1beta2"}]})
    cluster.documents["/apis/custom.metrics.k8s.io/v1beta2"] = {"resources": []}
    cluster.lists[c.HPAS][0]["spec"]["metrics"] = [
        {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "5"}}}
    ]
    _blind(cluster, "FailedGetPodsMetric")


def rollout(cluster: TableCluster) -> None:
    cluster.lists[c.DEPLOYMENTS][0]["status"] = {"replicas": 3, "updatedReplicas": 1, "readyReplicas": 2}


ROWS: list[tuple[Callable[[TableCluster], None], list[str], str]] = [
    (no_metrics_server, ["metrics-api"], "not installed"),
    (api_unavailable, ["metrics-api"], "--enable-aggregator-routing"),
    (crash_loop, ["metrics-server"], "cannot reach the API server's cluster address"),
    (stale, ["metrics-fresh"], "7 min old"),
    (no_request, ["requests"], "container sidecar has no cpu request"),
    (ambiguous, ["selector", "selector"], "shop/shop-copy selects the same pods"),
    (disabled, ["disabled"], "0 replicas"),
    (no_status, ["controller"], "does not run"),
    (target_gone, ["target"], "does not exist"),
    (wrong_version, ["target"], "apiVersion extensions/v1beta1 is not served"),
    (at_max, ["at-max"], "wants 6 replicas and may not go above maxReplicas 2, for 15 min"),
    (rate_limited, ["rate-limited"], "no faster than"),
    (floor, ["at-min"], "minReplicas 1 for 2 h"),
    (held, ["held"], "held at 2"),
    (memory, ["memory-holds"], "memory keeps 2 replicas: 79Mi on each against 80Mi"),
    (flapping, ["flapping"], "changed direction 4 times"),
    (unschedulable, ["unschedulable"], "Insufficient cpu"),
    (quota, ["quota"], "ResourceQuota is used up"),
    (image, ["not-ready"], "image shop:1 cannot be pulled"),
    (crashes, ["not-ready"], "crashes again and again"),
    (probe, ["not-ready"], "readiness probe"),
    (no_traffic, ["no-traffic"], "clients keep their old connections"),
    (second_writer, ["second-writer"], "argocd-controller set spec.replicas to 2"),
    (vertical, ["vertical"], "VerticalPodAutoscaler shop-vpa"),
    (external_missing, ["external-metrics-api"], "external.metrics.k8s.io is not served"),
    (custom_name, ["metrics"], "cannot compute a size"),
    (rollout, ["rollout"], "1 of 2 updated"),
]


@pytest.mark.parametrize(("broken", "ids", "words"), ROWS, ids=[row[0].__name__ for row in ROWS])
async def test_each_row_of_the_failure_table(
    broken: Callable[[TableCluster], None], ids: list[str], words: str
) -> None:
    cluster = healthy()
    broken(cluster)
    report = await report_on(cluster)
    assert findings(report) == ids
    finding = report.findings[0]
    assert words in finding.reason
    assert finding.evidence and all(e.object and e.field and e.value for e in finding.evidence)
    assert finding.command
    assert report.exit_code == (1 if finding.outcome is Outcome.FAILED else 0)


async def test_a_forbidden_look_is_said_to_be_forbidden() -> None:
    cluster = healthy()
    for path in (c.PODS, c.SYSTEM_PODS, c.METRICS, c.EVENTS):
        cluster.answers[path] = Answer(403, None, "pods is forbidden")
    report = await report_on(cluster)
    denied = {check.id for check in report.checks if check.outcome is Outcome.FORBIDDEN}
    assert denied == {"metrics-server", "metrics-api", "pods", "flapping"}
    assert findings(report) == []
    not_looked_at = {"metrics-fresh", "not-ready", "unschedulable", "no-traffic"}
    assert not not_looked_at & {check.id for check in report.checks if check.outcome is Outcome.OK}
    assert "kubectl auth can-i list pods -n shop" in report_text(report)


async def test_hpas_that_may_not_be_read_are_no_healthy_cluster() -> None:
    cluster = healthy()
    cluster.answers[c.HPAS] = Answer(403, None, "forbidden")
    report = await report_on(cluster)
    assert [check.outcome for check in report.checks if check.id == "hpas"] == [Outcome.FORBIDDEN]
    assert report.count(Outcome.OK) == 0


async def test_an_hpa_that_is_not_there_fails() -> None:
    report = await report_on(healthy(), Key(c.NS, "nope"))
    assert findings(report) == ["hpas"]
    assert report.exit_code == 1


async def test_an_object_is_asked_for_once() -> None:
    cluster = healthy()
    cluster.lists[c.HPAS] += [c.hpa(f"other-{number}", f"gone-{number}") for number in range(20)]
    await report_on(cluster)
    assert len(cluster.asked) == len(set(cluster.asked))


async def test_json_and_text_say_the_same() -> None:
    cluster = healthy()
    no_request(cluster)
    report = await report_on(cluster)
    value = report_json(report)
    assert value["counts"]["failed"] == 1 and value["ok"] is False
    failed = next(check for check in value["checks"] if check["outcome"] == "failed")
    assert failed["evidence"][0] == {
        "object": "Deployment/shop/shop",
        "field": "spec.template.spec.containers[sidecar].resources.requests.cpu",
        "value": "absent",
    }
    text = report_text(report)
    assert failed["reason"] in text and failed["command"] in text
    assert text.endswith("skipped\n") or "1 failed" in text.splitlines()[-1]


async def test_odd_objects_do_not_stop_it() -> None:
    cluster = healthy()
    cluster.lists[c.HPAS] += [{}, {"metadata": None, "spec": [], "status": "x"}, {"spec": {"metrics": [None, 3]}}]
    cluster.lists[c.PODS] += [{}, {"metadata": {"namespace": c.NS, "labels": {"app": "shop"}}, "spec": None}]
    cluster.lists[c.METRICS] += [{"containers": [{"usage": {"cpu": "lots"}}]}, {"timestamp": "yesterday"}]
    cluster.lists[c.EVENTS] += [{}, {"reason": "SuccessfulRescale", "message": "\x1b[2J"}]
    report = await report_on(cluster)
    assert "\x1b" not in report_text(report)
