"""Runs the plain front end over a session.

`watch` prints the HPAs once and then every change as a sentence; with `as_json` each snapshot is one JSON object on a
line, or with `changes` each change (`hpatui schema` has their keys). Text from the cluster is made printable
first.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Protocol, TextIO

from hpatui.api.waiting import find_row, raise_if_ended, settled, wait_detail, wait_until
from hpatui.clock import SystemClock
from hpatui.errors import HpatuiError
from hpatui.model import Key, SourceState
from hpatui.plain.as_json import JsonPrinter
from hpatui.plain.changes import HEARTBEAT, ChangesPrinter
from hpatui.plain.lines import LinePrinter
from hpatui.plain.options import WatchOptions
from hpatui.session.port import SessionPort, parse_hpa_name
from hpatui.state.snapshot import Detail, Snapshot
from hpatui.text import printable

_TROUBLE = (SourceState.RECONNECTING, SourceState.FAILED)
DETAIL_TIMEOUT = 10.0  # seconds that one HPA's details may take with --once


class Printer(Protocol):
    """Prints snapshots; the first may say only why there is nothing yet."""

    def __call__(self, snapshot: Snapshot) -> None: ...


def printer_of(stream: TextIO, options: WatchOptions) -> Printer:
    """What prints snapshots as the options say."""
    if not options.as_json:
        return LinePrinter(stream)
    return ChangesPrinter(stream, options.details) if options.changes else JsonPrinter(stream, options.details)


async def watch(session: SessionPort, options: WatchOptions, out: TextIO | None = None) -> int:
    """Print until interrupted (or once). Returns the exit code: 2 where the cluster cannot be watched at all.

    Where nothing can be shown yet because the cluster cannot be reached, that is printed at once. Raises HpatuiError
    for a source that ended, so that the caller prints its one line.
    """
    printer = printer_of(out or sys.stdout, options)
    changed = asyncio.Event()
    unsubscribe = session.subscribe(lambda _snapshot: changed.set())
    await session.start()
    printed, live = -1, False
    try:
        while True:
            snapshot = session.snapshot
            raise_if_ended(snapshot)
            if snapshot.status.state is SourceState.LIVE and not live:
                live = True
                await _check_namespace(session, snapshot)
                if session.settings.hpa:
                    find_row(snapshot, parse_hpa_name(session.settings.hpa))  # what was asked for is there
            if options.once:
                if live:
                    await _print_once(session, printer, options)
                    return 0
                if snapshot.status.state is SourceState.RECONNECTING:
                    raise HpatuiError(printable(snapshot.status.message) or "the cluster cannot be reached")
            elif snapshot.version != printed and (live or snapshot.status.state in _TROUBLE):
                printer(snapshot)
                printed = snapshot.version
            await _next(changed, printer, session)
    finally:
        unsubscribe()


async def _next(changed: asyncio.Event, printer: Printer, session: SessionPort) -> None:
    """Wait for a change; meanwhile the printer that has a heartbeat lets it be heard."""
    while not changed.is_set():
        try:
            async with asyncio.timeout(HEARTBEAT if isinstance(printer, ChangesPrinter) else None):
                await changed.wait()
        except TimeoutError:
            assert isinstance(printer, ChangesPrinter)
            printer.beat(session.snapshot, SystemClock().time())
    changed.clear()


async def _check_namespace(session: SessionPort, snapshot: Snapshot) -> None:
    """HpatuiError where nothing is shown because the namespace does not exist."""
    if snapshot.rows or not snapshot.namespace:
        return
    known = await session.namespaces()
    if known and snapshot.namespace not in known:
        names = printable(", ".join(known[:10]))
        raise HpatuiError(f"there is no namespace {printable(snapshot.namespace)!r}", hint=f"there are: {names}")


async def _print_once(session: SessionPort, printer: Printer, options: WatchOptions) -> None:
    if session.settings.observe == "all":
        await wait_until(session, _all_observed, DETAIL_TIMEOUT)
    if not options.details:
        printer(session.snapshot)
        return
    details: dict[Key, Detail] = {}
    for row in session.snapshot.rows:
        detail = await wait_detail(session, row.key, settled, DETAIL_TIMEOUT)
        if detail is not None:
            details[row.key] = detail
    snapshot = session.snapshot
    if isinstance(printer, JsonPrinter):
        printer.print(snapshot, details)
    else:
        printer(snapshot)


def _all_observed(snapshot: Snapshot) -> bool | None:
    """Whether each HPA has a decision."""
    return True if all(row.decision is not None for row in snapshot.rows) else None
