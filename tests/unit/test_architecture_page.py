"""docs/architecture.md is true: each file it names is there, and has in it what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILE = re.compile(r"`((?:hpatui|tests)/[\w/]+\.py)`")
PAIR = re.compile(r"`(hpatui/[\w/]+\.py)`[\s,:]+`(\w+)`")
ALSO = re.compile(r"`(hpatui/[\w/]+\.py)` `\w+`: `(\w+)`")


@pytest.mark.parametrize("name", sorted(set(FILE.findall(PAGE))))
def test_each_file_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize(("file", "name"), sorted(set(PAIR.findall(PAGE) + ALSO.findall(PAGE))))
def test_each_name_is_in_its_file(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(async def|def|class) {name}\b|^\s*{name}\b.*=", text, re.MULTILINE), (
        f"{file} has no {name}"
    )


def test_the_page_names_enough_to_be_worth_reading() -> None:
    assert len(set(PAIR.findall(PAGE))) >= 30
