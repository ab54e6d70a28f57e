"""Situations of real clusters: pods of a Job under the target's selector, a scale without selector, a surge."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.apiserver.scale import scale_of
from hpatui.sandbox.scenarios import build as b
from hpatui.sandbox.sources import ANNOTATION

from .world import SPACE, TestWorld


def _container(name: str, requests: dict[str, str] | None) -> dict[str, Any]:
    return {"name": name, "image": "example/web", **({"resources": {"requests": requests}} if requests else {})}


def _job(world: TestWorld, requests: dict[str, str] | None, run_for: int, name: str = "report") -> None:
    notes = {f"{b.PREFIX}profile": "batch", f"{b.PREFIX}run-for": str(run_for)}
    template = {
        "metadata": {"labels": {"app": "web"}, "annotations": notes},
        "spec": {"restartPolicy": "Never", "containers": [_container("report", requests)]},
    }
    world.apply({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": SPACE},
        "spec": {"template": template},
    })  # fmt: skip


def _status(world: TestWorld, name: str = "web") -> dict[str, Any]:
    status: dict[str, Any] = world.get("autoscaling", "horizontalpodautoscalers", name).get("status") or {}
    return status


def _web(world: TestWorld, wave: str = "0.2,0.2,60") -> None:
    notes = {"profile": "synthetic", "wave": wave}
    world.apply(
        b.deployment(SPACE, "web", replicas=2, image="example/web", needs=b.resources("100m", "64Mi"), notes=notes)
    )
    world.advance(40.0)


def test_a_jobs_pod_without_a_request_blinds_the_hpa_while_it_runs() -> None:
    world = TestWorld()
    _web(world)
    _job(world, None, 20)
    world.advance(8.0)
    world.apply(b.autoscaler(SPACE, "web", [b.cpu(60)], most=6))
    world.advance(6.0)
    pod = next(pod["metadata"]["name"] for pod in world.pods() if pod["metadata"]["name"].startswith("report-"))
    told = " ".join(world.events("FailedGetResourceMetric"))
    assert f"missing request for cpu in container report of Pod {pod}" in told
    assert world.get("apps", "deployments", "web")["status"]["replicas"] == 2, "the pod is nobody's but the Job's"


@pytest.mark.parametrize(("jobs", "size"), [(0, 1), (3, 2)])
def test_a_jobs_finished_pods_hold_a_scale_down(jobs: int, size: int) -> None:
    """Completed pods have no metrics; they count as missing, which is 100 % of the request on the way down."""
    world = TestWorld()
    _web(world, "0.05,0.05,60")
    for number in range(jobs):
        _job(world, {"cpu": "100m"}, 2, name=f"report-{number}")
    world.advance(15.0)
    assert sum(pod["status"]["phase"] == "Succeeded" for pod in world.all("", "pods")) == jobs
    world.apply(b.autoscaler(SPACE, "web", [b.cpu(60)], least=1, most=6))
    world.advance(80.0)
    assert world.get("apps", "deployments", "web")["spec"]["replicas"] == size


@pytest.mark.parametrize("own", [True, False])
def test_a_rollouts_selector_may_be_its_workloads_or_missing(own: bool) -> None:
    world = TestWorld()
    world.apply(b.deployment(SPACE, "web", replicas=0, image="example/web", needs=b.resources("100m", "64Mi")))
    template = world.get("apps", "deployments", "web")["spec"]["template"]
    spec: dict[str, Any] = (
        {"template": template}
        if own
        else {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    )
    reference = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "roll"}
    meta = {"name": "roll", "namespace": SPACE}
    world.apply(
        {**{k: reference[k] for k in ("apiVersion", "kind")}, "metadata": meta, "spec": {"replicas": 2, **spec}}
    )
    hpa = b.autoscaler(SPACE, "roll", [b.cpu(60)], most=6)
    hpa["spec"]["scaleTargetRef"] = reference
    world.apply(hpa)
    world.advance(20.0)
    rollout = world.get("argoproj.io", "rollouts", "roll")
    assert rollout["status"]["replicas"] == 2
    active = world.condition(world.get("autoscaling", "horizontalpodautoscalers", "roll"), "ScalingActive")
    if own:
        assert "selector" not in scale_of(rollout)["status"]
        assert active["message"] == "the HPA target's scale is missing a selector"
        assert world.events("SelectorRequired")
    else:
        assert scale_of(rollout)["status"] == {"replicas": 2, "selector": "app=web"}
        assert active["status"] == "True"


def test_a_rollout_without_any_template_has_no_pods() -> None:
    world = TestWorld()
    gone = {"kind": "Deployment", "name": "gone"}
    specs: list[dict[str, Any]] = [{}, {"workloadRef": None}, {"workloadRef": gone}]
    for number, spec in enumerate(specs):
        meta = {"name": f"r{number}", "namespace": SPACE}
        world.apply(
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta, "spec": {"replicas": 2, **spec}}
        )
    world.advance(10.0)
    assert world.pods() == []


def test_a_surge_counts_in_the_scales_status_and_an_external_average_divides_by_it() -> None:
    world = TestWorld(cpu="16")
    _web(world)
    world.change("apps", "deployments", "web", replicas=4)
    world.advance(20.0)
    hpa = b.autoscaler(SPACE, "web", [b.external("depth", {}, average="100")], most=30)
    del hpa["spec"]["metrics"][0]["external"]["metric"]["selector"]
    hpa["metadata"].setdefault("annotations", {})[ANNOTATION] = "depth 400"
    world.apply(hpa)
    template = world.get("apps", "deployments", "web")["spec"]["template"]
    notes = {**template["metadata"]["annotations"], f"{b.PREFIX}ready-after": "600"}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    changed = {**template, "metadata": {**template["metadata"], "annotations": notes}}
    world.change("apps", "deployments", "web", template=changed, strategy=strategy)
    world.advance(3.0)
    assert scale_of(world.get("apps", "deployments", "web"))["status"]["replicas"] == 5
    world.advance(7.0)
    assert _status(world)["currentMetrics"][0]["external"]["current"] == {"averageValue": "80"}, "400 over 5, not 4"
    assert world.get("apps", "deployments", "web")["spec"]["replicas"] == 4
