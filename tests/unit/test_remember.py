"""The namespace of each context, remembered between runs; a broken or forbidden file is as good as none."""

from __future__ import annotations

from pathlib import Path

from hpatui.session.remember import ALL, Memory


def test_each_context_has_its_own(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "deep" / "state")
    assert memory.namespace("a") is None
    memory.remember("a", "shop")
    memory.remember("b", None)
    assert Memory(tmp_path / "deep" / "state").namespace("a") == "shop"
    assert Memory(tmp_path / "deep" / "state").namespace("b") == ALL
    assert [path.name for path in (tmp_path / "deep" / "state").iterdir()] == ["namespaces.json"]


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "namespaces.json").write_text('{"a": 5, "b"')
    memory = Memory(tmp_path)
    assert memory.namespace("a") is None
    memory.remember("a", "shop")
    assert memory.namespace("a") == "shop"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    memory = Memory(file / "below")
    memory.remember("a", "shop")
    assert memory.namespace("a") is None


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    for index in range(230):
        memory.remember(f"context-{index}", "x")
    assert memory.namespace("context-0") is None
    assert memory.namespace("context-229") == "x"
