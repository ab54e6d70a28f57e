"""Mutated objects through every way of writing: refused or stored, never a 500, and lists keep working."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.apiserver.objects import CONFIG_MAPS, DEPLOYMENTS, HPAS, PODS, config_map, deployment, hpa, pod
from tests.contract.conftest import ApiServer

Object = dict[str, Any]
JUNK: tuple[Any, ...] = (None, 0, -1, 2**40, 1.5, True, "", "x", "é\0", [], {}, [None], [{}], {"a": None}, "1" * 300,
                         [[1]], {"name": 7})  # fmt: skip
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"
PATCHES = ("application/merge-patch+json", "application/apply-patch+yaml", "application/strategic-merge-patch+json")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

_HPA_STATUS = {
    "currentReplicas": 1, "desiredReplicas": 1, "conditions": [{"type": "AbleToScale", "status": "True"}],
    "currentMetrics": [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 1, "averageValue": "3m"}}},
        {"type": "Pods", "pods": {"metric": {"name": "x"}, "current": {"averageValue": "3"}}},
    ],
}  # fmt: skip
_POD_STATUS = {
    "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
    "containerStatuses": [{"name": "web", "ready": True, "restartCount": 2, "state": {"running": {}},
                           "lastState": {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}}}],
}  # fmt: skip
_ROLLOUT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}}}  # fmt: skip
_KINDS: tuple[tuple[str, Object, Object], ...] = (
    (HPAS, hpa(behavior={"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}}), _HPA_STATUS),
    (PODS, pod("web"), _POD_STATUS),
    (DEPLOYMENTS, deployment(), {"replicas": 1, "conditions": [{"type": "Available", "status": "True"}]}),
    (CONFIG_MAPS, config_map("web", a="b"), {}),
    (ROLLOUTS, _ROLLOUT, {"replicas": 2}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all parts of a JSON value."""
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def mutated(value: Object, rng: random.Random) -> Object:
    """A copy with up to three parts removed or replaced by junk."""
    result = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = list(places(result))
        if not found:
            break
        *above, last = rng.choice(found)
        part: Any = result
        for step in above:
            part = part[step]
        if rng.random() < 0.15:
            del part[last]
        else:
            part[last] = copy.deepcopy(rng.choice(JUNK))
    return result


@pytest.mark.parametrize("seed", range(4))
async def test_noise(api: ApiServer, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(seed)
    for _ in range(60):
        path, body, status = rng.choice(_KINDS)
        requests: list[tuple[str, str, Object, str]] = [
            ("POST", path, mutated(body, rng), "application/json"),
            ("PATCH", f"{path}/web?fieldManager=f&force=true", mutated(body, rng), rng.choice(PATCHES)),
            ("PUT", f"{path}/web", mutated(body, rng), "application/json"),
            ("PATCH", f"{path}/web/status", mutated({"status": status}, rng), PATCHES[0]),
        ]
        for method, where, sent, media in requests:
            answer = await api.request(method, where, sent, media=media)
            assert answer.code < 500, (method, where, sent, answer.body)
            if answer.code >= 400:
                assert (answer.body["kind"], answer.body["code"]) == ("Status", answer.code)
        for accept in ("", TABLE):
            assert (await api.request("GET", path, accept=accept)).code == 200
        for version in ("v1", "v2beta1"):
            assert (await api.request("GET", HPAS.replace("v2", version))).code == 200
        if rng.random() < 0.2:
            assert (await api.request("DELETE", path)).code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"], "nothing that nobody expected"
