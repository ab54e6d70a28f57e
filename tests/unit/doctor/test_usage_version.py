"""Which version of metrics.k8s.io the doctor reads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hpatui.doctor.checks.metrics import usage_version

OTHER = {"name": "apps", "versions": [{"version": "v1"}]}


def _group(*versions: str, preferred: str = "") -> dict[str, Any]:
    listed = [{"version": version} for version in versions]
    return {"name": "metrics.k8s.io", "versions": listed, "preferredVersion": {"version": preferred}}


@pytest.mark.parametrize(
    ("groups", "version"),
    [
        ([OTHER, _group("v1beta1")], "v1beta1"),
        ([OTHER, _group("v1")], "v1"),
        ([_group("v1", "v1beta1", preferred="v1beta1")], "v1beta1"),
        ([_group("v1beta1", "v1", preferred="v1")], "v1"),
        ([_group("v2", "v1", preferred="v2")], "v1"),
        ([OTHER], "v1beta1"),
        (None, "v1beta1"),
    ],
)
async def test_the_served_version_is_read(groups: list[dict[str, Any]] | None, version: str) -> None:
    async def see(path: str) -> Any:
        assert path == "/apis"
        return SimpleNamespace(first=None if groups is None else {"groups": groups})

    assert await usage_version(cast(Any, SimpleNamespace(object=see))) == version
