"""The commands schema, mcp, shot."""

from __future__ import annotations

import argparse

from hpatui.commands import Command, CommandTable


def _run_schema(args: argparse.Namespace) -> int:
    from hpatui.plain.schema import run

    return run(args.name)


def _schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the output, e.g. watch; without it: the list")


COMMANDS: CommandTable = {
    "schema": Command("the JSON Schema of what a command prints with --json", _run_schema, "", _schema),
}
