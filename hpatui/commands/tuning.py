"""The commands advise, shadow, undo."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui.commands import Command, CommandTable
from hpatui.commands.running import settings_of, with_session

if TYPE_CHECKING:
    from hpatui.plain.applying import ApplyOptions


def applying(parser: argparse.ArgumentParser) -> None:
    """Flags of every command that may change an HPA."""
    add = parser.add_argument
    add("--read-only", action="store_true", default=None, help="nothing that changes a cluster")
    add("--dry-run", action="store_true", help="show the server's dry run and apply nothing")
    add("--yes", action="store_true", help="do not ask before applying (not where the context looks like production)")
    add("--confirm", default="", metavar="NAME", help="the HPA's name, where the context looks like production")
    add("--force-conflicts", action="store_true", help="take over fields that another manager owns")
    add("--syncs", type=_count, default=2, metavar="N", help="syncs to watch after applying (2)")


def _options(args: argparse.Namespace) -> ApplyOptions:
    from hpatui.plain.applying import ApplyOptions

    return ApplyOptions(args.dry_run, args.yes, args.confirm, args.force_conflicts, args.syncs)


def _count(text: str) -> int:
    if text.isdecimal() and int(text) <= 1000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1000")


def _undo(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("name", metavar="[NS/]NAME", nargs="?", help="the HPA (default: the one changed last)")
    add("--list", action="store_true", help="what can be undone, and end")
    add("--json", action="store_true", help="as JSON")
    applying(parser)


def _run_undo(args: argparse.Namespace) -> int:
    from hpatui.plain.undo import find_change, list_changes, undo

    settings = settings_of(args)
    if args.list:
        return list_changes(settings, args.name, as_json=args.json)
    change = find_change(settings, args.name)
    chosen = replace(settings, hpa=str(change.key), namespace=change.namespace, all_namespaces=False)
    return with_session(chosen, lambda session: undo(session, change, _options(args), as_json=args.json))


COMMANDS: CommandTable = {
    "undo": Command("bring back the spec that an HPA had before hpatui changed it", _run_undo, "cluster", _undo),
}
