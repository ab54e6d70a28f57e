"""What the controller's flags must be, where its syncs keep going otherwise than predicted.

Each recorded sync is decided again with other flags; the flags that fit clearly better are a hint, not a fact: managed
clusters change them and tell nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.decision import decide
from hpatui.autoscaler.inputs import ControllerConfig
from hpatui.autoscaler.sentences import duration, percent
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.model import ControllerFlags
from hpatui.state.frames import Frame

TOLERANCES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
WINDOWS = (0.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0)
LOOK_AT = 96  # syncs looked at: the newest
LEAST = 12  # syncs needed for a hint
DISAGREEMENTS = 3


@dataclass(frozen=True, slots=True)
class Inferred:
    """Flags that fit the syncs better than the ones assumed, and the sentence about it."""

    flags: ControllerFlags
    hint: str


def infer_flags(frames: Sequence[Frame], flags: ControllerFlags) -> Inferred | None:
    """The better flags, or None where the assumed ones fit as well as any, or too little was seen."""
    seen = list(frames)[-LOOK_AT:]
    if len(seen) < LEAST:
        return None
    config = config_of(flags)
    wrong = [frame for frame in seen if _size(frame, config) != frame.to_size]
    now = len(seen) - len(wrong)
    if len(wrong) < DISAGREEMENTS:
        return None
    seen = wrong + [frame for frame in seen if not any(frame is item for item in wrong)]
    best, better = now, flags
    for tolerance in TOLERANCES:
        agreed = _agreement(seen, replace(config, tolerance=tolerance), best)
        if agreed > best:
            best, better = agreed, replace(flags, tolerance=tolerance)
    for window in WINDOWS:
        agreed = _agreement(seen, replace(config, downscale_stabilization=window), best)
        if agreed > best:
            best, better = agreed, replace(flags, downscale_stabilization=window)
    if best - now < DISAGREEMENTS:
        return None
    return Inferred(better, _hint(flags, better, now, best, len(seen)))


def _agreement(frames: Sequence[Frame], config: ControllerConfig, best: int) -> int:
    """How many of the syncs come out as they did, or something at or below `best`. The doubtful syncs come first, so what
    does not explain them is soon given up.
    """
    missed = 0
    for frame in frames:
        missed += _size(frame, config) != frame.to_size
        if missed >= len(frames) - best:
            break
    return len(frames) - missed


def _size(frame: Frame, config: ControllerConfig) -> int:
    inputs = frame.inputs
    when = seconds_to_ns(frame.time)
    return decide(inputs.hpa, inputs.scale, inputs.pods, inputs.metrics, frame.memory, config, when).replicas


def _hint(old: ControllerFlags, new: ControllerFlags, agreed: int, better: int, compared: int) -> str:
    if new.tolerance != old.tolerance:
        what = f"tolerance were {percent(new.tolerance)}, not {percent(old.tolerance)}"
    else:
        window, assumed = duration(new.downscale_stabilization), duration(old.downscale_stabilization)
        what = f"scale-down window were {window}, not {assumed}"
    return (
        f"the controller acts as if its {what}: that fits {better} of {compared} syncs, what is assumed fits {agreed}; "
        "give the right value in the settings"
    )
