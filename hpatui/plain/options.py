"""How the plain front end prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How `watch` prints: JSON or lines; `once` ends after the first complete snapshot; `details` adds pods, events;
    `changes` (JSON) prints a line for each change instead of everything at each.
    """

    as_json: bool = False
    once: bool = False
    details: bool = False
    changes: bool = False
