"""Candidates in files: what is taken, and one clear line for what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.errors import UsageError
from hpatui.model import Key
from hpatui.session.candidates import read_candidates


def _hpa(name: str = "web", version: str = "autoscaling/v2", **spec: Any) -> dict[str, Any]:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    meta = {"name": name, "namespace": "shop"}
    return {
        "apiVersion": version,
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": {"scaleTargetRef": ref, "maxReplicas": 5, **spec},
    }


def _file(folder: Path, *objects: Any, name: str = "c.yaml") -> str:
    path = folder / name
    path.write_text(objects[0] if isinstance(objects[0], str) else yaml.safe_dump_all(objects))
    return str(path)


def test_a_manifest_is_read_with_the_servers_defaults(tmp_path: Path) -> None:
    (found,) = read_candidates([_file(tmp_path, _hpa())])
    assert (found.name, found.key) == ("c.yaml", Key("shop", "web"))
    assert (found.trial.min_replicas, found.trial.max_replicas) == (1, 5)
    assert found.spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 80


def test_several_in_a_file_a_list_and_json(tmp_path: Path) -> None:
    two = _file(tmp_path, _hpa(), {"kind": "Service", "apiVersion": "v1"}, _hpa(maxReplicas=9))
    one = _file(tmp_path, json.dumps({"kind": "List", "apiVersion": "v1", "items": [_hpa()]}), name="d.json")
    assert [c.name for c in read_candidates([two, one])] == ["c.yaml", "c.yaml#2", "d.json"]


def test_version_1_is_turned_into_version_2(tmp_path: Path) -> None:
    (found,) = read_candidates([_file(tmp_path, _hpa(version="autoscaling/v1", targetCPUUtilizationPercentage=40))])
    assert found.spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 40}


def test_status_of_an_exported_object_is_passed_over(tmp_path: Path) -> None:
    value = {**_hpa(), "status": {"currentReplicas": "three"}}
    assert read_candidates([_file(tmp_path, value)])[0].trial.desired_replicas == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [", "line 1"),
        ("", "holds no HPA"),
        ("- 1", "no HorizontalPodAutoscaler"),
        ("kind: Service\nmetadata: {name: x}", "holds no HPA"),
        (yaml.safe_dump(_hpa(version="apps/v1")), "write autoscaling/v2"),
        (yaml.safe_dump(_hpa(maxReplicas=0)), "maxReplicas"),
        (yaml.safe_dump(_hpa(minReplicas=7)), "minReplicas"),
        (yaml.safe_dump(_hpa(maxReplica=7)), "unknown field"),
        (yaml.safe_dump(_hpa(maxReplicas="many")), "cannot unmarshal"),
        (yaml.safe_dump(_hpa(behavior={"scaleDown": {"stabilizationWindowSeconds": 4000}})), "stabilizationWindow"),
        (yaml.safe_dump({**_hpa(), "metadata": {}}), "metadata.name"),
        ("\x00\x01", "YAML"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_candidates([_file(tmp_path, content)])
    assert words in str(caught.value)
    assert "c.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_no_file_a_folder_and_a_binary(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none", tmp_path, tmp_path / "b"):
        with pytest.raises(UsageError, match=str(path)):
            read_candidates([str(path)])


def test_candidates_of_two_hpas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="several HPAs: shop/other, shop/web"):
        read_candidates([_file(tmp_path, _hpa(), _hpa("other"))])
