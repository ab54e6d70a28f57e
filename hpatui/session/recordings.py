"""Finds the recording that somebody means, a file or that of a context, and opens it as a session in the past."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from hpatui.errors import HpatuiError, NoClusterError, RecordingError, UsageError
from hpatui.record.places import SUFFIX, recording_path, recordings_folder
from hpatui.record.reader import Recording, open_recording
from hpatui.session.moments import parse_moment
from hpatui.session.port import SessionPort
from hpatui.session.recording import OpenRecording, RecordingPort
from hpatui.session.replaying import ReplaySession
from hpatui.settings import Settings
from hpatui.text import printable


def open_named(
    settings: Settings, file: str | None, *, since: str | None = None, until: str | None = None
) -> OpenRecording:
    """The recording in `file`, else that of the settings' context (the kubeconfig's current one); where the settings name a
    Prometheus, with what that tells of the time without a recording, from `since` (24h) to `until`. RecordingError with
    what there is instead.
    """
    if not settings.prometheus:
        return open_recording(Path(file).expanduser() if file else path_of_context(settings))
    from hpatui.session.prometheus import Wish, filled

    return filled(settings, _own(settings, file), Wish(since, until, bool(file)), say=_say)


def _own(settings: Settings, file: str | None) -> Recording | None:
    """What is recorded; None where nothing is, and nobody named a file."""
    if file:
        return open_recording(Path(file).expanduser())
    try:
        return open_recording(path_of_context(settings, guess=False))
    except (RecordingError, NoClusterError):
        return None


def _say(text: str) -> None:
    """Progress on a terminal, which the next line overwrites; whole lines anywhere."""
    if text.endswith("\n"):
        sys.stderr.write(f"hpatui: {text}")
    elif sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<40}" + ("" if text else "\r"))
        sys.stderr.flush()


def path_of_context(settings: Settings, *, guess: bool = True) -> Path:
    """Where the recording of the context is. RecordingError where there is none. `guess`: where only one cluster was ever
    recorded, it is that.
    """
    context = settings.context or _current_context(settings)
    if context is not None:
        path = recording_path(settings, context)
        if path.is_file():
            return path
        stem = path.stem.rpartition("-")[0]
        same = [p for p in _there(settings) if p.stem.rpartition("-")[0] == stem]
        if same:  # the same context of another kubeconfig, as that of a sandbox, which has a new one each time
            return same[0]
    known = _there(settings)
    if guess and context is None and len(known) == 1:
        return known[0]
    names = ", ".join(path.stem for path in known[:5])
    what = f"there is no recording of context {printable(context)}" if context else "say which recording"
    hint = f"give one of these files of {recordings_folder(settings)}: {names}" if names else (
        "hpatui records while its screen is open, and `hpatui record` without one"
    )  # fmt: skip
    raise RecordingError(what, hint=hint)


def _there(settings: Settings) -> list[Path]:
    """All recordings, the one written last first."""
    try:
        found = [path for path in recordings_folder(settings).iterdir() if path.suffix == SUFFIX]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []


def _current_context(settings: Settings) -> str | None:
    from hpatui.cluster.connect import list_contexts

    try:
        return next((context.name for context in list_contexts(settings) if context.current), None)
    except UsageError:
        raise
    except HpatuiError:
        return None


def open_replay_of(session: SessionPort, *, way_back: str) -> ReplaySession:
    """The past of a live session: the recording of its context, from the end, with the HPA that is selected.

    RecordingError where nothing is recorded.
    """
    snapshot = session.snapshot
    detail = snapshot.detail
    settings = replace(
        session.settings,
        context=snapshot.context or session.settings.context,
        namespace=snapshot.namespace,
        all_namespaces=snapshot.namespace is None,
        hpa=None,
        prometheus=None,  # asking one takes longer than a screen may stand still
    )
    recording = open_named(settings, str(session.recording) if session.recording else None)
    replay = open_replay(recording, settings, way_back=way_back)
    if detail is not None and detail.row.key in replay.hpas:
        replay.select(detail.row.key)
    return replay


def open_replay(
    recording: RecordingPort, settings: Settings, *, at: str | None = None, speed: float | None = None,
    from_start: bool = False, way_back: str = "q quits",
) -> ReplaySession:  # fmt: skip
    """A session at the moment that `at` names (see `moments`); without it at the end, or `from_start`. UsageError; where the
    recording is empty HpatuiError.
    """
    meta = recording.meta
    moment = parse_moment(at, meta.first, meta.last) if at else meta.first if from_start else None
    session = ReplaySession(recording, settings, at=moment, speed=speed, way_back=way_back)
    if not session.hpas:
        raise HpatuiError("there is no HPA in this recording", hint="record a cluster that has some")
    return session
