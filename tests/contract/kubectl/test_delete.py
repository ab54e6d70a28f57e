"""kubectl delete: grace, dependents, collections, namespaces."""

from __future__ import annotations

from tests.contract.kubectl.conftest import Kubectl


def test_dependents_follow(kubectl: Kubectl) -> None:
    kubectl.web()
    assert len(kubectl("get", "pods,rs", "-o", "name").split()) == 3
    kubectl("delete", "deployment", "web")
    kubectl.until(lambda: kubectl("get", "pods,rs", "-o", "name") == "", "no pods and no ReplicaSets")


def test_foreground_and_orphan(kubectl: Kubectl) -> None:
    kubectl.web()
    kubectl("delete", "deployment", "web", "--cascade=orphan")
    left = kubectl("get", "pods,rs", "-o", "name").split()
    assert len(left) == 3
    name = next(entry for entry in left if entry.startswith("replicaset"))
    kubectl("delete", name, "--cascade=foreground")
    assert kubectl("get", "pods,rs", "-o", "name") == ""


def test_grace(kubectl: Kubectl) -> None:
    kubectl.web()
    pod = kubectl("get", "pods", "-o", "name").split()[0]
    kubectl("delete", pod, "--grace-period=20", "--wait=false")
    kubectl("delete", pod, "--now", "--ignore-not-found")
    assert pod not in kubectl("get", "pods", "-o", "name").split()
    pod = kubectl("get", "pods", "-o", "name").split()[0]
    kubectl("delete", pod, "--force", "--grace-period=0")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")


def test_collections_and_dry_run(kubectl: Kubectl) -> None:
    for number in range(3):
        kubectl("create", "configmap", f"m{number}")
    kubectl("delete", "configmap", "--all", "--dry-run=server")
    assert len(kubectl("get", "configmap", "-o", "name").split()) == 3
    kubectl("label", "configmap", "m1", "keep=no")
    kubectl("delete", "configmap", "-l", "keep=no")
    kubectl("delete", "configmap", "--all")
    assert kubectl("get", "configmap", "-o", "name") == ""


def test_namespace(kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}-more"
    kubectl("create", "namespace", name)
    kubectl("create", "deployment", "api", "--image=nginx", "-n", name)
    kubectl("delete", "namespace", name)
    assert f'namespaces "{name}" not found' in kubectl.fails("get", "namespace", name)
