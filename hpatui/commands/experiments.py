"""The commands run, compare."""

from __future__ import annotations

from hpatui.commands import CommandTable

COMMANDS: CommandTable = {}
