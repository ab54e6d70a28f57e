"""The rules as data: every switch is a fact's, sets differ only where a fact says so, names are read back."""

from __future__ import annotations

from dataclasses import fields

import pytest

from hpatui.autoscaler.go_format import mangled
from hpatui.autoscaler.rules import FACTS, NEWEST, OLDEST, Rules, fact, rules_of, rules_of_minor


def test_every_switch_is_a_fact_and_every_fact_a_switch() -> None:
    switches = {field.name for field in fields(Rules)} - {"minor", "changed"}
    assert {item.name for item in FACTS} == switches
    assert all(item.before and item.now and item.source for item in FACTS)


@pytest.mark.parametrize("minor", range(OLDEST + 1, NEWEST + 1))
def test_neighbours_differ_in_the_facts_of_that_minor(minor: int) -> None:
    differing = rules_of_minor(minor - 1).differences(rules_of_minor(minor))
    assert differing == tuple(item for item in FACTS if item.since == minor)


@pytest.mark.parametrize(
    "name", ["1.28", "1.32", "1.38", "1.37+succeeded_ignored", "1.37-scale_to_zero", "1.33+value_capped"]
)
def test_a_name_is_read_back(name: str) -> None:
    assert rules_of(name).name == name
    assert rules_of(rules_of(name).name) == rules_of(name)


def test_a_switch_turned_to_its_default_is_no_change() -> None:
    assert rules_of("1.37").turned("scale_to_zero", False).turned("scale_to_zero", True) == rules_of("1.37")


@pytest.mark.parametrize("name", ["", "2.1", "1.x", "1.", "latest", "1.37+nonsense", "1.37+"])
def test_a_name_that_is_none_says_what_to_give(name: str) -> None:
    with pytest.raises(ValueError, match=r"give 1\.28 to 1\.38|is none of the facts"):
        rules_of(name)


def test_beyond_what_is_known_the_nearest() -> None:
    assert rules_of("1.20") == rules_of("1.28")
    assert rules_of("1.41") == rules_of("1.38")
    with pytest.raises(KeyError):
        fact("nonsense")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("labelSelector=app%3Dweb%2C", "labelSelector=app%!D(MISSING)web%!C(MISSING)"),
        ("100% full", "100%!f(MISSING)ull"),
        ("50%", "50%!(NOVERB)"),
        ("a %% b", "a % b"),
        ("nothing", "nothing"),
        ("%[1]d", "%!d(BADINDEX)"),
        ("%*d", "%!(BADWIDTH)%!d(MISSING)"),
        ("%.*d", "%!(BADPREC)%!d(MISSING)"),
        ("%9999999999d", "%!(NOVERB)"),
        ("%[x", "%!x(BADINDEX)"),
        ("%é", "%!é(MISSING)"),
    ],
)
def test_what_a_formatter_makes_of_percent_signs(text: str, result: str) -> None:
    assert mangled(text) == result
