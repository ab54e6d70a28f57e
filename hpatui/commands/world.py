"""The commands schema, mcp, shot."""

from __future__ import annotations

from hpatui.commands import CommandTable

COMMANDS: CommandTable = {}
