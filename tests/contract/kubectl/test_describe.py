"""kubectl describe hpa, deployment, pod, node, service."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from hpatui.autoscaler.describe import describe_hpa
from tests.contract.kubectl.conftest import Kubectl


def test_hpa(guide: Kubectl) -> None:
    text = guide("describe", "hpa", "php-apache-hpa")
    assert re.search(r"resource cpu on pods +\(as a percentage of request\): +\d+% \(\d+m\) / 30%", text), text
    assert re.search(r"resource memory on pods: +\d+Ki / 80Mi", text), text
    assert re.search(r"AbleToScale +True +\w+ +\S", text)
    assert re.search(r"ScalingActive +True +ValidMetricFound +the HPA was able to successfully calculate", text)


def test_deployment(guide: Kubectl) -> None:
    text = guide("describe", "deployment", "php-apache")
    assert "1 desired | 1 updated | 1 total | 1 available | 0 unavailable" in text
    assert re.search(r"Available +True +MinimumReplicasAvailable", text)
    assert "Scaled up replica set" in text


def test_pod(guide: Kubectl) -> None:
    text = guide("describe", "pods", "-l", "dcos-app=php-apache")
    assert re.search(r"Controlled By: +ReplicaSet/php-apache-", text)
    assert re.search(r"QoS Class: +Guaranteed", text)
    assert "Successfully assigned heyongjia/php-apache-" in text


def test_node_and_service(guide: Kubectl) -> None:
    assert "Allocated resources" in guide("describe", "nodes")
    assert re.search(r"Endpoints: +\S+:80", guide("describe", "service", "php-apache"))


_AVERAGE: dict[str, Any] = {"type": "AverageValue", "averageValue": "10"}
_VALUE: dict[str, Any] = {"type": "Value", "value": "10"}
# kind, target, what the status holds (None: no entry): also the field that the target does not ask for.
_ODD: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
    (kind, target, current)
    for kind, targets in (("Object", (_AVERAGE, _VALUE)), ("External", (_AVERAGE, _VALUE)), ("Pods", (_AVERAGE,)))
    for target in targets
    for current in ({"value": "5"}, {"averageValue": "7500m"}, {"value": "5", "averageValue": "2"})
]


def test_our_describe_is_kubectls_where_the_status_holds_another_field(kubectl: Kubectl) -> None:
    metrics, statuses = [], []
    for place, (kind, target, current) in enumerate(_ODD):
        field, metric = kind.lower(), {"name": f"queue-{place}"}
        described = (
            {"describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"}} if kind == "Object" else {}
        )
        metrics.append({"type": kind, field: {"metric": metric, "target": target, **described}})
        statuses.append({"type": kind, field: {"metric": metric, "current": current, **described}})
    hpa = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "odd"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"},
            "maxReplicas": 4,
            "metrics": metrics,
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(hpa))
    status = {"currentReplicas": 1, "desiredReplicas": 1, "currentMetrics": statuses}
    kubectl("patch", "hpa", "odd", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    told = [line.rstrip() for line in kubectl("describe", "hpa", "odd").splitlines() if '"queue-' in line]
    raw = json.loads(kubectl("get", "hpa", "odd", "-o", "json"))
    ours = [line.rstrip() for line in describe_hpa(raw, [], datetime.now(UTC)).splitlines() if '"queue-' in line]
    assert len(told) == len(_ODD)
    assert "<nil>" in "".join(told)
    assert ours == told
