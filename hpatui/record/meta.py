"""What a recording is of."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpatui.model import ControllerFlags

RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Meta:
    """Whose facts a recording holds. `first` and `last` are the times of its first and last fact (epoch seconds; 0: none
    yet), `version` that of the hpatui which wrote it, `source` how they came to be known ("recorded", or "from
    Prometheus, every 30 s"), `missing` what such a source could not tell.
    """

    context: str = ""
    server_version: str = ""
    flags: ControllerFlags = field(default_factory=ControllerFlags)
    sandbox: bool = False
    first: float = 0.0
    last: float = 0.0
    version: str = ""
    anonymized: bool = False
    source: str = RECORDED
    missing: tuple[str, ...] = ()
