"""What the next sync will do, in numbers and a few words: the decision of an HPA as its row and scripts show it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.explain import Timing
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject
from hpatui.autoscaler.sentences import clock_time, plural
from hpatui.autoscaler.steps import allowance_of, hold_of
from hpatui.model import Hpa


@dataclass(frozen=True, slots=True)
class Outlook:
    """`wanted` is what the metrics ask for (None: no size can be computed), `winner` the place in spec.metrics of the
    metric that asks for most, `predicted` the size after the sync at `at`, `reason` its event's reason (empty: no rescale).

    `held_until`: the first sync at which a stabilization window lets go (`assumed`: at the latest then); `more_at`: the
    first sync at which a rate policy allows more. `agreed` of `compared` syncs went as predicted since `known_since`. All
    times epoch seconds. `text` is one line, empty where the status alone says it as well.
    """

    text: str
    wanted: int | None
    winner: int | None
    size: int
    predicted: int
    reason: str
    at: float
    held_until: float | None = None
    assumed: bool = False
    more_at: float | None = None
    capped: bool = False
    floored: bool = False
    error: str = ""
    agreed: int = 0
    compared: int = 0
    known_since: float | None = None


def outlook(
    spec: HpaObject, decision: Decision, config: ControllerConfig, timing: Timing, judged: tuple[int, int, float | None]
) -> Outlook:
    """Of the decision for the next sync. `judged`: (agreed, compared, known since)."""
    hold = hold_of(spec, decision, config, timing.assumed)
    allowed = allowance_of(spec, decision)
    held_until = timing.sync_after(hold.until) if hold is not None else None
    more_at = timing.sync_after(allowed.more_at) if allowed is not None and allowed.more_at is not None else None
    wanted, size = decision.wanted, decision.current
    scales = decision.rescaled_to is not None
    capped = wanted is not None and wanted > spec.max_replicas and size == spec.max_replicas and hold is None
    floored = wanted is not None and wanted < spec.min_replicas and size == spec.min_replicas
    text = ""
    if scales:
        text = f"the next sync scales from {size} to {decision.rescaled_to}"
        if allowed is not None and more_at is not None:
            text += f"; limited: {plural(allowed.more, 'pod')} more at {clock_time(more_at)}"
    elif allowed is not None and more_at is not None:
        text = f"wants {wanted}, limited: {plural(allowed.more, 'pod')} at {clock_time(more_at)}"
    elif floored:
        text = f"wants {wanted}, at minReplicas {spec.min_replicas}"
    elif capped:
        text = f"wants {wanted}, capped at maxReplicas {spec.max_replicas}"
    elif hold is not None and held_until is not None:
        word = "until at the latest" if hold.inferred else "until"
        text = f"wants {hold.wanted}, held at {hold.size} {word} {clock_time(held_until)}"
    agreed, compared, known_since = judged
    return Outlook(
        text=text,
        wanted=wanted,
        winner=decision.winner_index,
        size=size,
        predicted=decision.replicas,
        reason=decision.reason if scales else "",
        at=timing.next_sync,
        held_until=held_until,
        assumed=hold is not None and hold.inferred,
        more_at=more_at,
        capped=capped,
        floored=floored,
        error=decision.error or "",
        agreed=agreed,
        compared=compared,
        known_since=known_since,
    )


_UNTIL = re.compile(r" (?:until(?: at the latest)?|at) [0-9]{2}:[0-9]{2}:[0-9]{2}.*$")


def untimed(found: Outlook) -> Outlook:
    """Without the moments that windows and policies of an unknown spec.behavior would give."""
    return replace(found, text=_UNTIL.sub("", found.text), held_until=None, more_at=None, assumed=True)


def of_samples(hpa: Hpa) -> tuple[str, ...]:
    """What to bear in mind where samples tell of an HPA; nothing where it is watched."""
    if not hpa.sampled:
        return ()
    return ("told by samples of Prometheus: spec.behavior and syncs are not, so their defaults are assumed",)


def guessed(spec: HpaObject, decision: Decision, config: ControllerConfig, assumed: float | None) -> bool:
    """Whether an assumed memory holds the size: the latest moment was told, and right or wrong says nothing."""
    hold = hold_of(spec, decision, config, assumed)
    return hold is not None and hold.inferred
