"""The objects of a run in the cluster."""

from __future__ import annotations

import ast
import json
import shlex
from typing import Any

import pytest

from hpatui.errors import HpatuiError
from hpatui.load.jobs import Place, busybox_job, deadline_of, locust_objects
from hpatui.load.plan import LoadPlan, RequestSpec, Stage

PLAN = LoadPlan(
    stages=(Stage(20, 20, 5), Stage(20, 60, 10)),
    requests=(RequestSpec("POST", "order/{{id}}", {"Authorization": "Bearer secret"}, b"{}", 2.0, (201,)),),
)
PLACE = Place("hpatui-load-1", "shop", "http://cart.shop.svc/", 20, {"app": "cart"})


def _pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item["spec"]["template"] for item in objects if item["kind"] == "Job"]


def test_locust_runs_as_a_master_and_workers_that_find_it() -> None:
    objects = locust_objects(PLAN, PLACE)
    assert [item["kind"] for item in objects] == ["ConfigMap", "Secret", "Service", "Job", "Job"]
    config, _, service, master, worker = objects
    ast.parse(config["data"]["locustfile.py"])
    assert service["spec"]["selector"].items() <= master["spec"]["template"]["metadata"]["labels"].items()
    assert not service["spec"]["selector"].items() <= worker["spec"]["template"]["metadata"]["labels"].items()
    assert (master["spec"]["parallelism"], worker["spec"]["parallelism"]) == (1, 20)
    command = worker["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[command.index("--master-host") + 1] == service["metadata"]["name"]


def test_what_may_be_a_token_is_only_in_the_secret() -> None:
    objects = locust_objects(PLAN, PLACE)
    holders = [item["kind"] for item in objects if "Bearer secret" in json.dumps(item)]
    assert holders == ["Secret"]
    plan = json.loads(objects[1]["stringData"]["plan.json"])
    assert plan["requests"][0]["expect"] == [201]
    assert plan["requests"][0]["headers"]["User-Agent"].startswith("hpatui/")


@pytest.mark.parametrize("objects", [locust_objects(PLAN, PLACE), [busybox_job(PLACE, 30)]], ids=["locust", "busybox"])
def test_each_job_ends_by_itself_and_its_pods_are_restricted(objects: list[dict[str, Any]]) -> None:
    for job in (item for item in objects if item["kind"] == "Job"):
        assert 0 < job["spec"]["activeDeadlineSeconds"] <= 120
        assert job["spec"]["ttlSecondsAfterFinished"] == 60
        assert job["spec"]["backoffLimit"] == 0
    for pod in _pods(objects):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["restartPolicy"] == "Never"
        term = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]
        assert term["podAffinityTerm"]["labelSelector"]["matchLabels"] == {"app": "cart"}
        for container in spec["containers"]:
            assert container["resources"]["requests"] == container["resources"]["limits"]
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_target_whose_service_would_select_the_generators_is_refused() -> None:
    with pytest.raises(HpatuiError, match="select the load generators"):
        busybox_job(Place("x", "shop", "http://a/", 1, {"app.kubernetes.io/managed-by": "hpatui"}), 30)


def test_a_url_cannot_break_out_of_the_loop() -> None:
    url = "http://a/'; reboot; '$(reboot)"
    container = busybox_job(Place("x", "shop", url), 30)["spec"]["template"]["spec"]["containers"][0]
    assert url in shlex.split(container["command"][2])


@pytest.mark.parametrize(
    ("plan", "place", "words"),
    [
        (LoadPlan(stages=(Stage(5, 5, None, until="scaled"),)), PLACE, "waits"),
        (LoadPlan(http2=True), PLACE, "HTTP/2"),
        (LoadPlan(arrivals="poisson"), PLACE, "Poisson"),
        (LoadPlan(requests=(RequestSpec(body=b"\xff"),)), PLACE, "no text"),
        (LoadPlan(), Place("x", "shop", "http://a/", 0), "0 workers"),
        (LoadPlan(), Place("x", "shop", "http://a/", 101), "101 workers"),
    ],
)
def test_what_cannot_run_there_is_refused(plan: LoadPlan, place: Place, words: str) -> None:
    with pytest.raises(HpatuiError, match=words):
        locust_objects(plan, place)


@pytest.mark.parametrize(
    ("plan", "seconds"),
    [
        (LoadPlan(stages=(Stage(5, 5, 10), Stage(5, 9, 20))), 100),
        (LoadPlan(duration=30), 100),
        (LoadPlan(), 600),
        (LoadPlan(model="closed"), 600),
    ],
)
def test_the_deadline_covers_the_run(plan: LoadPlan, seconds: int) -> None:
    assert deadline_of(plan) == seconds


@pytest.mark.parametrize(("workers", "max_rate", "pause"), [(1, 200.0, "0.01"), (10, 50.0, "0.2"), (1, 0.5, "2")])
def test_busybox_s_loops_together_keep_below_the_limit(workers: int, max_rate: float, pause: str) -> None:
    job = busybox_job(Place("x", "shop", "http://a/", workers), 30, max_rate)
    command = job["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    assert command.startswith(f"while sleep {pause};")
