"""What `hpatui advise --json` prints, as types."""

from __future__ import annotations

from typing import Any, TypedDict


class EvidenceJson(TypedDict):
    """A time in which a finding showed.

    time: from when
    until: until when
    text: its numbers in words
    replay: the command that opens the time machine there
    """

    time: str
    until: str
    text: str
    replay: str


class FindingJson(TypedDict):
    """One finding.

    rule: the name of the rule
    side: waste or risk
    level: problem, warning or hint
    text: what was found, in a sentence
    share: the part of the seen time in which it held, 0 to 1
    pod_hours: pod-hours of waste in it
    evidence: the times in which it showed, the longest ones
    """

    rule: str
    side: str
    level: str
    text: str
    share: float
    pod_hours: float
    evidence: list[EvidenceJson]


class ChangeJson(TypedDict):
    """One change of the spec.

    path: the field
    before: its value now, null where it is not set
    after: the value that is recommended
    reason: why, in a sentence
    """

    path: str
    before: Any
    after: Any
    reason: str


class RecommendationJson(TypedDict):
    """A better spec.

    by: rule (from what was found) or search (by simulation of the recorded load)
    changes: what to change
    saves_pod_hours: pod-hours that it would have saved over the seen time
    spec: the whole spec with the changes
    yaml: the HPA with the changes, ready to be applied
    text: what it comes to, in a sentence
    """

    by: str
    changes: list[ChangeJson]
    saves_pod_hours: float
    spec: dict[str, Any]
    yaml: str
    text: str


class RunJson(TypedDict):
    """A simulated run over the seen time, in numbers.

    pod_hours: pods times hours
    seconds_above_target: in which a metric was over the present spec's target by more than the tolerance
    unserved_share: the part of the demand that the pods could not carry, 0 to 1
    rescales: how often the HPA changed the size
    most_replicas: the largest size
    seconds_at_max: at maxReplicas with more wanted
    kills: containers killed over their memory limit
    """

    pod_hours: float
    seconds_above_target: float
    unserved_share: float
    rescales: int
    most_replicas: int
    seconds_at_max: float
    kills: int


class CandidateJson(RunJson):
    """A spec of the front, and its simulated run.

    pod_hours: pods times hours
    seconds_above_target: in which a metric was over the present spec's target by more than the tolerance
    unserved_share: the part of the demand that the pods could not carry, 0 to 1
    rescales: how often the HPA changed the size
    most_replicas: the largest size
    seconds_at_max: at maxReplicas with more wanted
    kills: containers killed over their memory limit
    changes: what it changes in the spec, by field; none is the spec as it is
    """

    changes: dict[str, Any]


class SearchJson(TypedDict):
    """What the search for a better spec came to.

    goal: cost, latency or balanced
    verdict: one sentence
    tried: specs that were simulated; 0 where too little is known
    gain: the part of what the goal counts that the best one saves, 0 to 1
    uncertainty: how far the simulation of the present spec is from what really happened, relative to its pod-hours
    now: the present spec, simulated
    recommended: the recommended one, null where it is best left alone
    front: those that no other beats in both pod-hours and trouble, the cheapest first
    missing: what is not known, and what it would take
    """

    goal: str
    verdict: str
    tried: int
    gain: float
    uncertainty: float | None
    now: RunJson | None
    recommended: RunJson | None
    front: list[CandidateJson]
    missing: list[str]


class AdvisedHpaJson(TypedDict):
    """One HPA.

    rank: its place, 1 is the worst
    namespace: its namespace
    name: its name
    verdict: one sentence
    leave: whether it is well set and best left alone
    since: from when it was seen
    until: until when
    seconds: for how long it was seen
    pod_hours: pods times hours
    wasted_pod_hours: those beyond what its metrics asked for
    cost: of the pod-hours, null where prices or requests are not known
    wasted_cost: of the wasted ones
    risk: a number without a unit, the higher the worse
    findings: the worst first
    unknown: rules that could not be judged, and what it would take
    recommendation: a better spec, null where there is none
    search: what the search came to, null where none was made (it is for one HPA)
    """

    rank: int
    namespace: str
    name: str
    verdict: str
    leave: bool
    since: str
    until: str
    seconds: float
    pod_hours: float
    wasted_pod_hours: float
    cost: float | None
    wasted_cost: float | None
    risk: float
    findings: list[FindingJson]
    unknown: list[str]
    recommendation: RecommendationJson | None
    search: SearchJson | None


class AdviceTotalsJson(TypedDict):
    """All HPAs together.

    hpas: how many were judged
    pod_hours: of all
    wasted_pod_hours: of all
    cost: of those whose cost is known, null where no price was given
    wasted_cost: likewise
    cost_unknown: how many HPAs' costs are not known although a price was given
    """

    hpas: int
    pod_hours: float
    wasted_pod_hours: float
    cost: float | None
    wasted_cost: float | None
    cost_unknown: int


class AdviceJson(TypedDict):
    """The whole of it.

    source: the recording, or a live watch
    context: the cluster's context
    since: from when
    until: until when
    goal: cost, latency or balanced
    totals: all HPAs together
    hpas: the worst first
    """

    source: str
    context: str
    since: str
    until: str
    goal: str
    totals: AdviceTotalsJson
    hpas: list[AdvisedHpaJson]
