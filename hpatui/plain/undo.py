"""`hpatui undo [NS/]NAME`: the spec that an HPA had before hpatui changed it, applied again with the same guards."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TextIO

from hpatui.api.waiting import find_row, wait_live
from hpatui.clock import as_datetime, format_rfc3339
from hpatui.cluster.kubeconfig import cluster_access
from hpatui.errors import UsageError
from hpatui.model import Key
from hpatui.plain.applying import UNDO, ApplyOptions, change_hpa
from hpatui.session.applying import READ_ONLY
from hpatui.session.live import Session
from hpatui.session.port import parse_hpa_name
from hpatui.session.undo_book import Change, UndoBook
from hpatui.settings import Settings, state_dir
from hpatui.text import printable


def find_change(settings: Settings, name: str | None) -> Change:
    """The newest change of the HPA, or of any, on the context of the settings. UsageError where there is none."""
    if settings.read_only:
        raise READ_ONLY
    access = cluster_access(settings, None)
    wanted = _wanted(settings, name)
    changes = UndoBook(state_dir(settings)).changes(access.server, wanted)
    if not changes:
        what = f"HPA {printable(str(wanted))}" if wanted else "any HPA"
        raise UsageError(
            f"hpatui has changed nothing of {what} on context {printable(access.context)}",
            hint="hpatui undo --list shows what can be undone",
        )
    if wanted is not None and not wanted.namespace and len({c.key for c in changes}) > 1:
        raise UsageError(
            f"several HPAs named {printable(wanted.name)} were changed",
            hint="say which: " + printable(", ".join(sorted({str(c.key) for c in changes}))),
        )
    return changes[-1]


def list_changes(settings: Settings, name: str | None, *, as_json: bool, out: TextIO | None = None) -> int:
    """Print what can be undone on the context of the settings."""
    access = cluster_access(settings, None)
    changes = UndoBook(state_dir(settings)).changes(access.server, _wanted(settings, name))
    (out or sys.stdout).write(_json(changes) if as_json else _text(changes, access.context))
    return 0


def _wanted(settings: Settings, name: str | None) -> Key | None:
    if not name:
        return None
    key = parse_hpa_name(name)
    return key if key.namespace else Key(settings.namespace or "", key.name)


async def undo(
    session: Session, change: Change, options: ApplyOptions, *, as_json: bool, out: TextIO | None = None
) -> int:
    """Apply the spec from before `change`, with the same guards. Returns the exit code: 0 also where the user said no."""
    stream = out or sys.stdout
    row = find_row(await wait_live(session), change.key)
    if row.hpa.uid != change.uid:
        raise UsageError(
            f"HPA {printable(str(change.key))} was deleted and made anew since hpatui changed it",
            hint="there is nothing to undo; the old spec is in hpatui undo --list --json",
        )
    await _tell_if_changed(session, change, None if as_json else stream)
    outcome = await change_hpa(session, change.key, change.before, options, None if as_json else stream, why=UNDO)
    book = UndoBook(state_dir(session.settings))
    if outcome.change is not None:
        book.drop(outcome.change)  # what was undone and its undoing cancel out
    if outcome.change is not None or outcome.ended == "unchanged":
        book.drop(change)
    if as_json:
        stream.write(json.dumps({**outcome.json(), "undoes": _entry(change)}, ensure_ascii=False) + "\n")
    return 0


async def _tell_if_changed(session: Session, change: Change, out: TextIO | None) -> None:
    import yaml

    if out is None:
        return
    live = yaml.safe_load(await session.object_yaml("HorizontalPodAutoscaler", Key(change.namespace, change.name)))
    spec = (live or {}).get("spec") or {}
    names = sorted(
        name for name in {*spec, *change.after} if spec.get(name) != change.after.get(name)
    )  # fmt: skip
    if names:
        fields = printable(", ".join(f"spec.{name}" for name in names))
        out.write(f"Warning: {fields} changed again since hpatui changed it: undoing replaces that as well.\n")


def _entry(change: Change) -> dict[str, object]:
    return {
        "namespace": change.namespace,
        "name": change.name,
        "context": printable(change.context),
        "time": format_rfc3339(as_datetime(change.time)),
        "why": printable(change.why, 400),
        "before": change.before,
        "after": change.after,
    }


def _json(changes: Sequence[Change]) -> str:
    return json.dumps({"changes": [_entry(change) for change in changes]}, ensure_ascii=False) + "\n"


def _text(changes: Sequence[Change], context: str) -> str:
    if not changes:
        return f"hpatui has changed nothing on context {printable(context)}.\n"
    lines = []
    for change in changes:
        when = as_datetime(change.time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        names = {*change.before, *change.after}
        fields = sorted(name for name in names if change.before.get(name) != change.after.get(name))
        lines.append(
            f"{when}  {printable(str(change.key))}  {', '.join(fields)}  {printable(change.why, 200)}".rstrip()
        )
    return "\n".join(lines) + "\n"
