"""The commands that read a recording: replay, export, history."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui.arguments import prometheus
from hpatui.commands import Command, CommandTable
from hpatui.commands.running import settings_of
from hpatui.ends import need_output, run_async

if TYPE_CHECKING:
    from hpatui.session.replaying import ReplaySession
    from hpatui.settings import Settings


# Flags ----------------------------------------------------------------------------------------------------------------


def _takes_negative(parser: argparse.ArgumentParser) -> None:
    """Let `-2h` be a value: argparse takes what begins so for a flag, unless it looks like a number."""
    parser._negative_number_matcher = re.compile(r"^-[0-9]")


def _unset(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    """A switch that is not there unless it is given, so that settings below show."""
    parser.add_argument(name, action="store_true", default=argparse.SUPPRESS, help=text)


def _replay_flags(parser: argparse.ArgumentParser) -> None:
    _takes_negative(parser)
    add = parser.add_argument
    add("file", metavar="FILE", nargs="?", help="an export or a recording (default: the recording of the context)")
    text = "03:12, 03:12:40, '2026-11-25 03:12', RFC 3339, or -2h before the end (default: the end)"
    add("--at", metavar="TIME", help=text)
    add("--speed", type=_speed, metavar="N", help="play N times as fast, from --at or from the beginning")
    add("--since", metavar="D", help="how far back a Prometheus is asked: 90m, 24h (default), 7d; or from a time")
    prometheus(parser)
    add("--json", action="store_true", help="print one JSON object a line for each snapshot, as watch does")
    add("--once", action="store_true", help="print only the moment asked for")
    add("--details", action="store_true", help="with pods and events (JSON only)")
    _unset(parser, "--low-bandwidth", "fewer colours and repaints, for slow lines")
    _unset(parser, "--ascii", "no characters beyond ASCII")
    add("--theme", metavar="T", default=argparse.SUPPRESS, help="dark, light, ansi, high-contrast, ...")


def _export_flags(parser: argparse.ArgumentParser) -> None:
    _takes_negative(parser)
    add = parser.add_argument
    add("file", metavar="FILE", help="where to write, e.g. run.hpatui")
    add("--from", dest="source", metavar="FILE", help="from this recording (default: the recording of the context)")
    add("--since", metavar="D", help="the last D of it: 90s, 30m, 24h, 7d; or from a time, as --at of replay")
    add("--until", metavar="TIME", help="up to a time, as --at of replay (default: the end)")
    prometheus(parser)
    add("--anonymize", action="store_true", help="replace every name by another, the same one each time")
    add("--force", action="store_true", help="replace FILE if it is there")


def _history_flags(parser: argparse.ArgumentParser) -> None:
    _takes_negative(parser)
    add = parser.add_argument
    add("name", metavar="[NS/]NAME", help="the HPA")
    add("--from", dest="source", metavar="FILE", help="from this recording (default: the recording of the context)")
    add("--since", default="24h", metavar="D", help="how far back: 30m, 24h (default), 7d; or from a time")
    add("--until", metavar="TIME", help="up to a time (default: the end)")
    prometheus(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--csv", action="store_true", help="as CSV, a line for each thing that happened")


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0.01 <= value <= 1e6:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is no speed: write a number from 0.01 to 1000000, as 10")


# Commands -------------------------------------------------------------------------------------------------------------


def _run_replay(args: argparse.Namespace) -> int:
    from hpatui.session.port import parse_hpa_name
    from hpatui.session.recordings import open_named, open_replay

    settings = settings_of(args)
    if settings.hpa:
        parse_hpa_name(settings.hpa)
    recording = open_named(_asked(settings, args, args.file), args.file, since=args.since)
    lines = _shows_lines(args)
    session = open_replay(recording, settings, at=args.at, speed=None if lines else args.speed, from_start=lines)
    return _print(args, session) if lines else _show(settings, session)


def _asked(settings: Settings, args: argparse.Namespace, file: str | None) -> Settings:
    """A file that somebody names is read alone, unless they name a Prometheus as well."""
    return replace(settings, prometheus=None) if file and not hasattr(args, "prometheus") else settings


def _shows_lines(args: argparse.Namespace) -> bool:
    """Whether the plain front end was asked for, or is all that is possible here (then that is said)."""
    if args.json or args.once or args.details:
        return True
    from hpatui.ui.terminal import screen_possible

    reason = screen_possible(os.environ, sys.stdin, sys.stdout)
    if reason is not None:
        sys.stderr.write(f"hpatui: {reason}: printing lines instead\n")
    return reason is not None


def _show(settings: Settings, session: ReplaySession) -> int:
    from hpatui.ui.terminal import prepare, speaks_utf8

    prepare(os.environ)
    if not speaks_utf8(os.environ):
        settings = replace(settings, ascii=True)
    from hpatui.ui.app import run

    return run(lambda: session, settings)


def _print(args: argparse.Namespace, session: ReplaySession) -> int:
    need_output()
    from hpatui.plain.options import WatchOptions
    from hpatui.plain.replay import replay

    options = WatchOptions(args.json, args.once, args.details)

    async def run() -> int:
        try:
            return await replay(session, options, speed=args.speed)
        finally:
            await session.stop()

    return run_async(run())


def _run_export(args: argparse.Namespace) -> int:
    from hpatui.plain.export import export

    return export(_asked(settings_of(args), args, args.source), args)


def _run_history(args: argparse.Namespace) -> int:
    need_output()
    from hpatui.plain.history import history

    return history(_asked(settings_of(args), args, args.source), args)


COMMANDS: CommandTable = {
    "replay": Command("a recording on the screen, at any moment", _run_replay, "cluster", _replay_flags),
    "export": Command("a part of a recording as one file to share", _run_export, "cluster", _export_flags),
    "history": Command(
        "what happened to an HPA, who wrote its size and its spec", _run_history, "cluster", _history_flags
    ),
}
