"""What `hpatui shadow --json` and `hpatui undo --json` print, as types."""

from __future__ import annotations

from typing import Any, TypedDict


class ShadowRunJson(TypedDict):
    """One line: the live HPA.

    pod_hours: pods times hours
    above_target_s: seconds with a metric above the live target by more than its tolerance
    rescales: changes of the size
    most_replicas: the largest size
    least_replicas: the smallest size
    replicas: pairs of a time and the size from then on
    """

    pod_hours: float
    above_target_s: float
    rescales: int
    most_replicas: int
    least_replicas: int
    replicas: list[list[str | int]]


class ShadowCandidateJson(ShadowRunJson):
    """One line: a candidate.

    name: its file
    pod_hours: pods times hours
    above_target_s: seconds with a metric above the live target by more than its tolerance
    rescales: changes of the size
    most_replicas: the largest size
    least_replicas: the smallest size
    replicas: pairs of a time and the size from then on
    pod_hours_difference: against the live HPA
    above_target_difference_s: against the live HPA
    notes: what the comparison leaves out
    """

    name: str
    pod_hours_difference: float
    above_target_difference_s: float
    notes: list[str]


class ShadowJson(TypedDict):
    """Candidates beside a live HPA; nothing was applied.

    namespace: the HPA's
    name: the HPA's
    since: from when
    until: until when
    seconds: for how long
    syncs: syncs of the controller that were seen
    live: the live HPA
    candidates: the candidates, as given
    """

    namespace: str
    name: str
    since: str
    until: str
    seconds: float
    syncs: int
    live: ShadowRunJson
    candidates: list[ShadowCandidateJson]


class KeptChangeJson(TypedDict):
    """A change that hpatui made and can undo.

    namespace: the HPA's
    name: the HPA's
    context: the cluster's context
    time: when
    why: what asked for it
    before: the spec before it
    after: the spec after it
    """

    namespace: str
    name: str
    context: str
    time: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]


class KeptChangesJson(TypedDict):
    """With --list.

    changes: what can be undone, oldest first
    """

    changes: list[KeptChangeJson]
