"""Waiting for one HPA, or for a condition: the commands that are about a single one begin here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hpatui.autoscaler.keda import scaled_object
from hpatui.errors import HpatuiError
from hpatui.model import Key, Kind, SourceState
from hpatui.session.port import SessionPort, unknown_hpa
from hpatui.state.snapshot import Detail, HpaRow, Snapshot
from hpatui.text import printable

CONNECT_TIMEOUT = 30.0
_T = TypeVar("_T")
_DETAIL_KINDS = (Kind.WORKLOAD, Kind.POD, Kind.EVENT, Kind.POD_USAGE)
_ENDED = (SourceState.FAILED, SourceState.FORBIDDEN, SourceState.NOT_SERVED)


def raise_if_ended(snapshot: Snapshot) -> None:
    """HpatuiError with the source's own sentence, if it cannot go on by itself."""
    if snapshot.status.state in _ENDED and not snapshot.status.retrying:
        raise HpatuiError(printable(snapshot.status.message) or f"the HPAs are {snapshot.status.state.value}")


async def wait_until(session: SessionPort, look: Callable[[Snapshot], _T | None], timeout: float) -> _T | None:
    """The first value that is not None of `look` on the snapshots to come; None after `timeout` seconds."""
    changed = asyncio.Event()
    unsubscribe = session.subscribe(lambda _snapshot: changed.set())
    try:
        async with asyncio.timeout(timeout):
            while True:
                value = look(session.snapshot)
                if value is not None:
                    return value
                await changed.wait()
                changed.clear()
    except TimeoutError:
        return None
    finally:
        unsubscribe()


async def wait_live(session: SessionPort, timeout: float = CONNECT_TIMEOUT) -> Snapshot:
    """Start the session and wait for its first complete snapshot. HpatuiError if there will be none."""
    await session.start()

    def look(snapshot: Snapshot) -> Snapshot | None:
        raise_if_ended(snapshot)
        if snapshot.status.state is SourceState.RECONNECTING:
            raise HpatuiError(printable(snapshot.status.message) or "the cluster cannot be reached")
        return snapshot if snapshot.status.state is SourceState.LIVE else None

    live = await wait_until(session, look, timeout)
    if live is None:
        raise HpatuiError(f"no answer from the cluster within {timeout:g} s", hint="check the context and the network")
    return live


def find_row(snapshot: Snapshot, wanted: Key) -> HpaRow:
    """The row of an HPA; an empty namespace matches any. HpatuiError that names the HPAs there are."""
    found = [r for r in snapshot.rows if r.key.name == wanted.name and wanted.namespace in ("", r.key.namespace)]
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(str(row.key) for row in found[:5])
        raise HpatuiError(f"several HPAs are named {printable(wanted.name)}", hint=f"say which: {printable(choices)}")
    raise unknown_hpa(wanted, [row.key for row in snapshot.rows], snapshot.namespace)


async def wait_detail(session: SessionPort, key: Key, ready: Callable[[Detail], bool], timeout: float) -> Detail | None:
    """Select an HPA and wait until its details satisfy `ready`; after `timeout` seconds what there is."""
    session.select(key)

    def look(snapshot: Snapshot) -> Detail | None:
        detail = snapshot.detail
        return detail if detail is not None and detail.row.key == key and ready(detail) else None

    found = await wait_until(session, look, timeout)
    if found is not None:
        return found
    detail = session.snapshot.detail
    return detail if detail is not None and detail.row.key == key else None


def settled(detail: Detail) -> bool:
    """Whether each stream of an HPA's details has answered, one way or the other."""
    waiting = (SourceState.CONNECTING, SourceState.LISTING, SourceState.IDLE)
    hpa = detail.row.hpa
    keda = scaled_object(hpa.labels, ((owner.kind, owner.name) for owner in hpa.owners))
    kinds = (*_DETAIL_KINDS, Kind.SCALED_OBJECT) if keda else _DETAIL_KINDS
    return all(kind in detail.statuses and detail.statuses[kind].state not in waiting for kind in kinds)
