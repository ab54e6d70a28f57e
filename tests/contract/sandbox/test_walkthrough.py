"""The walkthrough over real HTTP: requests in, replicas out, seen by kubectl."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

from hpatui.quantity import parse_quantity
from hpatui.sandbox.scenarios import build as b

from .conftest import HPAS, Client

SPACE = "heyongjia"
PROXY = f"/api/v1/namespaces/{SPACE}/services/php-apache:80/proxy/"


@contextlib.contextmanager
def load(client: Client, workers: int = 8) -> Iterator[list[int]]:
    """Closed-loop requests through the service proxy; the statuses so far."""
    stop, statuses = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            with contextlib.suppress(urllib.error.URLError, OSError):
                statuses.append(client.request("GET", PROXY)[0])

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def _replicas(client: Client) -> int:
    scale = client.get(f"/apis/apps/v1/namespaces/{SPACE}/deployments/php-apache/scale")
    replicas: int = scale["spec"]["replicas"]
    return replicas


def test_it_opens_quiet_and_healthy(walkthrough: Client) -> None:
    hpa = walkthrough.get(f"{HPAS.format(SPACE)}/php-apache-hpa")
    active = next(c for c in hpa["status"]["conditions"] if c["type"] == "ScalingActive")
    assert (active["status"], active["reason"]) == ("True", "ValidMetricFound")
    line = walkthrough.kubectl("get", "hpa", "-n", SPACE).splitlines()[1]
    assert line.split()[:2] == ["php-apache-hpa", "Deployment/php-apache"]
    assert "memory: 21576Ki/80Mi" in line
    flags = walkthrough.get("/api/v1/namespaces/kube-system/configmaps/hpatui-sandbox")["data"]
    assert flags["sync_period"] == "3"
    assert flags["downscale_stabilization"] == "30"


def test_load_brings_three_replicas_and_its_end_brings_one_back(walkthrough: Client) -> None:
    assert walkthrough.request("GET", PROXY) == (200, "OK!")
    with load(walkthrough) as statuses:
        walkthrough.until(lambda: _replicas(walkthrough) == 3)
        path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/php-apache"
        walkthrough.until(lambda: walkthrough.get(path)["status"].get("readyReplicas") == 3)
    assert set(statuses) == {200}
    events = walkthrough.kubectl("get", "events", "-n", SPACE)
    assert "SuccessfulRescale" in events
    assert "New size: 3; reason: cpu resource utilization (percentage of request) above target" in events
    walkthrough.until(lambda: _replicas(walkthrough) == 1)
    assert "New size: 1; reason: All metrics below target" in walkthrough.kubectl("get", "events", "-n", SPACE)


def test_usage_adds_up_to_what_the_hpa_shows(walkthrough: Client) -> None:
    """The metrics API and the HPA agree, to the byte."""
    path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{SPACE}/pods"

    def agree() -> bool:
        items = walkthrough.get(path)["items"]
        hpa = walkthrough.get(f"{HPAS.format(SPACE)}/php-apache-hpa")
        shown = [m["resource"]["current"] for m in hpa["status"]["currentMetrics"] if m["resource"]["name"] == "memory"]
        used = [int(c["usage"]["memory"].removesuffix("Ki")) for item in items for c in item["containers"]]
        return len(used) == 1 and parse_quantity(shown[0]["averageValue"]).milli_value() == used[0] * 1024_000

    assert walkthrough.until(agree)


def test_kubectl_sees_the_same_world(walkthrough: Client) -> None:
    pods = walkthrough.kubectl("get", "pods", "-n", SPACE)
    assert pods.count("1/1") >= 1
    assert "Running" in pods
    assert "php-apache" in walkthrough.kubectl("top", "pods", "-n", SPACE)
    assert "node-1" in walkthrough.kubectl("top", "nodes")
    described = walkthrough.kubectl("describe", "hpa", "php-apache-hpa", "-n", SPACE)
    assert "ScalingActive" in described
    assert "successfully rolled out" in walkthrough.kubectl("rollout", "status", "deploy/php-apache", "-n", SPACE)


def test_a_rollout_by_kubectl(walkthrough: Client) -> None:
    deploy = ("-n", "default")
    needs = b.resources("50m", "32Mi")
    manifest = walkthrough.handle.kubeconfig_path.with_name("web.json")
    manifest.write_text(json.dumps(b.deployment("default", "web", replicas=2, image="nginx:1", needs=needs)))
    walkthrough.kubectl("apply", "-f", str(manifest))
    walkthrough.kubectl("rollout", "status", "deploy/web", "--timeout=50s", *deploy)
    walkthrough.kubectl("set", "image", "deploy/web", "web=nginx:2", *deploy)
    walkthrough.kubectl("rollout", "status", "deploy/web", "--timeout=50s", *deploy)
    images = walkthrough.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={..image}", *deploy)
    assert "nginx:2" in images
    walkthrough.kubectl("delete", "deployment", "web", "--wait=false", *deploy)
    walkthrough.until(lambda: "web" not in walkthrough.kubectl("get", "pods,rs", *deploy))


def test_a_busybox_loop_is_load(walkthrough: Client) -> None:
    """As in the guide: kubectl run ... /bin/sh -c "while true; do wget -q -O- http://php-apache; done"."""
    loop = "while true; do wget -q -O- http://php-apache.heyongjia.svc.cluster.local; done"
    command = ("/bin/sh", "-c", loop)
    walkthrough.kubectl("run", "load", "--image=busybox", "--restart=Never", "-n", "default", "--", *command)
    walkthrough.until(lambda: _replicas(walkthrough) == 3)
    walkthrough.kubectl("delete", "pod", "load", "-n", "default", "--wait=false")
    walkthrough.until(lambda: _replicas(walkthrough) == 1)
