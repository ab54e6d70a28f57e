"""The controller's flags: what the cluster tells, overridden by what the user knows better."""

from __future__ import annotations

from dataclasses import replace

from hpatui.model import ControllerFlags
from hpatui.settings import Settings

_NAMES = ("sync_period", "tolerance", "downscale_stabilization", "cpu_initialization", "initial_readiness_delay")


def controller_flags(told: ControllerFlags, settings: Settings) -> ControllerFlags:
    """`told` with every flag that the settings name replaced."""
    given = {name: getattr(settings, name) for name in _NAMES if getattr(settings, name) is not None}
    return replace(told, **given, known=True) if given else told
