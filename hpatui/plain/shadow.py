"""`hpatui shadow FILE...`: candidate specs beside the live HPA, a line for each sync, and a report at the end."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from hpatui.api.waiting import find_row, raise_if_ended, settled, wait_detail, wait_live
from hpatui.clock import SystemClock, as_datetime, format_rfc3339
from hpatui.errors import HpatuiError, UsageError
from hpatui.model import Key
from hpatui.plain.applying import ApplyOptions, change_hpa
from hpatui.session.candidates import Candidate
from hpatui.session.live import Session
from hpatui.session.shadowing import ShadowRun
from hpatui.state.shadow import Account, Shadow, Shadows
from hpatui.text import printable

TIMEOUT = 10.0
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


@dataclass(frozen=True, slots=True)
class ShadowOptions:
    """`seconds`: how long (None: until interrupted). `apply`: the name of the candidate to apply at the end, in question."""

    seconds: float | None = None
    as_json: bool = False
    ascii: bool = False
    apply: str = ""
    applying: ApplyOptions | None = None


async def shadow(
    session: Session, key: Key, candidates: Sequence[Candidate], options: ShadowOptions, out: TextIO | None = None
) -> int:
    """Run the candidates beside the HPA until the time is over or the user interrupts; then report. Exit code 0."""
    stream = out or sys.stdout
    snapshot = await wait_live(session)
    row = find_row(snapshot, key)
    _check_target(row.hpa.reference.name, candidates)
    chosen = _chosen(candidates, options.apply)
    await wait_detail(session, row.key, settled, TIMEOUT)
    lines = _Lines(None if options.as_json else stream)
    run = ShadowRun(session, row.key, candidates, lambda time: lines.say(run, time))
    lines.head(row.key, candidates)
    interrupted = False
    try:
        await _wait(session, options.seconds)
    except asyncio.CancelledError:
        interrupted = True
    finally:
        run.close()
    shadows = run.shadows
    if shadows is None:
        raise HpatuiError(f"HPA {printable(str(row.key))} was not seen", hint="is it still there?")
    until = session.clock.time()
    report = report_of(row.key, shadows, until)
    stream.write(json.dumps(report, ensure_ascii=False) + "\n" if options.as_json else text_of(shadows, until, options))
    stream.flush()
    if interrupted:
        raise asyncio.CancelledError
    if chosen is not None and options.applying is not None:
        await change_hpa(session, row.key, chosen.spec, options.applying, stream, why=f"shadow of {chosen.name}")
    return 0


def _chosen(candidates: Sequence[Candidate], name: str) -> Candidate | None:
    if not name:
        return None
    found = next((c for c in candidates if c.name == name), None)
    if found is None:
        names = ", ".join(c.name for c in candidates)
        raise UsageError(f"--apply {printable(name)!r} is none of the candidates", hint=printable(f"one of {names}"))
    return found


def _check_target(target: str, candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        if candidate.trial.target_name != target:
            raise UsageError(
                f"{candidate.name} scales {printable(candidate.trial.target_name)}, the live HPA {printable(target)}",
                hint="give a candidate for the same target",
            )


async def _wait(session: Session, seconds: float | None) -> None:
    """Until the time is over; HpatuiError where the source ends."""
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    while end is None or loop.time() < end:
        raise_if_ended(session.snapshot)
        await asyncio.sleep(1.0 if end is None else max(0.0, min(1.0, end - loop.time())))


class _Lines:
    """A line for each sync."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out

    def head(self, key: Key, candidates: Sequence[Candidate]) -> None:
        """What is compared."""
        if self._out is not None:
            names = ", ".join(candidate.name for candidate in candidates)
            self._out.write(f"{printable(str(key))} and, applying nothing, {printable(names)}; ctrl+c ends it\n")
            self._out.flush()

    def say(self, run: ShadowRun, time: float) -> None:
        """One sync."""
        shadows = run.shadows
        if self._out is None or shadows is None:
            return
        clock = as_datetime(time).astimezone().strftime("%H:%M:%S")
        others = "  ".join(f"{printable(s.name, 40)} {s.run.size}" for s in shadows.candidates)
        why = {printable(s.text, 120) for s in shadows.candidates if s.text and s.run.size != shadows.live.size}
        self._out.write(
            f"{clock}  live {shadows.live.size}  {others}" + (f"  ({'; '.join(sorted(why))})" if why else "") + "\n"
        )
        self._out.flush()


# The report -----------------------------------------------------------------------------------------------------------


def report_of(key: Key, shadows: Shadows, until: float) -> dict[str, Any]:
    """The JSON object that scripts rely on."""
    live = shadows.live.account(until)
    return {
        "namespace": key.namespace,
        "name": key.name,
        "since": format_rfc3339(as_datetime(shadows.begin)),
        "until": format_rfc3339(as_datetime(until)),
        "seconds": round(until - shadows.begin, 3),
        "syncs": shadows.syncs,
        "live": _account(live),
        "candidates": [_candidate(shadow, live, until) for shadow in shadows.candidates],
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "pod_hours": round(account.pod_hours, 6),
        "above_target_s": round(account.above_target, 3),
        "rescales": account.rescales,
        "most_replicas": account.most,
        "least_replicas": account.least,
        "replicas": [[format_rfc3339(as_datetime(time)), size] for time, size in account.replicas],
    }


def _candidate(shadow: Shadow, live: Account, until: float) -> dict[str, Any]:
    account = shadow.run.account(until)
    return {
        "name": printable(shadow.name),
        **_account(account),
        "pod_hours_difference": round(account.pod_hours - live.pod_hours, 6),
        "above_target_difference_s": round(account.above_target - live.above_target, 3),
        "notes": list(shadow.notes(until)),
    }


def say_at_the_end(run: ShadowRun, *, ascii: bool) -> None:
    """Print the report after the screen was closed; nothing where the HPA was never seen."""
    run.close()
    if run.shadows is not None:
        sys.stdout.write(text_of(run.shadows, SystemClock().time(), ShadowOptions(ascii=ascii)))


def text_of(shadows: Shadows, until: float, options: ShadowOptions) -> str:
    """The report for people: the lines drawn over time, and a table."""
    seconds = until - shadows.begin
    if not shadows.syncs:
        return f"No sync of the controller was seen in {seconds:.0f} s: there is nothing to compare.\n"
    live = shadows.live.account(until)
    named = [("live", live), *((printable(s.name, 40), s.run.account(until)) for s in shadows.candidates)]
    width = max(len(name) for name, _ in named)
    top = max(account.most for _, account in named)
    lines = ["", f"{seconds:.0f} s, {shadows.syncs} syncs; replicas up to {top}:"]
    lines += [
        f"  {name:<{width}}  {_drawn(account, shadows.begin, until, top, options.ascii)}" for name, account in named
    ]
    lines += ["", f"  {'':<{width}}  {'pod-hours':>18}{'above target':>22}{'rescales':>10}{'replicas':>10}"]
    for name, account in named:
        hours, above = f"{account.pod_hours:.3f}", f"{account.above_target:.0f} s"
        if account is not live:
            hours += f" ({account.pod_hours - live.pod_hours:+.3f})"
            above += f" ({account.above_target - live.above_target:+.0f} s)"
        sizes = f"{account.least}-{account.most}"
        lines.append(f"  {name:<{width}}  {hours:>18}{above:>22}{account.rescales:>10}{sizes:>10}")
    notes = dict.fromkeys(note for shadow in shadows.candidates for note in shadow.notes(until))
    lines += [f"Note: {note}." for note in notes]
    return "\n".join(lines) + "\n"


def _drawn(account: Account, begin: float, until: float, top: int, ascii: bool) -> str:
    """The size over time, a glyph for each part of it."""
    found, points = "", list(account.replicas)
    for column in range(_WIDTH):
        moment = begin + (column + 0.5) * (until - begin) / _WIDTH
        size = next((size for time, size in reversed(points) if time <= moment), points[0][1] if points else 0)
        if ascii:
            found += str(size) if size < 10 else "+"
        else:
            found += _BARS[round((len(_BARS) - 1) * size / max(1, top))] if size else " "
    return found
