"""The official Python client sees what kubectl sees, and works with the same objects."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from kubernetes import client, config, watch

from tests.contract.kubectl.conftest import HPA, Kubectl


@pytest.fixture
def connection(kubectl: Kubectl) -> Any:
    return config.new_client_from_config(str(kubectl.kubeconfig))


def test_both_see_the_same(kubectl: Kubectl, connection: Any) -> None:
    kubectl.web()
    kubectl("apply", "-f", "-", stdin=HPA)
    apps: Any = client.AppsV1Api(connection)
    scaling: Any = client.AutoscalingV2Api(connection)
    core: Any = client.CoreV1Api(connection)
    seen = scaling.read_namespaced_horizontal_pod_autoscaler("web", kubectl.namespace)
    raw = kubectl.json("hpa", "web")
    assert seen.metadata.uid == raw["metadata"]["uid"]
    assert seen.spec.metrics[0].resource.target.average_utilization == 30
    pods = core.list_namespaced_pod(kubectl.namespace, label_selector="app=web").items
    assert sorted(f"pod/{pod.metadata.name}" for pod in pods) == sorted(kubectl("get", "pods", "-o", "name").split())
    apps.patch_namespaced_deployment_scale("web", kubectl.namespace, {"spec": {"replicas": 3}})
    assert kubectl.json("deployment", "web")["spec"]["replicas"] == 3
    with pytest.raises(client.ApiException) as refused:
        scaling.read_namespaced_horizontal_pod_autoscaler("none", kubectl.namespace)
    assert refused.value.status == 404


def test_watch(kubectl: Kubectl, connection: Any) -> None:
    core: Any = client.CoreV1Api(connection)
    version = core.list_namespaced_config_map(kubectl.namespace).metadata.resource_version
    timer = threading.Timer(0.5, lambda: kubectl("create", "configmap", "late", "--from-literal=a=b"))
    timer.start()
    stream = watch.Watch().stream(
        core.list_namespaced_config_map, kubectl.namespace, resource_version=version, timeout_seconds=30
    )
    event = next(iter(stream))
    timer.join()
    assert (event["type"], event["object"].metadata.name) == ("ADDED", "late")


def test_custom_resources_have_a_scale(kubectl: Kubectl, connection: Any) -> None:
    custom: Any = client.CustomObjectsApi(connection)
    body = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "canary"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "canary"}}, "strategy": {"canary": {"steps": []}}
        },
    }  # fmt: skip
    where = ("argoproj.io", "v1alpha1", kubectl.namespace, "rollouts")
    custom.create_namespaced_custom_object(*where, body)
    scale = custom.get_namespaced_custom_object_scale(*where, "canary")
    assert (scale["spec"]["replicas"], scale["status"]["selector"]) == (2, "app=canary")
    kubectl("scale", "rollout/canary", "--replicas=5")
    found = custom.get_namespaced_custom_object(*where, "canary")
    assert found["spec"]["replicas"] == 5
    assert found["spec"]["strategy"] == {"canary": {"steps": []}}
