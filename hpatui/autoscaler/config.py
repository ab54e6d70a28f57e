"""The controller's flags, as read or assumed, in the form that `decide` takes."""

from __future__ import annotations

from hpatui.autoscaler.inputs import ControllerConfig
from hpatui.autoscaler.rules import RECORDED, rules_of
from hpatui.model import ControllerFlags


def config_of(flags: ControllerFlags) -> ControllerConfig:
    """The flags as `decide` takes them."""
    return ControllerConfig(
        tolerance=flags.tolerance,
        downscale_stabilization=flags.downscale_stabilization,
        cpu_initialization=flags.cpu_initialization,
        initial_readiness_delay=flags.initial_readiness_delay,
        rules=rules_of(flags.rules) if flags.rules else RECORDED,
    )
