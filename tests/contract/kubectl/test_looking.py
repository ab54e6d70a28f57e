"""kubectl top, logs, get --raw, api-resources, api-versions, explain, version."""

from __future__ import annotations

import re

import msgspec

from tests.contract.kubectl.conftest import Kubectl


def test_top(guide: Kubectl) -> None:
    header, row = guide.rows("top", "pods")
    assert header == ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert re.fullmatch(r"\d+m", row[1]) and re.fullmatch(r"\d+Mi", row[2])
    assert guide.rows("top", "pods", "--containers")[1][1] == "php-apache"
    assert len(guide.rows("top", "nodes")) >= 2


def test_logs(guide: Kubectl) -> None:
    assert "apache2" in guide("logs", "deployment/php-apache")
    assert guide("logs", "deployment/php-apache", "--tail=1").count("\n") == 1
    assert "container none is not valid for pod" in guide.fails("logs", "deployment/php-apache", "-c", "none")


def test_raw(guide: Kubectl) -> None:
    path = "/apis/metrics.k8s.io/v1beta1/namespaces/heyongjia/pods"
    found = msgspec.json.decode(guide("get", "--raw", path))
    assert found["kind"] == "PodMetricsList"
    assert re.fullmatch(r"\d+Ki", found["items"][0]["containers"][0]["usage"]["memory"])
    name = found["items"][0]["metadata"]["name"]
    assert msgspec.json.decode(guide("get", "--raw", f"{path}/{name}"))["kind"] == "PodMetrics"
    assert guide("get", "--raw", "/readyz") == "ok"
    assert guide("get", "--raw", "/api/v1/namespaces/heyongjia/services/php-apache:80/proxy/") == "OK!"
    assert 'pods "none" not found' in guide.fails("get", "--raw", "/api/v1/namespaces/heyongjia/pods/none")


def test_api_resources_and_versions(guide: Kubectl) -> None:
    rows = guide("api-resources", "--no-headers").splitlines()
    short = next(row for row in rows if row.startswith("horizontalpodautoscalers")).split()
    assert short == ["horizontalpodautoscalers", "hpa", "autoscaling/v2", "true", "HorizontalPodAutoscaler"]
    versions = guide("api-versions").split()
    assert {
        "apps/v1",
        "autoscaling/v1",
        "autoscaling/v2",
        "autoscaling/v2beta1",
        "metrics.k8s.io/v1beta1",
        "v1",
    } <= set(versions)


def test_explain_and_version(guide: Kubectl) -> None:
    assert "maxReplicas\t<integer>" in guide("explain", "hpa.spec")
    assert "v1.37.1+hpatui-sandbox" in guide("version")


def test_auth(guide: Kubectl) -> None:
    assert guide("auth", "can-i", "create", "pods") == "yes\n"
    assert "*.*" in guide("auth", "can-i", "--list")
    assert "sandbox-admin" in guide("auth", "whoami")
