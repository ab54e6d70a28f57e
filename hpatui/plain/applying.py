"""A change of a live HPA on the command line: shown, asked about, applied, and followed. Used by advise, shadow and undo."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from hpatui.api.waiting import settled, wait_detail
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.errors import ConflictError, UsageError
from hpatui.model import Key
from hpatui.session.applying import READ_ONLY, Answer, Plan, plan_json
from hpatui.session.guarded import Followed, Foretold, GuardedChange
from hpatui.session.live import Session
from hpatui.session.undo_book import Change
from hpatui.text import printable

DETAIL_TIMEOUT = 10.0
UNDO = "undo"  # why a spec is applied that was there before


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the flags say: `dry_run` shows and applies nothing; `yes`, `confirm` (the HPA's name) and `force` answer the
    questions beforehand; `syncs` are watched afterwards.
    """

    dry_run: bool = False
    yes: bool = False
    confirm: str = ""
    force: bool = False
    syncs: int = 2


@dataclass(slots=True)
class Outcome:
    """What became of it, for JSON; `ended` is applied, dry-run, unchanged or declined."""

    plan: Plan
    foretold: Foretold
    ended: str = ""
    change: Change | None = None
    followed: list[Followed] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """The object that scripts rely on."""
        return {
            **plan_json(self.plan),
            "foretold": {"replicas": self.foretold.size, "text": printable(self.foretold.why, 400)},
            "ended": self.ended,
            "applied": self.change is not None,
            "syncs": [
                {
                    "time": format_rfc3339(as_datetime(sync.time)),
                    "from": sync.from_size,
                    "to": sync.to_size,
                    "foretold": sync.foretold,
                    "as_foretold": sync.as_foretold,
                    "text": printable(sync.text(), 400),
                }
                for sync in self.followed
            ],
        }


async def change_hpa(
    session: Session, key: Key, spec: Mapping[str, Any], options: ApplyOptions, out: TextIO | None, why: str = ""
) -> Outcome:
    """Show what applying `spec` does, ask, apply and follow. `out` None: nothing is printed (JSON). The session is live.

    Raises UsageError where the question was not answered, and what `plan_change` and `carry_out` raise.
    """
    if session.settings.read_only:
        raise READ_ONLY
    await wait_detail(session, key, settled, DETAIL_TIMEOUT)
    guarded = GuardedChange(session)
    plan = await guarded.plan(key, spec, why)
    outcome = Outcome(plan, guarded.foretell(plan))
    _show(outcome, out)
    if not plan.changes:
        outcome.ended = "unchanged"
        _say(out, "Nothing to apply: the server would change nothing.")
        return outcome
    if options.dry_run:
        outcome.ended = "dry-run"
        _say(out, "Dry run: nothing was applied.")
        return outcome
    answer = await _ask(plan, options)
    if answer is None:
        outcome.ended = "declined"
        _say(out, "Nothing was applied.")
        return outcome
    try:
        outcome.change = await guarded.apply(plan, answer)
    except ConflictError as error:
        raise UsageError(f"nothing was applied: {error.message}", hint=error.hint or "look again") from error
    outcome.ended = "applied"
    back = "" if why == UNDO else f" `hpatui undo {printable(str(key))}` brings the old spec back."
    _say(out, f"Applied.{back}")
    if options.syncs > 0:
        await _follow(guarded, outcome, options.syncs, out)
    return outcome


async def _follow(guarded: GuardedChange, outcome: Outcome, syncs: int, out: TextIO | None) -> None:
    assert outcome.change is not None
    async for sync in guarded.follow(outcome.plan, outcome.change, outcome.foretold, syncs):
        outcome.followed.append(sync)
        _say(out, f"  sync at {_clock_time(sync.time)}: {printable(sync.text(), 300)}")
    if not outcome.followed:
        _say(out, "  no sync of the controller was seen yet; look with `hpatui explain`")


async def _ask(plan: Plan, options: ApplyOptions) -> Answer | None:
    """The answer from the flags, else from the terminal; None: no. Without a terminal what the flags do not say stays open,
    and applying will refuse.
    """
    typed, yes, force = options.confirm, options.yes, options.force
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        return Answer(yes or bool(typed), typed, force)
    if plan.type_name and typed != plan.type_name:
        typed = await _read(f"{plan.question}\nThis looks like production. Type the HPA's name to apply it: ")
        if typed != plan.type_name:
            return None
        return Answer(True, typed, bool(plan.conflicts))
    if not plan.type_name and (not yes or (plan.conflicts and not force)):
        reply = await _read(f"{plan.question} [y/N] ")
        return Answer(True, typed, bool(plan.conflicts)) if reply.lower() in ("y", "yes") else None
    return Answer(True, typed, force)


async def _read(prompt: str) -> str:
    sys.stderr.write("\n".join(printable(line, 600) for line in prompt.split("\n")) + " ")
    sys.stderr.flush()
    loop, stdin = asyncio.get_running_loop(), sys.stdin
    ready: asyncio.Future[None] = loop.create_future()

    def typed() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(stdin.fileno(), typed)
    try:
        await ready  # a terminal gives whole lines; waiting for one in a thread could not be interrupted
    finally:
        loop.remove_reader(stdin.fileno())
    line: str = stdin.readline()
    return line.strip()


def _show(outcome: Outcome, out: TextIO | None) -> None:
    plan = outcome.plan
    for line in plan.diff:
        _say(out, line)
    if plan.managers:
        _say(out, "Fields of the spec are managed by:")
    for manager in plan.managers:
        _say(out, f"  {manager}")
    for who, what in plan.conflicts:
        _say(out, f"Conflict: {printable(who)} manages {printable(what)}.")
    for text in plan.warnings:
        _say(out, f"Warning: {text}.")
    if plan.changes:
        _say(out, f"Foretold: {printable(outcome.foretold.why, 300)}.")


def _say(out: TextIO | None, line: str) -> None:
    if out is not None:
        out.write(f"{line}\n")
        out.flush()


def _clock_time(seconds: float) -> str:
    return as_datetime(seconds).astimezone().strftime("%H:%M:%S")
