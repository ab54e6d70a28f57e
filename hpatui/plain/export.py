"""`hpatui export`: writes a part of a recording and says in one line what is in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from hpatui.errors import UsageError
from hpatui.model import Key
from hpatui.session.exporting import Exported, range_of
from hpatui.session.exporting import export as write
from hpatui.session.moments import span_text
from hpatui.session.port import parse_hpa_name, unknown_hpa
from hpatui.session.recordings import open_named
from hpatui.settings import Settings
from hpatui.text import printable


def export(settings: Settings, args: argparse.Namespace) -> int:
    """Returns 0. HpatuiError where there is nothing to export, or it cannot be written."""
    path = Path(args.file).expanduser()
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name a file in it, as run.hpatui")
    if path.exists() and not args.force:
        raise UsageError(f"{path} is there already", hint="choose another name, or give --force")
    recording = open_named(settings, args.source, since=args.since, until=args.until)
    try:
        key = find_hpa(recording.hpas(), settings) if settings.hpa else None
        since, until = range_of(recording.meta, args.since, args.until)
        done = write(recording, path, key=key, since=since, until=until, anonymize=args.anonymize)
    finally:
        recording.close()
    print(_line(done, anonymized=args.anonymize))
    return 0


def find_hpa(known: list[Key], settings: Settings) -> Key:
    """The HPA that the settings name, in the recording. UsageError that names those there are."""
    assert settings.hpa is not None
    wanted = parse_hpa_name(settings.hpa)
    namespace = wanted.namespace or settings.namespace or ""
    found = [key for key in known if key.name == wanted.name and namespace in ("", key.namespace)]
    if not found:
        raise unknown_hpa(Key(namespace, wanted.name), known, settings.namespace)
    if len(found) > 1:
        choices = printable(", ".join(str(key) for key in found[:5]))
        raise UsageError(f"several HPAs are named {printable(wanted.name)}", hint=f"say which: {choices}")
    return found[0]


def _line(done: Exported, *, anonymized: bool) -> str:
    names = ", ".join(str(key) for key in done.hpas[:3]) + (" ..." if len(done.hpas) > 3 else "")
    words = f"{done.path}: {_size(done.size)}, {span_text(done.first, done.last)}, {printable(names)}"
    return f"{words}; {'no name of yours is in it' if anonymized else 'names are in it: --anonymize replaces them'}"


def _size(size: int) -> str:
    if size < 10_000:
        return f"{size} bytes"
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1000:.0f} KB"
