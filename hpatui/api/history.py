"""What happened to an HPA: from the recording of its cluster where there is one, else what this session saw."""

from __future__ import annotations

from typing import TypedDict

from hpatui.api.as_json import time_json
from hpatui.api.waiting import settled, wait_detail
from hpatui.errors import HpatuiError, RecordingError
from hpatui.model import Key, Seen
from hpatui.record.places import recording_path
from hpatui.record.reader import open_recording
from hpatui.session.live import Session
from hpatui.state.replay import with_ticks
from hpatui.state.series import HistoryView, SeriesView
from hpatui.state.store import Store
from hpatui.text import printable

_DETAILS = 10.0  # seconds that an HPA's details may take


class RescaleJson(TypedDict):
    """A change of the desired size.

    time: when
    from_size: null where that is not known
    to_size: the size wanted from then on
    reason: the controller's
    """

    time: str | None
    from_size: int | None
    to_size: int
    reason: str


class PointJson(TypedDict):
    """A value from a moment on.

    time: when
    value: null where it was not known
    """

    time: str | None
    value: float | None


class HistoryJson(TypedDict):
    """What happened to an HPA.

    namespace: of the HPA
    name: of the HPA
    source: recording, or session: what this process saw
    since: the beginning
    until: the end
    rescales: oldest first
    replicas: its current size
    metrics: metric -> its values
    targets: metric -> its target's values
    note: what is missing, and what it would take; empty where nothing is
    """

    namespace: str
    name: str
    source: str
    since: str | None
    until: str | None
    rescales: list[RescaleJson]
    replicas: list[PointJson]
    metrics: dict[str, list[PointJson]]
    targets: dict[str, list[PointJson]]
    note: str


async def history_of(session: Session, key: Key, seconds: float) -> HistoryJson:
    """The last `seconds` of an HPA. HpatuiError where nothing is known of it."""
    now = session.clock.time()
    since = now - seconds
    recorded, why = _recorded(session, key, since, now)
    if recorded is not None:
        return _json(key, "recording", recorded, since, now, "")
    detail = await wait_detail(session, key, settled, _DETAILS)
    if detail is None:
        raise HpatuiError(f"nothing is known yet of {printable(str(key))}", hint="try again in a moment")
    return _json(
        key, "session", detail.history, since, now, f"{why}: only what this session saw; `hpatui record` keeps more"
    )


def _recorded(session: Session, key: Key, since: float, until: float) -> tuple[HistoryView | None, str]:
    """The history in the context's recording, or why there is none."""
    context = session.snapshot.context
    try:
        recording = open_recording(recording_path(session.settings, context))
    except RecordingError:
        return None, "there is no recording of this cluster"
    try:
        meta = recording.meta
        store = Store(context=context, namespace=None, now=since, flags=meta.flags, observe="focus")
        store.focus(key, since)
        last: Seen | None = None
        for seen in with_ticks(recording.facts(since, until, key)):
            store.take(seen)
            last = seen
        detail = store.snapshot(last.time if last is not None else until).detail
    finally:
        recording.close()
    if detail is None or not len(detail.history.current):
        return None, "the recording of this cluster does not have it in that time"
    return detail.history, ""


def _json(key: Key, source: str, view: HistoryView, since: float, until: float, note: str) -> HistoryJson:
    return {
        "namespace": key.namespace,
        "name": key.name,
        "source": source,
        "since": time_json(since),
        "until": time_json(until),
        "rescales": [
            {"time": time_json(r.time), "from_size": r.from_size, "to_size": r.to_size, "reason": printable(r.reason)}
            for r in view.rescales
            if since <= r.time <= until
        ],
        "replicas": _points(view.current, since, until),
        "metrics": {printable(name): _points(series, since, until) for name, series in view.metrics.items()},
        "targets": {printable(name): _points(series, since, until) for name, series in view.targets.items()},
        "note": note,
    }


def _points(series: SeriesView, since: float, until: float) -> list[PointJson]:
    return [{"time": time_json(time), "value": value} for time, value in series.window(since, until)]
