"""Every fact has an example that comes out as the page says, and the page in docs/ is the generated one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.autoscaler.rules import FACTS, Fact
from tests.versions.examples import EXAMPLES, rules_around
from tests.versions.page import page

PAGE = Path(__file__).parents[2] / "docs" / "versions.md"


@pytest.mark.parametrize("item", FACTS, ids=lambda item: item.name)
def test_the_example_comes_out_as_told(item: Fact) -> None:
    example = EXAMPLES[item.name]
    before, after = rules_around(item)
    assert (example.run(before), example.run(after)) == (example.before, example.after)
    # It is this fact that makes the difference, not another one of the same minor.
    assert example.run(before.turned(item.name, True)) == example.after or example.run(
        after.turned(item.name, False)
    ) == (example.before)


def test_no_example_is_left_over() -> None:
    assert list(EXAMPLES) == [item.name for item in FACTS]


def test_the_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.versions.page"
