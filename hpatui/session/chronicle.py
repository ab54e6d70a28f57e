"""What happened to one HPA in a recording: its rescales and their reasons, who else wrote the size of its target, when it was
blind, when nothing was recorded, and the versions of its spec.

Who wrote is told by managedFields, which name the manager of a field and when it wrote last. So of several writes between
two looks only the last can be named; where nobody is named the writer is unknown, not guessed.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hpatui.clock import parse_rfc3339
from hpatui.model import (
    Event,
    Hpa,
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    StatusChanged,
    Upserted,
    Workload,
)
from hpatui.session.managers import FIELD_MANAGER, is_gitops
from hpatui.state.history import record_events, record_hpa
from hpatui.state.series import HpaHistory, Rescale
from hpatui.state.writers import CONTROLLERS

_PEOPLE = re.compile(r"^(kubectl.*|node-fetch|Mozilla|k9s|dashboard|OpenAPI-Generator|Lens|headlamp)$", re.IGNORECASE)
_KEDA = re.compile(r"^keda", re.IGNORECASE)
TOGETHER = 5.0  # seconds between the controller's write to the target and its status, as they arrive
_LATE = 2.0  # seconds by which a write may be seen late, and by which managedFields cut their times


class Who(StrEnum):
    """What kind of writer a field manager is."""

    HPA = "HPA"
    GITOPS = "GitOps"
    PERSON = "person"
    KEDA = "KEDA"
    HPATUI = "hpatui"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Write:
    """A write of the target's spec.replicas by somebody else than the HPA. `before` None: what it was is not known; `seen`:
    False where only managedFields tell of it. `time`: when the manager wrote, or else when it was seen (epoch seconds).
    """

    time: float
    before: int | None
    after: int | None
    manager: str
    operation: str
    who: Who
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the HPA could not decide (`metrics`, `scale`) or nobody watched (`recording`). `end` None: not over."""

    start: float
    end: float | None
    what: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the HPA's spec, and how it differs from the one before (empty for the first)."""

    time: float
    generation: int | None
    manager: str
    operation: str
    who: Who
    spec: Mapping[str, Any]
    diff: tuple[str, ...] = ()


@dataclass(slots=True)
class Chronicle:
    """All of it from `since` to `until` (epoch seconds), each list in order of time."""

    key: Key
    since: float
    until: float
    rescales: list[Rescale] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)


def who_is(manager: str, subresource: str = "") -> Who:
    """What kind of writer a manager is, by its name."""
    if not manager:
        return Who.UNKNOWN
    if manager in CONTROLLERS:
        return Who.HPA
    if manager == FIELD_MANAGER:
        return Who.HPATUI
    if _KEDA.match(manager):
        return Who.KEDA
    if is_gitops(manager):
        return Who.GITOPS
    return Who.PERSON if _PEOPLE.match(manager) else Who.OTHER


def chronicle(facts: Iterable[Seen], key: Key, since: float, until: float) -> Chronicle:
    """Read facts of one HPA, in order of time."""
    writer = _Writer(key, since, until)
    for seen in facts:
        writer.take(seen)
    return writer.close()


class _Writer:
    def __init__(self, key: Key, since: float, until: float) -> None:
        self._found = Chronicle(key, since, until)
        self._history = HpaHistory(64)
        self._rescales: list[Rescale] = []
        self._hpa: Hpa | None = None
        self._workload: Workload | None = None
        self._owners: dict[tuple[str, str], float] = {}  # (manager, operation) of spec.replicas -> when it wrote last
        self._suspects: list[Write] = []
        self._open: dict[str, Outage] = {}

    def take(self, seen: Seen) -> None:
        what, now = seen.what, seen.time
        if isinstance(what, StatusChanged):
            if what.kind is Kind.HPA and not what.scope:
                live = what.status.state in (SourceState.LIVE, SourceState.LISTING, SourceState.CONNECTING)
                self._outage("recording", not live, what.status.state.value, what.status.message, now)
            return
        items = what.items if isinstance(what, Listed) else (what.item,) if isinstance(what, Upserted) else ()
        events = []
        for item in items:
            if isinstance(item, Hpa) and item.key == self._found.key:
                self._hpa_seen(item, now)
            elif isinstance(item, Workload) and self._is_target(item):
                self._workload_seen(item, now)
            elif (
                isinstance(item, Event)
                and item.about == self._found.key
                and item.about_kind == "HorizontalPodAutoscaler"
            ):
                events.append(item)
        if events:
            record_events(self._history, events)

    def close(self) -> Chronicle:
        found = self._found
        found.rescales = [one for one in self._history.rescales if found.since - TOGETHER <= one.time <= found.until]
        found.writes = [one for one in self._suspects if not self._is_own(one)]
        found.writes.sort(key=lambda one: one.time)
        found.outages += self._open.values()
        found.outages.sort(key=lambda one: one.start)
        return found

    # The HPA --------------------------------------------------------------------------------------------------

    def _hpa_seen(self, hpa: Hpa, now: float) -> None:
        before = self._hpa if self._hpa is not None and self._hpa.uid == hpa.uid else None
        if before is not None and before.resource_version == hpa.resource_version:
            return
        record_hpa(self._history, before, hpa, now)
        self._version(before, hpa, now)
        self._hpa = hpa
        for type_, what in (("ScalingActive", "metrics"), ("AbleToScale", "scale")):
            condition = hpa.condition(type_)
            bad = condition is not None and condition.status == "False" and condition.reason != "ScalingDisabled"
            began = condition.last_transition_time if condition is not None else None
            at = now if began is None else min(now, max(began, self._found.since))
            reason, message = (condition.reason, condition.message) if condition is not None else ("", "")
            self._outage(what, bad, reason, message, at if bad else now)

    def _outage(self, what: str, bad: bool, reason: str, message: str, now: float) -> None:
        known = self._open.get(what)
        if bad and known is None:
            self._open[what] = Outage(now, None, what, reason, message)
        elif not bad and known is not None:
            del self._open[what]
            self._found.outages.append(Outage(known.start, now, what, known.reason, known.message))

    def _version(self, before: Hpa | None, hpa: Hpa, now: float) -> None:
        spec = _spec(hpa.raw)
        known = self._found.versions
        if spec is None or (known and known[-1].spec == spec):
            return
        manager, operation, wrote = _newest(_entries(hpa.raw, "f:spec"))
        generation = _generation(hpa.raw)
        fresh = wrote is not None and (not known or wrote >= known[-1].time - _LATE)
        if not fresh and known:
            manager, operation = "", ""
        time = wrote if known and fresh and wrote is not None else now
        diff = _diff(known[-1].spec, spec) if known else ()
        known.append(Version(time, generation, manager, operation, who_is(manager), spec, diff))

    # The target's size ----------------------------------------------------------------------------------------

    def _is_target(self, workload: Workload) -> bool:
        hpa = self._hpa
        return hpa is None or (workload.kind, workload.key.name) == (hpa.reference.kind, hpa.reference.name)

    def _workload_seen(self, workload: Workload, now: float) -> None:
        before = self._workload
        self._workload = workload
        owners = {(m, o): t for m, o, t in _entries(workload.raw, "f:replicas") if t is not None}
        if before is None or before.uid != workload.uid:
            self._begin(owners, workload)
        else:
            new = [(t, m, o) for (m, o), t in owners.items() if t > self._owners.get((m, o), 0.0)]
            self._changed(before, workload, sorted(new), now)
        self._owners = owners

    def _begin(self, owners: Mapping[tuple[str, str], float], workload: Workload) -> None:
        """Writes from before the first look, of which managedFields tell."""
        for (manager, operation), time in owners.items():
            if self._found.since <= time and who_is(manager) is not Who.HPA:
                last = time == max(owners.values())
                after = workload.replicas if last else None
                self._suspects.append(Write(time, None, after, manager, operation, who_is(manager), seen=False))

    def _changed(self, before: Workload, after: Workload, new: list[tuple[float, str, str]], now: float) -> None:
        if before.replicas != after.replicas:
            time, manager, operation = new[-1] if new else (now, "", "")
            if now - time > TOGETHER + _LATE:
                time = now
            self._suspects.append(Write(time, before.replicas, after.replicas, manager, operation, who_is(manager)))
            new = new[:-1]
        for time, manager, operation in new:  # wrote what was there already
            if who_is(manager) is not Who.HPA:
                self._suspects.append(Write(time, None, None, manager, operation, who_is(manager), seen=False))

    def _is_own(self, write: Write) -> bool:
        """Whether the HPA made it: managedFields say so, or where they name nobody one of its rescales goes with it."""
        if write.who is Who.HPA:
            return True
        if write.who is not Who.UNKNOWN:
            return False
        rescales = self._history.rescales
        return any(one.to_size == write.after and abs(one.time - write.time) <= TOGETHER for one in rescales)


# JSON -----------------------------------------------------------------------------------------------------------------


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _spec(raw: bytes) -> Mapping[str, Any] | None:
    spec = _object(raw).get("spec")
    return spec if isinstance(spec, dict) else None


def _generation(raw: bytes) -> int | None:
    metadata = _object(raw).get("metadata")
    found = metadata.get("generation") if isinstance(metadata, dict) else None
    return found if isinstance(found, int) else None


def _entries(raw: bytes, owns: str) -> Iterator[tuple[str, str, float | None]]:
    """(manager, operation, when) of each entry of managedFields that owns `owns` of the spec, or of the spec at all."""
    metadata = _object(raw).get("metadata")
    for entry in (metadata.get("managedFields") if isinstance(metadata, dict) else None) or ():
        if not isinstance(entry, dict):
            continue
        fields = entry.get("fieldsV1")
        spec = fields.get("f:spec") if isinstance(fields, dict) else None
        if not isinstance(spec, dict) or (owns != "f:spec" and owns not in spec):
            continue
        try:
            time = parse_rfc3339(str(entry.get("time"))).timestamp()
        except ValueError:
            time = None
        yield str(entry.get("manager") or ""), str(entry.get("operation") or ""), time


def _newest(entries: Iterable[tuple[str, str, float | None]]) -> tuple[str, str, float | None]:
    """Who wrote last; nobody where two wrote in the same second, for then it cannot be told."""
    found = sorted((e for e in entries if e[2] is not None), key=lambda e: e[2] or 0.0)
    if not found or (len(found) > 1 and found[-1][2] == found[-2][2]):
        return "", "", None
    return found[-1]


def _diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """A unified diff of two specs as YAML, without its head."""
    import yaml

    old, new = (yaml.safe_dump(dict(spec), sort_keys=True, width=1000).splitlines() for spec in (before, after))
    return tuple(
        line.rstrip("\n") for line in difflib.unified_diff(old, new, n=1, lineterm="") if line[:3] not in ("---", "+++")
    )
