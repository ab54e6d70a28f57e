"""Faults on demand, by the command, seen from outside."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from .conftest import Client

METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/heyongjia/pods"
PODS = "/api/v1/namespaces/heyongjia/pods"


def _fault(client: Client, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hpatui", "sandbox", "fault", "--kubeconfig", str(client.handle.kubeconfig_path)]
    return subprocess.run([*command, *arguments], check=False, capture_output=True, text=True, timeout=60)


def test_metrics_go_down_and_come_back(walkthrough: Client) -> None:
    assert walkthrough.request("GET", METRICS)[0] == 200
    done = _fault(walkthrough, "metrics-down")
    assert (done.returncode, done.stderr) == (0, "")
    status, body = walkthrough.request("GET", METRICS)
    assert (status, body["reason"]) == (503, "ServiceUnavailable")
    assert _fault(walkthrough, "list").stdout == "metrics-down\n"
    assert _fault(walkthrough, "clear", "metrics-down").stdout == "ended: metrics-down\n"
    assert walkthrough.request("GET", METRICS)[0] == 200
    assert _fault(walkthrough, "list").stdout == "no faults\n"


def test_a_fault_ends_by_itself(walkthrough: Client) -> None:
    _fault(walkthrough, "metrics-down", "--for", "1")
    assert walkthrough.until(lambda: walkthrough.request("GET", METRICS)[0] == 200)


def test_a_slow_api(walkthrough: Client) -> None:
    _fault(walkthrough, "api-slow", "--delay", "1")
    began = time.monotonic()
    walkthrough.get(PODS)
    assert time.monotonic() - began >= 1.0
    _fault(walkthrough, "clear")


def test_an_api_that_is_down(walkthrough: Client) -> None:
    _fault(walkthrough, "api-down", "--for", "2")
    with pytest.raises((urllib.error.URLError, OSError)):
        walkthrough.get(PODS)

    def back() -> bool:
        try:
            return walkthrough.request("GET", PODS)[0] == 200
        except OSError:
            return False

    assert walkthrough.until(back)


def test_an_outage_ends_open_watches(walkthrough: Client) -> None:
    watch = walkthrough.open(f"{PODS}?watch=1")
    assert watch.readline()
    _fault(walkthrough, "api-down", "--for", "1")
    with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
        while watch.readline():  # a watch that goes on silently ends in a TimeoutError here
            pass
    walkthrough.until(lambda: _fault(walkthrough, "list").stdout == "no faults\n")


def test_a_pod_crashes(walkthrough: Client) -> None:
    name = walkthrough.get(PODS)["items"][0]["metadata"]["name"]
    assert _fault(walkthrough, "pod-crash", f"heyongjia/{name}").returncode == 0

    def restarted() -> bool:
        status = walkthrough.get(f"{PODS}/{name}")["status"]["containerStatuses"][0]
        return bool(status["restartCount"] == 1 and status["ready"])

    assert walkthrough.until(restarted)


def test_a_node_is_gone(walkthrough: Client) -> None:
    node = walkthrough.get(PODS)["items"][0]["spec"]["nodeName"]
    _fault(walkthrough, "node-gone", node)

    def moved() -> bool:
        pods = walkthrough.get(PODS)["items"]
        return len(pods) == 1 and pods[0]["spec"]["nodeName"] != node

    assert walkthrough.until(moved)
    assert "NotReady" in walkthrough.kubectl("get", "node", node)
    _fault(walkthrough, "clear")
    assert walkthrough.until(lambda: "NotReady" not in walkthrough.kubectl("get", "node", node))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pod-crash", "nobody"), 'hpatui: no running pod "nobody"'),
        (("node-gone", "nowhere"), 'hpatui: nodes "nowhere" not found'),
        (("clear", "nothing"), 'hpatui: fault "nothing" not found'),
    ],
)
def test_what_is_not_there_is_one_line(walkthrough: Client, arguments: tuple[str, ...], said: str) -> None:
    done = _fault(walkthrough, *arguments)
    assert (done.returncode, done.stderr.strip()) == (2, said)


def test_only_sandboxes_have_faults(walkthrough: Client) -> None:
    text = walkthrough.handle.kubeconfig_path.read_text().replace("https://127.0.0.1:", "https://cluster.example:")
    other = walkthrough.handle.kubeconfig_path.with_name("other")
    other.write_text(text)
    command = [sys.executable, "-m", "hpatui", "sandbox", "fault", "--kubeconfig", str(other), "list"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "is no sandbox" in done.stderr
    assert walkthrough.request("GET", "/sandbox/v1/faults", token="wrong")[0] == 401
