"""Whatever version an HPA is read in, it is the same HPA."""

from __future__ import annotations

import msgspec
import pytest

from hpatui.cluster.decode import decode_hpa
from hpatui.cluster.versions import to_v2
from tests.contract.cluster.conftest import Watching, hpa_object
from tests.contract.cluster.proxy import Fault
from tests.contract.conftest import ApiServer


@pytest.mark.parametrize("version", ["v2", "v2beta2", "v2beta1", "v1"])
async def test_each_version_reads_as_the_same_hpa(api: ApiServer, version: str) -> None:
    obj = hpa_object("a")
    obj["spec"]["metrics"] += [
        {
            "type": "Resource",
            "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "80Mi"}},
        },
        {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "5"}}},
    ]
    obj["status"] = {
        "currentReplicas": 2, "desiredReplicas": 3,
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {
            "averageUtilization": 75, "averageValue": "75m"}}}],
        "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": "m"}],
    }  # fmt: skip
    api.seed(obj)
    path = "/apis/autoscaling/{}/namespaces/shop/horizontalpodautoscalers/a"
    newest = decode_hpa(msgspec.json.encode((await api.request("GET", path.format("v2"))).body))
    answer = await api.request("GET", path.format(version))
    assert answer.code == 200, answer.body
    read = decode_hpa(msgspec.json.encode(to_v2(version, answer.body)))
    assert newest is not None
    assert read is not None
    for name in ("key", "uid", "reference", "min_replicas", "max_replicas", "current_replicas", "desired_replicas"):
        assert getattr(read, name) == getattr(newest, name), name
    assert read.targets == newest.targets
    assert [(m.name, m.target, m.current) for m in read.metrics] == [
        (m.name, m.target, m.current) for m in newest.metrics
    ]
    assert [(c.type, c.reason) for c in read.conditions] == [(c.type, c.reason) for c in newest.conditions]


async def test_a_server_without_v2_is_watched_in_what_it_has(world: Watching) -> None:
    body = '{"kind":"APIGroup","versions":[{"version":"v1"},{"version":"v2beta1"}]}'
    world.proxy.fault = Fault("/apis/autoscaling", times=1, status=200, body=body)
    world.store.reset(context="test", namespace="shop", now=world.now())
    world.source.set_namespace("default")
    world.source.set_namespace("shop")
    await world.until(
        lambda: world.proxy.count("/autoscaling/v2beta1/namespaces/shop") > 0 or world.proxy.fault is None
    )
    await world.live("a", "b")
