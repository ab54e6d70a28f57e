"""An HPA that KEDA made, and its ScaledObject, over real HTTP: what the details and the why say of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hpatui.clock import SystemClock
from hpatui.model import Key, Kind, SourceState
from tests.contract.cluster.conftest import Watching, hpa_object, watching
from tests.contract.cluster.proxy import Fault
from tests.contract.conftest import ApiServer

OWNER = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "orders", "uid": "u1", "controller": True}
CRON = {
    "type": "cron",
    "metadata": {"start": "0 8 * * *", "end": "0 18 * * *", "timezone": "UTC", "desiredReplicas": "5"},
}
PAUSED = {"autoscaling.keda.sh/paused": "true"}
UNREAD = "the ScaledObject could not be read, so its pause, cooldown and cron windows are not known"
SLEEPS = "it goes to 0 when no trigger was active for 120 s (cooldownPeriod), apart from the HPA's window"
WINDOW = "trigger 1 (cron) asks for 5 replicas from 0 8 * * * to 0 18 * * * (UTC)"


def _object(**annotations: str) -> str:
    meta = {"name": "orders", "namespace": "shop", "uid": "u1", "annotations": annotations}
    spec = {"cooldownPeriod": 120, "triggers": [{"type": "rabbitmq"}, CRON]}
    return json.dumps({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": meta, "spec": spec})


async def _told(
    api: ApiServer, tmp_path: Path, fault: Fault, **metadata: Any
) -> tuple[Watching, list[tuple[str, str]]]:
    """What stands in the why's lines about KEDA once the details have answered."""
    async with watching(api, tmp_path) as world:
        world.proxy.fault = fault
        hpa = hpa_object("scaled", **metadata)
        path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
        assert (await api.request("POST", path, hpa)).code == 201
        await world.until(lambda: "scaled" in world.names)
        key = Key("shop", "scaled")
        found = world.store.focus(key, SystemClock().time())
        assert found is not None
        world.source.set_focus(found)

        def lines() -> list[tuple[str, str]]:
            detail = world.store.snapshot(SystemClock().time()).detail
            if detail is None or detail.explanation is None:
                return []
            return [(line.text, line.tone.value) for line in detail.explanation.lines if line.label == "KEDA"]

        def answered() -> bool:
            status = world.store.snapshot(SystemClock().time()).detail.statuses.get(Kind.SCALED_OBJECT)  # type: ignore[union-attr]
            return status is not None and status.state is not SourceState.CONNECTING

        if metadata:
            await world.until(answered)
        else:
            await asyncio.sleep(0.3)
        await world.until(lambda: bool(lines()) is bool(metadata))
        return world, lines()


@pytest.mark.parametrize(
    "metadata",
    [{"ownerReferences": [OWNER]}, {"labels": {"scaledobject.keda.sh/name": "orders"}}],
    ids=["owner", "label"],
)
async def test_cooldown_and_cron_windows_stand_in_the_why(
    api: ApiServer, tmp_path: Path, metadata: dict[str, Any]
) -> None:
    world, lines = await _told(api, tmp_path, Fault("scaledobjects", status=200, body=_object()), **metadata)
    assert [text for text, _ in lines][1:] == [SLEEPS, WINDOW] and "ScaledObject orders" in lines[0][0]
    assert any(
        path.endswith("/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/orders") for path in world.proxy.requests
    )


async def test_a_pause_is_a_warning(api: ApiServer, tmp_path: Path) -> None:
    _, lines = await _told(
        api, tmp_path, Fault("scaledobjects", status=200, body=_object(**PAUSED)), ownerReferences=[OWNER]
    )  # fmt: skip
    assert lines[1] == ("it is paused (annotation autoscaling.keda.sh/paused: true)", "warn")


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, '{"message": "no"}'), (404, ""), (200, "[]"), (200, "{"), (200, '{"metadata": {}, "spec": 3}'), (500, "x")],
)
async def test_where_it_cannot_be_read_that_is_said(api: ApiServer, tmp_path: Path, status: int, body: str) -> None:
    _, lines = await _told(api, tmp_path, Fault("scaledobjects", status=status, body=body), ownerReferences=[OWNER])
    assert [text for text, _ in lines][1:] == [UNREAD]


async def test_another_hpas_owner_is_not_looked_for(api: ApiServer, tmp_path: Path) -> None:
    world, lines = await _told(api, tmp_path, Fault("scaledobjects", status=200, body=_object()))
    assert lines == [] and not any("scaledobjects" in path for path in world.proxy.requests)
