"""scaleTargetRef as the controller's REST mapper resolves it (recorded: field/traces/11-target-refs)."""

from __future__ import annotations

import pytest

from hpatui.sandbox.controllers.inputs import _of_kind_in_any_case, _resource_name


@pytest.mark.parametrize(
    ("group", "kind", "found"),
    [("apps", "deployment", "Deployment"), ("apps", "statefulset", "StatefulSet"), ("apps", "deployments", None),
     ("", "deployment", None), ("apps", "DEPLOYMENT", "Deployment"), ("argoproj.io", "rollout", "Rollout")],
)  # fmt: skip
def test_a_kinds_case_does_not_matter(group: str, kind: str, found: str | None) -> None:
    resource = _of_kind_in_any_case(group, kind)
    assert (resource.kind if resource is not None else None) == found


def test_an_objects_resource_is_named_as_the_controller_guesses_it() -> None:
    for kind, api, name in (
        ("Service", "v1", "services"), ("Ingress", "networking.k8s.io/v1", "ingresses.networking.k8s.io"),
        ("Gateway", "gateway.networking.k8s.io/v1", "gatewaies.gateway.networking.k8s.io"), ("Pod", "", "pods"),
    ):  # fmt: skip
        assert _resource_name({"kind": kind, "apiVersion": api}) == name
