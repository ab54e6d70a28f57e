"""The commands schema, mcp, shot."""

from __future__ import annotations

import argparse

from hpatui.commands import Command, CommandTable


def _run_schema(args: argparse.Namespace) -> int:
    from hpatui.plain.schema import run

    return run(args.name)


def _run_mcp(args: argparse.Namespace) -> int:
    from hpatui.commands.running import settings_of
    from hpatui.ends import need_output, run_async
    from hpatui.mcp_server import serving

    need_output()

    more = {} if getattr(args, "observe", None) else {"observe": "all"}
    return run_async(serving(settings_of(args, **more), allow_load=args.allow_load))


def _mcp(parser: argparse.ArgumentParser) -> None:
    text = "with a tool that sends load, each order of which has to be confirmed (default: nothing changes anything)"
    parser.add_argument("--allow-load", action="store_true", help=text)


def _schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the output, e.g. watch; without it: the list")


COMMANDS: CommandTable = {
    "schema": Command("the JSON Schema of what a command prints with --json", _run_schema, "", _schema),
    "mcp": Command(
        "answer agents by the Model Context Protocol, on standard input and output", _run_mcp, "cluster", _mcp
    ),
}
