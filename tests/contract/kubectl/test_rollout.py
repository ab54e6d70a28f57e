"""kubectl scale, rollout and wait."""

from __future__ import annotations

from tests.contract.kubectl.conftest import Kubectl


def test_scale(kubectl: Kubectl) -> None:
    kubectl.web()
    kubectl("scale", "deployment/web", "--replicas=3", "--current-replicas=2")
    assert "Expected replicas to be 2, was 3" in kubectl.fails(
        "scale", "deployment/web", "--replicas=1", "--current-replicas=2"
    )
    kubectl("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=60s")
    found = kubectl.json("deployment", "web", "--show-managed-fields")
    owners = {(e["manager"], e.get("subresource")) for e in found["metadata"]["managedFields"]}
    assert any(manager.startswith("kubectl") and part == "scale" for manager, part in owners)


def test_status_history_undo(kubectl: Kubectl) -> None:
    kubectl.web()
    kubectl("set", "image", "deployment/web", "web=registry.k8s.io/hpa-example:v2")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=80s")
    history = kubectl("rollout", "history", "deployment/web")
    assert [line.split()[0] for line in history.splitlines()[2:4]] == ["1", "2"]
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=80s")
    containers = kubectl.json("deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "registry.k8s.io/hpa-example"


def test_wait(kubectl: Kubectl) -> None:
    kubectl.web()
    kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=60s")
    kubectl("wait", "deployment/web", "--for=condition=Available", "--timeout=60s")
    assert "timed out waiting" in kubectl.fails("wait", "deployment/web", "--for=condition=Never", "--timeout=1s")
    kubectl("delete", "service", "web", "--wait=false")
    kubectl("wait", "service/web", "--for=delete", "--timeout=20s")
