"""Every fact has an example that comes out as the page says, and the page in docs/ is the generated one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.autoscaler.rules import FACTS, NEWEST, OLDEST, TOLD, Fact, rules_of_minor
from tests.unit.state.small_frames import hpa_object, pod
from tests.versions.examples import EXAMPLES, World, rules_around
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


@pytest.mark.parametrize("minor", range(OLDEST, NEWEST + 1))
@pytest.mark.parametrize(
    "target", [{"type": "Value", "averageValue": "10"}, {"type": "AverageValue", "value": "10"}], ids=str
)
def test_a_target_without_its_value_is_an_error_in_all_versions(minor: int, target: dict[str, str]) -> None:
    """The remark of the first told fact."""
    source = {"describedObject": {"kind": "Service", "name": "web"}, "metric": {"name": "rate"}, "target": target}
    world = World(hpa_object({"type": "Object", "object": source}), (pod(0),), values=(30,))
    event = world.decide(rules_of_minor(minor)).events[0]
    assert event.reason == "FailedGetObjectMetric"
    assert "neither a value target nor an average value target was set" in event.message


def test_what_is_only_told_is_on_the_page() -> None:
    assert [item.since for item in TOLD] == ["1.28.3", "1.32", "1.33"]
    assert all(item.remark in page() and item.source in page() for item in TOLD)
