"""Which rules the controller must follow, where its syncs go otherwise than those of its server's version foretell.

A cluster that is being upgraded has a controller one minor older than its API server; vendors port changes back. Each
recorded sync is decided again with one fact turned, and with the rules of the neighbouring minors. What fits the
syncs in which they differ, and never fits worse, is used and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.decision import decide
from hpatui.autoscaler.inputs import ControllerConfig
from hpatui.autoscaler.rules import FACTS, NEWEST, OLDEST, Rules, rules_of_minor
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.model import ControllerFlags
from hpatui.state.frames import Frame

LOOK_AT = 96  # syncs looked at: the newest
PROOFS = 2  # syncs that other rules must foretell and the assumed ones not


@dataclass(frozen=True, slots=True)
class InferredRules:
    """Rules that fit the syncs better than those assumed, and the sentence about it."""

    rules: Rules
    text: str


class Sizes:
    """The sizes that syncs come out with under other flags and rules, each decided once while it is looked at."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ControllerConfig], int] = {}
        self._frames: dict[int, Frame] = {}  # kept, so that no other takes the place of one in memory

    def look_at(self, frames: Sequence[Frame]) -> None:
        """Forget all other syncs."""
        self._frames = {id(frame): frame for frame in frames}
        self._known = {which: size for which, size in self._known.items() if which[0] in self._frames}

    def of(self, frame: Frame, config: ControllerConfig) -> int:
        """The size after a sync."""
        which = (id(frame), config)
        if which not in self._known:
            inputs, when = frame.inputs, seconds_to_ns(frame.time)
            decision = decide(inputs.hpa, inputs.scale, inputs.pods, inputs.metrics, frame.memory, config, when)
            self._known[which] = decision.replicas
        return self._known[which]


def infer_rules(frames: Sequence[Frame], flags: ControllerFlags, sizes: Sizes | None = None) -> InferredRules | None:
    """Better rules, or None where those assumed fit, or nothing else fits without a doubt. `sizes`: those decided before."""
    seen = list(frames)[-LOOK_AT:]
    sizes = sizes or Sizes()
    sizes.look_at(seen)
    config = config_of(flags)
    wrong = [frame for frame in seen if sizes.of(frame, config) != frame.to_size]
    if len(wrong) < PROOFS:
        return None
    right = [frame for frame in seen if not any(frame is item for item in wrong)]
    best: tuple[int, Rules] | None = None
    for rules in _candidates(config.rules):
        other = replace(config, rules=rules)
        proofs = sum(1 for frame in wrong if sizes.of(frame, other) == frame.to_size)
        if proofs < PROOFS or (best is not None and proofs <= best[0]):
            continue
        if all(sizes.of(frame, other) == frame.to_size for frame in right):
            best = proofs, rules
    return None if best is None else InferredRules(best[1], _text(config.rules, best[1], best[0], len(seen)))


def _candidates(assumed: Rules) -> Iterator[Rules]:
    """The smallest claims first: one fact, then the minor before and after, then any."""
    for item in FACTS:
        # A gate that was locked later only makes metrics fail, as much else does: no size can prove it.
        if "size" in item.affects and not item.gate_until:
            yield assumed.turned(item.name, not getattr(assumed, item.name))
    for minor in sorted(range(OLDEST, NEWEST + 1), key=lambda minor: (abs(minor - assumed.minor), minor)):
        if minor != assumed.minor:
            yield rules_of_minor(minor)


def _text(assumed: Rules, better: Rules, proofs: int, compared: int) -> str:
    turned = assumed.differences(better)
    if len(turned) == 1:
        item, on = turned[0], getattr(better, turned[0].name)
        since = f"1.{item.since}" if item.since is not None else "a newer version"
        what = f"{item.now if on else item.before}, as {since if on else f'before {since}'}"
    else:
        what = f"it decides as 1.{better.minor} does"
    return f"seen of this controller: {what} ({proofs} of {compared} syncs show it); used from now on"
