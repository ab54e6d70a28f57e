"""Recorded syncs: what each was decided from and what it came to, for replays and for checking flags."""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.inputs import Memory
from hpatui.model import Hpa
from hpatui.state.facts import Inputs


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a sync will want: the size, and the reason as the controller's event will give it (empty: no rescale)."""

    time: float
    size: int
    reason: str
    rescale: bool


@dataclass(frozen=True, slots=True)
class Sync:
    """One sync of the controller, predicted and observed. `seen`: its write was seen; else it was counted out."""

    time: float
    seen: bool
    predicted: Prediction
    from_size: int
    to_size: int
    rescaled: bool

    @property
    def agreed(self) -> bool:
        """Whether the prediction came true: the same size, and scaled or not as predicted."""
        return self.predicted.size == self.to_size and self.predicted.rescale == self.rescaled


@dataclass(frozen=True, slots=True)
class Frame:
    """One sync: its time (epoch seconds), its inputs, the controller's memory before it, and the size after it. `seen`: it
    wrote; else it was counted out, and may have come a little earlier or later, or not at all.
    """

    time: float
    inputs: Inputs
    memory: Memory
    to_size: int
    seen: bool = True


def status_of(hpa: Hpa) -> object:
    """What the controller writes, as far as the model has it."""
    metrics = tuple((m.type, m.name, m.container, m.current_text) for m in hpa.metrics)
    return hpa.current_replicas, hpa.desired_replicas, hpa.last_scale_time, hpa.conditions, metrics


def prediction_of(decision: Decision, at: float) -> Prediction:
    """What a decision for a sync at `at` foretells."""
    rescale = decision.rescaled_to is not None
    return Prediction(at, decision.replicas, decision.reason if rescale else "", rescale)
