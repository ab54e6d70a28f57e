"""How the plain front end prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How `watch` prints: JSON or lines; `once` ends after the first complete snapshot; `details` adds pods, events."""

    as_json: bool = False
    once: bool = False
    details: bool = False
