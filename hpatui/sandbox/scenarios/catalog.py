"""The scenarios by name: what each shows in two lines, and the module whose `build` makes it. Imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`module`: within hpatui.sandbox.scenarios; `look_at`: what to look at, two lines at most."""

    module: str
    look_at: str


CATALOG: dict[str, Entry] = {
    "walkthrough": Entry(
        "walkthrough",
        "php-apache with cpu 30 % and memory 80Mi targets, 1 to 3 replicas. Start the load and watch it go to 3;\n"
        "stop it and see the countdown until it comes back to 1.",
    ),
}
