"""Which profile a pod gets, and how annotations change its numbers."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.workload import PREFIX, PROFILES, called_service, profile_of, wave


def _pod(image: str = "nginx", restart: str = "Always", **notes: str) -> dict[str, Any]:
    annotations = {PREFIX + name.replace("_", "-"): value for name, value in notes.items()}
    spec = {"containers": [{"name": "c", "image": image}], "restartPolicy": restart}
    return {"metadata": {"name": "p", "annotations": annotations}, "spec": spec}


@pytest.mark.parametrize(
    ("image", "profile"),
    [
        ("registry.k8s.io/hpa-example", "php-apache"),
        ("k8s.gcr.io/hpa-example:latest", "php-apache"),
        ("registry.k8s.io/metrics-server/metrics-server:v0.8.0", "metrics-server"),
        ("busybox:1.28", "idle"),
        ("nginx:1.27", "web"),
    ],
)
def test_the_image_chooses(image: str, profile: str) -> None:
    assert profile_of(_pod(image)) is PROFILES[profile]


def test_the_annotation_wins() -> None:
    assert profile_of(_pod("hpa-example", profile="memory")).name == "memory"


def test_pods_that_end_run_as_a_batch() -> None:
    assert profile_of(_pod("perl", restart="Never")).run_for > 0


def test_numbers_can_be_changed_one_by_one() -> None:
    changed = profile_of(_pod(cost_ms="10", backlog="7", idle_cpu="0.05", pull_error="true", log="hello"))
    assert changed.cost == pytest.approx(0.01)
    assert (changed.backlog, changed.idle_cpu, changed.pull_error, changed.log) == (7, 0.05, True, "hello")


def test_what_is_no_number_is_passed_over() -> None:
    assert profile_of(_pod(cost_ms="a lot", backlog="1.5")) == PROFILES["web"]
    assert profile_of(_pod(profile="no-such")) == PROFILES["web"]


def test_a_wave_goes_up_and_down() -> None:
    assert [wave("1,3,10", now) for now in (0.0, 2.5, 5.0, 7.5, 10.0)] == [1.0, 2.0, 3.0, 2.0, 1.0]
    assert wave("1,3,10,5", 0.0) == 3.0
    assert wave("2,3,0", 7.0) == 2.0
    assert wave("nonsense", 1.0) == 0.0


@pytest.mark.parametrize(
    ("command", "service"),
    [
        ("while true; do wget -q -O- http://php-apache.heyongjia.svc.cluster.local; done", "heyongjia/php-apache:80"),
        ("while sleep 0.01; do curl -s http://php-apache:8080/; done", "mine/php-apache:8080"),
        ("wget -q -O- http://php-apache", ""),
        ("while true; do sleep 1; done", ""),
    ],
)
def test_a_loop_of_requests_is_understood(command: str, service: str) -> None:
    pod = _pod("busybox")
    pod["metadata"]["namespace"] = "mine"
    pod["spec"]["containers"][0]["args"] = ["/bin/sh", "-c", command]
    assert called_service(pod) == service
