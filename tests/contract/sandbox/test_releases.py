"""`hpatui sandbox --kubernetes VERSION`: what each serves, takes, drops and prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hpatui.errors import UsageError
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.release import DEFAULT, release_of

from .conftest import Client, start

HPAS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
EXTERNAL = {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "1"}}}


@pytest.fixture(scope="module", params=["1.28", "1.32", "1.33", "1.36", "1.38"])
def release(request: pytest.FixtureRequest) -> Iterator[tuple[Client, int]]:
    client, stop = start(SandboxOptions(kubernetes=request.param, speed=5.0))
    yield client, int(request.param.partition(".")[2])
    stop()


def _hpa(name: str, **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, **spec}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": spec}


def test_what_is_served(release: tuple[Client, int]) -> None:
    client, minor = release
    assert client.get("/version")["minor"] == str(minor)
    assert client.get("/version")["gitVersion"].startswith(f"v1.{minor}.")
    for group, version, served in (
        ("autoscaling", "v2", True), ("autoscaling", "v1", True), ("autoscaling", "v2beta2", False),
        ("autoscaling", "v2beta1", False), ("metrics.k8s.io", "v1beta1", True), ("metrics.k8s.io", "v1", minor >= 37),
    ):  # fmt: skip
        code = 200 if served else 404
        assert client.request("GET", f"/apis/{group}/{version}")[0] == code, (group, version)
        listed = [entry["version"] for entry in client.get(f"/apis/{group}")["versions"]]
        assert (version in listed) is served
        assert (f"apis/{group}/{version}" in client.get("/openapi/v3")["paths"]) is (served and group == "autoscaling")
    assert client.request("GET", "/apis/autoscaling/v2beta2/horizontalpodautoscalers")[0] == 404
    assert client.request("GET", "/apis/metrics.k8s.io/v1/nodes")[0] == (200 if minor >= 37 else 404)
    assert client.get("/apis/metrics.k8s.io/v1beta1/nodes")["items"]


def test_what_is_taken_and_dropped(release: tuple[Client, int]) -> None:
    client, minor = release
    rules = {"tolerance": "50m", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}
    path, body = f"{HPAS}?fieldValidation=Strict&dryRun=All", _hpa("t", behavior={"scaleUp": rules})
    code, answer = client.request("POST", path, body)
    if minor < 33:
        assert code == 400 and 'unknown field "spec.behavior.scaleUp.tolerance"' in answer["message"]
    else:
        assert code == 201 and ("tolerance" in answer["spec"]["behavior"]["scaleUp"]) is (minor >= 35)
    code, answer = client.request("POST", f"{HPAS}?dryRun=All", _hpa("z", minReplicas=0, metrics=[EXTERNAL]))
    assert code == (201 if minor >= 37 else 422), answer
    if minor < 37:
        assert "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1" in answer["message"]
    code, answer = client.request("POST", f"{HPAS}?dryRun=All", _hpa("z", minReplicas=0))
    zero = "must specify at least one Object or External metric" if minor >= 37 else "greater than or equal to 1"
    assert code == 422 and zero in answer["message"]
    bare = {"apiVersion": "", "kind": "Deployment", "name": "web"}
    assert client.request("POST", f"{HPAS}?dryRun=All", _hpa("b", scaleTargetRef=bare))[0] == (
        422 if minor >= 34 else 201
    )
    code, answer = client.request("POST", f"{HPAS}?dryRun=All", _hpa("m", maxReplicas=0))
    words = (
        "Required value: must be set and greater than 0" if minor >= 36 else "Invalid value: 0: must be greater than 0"
    )
    assert code == 422 and f"spec.maxReplicas: {words}" in answer["message"]


def test_what_is_printed(release: tuple[Client, int]) -> None:
    client, minor = release
    text = client.until(lambda: "%/30%" in (found := client.kubectl("get", "hpa")) and "unknown" not in found and found)
    assert ("cpu: " in text) is (minor >= 30), text


@pytest.mark.parametrize("text", ["1.27", "1.39", "2.30", "latest", "1", "1.3x", "1.٣٣", "-1.30"])
def test_other_versions_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match=r"1\.28 to 1\.38"):
        release_of(text)
    assert release_of("") is DEFAULT and release_of("v1.30").minor == 30


def test_the_real_servers_answers_of_1_36(tmp_path: Path) -> None:
    """The two answers that only a strict 1.36 gives: no zero, no removed version."""
    client, stop = start(SandboxOptions(kubernetes="1.36"))
    try:
        file = tmp_path / "old.yaml"
        file.write_text(
            "apiVersion: autoscaling/v2beta1\nkind: HorizontalPodAutoscaler\nmetadata: {name: beta1}\n"
            "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 2}\n"
        )
        said = client.kubectl("create", "-n", "default", "-f", str(file), check=False)
        assert 'no matches for kind "HorizontalPodAutoscaler" in version "autoscaling/v2beta1"' in said
    finally:
        stop()


def test_a_worker_sleeps_only_where_the_controller_can_wake_it() -> None:
    assert SandboxOptions(scenario="scale-to-zero").release.minor == 37
    with pytest.raises(UsageError, match=r"needs Kubernetes 1\.37"):
        SandboxOptions(scenario="scale-to-zero", kubernetes="1.36").check()
    SandboxOptions(scenario="scale-to-zero", kubernetes="1.38").check()
