"""What may refuse or change a pod: LimitRanges at its creation, disruption budgets at its eviction."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.apiserver.evict import evict
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.scenarios import build as b
from tests.unit.sandbox.world import SPACE, Object, TestWorld


def _limits(**item: Any) -> Object:
    return {
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "sizes", "namespace": SPACE},
        "spec": {"limits": [{"type": "Container", **item}]},
    }  # fmt: skip


def _budget(**spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "keep", "namespace": SPACE},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }  # fmt: skip


def test_a_limit_range_fills_in_what_pods_do_not_say() -> None:
    world = TestWorld()
    world.apply(_limits(default={"cpu": "200m", "memory": "64Mi"}, defaultRequest={"cpu": "50m"}))
    world.apply(b.deployment(SPACE, "web", replicas=1, needs={"requests": {"memory": "32Mi"}}))
    (pod,) = world.pods()
    assert pod["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "200m", "memory": "64Mi"}, "requests": {"cpu": "50m", "memory": "32Mi"}
    }  # fmt: skip
    assert pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"].startswith("LimitRanger plugin set: cpu")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"max": {"cpu": "50m"}}, "maximum cpu usage per Container is 50m"),
        ({"min": {"cpu": "300m"}}, "minimum cpu usage per Container is 300m, but request is 100m"),
    ],
)
def test_a_pod_beyond_a_limit_range_is_not_made(item: Object, words: str) -> None:
    world = TestWorld()
    world.apply(_limits(**item))
    world.apply(b.deployment(SPACE, "web", replicas=1, needs=b.resources("100m", cpu_limit="200m")))
    assert world.pods() == []
    assert any(words in text for text in world.events("FailedCreate"))


def test_a_budget_counts_what_may_go_now() -> None:
    world = TestWorld()
    world.apply(b.deployment(SPACE, "web", replicas=3, needs=b.resources("100m")), _budget(maxUnavailable="34%"))
    assert world.get("policy", "poddisruptionbudgets", "keep")["status"]["disruptionsAllowed"] == 0  # none is ready
    world.advance(10)
    status = world.get("policy", "poddisruptionbudgets", "keep")["status"]
    assert (status["currentHealthy"], status["desiredHealthy"], status["disruptionsAllowed"]) == (3, 1, 2)


def test_an_eviction_that_a_budget_is_against_is_refused_and_one_that_it_allows_is_counted() -> None:
    world = TestWorld()
    world.apply(b.deployment(SPACE, "web", replicas=3, needs=b.resources("100m")), _budget(minAvailable=2))
    world.advance(10)
    first, second, _ = (pod["metadata"]["name"] for pod in world.pods())
    evict(world.cluster.store, SPACE, first, None, dry_run=True)
    assert len(world.pods()) == 3
    evict(world.cluster.store, SPACE, first, None, dry_run=False)
    with pytest.raises(StatusError, match="would violate the pod's disruption budget") as refused:
        evict(world.cluster.store, SPACE, second, None, dry_run=False)  # before the controller has counted again
    assert refused.value.code == 429
    world.advance(10)
    assert world.ready() == 3
    evict(world.cluster.store, SPACE, second, None, dry_run=False)


def test_a_pod_of_two_budgets_cannot_be_evicted() -> None:
    world = TestWorld()
    other = {**_budget(minAvailable=0), "metadata": {"name": "other", "namespace": SPACE}}
    world.apply(b.deployment(SPACE, "web", replicas=1, needs=b.resources("100m")), _budget(minAvailable=0), other)
    world.advance(10)
    with pytest.raises(StatusError, match="more than one PodDisruptionBudget"):
        evict(world.cluster.store, SPACE, world.pods()[0]["metadata"]["name"], None, dry_run=False)
