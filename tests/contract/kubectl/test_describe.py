"""kubectl describe hpa, deployment, pod, node, service."""

from __future__ import annotations

import re

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
