"""kubectl apply, diff and edit."""

from __future__ import annotations

from pathlib import Path

from tests.contract.kubectl.conftest import HPA, WEB, Kubectl

GUIDE = """
apiVersion: autoscaling/v2beta1
kind: HorizontalPodAutoscaler
metadata: {name: php-apache-hpa}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  metrics:
  - type: Resource
    resource: {name: cpu, targetAverageUtilization: 30}
  - type: Resource
    resource: {name: memory, targetAverageValue: 80Mi}
"""


def test_client_side(kubectl: Kubectl) -> None:
    assert "deployment.apps/web created" in kubectl("apply", "-f", "-", stdin=WEB)
    assert "deployment.apps/web unchanged" in kubectl("apply", "-f", "-", stdin=WEB)
    changed = WEB.replace("replicas: 2", "replicas: 3").replace("memory: 50Mi", "memory: 60Mi")
    assert "deployment.apps/web configured" in kubectl("apply", "-f", "-", stdin=changed)
    found = kubectl.json("deployment", "web")["spec"]
    assert found["replicas"] == 3
    assert found["template"]["spec"]["containers"][0]["resources"]["requests"]["memory"] == "60Mi"


def test_server_side(kubectl: Kubectl) -> None:
    assert "serverside-applied" in kubectl("apply", "--server-side", "-f", "-", stdin=HPA)
    kubectl("patch", "hpa", "web", "--type=merge", "-p", '{"spec":{"maxReplicas":9}}')
    message = kubectl.fails("apply", "--server-side", "-f", "-", stdin=HPA)
    assert 'conflict with "kubectl-patch" using autoscaling/v2: .spec.maxReplicas' in message
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=HPA)
    assert kubectl.json("hpa", "web")["spec"]["maxReplicas"] == 4


def test_the_guides_manifest_in_its_old_version(kubectl: Kubectl) -> None:
    done = kubectl.run("apply", "-f", "-", stdin=GUIDE)
    assert done.returncode == 0
    assert "Warning: autoscaling/v2beta1 HorizontalPodAutoscaler is deprecated" in done.stderr
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=GUIDE)
    assert kubectl.json("hpa", "php-apache-hpa")["spec"]["metrics"][1]["resource"]["target"]["averageValue"] == "80Mi"


def test_mistakes(kubectl: Kubectl) -> None:
    message = kubectl.fails("apply", "-f", "-", stdin=HPA.replace("maxReplicas", "maxReplica"))
    assert 'strict decoding error: unknown field "spec.maxReplica"' in message
    message = kubectl.fails("apply", "-f", "-", stdin=HPA.replace("maxReplicas: 4", "maxReplicas: 0"))
    assert "spec.maxReplicas: Required value: must be set and greater than 0" in message
    assert kubectl("get", "hpa", "-o", "name") == ""


def test_dry_run_and_diff(kubectl: Kubectl) -> None:
    assert "created (server dry run)" in kubectl("apply", "--dry-run=server", "-f", "-", stdin=HPA)
    assert kubectl("get", "hpa", "-o", "name") == ""
    kubectl("apply", "-f", "-", stdin=HPA)
    assert kubectl.run("diff", "-f", "-", stdin=HPA).returncode == 0
    different = kubectl.run("diff", "-f", "-", stdin=HPA.replace("maxReplicas: 4", "maxReplicas: 7"))
    assert different.returncode == 1
    assert "+  maxReplicas: 7" in different.stdout


def test_edit(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("apply", "-f", "-", stdin=HPA)
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/maxReplicas: 4$/maxReplicas: 6/' \"$1\"\n")
    editor.chmod(0o755)
    kubectl("edit", "hpa", "web", KUBE_EDITOR=str(editor))
    assert kubectl.json("hpa", "web")["spec"]["maxReplicas"] == 6


def test_patches(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl(
        "patch",
        "deployment",
        "web",
        "-p",
        '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"x:2"}]}}}}',
    )
    kubectl("patch", "deployment", "web", "--type=merge", "-p", '{"metadata":{"annotations":{"a":"b"}}}')
    kubectl("patch", "deployment", "web", "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":4}]')
    found = kubectl.json("deployment", "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "x:2"
    assert found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "100m"
    assert (found["metadata"]["annotations"]["a"], found["spec"]["replicas"]) == ("b", 4)
    kubectl("label", "deployment", "web", "tier=front")
    kubectl("set", "image", "deployment/web", "web=x:3")
    assert kubectl("get", "deployment", "-l", "tier=front", "-o", "name") == "deployment.apps/web\n"
