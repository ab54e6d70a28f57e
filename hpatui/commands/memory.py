"""The commands record, replay, export, history."""

from __future__ import annotations

from hpatui.commands import CommandTable, past

COMMANDS: CommandTable = {**past.COMMANDS}
