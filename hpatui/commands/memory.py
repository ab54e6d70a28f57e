"""The commands record, replay, export, history."""

from __future__ import annotations

from hpatui.commands import CommandTable, past, recording

COMMANDS: CommandTable = {**recording.COMMANDS, **past.COMMANDS}
