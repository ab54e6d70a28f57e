"""Recorded syncs: what each was decided from and what it came to, for replays and for checking flags."""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.autoscaler.inputs import ControllerConfig, Memory
from hpatui.model import ControllerFlags
from hpatui.state.facts import Inputs


@dataclass(frozen=True, slots=True)
class Frame:
    """One sync: its time (epoch seconds), its inputs, the controller's memory before it, and the size after it."""

    time: float
    inputs: Inputs
    memory: Memory
    to_size: int


def config_of(flags: ControllerFlags) -> ControllerConfig:
    """The flags as `decide` takes them."""
    return ControllerConfig(
        tolerance=flags.tolerance,
        downscale_stabilization=flags.downscale_stabilization,
        cpu_initialization=flags.cpu_initialization,
        initial_readiness_delay=flags.initial_readiness_delay,
    )
