"""The commands beyond the screen and its plain brothers, a file for each capability.

Each file has `COMMANDS`, the table that `hpatui.cli` joins with its own, and imports what a command needs only when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """One command: its line in the help, what runs it (returns the exit code), the groups of flags that it shares
    ("cluster", "screen", both or none), and what adds its own flags.
    """

    text: str
    run: Callable[[argparse.Namespace], int]
    group: str
    fill: Callable[[argparse.ArgumentParser], None]


CommandTable = dict[str, Command]
