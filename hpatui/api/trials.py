"""What if the HPA had another spec: a trial on the recorded syncs, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from hpatui.api.advice_shapes import RunJson
from hpatui.api.as_json import time_json
from hpatui.api.improving import run_json
from hpatui.errors import UsageError
from hpatui.model import Key
from hpatui.session.trial import Trial
from hpatui.state.whatif import Outcome
from hpatui.text import printable
from hpatui.tune.learn import TooLittle


class FieldJson(TypedDict):
    """A field of the spec that a trial may change.

    id: its name in a trial's changes
    label: what it is
    value: as it is now
    hint: how it is written
    """

    id: str
    label: str
    value: str
    hint: str


class SizeJson(TypedDict):
    """The size from a moment on.

    time: when
    replicas: how many
    """

    time: str | None
    replicas: int


class OutcomeJson(TypedDict):
    """How a run goes.

    replicas: the size from each sync on
    pod_hours: what it costs
    above_target_s: seconds in which a metric is above its target by more than the tolerance
    """

    replicas: list[SizeJson]
    pod_hours: float
    above_target_s: float


class SimulationJson(TypedDict):
    """The recorded demand run through the present spec and the changed one, in the closed loop of pods and controller.

    now: the present spec
    then: the changed one
    uncertainty: how far the first is from what was recorded, relative to its pod-hours
    missing: what is not known, and what it would take
    """

    now: RunJson
    then: RunJson
    uncertainty: float
    missing: list[str]


class TrialJson(TypedDict):
    """The recorded syncs as they were, and decided again with another spec. Nothing is applied.

    namespace: of the HPA
    name: of the HPA
    fields: what may be changed, as it is now
    changes: what was changed
    syncs: how many recorded syncs it is about
    now: the run as it was
    then: the run as it would have gone
    notes: what a trial leaves out
    simulation: the same in a closed loop, which is the better answer; null where too little was recorded (notes say what)
    yaml: the changed HPA, for kubectl apply
    """

    namespace: str
    name: str
    fields: list[FieldJson]
    changes: dict[str, str]
    syncs: int
    now: OutcomeJson
    then: OutcomeJson
    notes: list[str]
    simulation: SimulationJson | None
    yaml: str


def tried(trial: Trial, key: Key, changes: Mapping[str, str]) -> TrialJson:
    """Carry a trial out. UsageError names the field that is wrong or that there is not."""
    fields = trial.fields()
    if unknown := sorted(set(changes) - {field.id for field in fields}):
        raise UsageError(f"there is no field {unknown[0]!r}", hint=f"there are: {', '.join(f.id for f in fields)}")
    found = trial.compare(changes)
    notes = list(found.notes)
    simulation: SimulationJson | None = None
    try:
        run = trial.simulate(changes)
    except TooLittle as error:
        notes.append(printable(f"not simulated: {error.message}; {error.hint}", 300))
    else:
        simulation = {
            "now": run_json(run.now),
            "then": run_json(run.then),
            "uncertainty": round(run.uncertainty, 4),
            "missing": [printable(text, 300) for text in run.missing],
        }
    return {
        "namespace": key.namespace,
        "name": key.name,
        "fields": [{"id": f.id, "label": f.label, "value": f.value, "hint": f.hint} for f in fields],
        "changes": dict(changes),
        "syncs": len(trial.frames),
        "now": _outcome_json(found.now),
        "then": _outcome_json(found.then),
        "notes": notes,
        "simulation": simulation,
        "yaml": trial.yaml(changes),
    }


def _outcome_json(outcome: Outcome) -> OutcomeJson:
    return {
        "replicas": [{"time": time_json(time), "replicas": size} for time, size in outcome.replicas],
        "pod_hours": round(outcome.pod_hours, 4),
        "above_target_s": round(outcome.above_target, 1),
    }
