"""`hpatui upgrade --to VERSION`: which HPAs another version of Kubernetes would size differently, and why."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Protocol, TextIO, TypedDict

from hpatui.api.waiting import find_row, settled, wait_detail, wait_live
from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.rules import Rules, rules_of
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import ControllerFlags, Key
from hpatui.session.port import SessionPort, parse_hpa_name
from hpatui.state.frames import Frame
from hpatui.state.upgrade import Outcome, Verdict, reason, verdict
from hpatui.text import printable

TIMEOUT = 10.0
SHOWN = 5  # differences of one HPA in the text; JSON has all


class Recorder(SessionPort, Protocol):
    """A session that tells what it recorded."""

    def recorded(self) -> tuple[Frame, ...]:
        """The selected HPA's recorded syncs, and last its present if it can be read."""

    def controller(self) -> ControllerFlags:
        """The controller's flags and rules."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What is compared and what was found. `told` says whose rules the cluster follows now."""

    now: Rules
    then: Rules
    told: str
    found: tuple[tuple[Key, Verdict], ...]

    def of(self, outcome: Outcome) -> list[tuple[Key, Verdict]]:
        return [item for item in self.found if item[1].outcome is outcome]


async def upgrade(
    session: Recorder, to: str, *, as_json: bool, seconds: float = 0.0, out: TextIO | None = None
) -> int:  # fmt: skip
    """Compare every HPA of the scope (or the one that the settings name), each watched for `seconds` first.

    Returns the exit code: 1 if any differs.
    """
    stream = out or sys.stdout
    then = rules_of(to)
    snapshot = await wait_live(session)
    wanted = session.settings.hpa
    keys = [find_row(snapshot, parse_hpa_name(wanted)).key] if wanted else [row.key for row in snapshot.rows]
    config = config_of(session.controller())
    found = []
    for key in keys:
        detail = await wait_detail(session, key, settled, TIMEOUT)
        if seconds > 0:
            await asyncio.sleep(seconds)
        frames = session.recorded() if detail is not None else ()
        found.append((key, verdict(frames, config, then)))
    run = _Run(config.rules, then, session.controller().rules_text or f"rules of {config.rules.name}", tuple(found))
    stream.write(json.dumps(_json(run), ensure_ascii=False) + "\n" if as_json else _text(run))
    return 1 if run.of(Outcome.DIFFERS) else 0


# Text -----------------------------------------------------------------------------------------------------------------


def _text(run: _Run) -> str:
    count, total = len(run.of(Outcome.DIFFERS)), len(run.found)
    verb = "HPA would" if total == 1 else "HPAs would"
    lines = [f"From {run.told} to those of {run.then.name}: {count} of {total} {verb} be sized differently.", ""]
    for key, item in run.of(Outcome.DIFFERS):
        lines += [f"{key}", *_differences(item, run.then)]
    for key, item in run.of(Outcome.UNKNOWN):
        lines += [f"{key}: cannot be known", *(f"    {text}" for text in item.unknown)]
    same = run.of(Outcome.SAME)
    if same:
        lines.append("the same: " + ", ".join(str(key) for key, _ in same))
    touched = [(key, text) for key, item in (*same, *run.of(Outcome.UNKNOWN)) for text in item.watch_for]
    if touched:
        lines += ["", "Not met at the moment, but these HPAs can meet it:"]
        lines += [f"    {key}: {text}" for key, text in touched]
    others = [item for item in run.now.differences(run.then) if "size" not in item.affects]
    if others:
        lines += ["", "What else changes, without a size:", *(f"    {reason(item, run.then)}" for item in others)]
    return "\n".join(printable(line) for line in lines) + "\n"


def _differences(item: Verdict, then: Rules) -> list[str]:
    lines: list[str] = []
    seen: dict[tuple[str, tuple[str, ...]], list[float]] = {}
    for found in item.differences:
        why = tuple(reason(fact, then) for fact in found.facts)
        seen.setdefault((found.what, why), []).append(found.time)
    for (what, why), times in list(seen.items())[:SHOWN]:
        clock = as_datetime(times[-1]).astimezone().strftime("%H:%M:%S")
        often = f"in {len(times)} of {item.compared} syncs, last {clock}" if item.compared > 1 else f"at {clock}"
        lines += [f"    {what} ({often})", *(f"      why: {text}" for text in why)]
    if len(seen) > SHOWN:
        lines.append(f"    and {len(seen) - SHOWN} more (--json has all)")
    lines += [f"    not known: {text}" for text in item.unknown]
    return lines


# JSON -----------------------------------------------------------------------------------------------------------------


class FactJson(TypedDict):
    """One change of the rules.

    fact: its name, as on docs/versions.md
    text: what changes, in a sentence
    """

    fact: str
    text: str


class SourcedFactJson(FactJson):
    """One change of the rules that makes a difference.

    fact: its name, as on docs/versions.md
    text: what changes, in a sentence
    source: the change in kubernetes/kubernetes
    """

    source: str


class DifferenceJson(TypedDict):
    """One sync that goes otherwise.

    time: of the sync
    before: the size that the metrics ask for by the present rules; null where none is computed
    after: the same by the other version's
    text: what changes, in words
    facts: why
    """

    time: str
    before: int | None
    after: int | None
    text: str
    facts: list[SourcedFactJson]


class UpgradedHpaJson(TypedDict):
    """What another version makes of one HPA.

    namespace: its namespace
    name: its name
    outcome: whether it is sized differently, or why that is not known
    compared: syncs that were compared, the present included
    differences: oldest first
    unknown: what cannot be known, and what it would take
    watchFor: what this HPA can meet, though it does not at present
    """

    namespace: str
    name: str
    outcome: Outcome
    compared: int
    differences: list[DifferenceJson]
    unknown: list[str]
    watchFor: list[str]


UpgradeJson = TypedDict(
    "UpgradeJson",
    {
        "from": str,
        "fromText": str,
        "to": str,
        "differs": int,
        "hpas": list[UpgradedHpaJson],
        "otherChanges": list[FactJson],
    },
)
UpgradeJson.__doc__ = """Which HPAs another version of Kubernetes sizes differently: `hpatui upgrade --to VERSION --json`.

    from: the rules in force
    fromText: the same in words, and how they are known
    to: the rules of the other version
    differs: how many HPAs would be sized differently
    hpas: each HPA
    otherChanges: what else changes between the two, without a size
    """


def _json(run: _Run) -> UpgradeJson:
    return {
        "from": run.now.name,
        "fromText": printable(run.told),
        "to": run.then.name,
        "differs": len(run.of(Outcome.DIFFERS)),
        "hpas": [_hpa_json(key, item, run.then) for key, item in run.found],
        "otherChanges": [
            {"fact": item.name, "text": reason(item, run.then)}
            for item in run.now.differences(run.then)
            if "size" not in item.affects
        ],
    }


def _hpa_json(key: Key, item: Verdict, then: Rules) -> UpgradedHpaJson:
    return {
        "namespace": key.namespace,
        "name": key.name,
        "outcome": item.outcome,
        "compared": item.compared,
        "differences": [
            {
                "time": format_rfc3339(as_datetime(found.time)),
                "before": found.before,
                "after": found.after,
                "text": printable(found.what),
                "facts": [
                    {"fact": fact.name, "text": reason(fact, then), "source": fact.source} for fact in found.facts
                ],
            }
            for found in item.differences
        ],
        "unknown": [printable(text) for text in item.unknown],
        "watchFor": [printable(text) for text in item.watch_for],
    }
