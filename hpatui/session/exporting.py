"""A part of a recording as one file that a colleague opens with `hpatui replay`: of some time, of one HPA or of all."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hpatui.errors import HpatuiError, UsageError
from hpatui.model import Key, Kind, Listed, Seen, Upserted
from hpatui.record.meta import Meta
from hpatui.record.writer import Recorder
from hpatui.session.anonymize import Anonymizer
from hpatui.session.moments import parse_moment, parse_span
from hpatui.session.recording import OpenRecording

_BUILD = re.compile(r"^(v?[0-9]+\.[0-9]+(?:\.[0-9]+)?).*$")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many facts and bytes, of which time (epoch seconds), and what HPAs are called in it."""

    path: Path
    facts: int
    size: int
    first: float
    last: float
    hpas: tuple[Key, ...]


def range_of(meta: Meta, since: str | None, until: str | None) -> tuple[float, float]:
    """The time that `since` (a duration, or a moment) and `until` (a moment) mean within a recording. UsageError."""
    last = parse_moment(until, meta.first, meta.last) if until else meta.last
    if since is None:
        return meta.first, last
    try:
        first = max(meta.first, last - parse_span(since))
    except UsageError:
        first = parse_moment(since, meta.first, meta.last)
    if first >= last:
        raise UsageError("nothing lies between --since and --until", hint="let --since be earlier than --until")
    return first, last


def export(
    recording: OpenRecording, path: Path, *, key: Key | None, since: float, until: float, anonymize: bool = False
) -> Exported:
    """Write the facts of `since` to `until` (of one HPA with `key`) to `path`, which appears only once it is whole.

    HpatuiError where it cannot be written, or where there is nothing to write.
    """
    meta = replace(recording.meta, first=since, last=until)

    def facts() -> Iterator[Seen]:
        return recording.facts(since, until, key)

    chosen: Callable[[], Iterable[Seen]] = facts
    if anonymize:
        anonymizer = Anonymizer()
        anonymizer.look(facts())
        context = anonymizer.name(meta.context, "context")
        anonymizer.settle()
        meta = _nameless(meta, anonymizer.name(context, "context"))
        chosen = lambda: anonymizer.take(facts())  # noqa: E731
    try:
        folder = path.absolute().parent
        handle, name = tempfile.mkstemp(prefix=".hpatui-", suffix=".part", dir=folder)
        os.close(handle)
    except OSError as error:
        raise _cannot(path, error.strerror or str(error)) from error
    draft = Path(name)
    try:
        count = _write(draft, meta, chosen(), path)
        draft.chmod(0o600)
        draft.replace(path)
    except OSError as error:
        raise _cannot(path, error.strerror or str(error)) from error
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                Path(f"{draft}{end}").unlink(missing_ok=True)
    return _exported(path, count)


def _write(draft: Path, meta: Meta, facts: Iterable[Seen], path: Path) -> int:
    """Fill the draft; returns how many facts."""
    draft.unlink()
    recorder = Recorder(draft, meta, single=True, days=1e6)
    count, hpas = 0, False
    try:
        for seen in facts:
            recorder.take(seen)
            count += 1
            hpas = hpas or _has_hpas(seen)
    finally:
        recorder.close()
    if recorder.problem:
        raise _cannot(path, recorder.problem)
    if not hpas:
        raise HpatuiError("nothing was recorded of that", hint="choose another HPA or a longer time")
    return count


def _has_hpas(seen: Seen) -> bool:
    what = seen.what
    return isinstance(what, Listed | Upserted) and what.kind is Kind.HPA and getattr(what, "items", True) != ()


def _exported(path: Path, count: int) -> Exported:
    from hpatui.record.reader import open_recording

    written = open_recording(path)
    try:
        meta = written.meta
        return Exported(path, count, path.stat().st_size, meta.first, meta.last, tuple(written.hpas()))
    finally:
        written.close()


def _nameless(meta: Meta, context: str) -> Meta:
    """What is known of the recording, without the cluster's name; builds of a version name the provider."""
    rules = re.sub(r" \(server [^)]*\)", "", meta.flags.rules_text)
    version = _BUILD.sub(r"\1", meta.server_version)
    return replace(
        meta, context=context, anonymized=True, server_version=version, flags=replace(meta.flags, rules_text=rules)
    )


def _cannot(path: Path, why: str) -> HpatuiError:
    return HpatuiError(f"{path} cannot be written: {why}", hint="choose another place")
