"""Situations that people ask about, recorded on a real 1.36.2 control plane: at each key moment explain and doctor are asked
and compared with what is true then, and with what must not be said. Every rescale is told beforehand.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.scene import Said, said_at
from tests.conformance.traces import TraceResult, facts_path, is_trace, replay

FOLDER = Path(__file__).parents[2] / "data" / "field" / "traces"
TRACES = sorted(p for p in FOLDER.iterdir() if is_trace(p))
NAMES = [p.name.split(".")[0] for p in TRACES]


@cache
def said_in(name: str) -> dict[tuple[str, float], Said]:
    """By HPA and second."""
    path = FOLDER / f"{name}.jsonl.gz"
    moments = [(float(m["t"]), str(m["hpa"])) for m in json.loads(facts_path(path).read_text())["key_moments"]]
    return {(said.hpa, said.t): said for said in said_at(path, moments)}


WANTED = json.loads((FOLDER.parent / "moments.json").read_text())

# Moments right after a rescale, where the next sync is what is explained; their rescales are judged by the replay.
BUSY = {("web", 106.3), ("web", 256.4), ("api", 196.6), ("legacy", 240.0), ("lowercase", 211.6)}


@pytest.mark.parametrize("want", WANTED, ids=[f"{w['trace']}-{w['hpa']}-{w['t']:g}" for w in WANTED])
def test_what_is_said_at_a_key_moment(want: dict[str, Any]) -> None:
    """`says`: patterns that explain's text must have; `never`: that neither it nor the doctor's findings may have;
    `finds`: for each check of the doctor that must have found something, a pattern of its reason and command.
    """
    said = said_in(want["trace"])[want["hpa"], want["t"]]
    doctor = "\n".join(f"{id_}: {text}" for id_, text in said.findings.items())
    for words in want["says"]:
        assert re.search(words, said.text, re.MULTILINE), f"{words!r} is not in\n{said.text}"
    for words in want["never"]:
        assert not re.search(words, f"{said.text}\n{doctor}".replace("and a longer window does not help", "")), words
    for id_, words in want["finds"].items():
        assert re.search(words, said.findings.get(id_, "")), f"{id_}: {words!r} is not in\n{doctor}"
    if not want["finds"]:
        assert not [c for c in said.report.checks if c.outcome.value == "failed"], doctor


@cache
def replayed(name: str) -> tuple[TraceResult, ...]:
    return tuple(replay(FOLDER / f"{name}.jsonl.gz"))


@pytest.mark.parametrize("name", NAMES)
def test_every_rescale_is_told_beforehand_and_nothing_else(name: str) -> None:
    for result in replayed(name):
        assert result.notes == []
        assert result.passed
        assert result.agreed == result.compared


def test_no_countdown_where_nothing_will_come() -> None:
    fixed = said_in("13-min-equals-max")["gateway", 197.0]
    blocked = said_in("19-one-metric-unreadable")["search", 240.0]
    undone = said_in("17-replicaset-target")["legacy", 140.0]
    for said in (fixed, blocked, undone):
        assert not [c for c in said.explanation.countdowns if c.kind.startswith("scale")]


def test_all_key_moments_of_the_public_traces_are_asked() -> None:
    assert len(TRACES) == 10
    asked = {(want["trace"], want["hpa"], want["t"]) for want in WANTED}
    for name in NAMES:
        assert set(said_in(name)) - {(hpa, t) for trace, hpa, t in asked if trace == name} <= BUSY
