"""A namespace that is deleted is gone soon, whatever is in it; and the guide's manifests apply onto the walkthrough."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Client

GUIDE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: php-apache, namespace: heyongjia, labels: {dcos-app: php-apache}}
spec:
  replicas: 1
  selector: {matchLabels: {dcos-app: php-apache}}
  template:
    metadata: {labels: {dcos-app: php-apache}}
    spec:
      containers:
      - name: php-apache
        image: registry.k8s.io/hpa-example
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 100m, memory: 100Mi}, limits: {cpu: 100m, memory: 100Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: php-apache, namespace: heyongjia, labels: {dcos-app: php-apache}}
spec: {selector: {dcos-app: php-apache}, ports: [{port: 80}]}
"""


@pytest.mark.parametrize("more", [(), ("--server-side", "--force-conflicts")])
def test_the_guides_manifests_apply_unchanged(walkthrough: Client, tmp_path: Path, more: tuple[str, ...]) -> None:
    file = tmp_path / "guide.yaml"
    file.write_text(GUIDE)
    said = walkthrough.kubectl("apply", "-f", str(file), *more, check=False)
    assert "immutable" not in said and "deployment.apps/php-apache" in said and "rror" not in said, said


@pytest.mark.parametrize("kind", ["deployment", "statefulset", "daemonset", "job", "hpa-and-service"])
def test_a_namespace_goes_with_what_is_in_it(walkthrough: Client, tmp_path: Path, kind: str) -> None:
    space = f"gone-{kind}"
    walkthrough.kubectl("create", "namespace", space)
    if kind == "job":
        walkthrough.kubectl("create", "job", "web", "--image=registry.k8s.io/hpa-example", "-n", space)
    else:
        text = GUIDE.replace("heyongjia", space)
        if kind in ("statefulset", "daemonset"):
            text = text.replace("Deployment", {"statefulset": "StatefulSet", "daemonset": "DaemonSet"}[kind])
            text = text.replace("  replicas: 1\n", "" if kind == "daemonset" else "  replicas: 1\n")
        file = tmp_path / "all.yaml"
        file.write_text(text)
        walkthrough.kubectl("apply", "-f", str(file))
        if kind.startswith("hpa"):
            walkthrough.kubectl(
                "autoscale", "deployment", "php-apache", "--cpu-percent=50", "--min=2", "--max=4", "-n", space
            )
    walkthrough.until(lambda: walkthrough.get(f"/api/v1/namespaces/{space}/pods")["items"])
    walkthrough.kubectl("delete", "namespace", space, "--timeout=30s")
    assert walkthrough.request("GET", f"/api/v1/namespaces/{space}")[0] == 404
    assert walkthrough.request("GET", f"/api/v1/namespaces/{space}/events")[1]["items"] == []
