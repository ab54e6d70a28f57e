"""Which rules a cluster's controller follows: from the server's version, what the user says, and feature gates.

The API only tells the API server's version. It is right for printing and validation; the controller may be one minor older
while a cluster is upgraded, which only its decisions tell (state/rules_inference.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hpatui.autoscaler.rules import FACTS, NEWEST, OLDEST, RECORDED, Rules, fact, rules_of, rules_of_minor

_VERSION = re.compile(r"v?1\.(\d{1,3})(?:\.(\d{1,4}))?(?!\d)")
GATES: Mapping[str, str] = {item.gate: item.name for item in FACTS if item.gate}


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """What `/version` says. `text` is for people (without the v); minors of 1.x, None where they are not told."""

    text: str = ""
    minor: int | None = None
    patch: int | None = None
    emulated: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The rules in use. `controller` decides, `server` prints; `text` says which and why: "rules of 1.32 (server 1.32.9)"."""

    controller: Rules
    server: Rules
    text: str


def server_version(answer: Mapping[str, object]) -> ServerVersion:
    """The answer of `/version`, vendors' too: `v1.29.14+7cf4c05`, `v1.31.4-eks-2d5f260`, or only minor `29+`."""
    text = str(answer.get("gitVersion") or "")
    found = _VERSION.match(text)
    minor: int | None = None
    patch: int | None = None
    if found is not None:
        minor, patch = int(found[1]), int(found[2]) if found[2] else None
    elif str(answer.get("major") or "").strip() == "1":
        minor = _number(answer.get("minor"))
    emulated = _number(answer.get("emulationMinor")) if str(answer.get("emulationMajor") or "") == "1" else None
    shown = text.removeprefix("v") or (f"1.{minor}" if minor is not None else "")
    return ServerVersion(shown, minor, patch, None if emulated == minor else emulated)


def _number(value: object) -> int | None:
    found = re.match(r"\d{1,3}", str(value or "").strip())
    return int(found[0]) if found is not None else None


def parse_gates(text: str) -> dict[str, bool]:
    """ "HPAScaleToZero=true,PodLevelResources=false" as kube-controller-manager takes it. ValueError says what is wrong."""
    gates: dict[str, bool] = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, separator, value = part.partition("=")
        if not separator or value.lower() not in ("true", "false"):
            raise ValueError(f"{part!r} is no feature gate: write NAME=true or NAME=false")
        if name not in GATES:
            raise ValueError(f"the HPA controller has no feature gate {name!r}; it has {', '.join(sorted(GATES))}")
        gates[name] = value.lower() == "true"
    return gates


def which_rules(server: ServerVersion, *, given: str = "", gates: Mapping[str, bool] | None = None) -> Choice:
    """The rules to use. `given` (a name that `rules_of` reads) beats the server's version; `gates` come on top.

    Raises ValueError for a `given` that names no rules.
    """
    printing = _of_server(server)
    where = f"server {server.text}" if server.text else "the server does not tell its version"
    if given:
        rules = rules_of(given)
        text = f"rules of {rules.name}, as given"
    elif server.minor is None:
        rules, text = RECORDED, f"rules of {RECORDED.name}"
    else:
        rules, text = printing, f"rules of 1.{printing.minor}{_beyond(server.minor)}"
        if server.emulated is not None:
            text += f" with the feature gates of 1.{server.emulated}, which it emulates"
    notes = []
    for name, on in sorted((gates or {}).items()):
        switch = fact(GATES[name])
        if rules.minor < switch.gate_from:
            notes.append(f"{name} has no effect before 1.{switch.gate_from}")
        elif switch.gate_until and rules.minor > switch.gate_until:
            notes.append(f"{name} has no effect from 1.{switch.gate_until + 1} on")
        else:
            rules = rules.turned(switch.name, on)
            notes.append(f"{name} {'on' if on else 'off'}")
    if notes:
        text += f", {', '.join(notes)}"
    return Choice(rules, printing, f"{text} ({where})")


def _of_server(server: ServerVersion) -> Rules:
    """The rules of the server's own version: late patches and an emulated version's gates taken into account."""
    if server.minor is None:
        return RECORDED
    rules = rules_of_minor(server.minor)
    for item in FACTS:
        first = dict(item.patches).get(server.minor)
        if first is not None and server.patch is not None and server.patch < first:
            rules = rules.turned(item.name, False)
        if item.gate and server.emulated is not None:
            rules = rules.turned(item.name, item.since is not None and server.emulated >= item.since)
    return rules


def _beyond(minor: int) -> str:
    if minor < OLDEST:
        return ", the oldest known"
    return ", the newest known" if minor > NEWEST else ""
