"""A status of an older spec, from metadata.generation and status.observedGeneration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hpatui.autoscaler.explain import explain_status, older_spec
from hpatui.cluster.decode import decode_hpa


@pytest.mark.parametrize(
    ("generation", "observed", "unseen"),
    [(4, 3, (3, 4)), (4, 4, None), (4, None, None), (None, 3, None), (None, None, None), ("4", 3, None), (4, 0, None)],
)
def test_only_where_both_are_told(generation: Any, observed: Any, unseen: tuple[int, int] | None) -> None:
    obj = {
        "metadata": {"name": "web", "namespace": "shop", "generation": generation},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5},
        "status": {"observedGeneration": observed},
    }
    hpa = decode_hpa(json.dumps(obj).encode())
    assert hpa is not None
    assert hpa.unseen == unseen
    assert bool(older_spec(hpa)) is (unseen is not None)
    told = [line.text for line in explain_status(hpa).lines if line.label == "status"]
    assert told == (
        ["the status is of an older spec (generation 3 of 4): the next sync looks at the change"] if unseen else []
    )
