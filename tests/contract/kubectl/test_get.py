"""kubectl get: tables, wide, yaml, json, selectors, watch."""

from __future__ import annotations

import re
import subprocess
import time

import yaml

from tests.contract.kubectl.conftest import HPA, Kubectl


def test_tables(guide: Kubectl) -> None:
    header, row = guide.rows("get", "hpa")
    assert header == ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"]
    assert row[:2] == ["php-apache-hpa", "Deployment/php-apache"]
    assert re.fullmatch(r"cpu: \d+%/30%, memory: \S+/80Mi", row[2]), row
    assert row[3:5] == ["1", "3"]
    assert guide.rows("get", "deployments")[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert guide.rows("get", "deployments")[1][:2] == ["php-apache", "1/1"]
    assert guide.rows("get", "rs")[0] == ["NAME", "DESIRED", "CURRENT", "READY", "AGE"]
    assert guide.rows("get", "pods")[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert guide.rows("get", "pods")[1][1:4] == ["1/1", "Running", "0"]
    assert guide.rows("get", "svc")[0] == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert guide.rows("get", "events")[0] == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert guide.rows("get", "nodes")[0] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert guide.rows("get", "ns")[0] == ["NAME", "STATUS", "AGE"]
    everywhere = guide.rows("get", "pods", "-A", "-o", "wide")[0]
    assert everywhere == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE",
                          "READINESS GATES"]  # fmt: skip


def test_all(guide: Kubectl) -> None:
    names = set(guide("get", "all", "-o", "name").split())
    assert {"deployment.apps/php-apache", "service/php-apache",
            "horizontalpodautoscaler.autoscaling/php-apache-hpa"} <= names  # fmt: skip


def test_yaml_and_json(guide: Kubectl) -> None:
    text = yaml.safe_load(guide("get", "hpa", "php-apache-hpa", "-o", "yaml"))
    assert text["apiVersion"] == "autoscaling/v2"
    assert text["spec"]["metrics"][1]["resource"]["target"] == {"type": "AverageValue", "averageValue": "80Mi"}
    one = guide.json("horizontalpodautoscalers.v1.autoscaling", "php-apache-hpa")
    assert one["spec"]["targetCPUUtilizationPercentage"] == 30
    old = guide.json("horizontalpodautoscalers.v2beta1.autoscaling", "php-apache-hpa")
    assert old["spec"]["metrics"][1]["resource"] == {"name": "memory", "targetAverageValue": "80Mi"}


def test_selectors(guide: Kubectl) -> None:
    assert len(guide("get", "pods", "-l", "dcos-app=php-apache", "-o", "name").split()) >= 1
    assert guide("get", "pods", "-l", "dcos-app!=php-apache", "-o", "name") == ""
    assert guide("get", "pods", "--field-selector=status.phase=Pending", "-o", "name") == ""
    message = guide.fails("get", "pods", "--field-selector=spec.colour=red")
    assert "field label not supported: spec.colour" in message


def test_things_that_are_not_there(guide: Kubectl) -> None:
    assert guide.fails("get", "deployment", "x") == 'Error from server (NotFound): deployments.apps "x" not found\n'
    assert "the server doesn't have a resource type" in guide.fails("get", "gadgets")


def test_watch(kubectl: Kubectl) -> None:
    kubectl.web()
    kubectl("apply", "-f", "-", stdin=HPA)
    process = subprocess.Popen(
        kubectl.command("get", "deployment", "-w"), env=kubectl.env(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split()[0] == "NAME"
        assert process.stdout.readline().split()[:2] == ["web", "2/2"]
        kubectl("scale", "deployment/web", "--replicas=3")
        end = time.monotonic() + 40
        while (line := process.stdout.readline().split()) and line[1] != "3/3":
            assert time.monotonic() < end
        assert line[:4] == ["web", "3/3", "3", "3"]
    finally:
        process.kill()
        process.communicate()
