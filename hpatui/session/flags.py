"""The controller's flags and rules: what the cluster tells, overridden by what the user knows better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hpatui.autoscaler.which_rules import Choice, parse_gates, server_version, which_rules
from hpatui.errors import UsageError
from hpatui.model import ControllerFlags
from hpatui.settings import Settings
from hpatui.text import printable

_NAMES = ("sync_period", "tolerance", "downscale_stabilization", "cpu_initialization", "initial_readiness_delay")


def controller_flags(
    told: ControllerFlags, settings: Settings, version: Mapping[str, object] | None = None
) -> ControllerFlags:
    """`told` with every flag that the settings name replaced, and the rules that go with `version` (of /version).

    Raises UsageError where controller_rules or feature_gates make no sense.
    """
    choice = rules_choice(settings, version or {})
    given = {name: getattr(settings, name) for name in _NAMES if getattr(settings, name) is not None}
    flags = replace(told, **given, known=True) if given else told
    return replace(flags, rules=choice.controller.name, rules_text=printable(choice.text, 200))


def rules_choice(settings: Settings, version: Mapping[str, object]) -> Choice:
    """Whose rules the controller follows. Raises UsageError where controller_rules or feature_gates make no sense."""
    try:
        gates = parse_gates(settings.feature_gates or "")
        return which_rules(server_version(version), given=settings.controller_rules or "", gates=gates)
    except ValueError as error:
        hint = "correct controller_rules and feature_gates (`hpatui config` tells where they come from)"
        raise UsageError(printable(str(error)), hint=hint) from error
