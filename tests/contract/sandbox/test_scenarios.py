"""Each scenario reaches the state that it promises, seen from outside: a real process, its API, kubectl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hpatui.clock import parse_rfc3339
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.scenarios.catalog import CATALOG

from .conftest import HPAS, Client, start

SPACE = "shop"
_SPEED = 10.0


def _condition(client: Client, name: str, kind: str) -> tuple[str, str]:
    hpa = client.get(f"{HPAS.format(SPACE)}/{name}")
    found = [c for c in hpa.get("status", {}).get("conditions", []) if c["type"] == kind]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


def _has(name: str, kind: str, status: str, reason: str) -> Callable[[Client], bool]:
    return lambda client: _condition(client, name, kind) == (status, reason)


def _events(client: Client, reason: str) -> list[dict[str, Any]]:
    selector = f"fieldSelector=reason={reason}"
    events: list[dict[str, Any]] = client.get(f"/api/v1/namespaces/{SPACE}/events?{selector}")["items"]
    return events


def _sizes(client: Client) -> list[int]:
    """The sizes of all rescales so far."""
    events = sorted(_events(client, "SuccessfulRescale"), key=lambda event: int(event["metadata"]["resourceVersion"]))
    return [int(event["message"].rpartition("New size: ")[2].partition(";")[0]) for event in events]


def _pods(client: Client, space: str = SPACE) -> list[dict[str, Any]]:
    pods: list[dict[str, Any]] = client.get(f"/api/v1/namespaces/{space}/pods")["items"]
    return pods


def _states(client: Client, space: str = SPACE) -> set[str]:
    """Why containers wait, or ended last time."""
    found = set()
    for pod in _pods(client, space):
        for container in pod.get("status", {}).get("containerStatuses", []):
            found.add(container["state"].get("waiting", {}).get("reason", ""))
            found.add(container.get("lastState", {}).get("terminated", {}).get("reason", ""))
    return found


def _unscheduled(client: Client) -> bool:
    reasons = [c.get("reason") for pod in _pods(client) for c in pod.get("status", {}).get("conditions", [])]
    return reasons.count("Unschedulable") >= 2


def _no_metrics(client: Client) -> bool:
    service = client.get("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io")
    available = next(c for c in service["status"]["conditions"] if c["type"] == "Available")
    down = client.request("GET", "/apis/metrics.k8s.io/v1beta1/pods")[0] == 503
    blind = _condition(client, "checkout", "ScalingActive") == ("False", "FailedGetResourceMetric")
    return down and blind and available["status"] == "False"


def _crash_loop(client: Client) -> bool:
    if "CrashLoopBackOff" not in _states(client, "kube-system"):
        return False
    log = client.kubectl("logs", "-n", "kube-system", "deploy/metrics-server")
    return "dial tcp 10.233.0.1:443: i/o timeout" in log and _no_metrics(client)


def _slow_start(client: Client) -> bool:
    running = [pod for pod in _pods(client) if pod["status"].get("phase") == "Running"]
    ready = [c["status"] for pod in running for c in pod["status"]["conditions"] if c["type"] == "Ready"]
    return len(ready) > 1 and "False" in ready


def _one_blind(client: Client) -> bool:
    return _condition(client, "catalog", "ScalingActive") == ("False", "FailedGetResourceMetric") and _condition(
        client, "checkout", "ScalingActive"
    ) == ("True", "ValidMetricFound")


def _both_blind(client: Client) -> bool:
    states = [_condition(client, name, "ScalingActive") for name in ("checkout", "checkout-by-platform-team")]
    return states == [("False", "AmbiguousSelector")] * 2


def _nothing_to_scale(client: Client) -> bool:
    missing = _condition(client, "checkout", "AbleToScale") == ("False", "FailedGetScale")
    return missing and _condition(client, "archive", "ScalingActive") == ("False", "ScalingDisabled")


def _queue(client: Client) -> bool:
    path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{SPACE}/queue_messages_ready"
    return bool(client.get(path)["items"]) and max(_sizes(client), default=0) > 1


def _sleeps(client: Client) -> bool:
    """It sleeps at 0, and then it wakes."""

    def size() -> int:
        path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/order-worker"
        return int(client.get(path)["spec"]["replicas"])

    if _condition(client, "order-worker", "ScaledToZero")[0] != "True" or size() > 0:
        return False
    client.until(size)
    return True


def _memory_grows(client: Client) -> bool:
    return _condition(client, "checkout", "ScalingLimited") == ("True", "TooManyReplicas")


def _fleet(client: Client) -> bool:
    items = client.get("/apis/autoscaling/v2/horizontalpodautoscalers")["items"]
    active = [c for hpa in items for c in hpa.get("status", {}).get("conditions", []) if c["type"] == "ScalingActive"]
    return len(items) == 200 and len({entry["reason"] for entry in active}) >= 2


def _no_image(client: Client) -> bool:
    waiting = _states(client) & {"ImagePullBackOff", "ErrImagePull"}
    return bool(waiting) and max(_sizes(client), default=0) > 2


def _stale(client: Client) -> bool:
    """The sample is minutes older than the answer."""
    (item,) = client.get(f"/apis/metrics.k8s.io/v1beta1/namespaces/{SPACE}/pods")["items"]
    age = parse_rfc3339(item["metadata"]["creationTimestamp"]) - parse_rfc3339(item["timestamp"])
    return age.total_seconds() > 120 and _condition(client, "checkout", "ScalingActive")[0] == "True"


def _no_status(client: Client) -> bool:
    hpa = client.get(f"{HPAS.format(SPACE)}/checkout")
    return not hpa.get("status", {}).get("conditions") and not _events(client, "FailedGetResourceMetric")


def _rolling(client: Client) -> bool:
    status = client.get(f"/apis/apps/v1/namespaces/{SPACE}/deployments/checkout")["status"]
    updated, available, total = (int(status.get(f"{kind}eplicas", 0)) for kind in ("updatedR", "availableR", "r"))
    return updated > 0 and available < total


PROMISES: dict[str, Callable[[Client], object]] = {
    "flapping": lambda client: len(_sizes(client)) >= 4,
    "held-down": _has("checkout", "AbleToScale", "True", "ScaleDownStabilized"),
    "rate-limited": _has("checkout", "ScalingLimited", "True", "ScaleUpLimit"),
    "at-max": _has("checkout", "ScalingLimited", "True", "TooManyReplicas"),
    "no-metrics": _no_metrics,
    "crash-loop": _crash_loop,
    "missing-requests": _one_blind,
    "ambiguous": _both_blind,
    "target-missing": _nothing_to_scale,
    "unschedulable": _unscheduled,
    "quota": lambda client: _events(client, "FailedCreate"),
    "slow-start": _slow_start,
    "broken-image": _no_image,
    "leaky": lambda client: _memory_grows(client) and "OOMKilled" in _states(client),
    "memory": lambda client: max(_sizes(client), default=0) > 1,
    "queue": _queue,
    "scale-to-zero": _sleeps,
    "stale-metrics": _stale,
    "unknown-metric": _has("checkout", "ScalingActive", "False", "FailedGetPodsMetric"),
    "no-adapter": _has("checkout", "ScalingActive", "False", "FailedGetExternalMetric"),
    "no-controller": _no_status,
    "second-writer": lambda client: max(event["count"] for event in _events(client, "SuccessfulRescale")) >= 3,
    "high-floor": _has("checkout", "ScalingLimited", "True", "TooFewReplicas"),
    "rollout": _rolling,
    "fleet": _fleet,
}


def test_every_scenario_has_its_promise() -> None:
    assert set(PROMISES) | {"walkthrough"} == set(CATALOG)


@pytest.mark.parametrize("name", PROMISES)
def test_it_keeps_its_promise(name: str) -> None:
    client, stop = start(SandboxOptions(scenario=name, speed=_SPEED))
    try:
        client.until(lambda: PROMISES[name](client), within=90.0)
    finally:
        stop()
