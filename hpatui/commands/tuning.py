"""The commands advise, shadow, undo."""

from __future__ import annotations

from hpatui.commands import CommandTable

COMMANDS: CommandTable = {}
