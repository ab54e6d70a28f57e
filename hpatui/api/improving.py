"""The search for a better spec of one HPA, from a recording or a live watch (`tune.search`), as a recommendation."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hpatui.api.advice_shapes import CandidateJson, RecommendationJson, RunJson, SearchJson
from hpatui.autoscaler.parse import parse_hpa
from hpatui.errors import HpatuiError, MalformedObject
from hpatui.model import Hpa, Key
from hpatui.session.collecting import learn_recorded
from hpatui.session.live import Session
from hpatui.session.objects import to_yaml
from hpatui.session.observing import learn_frames
from hpatui.session.recording import RecordingPort
from hpatui.text import printable
from hpatui.tune.goal import Goal
from hpatui.tune.learn import Learned
from hpatui.tune.outcome import Outcome
from hpatui.tune.rank import Judged
from hpatui.tune.search import Found, Tried, search
from hpatui.tune.simulate import Cancelled

BUDGET = 500  # candidates
MANY = 24  # of the front


@dataclass(frozen=True, slots=True)
class Searched:
    """What searches came to, by HPA. `recommendations` has None where it is best left alone; an HPA of which too little is
    known is in `searches` only, with what is missing.
    """

    recommendations: dict[Key, RecommendationJson | None] = field(default_factory=dict)
    verdicts: dict[Key, str] = field(default_factory=dict)
    searches: dict[Key, SearchJson] = field(default_factory=dict)


def improve_recorded(
    recording: RecordingPort, judged: Judged, since: float, until: float, goal: str, note: Callable[[str], None]
) -> Searched:  # fmt: skip
    """By the facts of a recording."""
    note("reading what was recorded")
    try:
        hpa, learned = learn_recorded(recording, judged.key, since, until)
        found = _search(hpa, learned, goal, note)
    except HpatuiError as error:
        return _too_little(judged.key, goal, error)
    return searched_of(judged.key, found)


async def improve_live(session: Session, judged: Judged, goal: str, note: Callable[[str], None]) -> Searched:
    """By what the session's observer recorded of the HPA in focus. Cancelled, it ends at once."""
    key = judged.key
    hpa, flags = session.store.hpa(key), session.controller()
    detail = session.snapshot.detail
    pods = [row.pod for row in detail.pods] if detail is not None else []
    frames, until = session.store.frames(), session.clock.time()
    if hpa is None:
        return Searched()
    stopped = threading.Event()

    def work() -> Found:
        return _search(
            hpa, learn_frames(parse_hpa(json.loads(hpa.raw)), frames, pods, flags, until), goal, note, stopped.is_set
        )

    try:
        found = await asyncio.to_thread(work)
    except HpatuiError as error:
        return _too_little(key, goal, error)
    finally:
        stopped.set()
    return searched_of(key, found)


def _search(
    hpa: Hpa, learned: Learned, goal: str, note: Callable[[str], None], cancelled: Callable[[], bool] | None = None
) -> Found:
    try:
        json_ = json.loads(hpa.raw)
    except ValueError as error:
        raise MalformedObject("HorizontalPodAutoscaler", f"is no JSON: {error}") from error
    try:
        return search(
            json_, learned, goal=Goal(goal), budget=BUDGET,
            progress=lambda done, of: note(f"searching a better spec: {done} of at most {of} simulated"),
            cancelled=cancelled or (lambda: False),
        )  # fmt: skip
    except Cancelled as error:
        raise HpatuiError("the search was interrupted") from error


def searched_of(key: Key, found: Found) -> Searched:
    """A finished search."""
    return Searched(
        {key: _recommendation(found)},
        {key: printable(found.verdict, 400)},
        {key: _search_json(found)},
    )


def _too_little(key: Key, goal: str, error: HpatuiError) -> Searched:
    hint = f": {error.hint}" if error.hint else ""
    search_: SearchJson = {
        "goal": goal, "verdict": printable(f"not simulated: {error.message}", 400), "tried": 0, "gain": 0.0,
        "uncertainty": None, "now": None, "recommended": None, "front": [],
        "missing": [printable(f"{error.message}{hint}", 400)],
    }  # fmt: skip
    return Searched({}, {}, {key: search_})


def _recommendation(found: Found) -> RecommendationJson | None:
    best = found.best
    if best is None:
        return None
    return {
        "by": "search",
        "changes": [
            {
                "path": change.path,
                "before": change.before,
                "after": change.after,
                "reason": printable(change.reason, 400),
            }
            for change in best.changes
        ],
        "saves_pod_hours": round((found.baseline.pod_seconds - best.outcome.pod_seconds) / 3600, 6),
        "spec": dict(best.spec["spec"]),
        "yaml": to_yaml(json.dumps(best.spec).encode()),
        "text": printable(found.verdict, 400),
    }


def _search_json(found: Found) -> SearchJson:
    best = found.best
    return {
        "goal": found.goal.value,
        "verdict": printable(found.verdict, 400),
        "tried": found.tried,
        "gain": round(found.gain, 4),
        "uncertainty": round(found.uncertainty, 4),
        "now": run_json(found.baseline),
        "recommended": None if best is None else run_json(best.outcome),
        "front": [_candidate(tried) for tried in _thinned(found.front)],
        "missing": [printable(text, 400) for text in found.missing],
    }


def _thinned(front: tuple[Tried, ...]) -> list[Tried]:
    """At most so many, the first and the last always."""
    if len(front) <= MANY:
        return list(front)
    return [front[round(i * (len(front) - 1) / (MANY - 1))] for i in range(MANY)]


def _candidate(tried: Tried) -> CandidateJson:
    return {
        "changes": {edit.field: _value(edit.value) for edit in tried.candidate.edits},
        **run_json(tried.outcome),
    }


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [{"type": type_, "value": amount, "periodSeconds": period} for type_, amount, period in value]
    return value


def run_json(outcome: Outcome) -> RunJson:
    """A simulated run in numbers."""
    return {
        "pod_hours": round(outcome.pod_hours, 6),
        "seconds_above_target": round(outcome.seconds_above_target, 3),
        "unserved_share": round(outcome.unserved_share, 6),
        "rescales": outcome.rescales,
        "most_replicas": max((size for _, size in outcome.replicas), default=0),
        "seconds_at_max": round(outcome.seconds_at_max, 3),
        "kills": outcome.kills,
    }
