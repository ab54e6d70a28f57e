"""The patterns over time of one HPA as lines of its explanation."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.autoscaler.explain import ExplainLine, Tone
from hpatui.model import ControllerFlags, Hpa, controller_of
from hpatui.state.facts import Facts
from hpatui.state.patterns import ReplicaWrite, Watched, find_patterns
from hpatui.state.series import HpaHistory


def pattern_lines(
    hpa: Hpa, history: HpaHistory | None, facts: Facts | None, writes: Sequence[ReplicaWrite], flags: ControllerFlags,
    now: float,
) -> tuple[ExplainLine, ...]:  # fmt: skip
    """What can be seen in the history (None: none are looked for). Times are epoch seconds."""
    if history is None:
        return ()
    watched = Watched(
        hpa,
        history,
        facts.pods if facts is not None else {},
        facts.usages if facts is not None else {},
        tuple(writes),
        flags=flags,
        target=facts.workload if facts is not None else None,
    )
    found = find_patterns(watched, now)
    if facts is not None and facts.workload is not None and controller_of(facts.workload.owners) is not None:
        found = tuple(p for p in found if p.id != "second-writer")  # the owner sets it back: that is said already
    return tuple(ExplainLine(p.id, f"{p.text}; {p.advice}", Tone.WARN) for p in found)
