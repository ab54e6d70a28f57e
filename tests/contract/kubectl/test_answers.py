"""The recorded answers of a real 1.36.2 API server to kubectl: our server gives the same, to the letter.

The whole set is ../shared/answers (skipped where it is absent); the rows here are our own, of the same kinds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.contract.kubectl.conftest import Kubectl

ANSWERS = Path(__file__).resolve().parents[4] / "shared" / "answers"
# Served on purpose, so that old clients can be tried; a real server of these versions has them no more.
OURS = {"hpa v2beta1", "hpa v2beta2"}


@pytest.mark.skipif(not ANSWERS.is_dir(), reason="../shared/answers is not here")
def test_recorded_answers(guide: Kubectl) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, str(ANSWERS / "check"), str(guide.kubeconfig)],
        capture_output=True, text=True, timeout=170, env=environment, check=False,
    )  # fmt: skip
    different = set(re.findall(r"^#### (.*)$", done.stdout, re.M))
    assert different <= OURS, done.stdout[-4000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) >= 80


def as_json(manifest: str) -> str:
    """kubectl takes a text that begins with a brace for JSON."""
    return json.dumps(yaml.safe_load(manifest))


def pod(body: str) -> str:
    return (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: c, image: x, {body}}}]}}}}"
    )


def hpa(body: str) -> str:
    target = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}"
    kind = "apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler"
    return f"{{{kind}, metadata: {{name: h}}, spec: {{maxReplicas: 3, {target}, {body}}}}}"


def metric(body: str) -> str:
    return hpa(f"metrics: [{body}]")


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        (
            pod("livenessProbe: {successThreshold: 3, exec: {command: [a]}}"),
            "livenessProbe.successThreshold: Invalid value: 3: must be 1",
        ),
        (pod("readinessProbe: {periodSeconds: 5}"), "readinessProbe: Required value: must specify a handler type"),
        (pod("imagePullPolicy: never"), 'imagePullPolicy: Unsupported value: "never"'),
        (pod("env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.foo}}}]"), "field label not supported: spec.foo"),
        (pod("volumeMounts: [{name: data, mountPath: /d}]"), 'volumeMounts[0].name: Not found: "data"'),
        (
            pod("ports: [{name: a, containerPort: 1}, {name: a, containerPort: 2}]"),
            'ports[1].name: Duplicate value: "a"',
        ),
        (
            hpa("behavior: {scaleDown: {stabilizationWindowSeconds: -5}}"),
            "Invalid value: -5: must be greater than or equal to zero",
        ),
        (hpa("behavior: {scaleUp: {tolerance: -0.25}}"), 'scaleUp.tolerance: Invalid value: "-250m"'),
        (
            metric("{type: External, external: {metric: {name: 'a%b'}, target: {type: Value, value: 1}}}"),
            "may not contain '%'",
        ),
        (
            metric("{type: External, external: {metric: {name: '.'}, target: {type: Value, value: 1}}}"),
            "may not be '.'",
        ),
        (
            metric("{type: Pods}"),
            "spec.metrics[0].pods: Required value: must populate information for the given metric source",
        ),
        (
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: j}, spec: {schedule: '61 * * * *', jobTemplate: {spec: "
            "{template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}}}",
            "end of range (61) above maximum (59): 61",
        ),
        (
            "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.foo: 1}}}",
            "must be a standard resource for quota",
        ),
    ],
)
def test_refused_in_the_api_servers_words(manifest: str, text: str, guide: Kubectl) -> None:
    message = guide.fails("create", "--dry-run=server", "-f", "-", stdin=as_json(manifest))
    assert text in message


def test_an_object_metric_may_have_both_values(guide: Kubectl) -> None:
    target = "target: {type: Value, value: 1, averageValue: 2}"
    body = f"{{type: Object, object: {{metric: {{name: q}}, describedObject: {{kind: Service, name: x}}, {target}}}}}"
    assert "created" in guide("create", "--dry-run=server", "-f", "-", stdin=as_json(metric(body)))


def test_explain_describes_every_field_of_an_autoscaler(guide: Kubectl) -> None:
    text = guide("explain", "hpa", "--recursive=false")
    assert "Keeps the number of pods of a workload" in text
    for path in ("hpa.spec", "hpa.spec.metrics", "hpa.spec.metrics.external", "hpa.spec.behavior.scaleDown",
                 "hpa.spec.behavior.scaleUp.policies", "hpa.status", "hpa.spec.scaleTargetRef"):  # fmt: skip
        text = guide("explain", path)
        assert "<no description>" not in text, text
    assert "0 to 3600" in guide("explain", "hpa.spec.behavior.scaleDown.stabilizationWindowSeconds")
