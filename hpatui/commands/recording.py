"""The command record."""

from __future__ import annotations

import argparse
import time

from hpatui.commands import Command, CommandTable
from hpatui.commands.running import settings_of
from hpatui.ends import need_output, run_async


def _flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--until", metavar="TIME|DURATION", help="end then: 30m, 24h, 7d, 03:12 or RFC 3339 (default: when interrupted)"
    )
    add("--out", metavar="FILE", help="where to record (default: the recording of the context, in the state folder)")
    add("--metrics-port", type=_port, metavar="N", help="serve Prometheus metrics of the HPAs on this port")
    add("--metrics-address", default="", metavar="IP", help="the address to serve them on (default: all)")
    for name, word in (("days", "for how long facts are kept (7)"), ("size", "MB of the recording at most (1024)")):
        kind = float if name == "days" else int
        add(f"--{name}", dest=f"record_{name}", type=kind, default=argparse.SUPPRESS, metavar="N", help=word)


def _port(text: str) -> int:
    if text.isdecimal() and 0 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: write a number up to 65535")


def _record(args: argparse.Namespace) -> int:
    need_output()
    from hpatui.plain.record import RecordOptions, record, until_of

    options = RecordOptions(
        until=until_of(args.until, time.time()) if args.until else None,
        out=args.out or "",
        port=args.metrics_port,
        address=args.metrics_address,
    )
    return run_async(record(settings_of(args, observe="all"), options))


COMMANDS: CommandTable = {
    "record": Command("record a cluster's HPAs without a screen, for hours and days", _record, "cluster", _flags)
}
