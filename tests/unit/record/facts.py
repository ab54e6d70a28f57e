"""Facts for tests of recordings: those of traces, as a store took them, and snapshots to compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hpatui.model import ControllerFlags, Key, Seen, Tick
from hpatui.state.replay import with_ticks
from hpatui.state.series import SeriesView
from hpatui.state.snapshot import Snapshot
from hpatui.state.store import Store
from tests.conformance import trace_objects as objects
from tests.conformance.traces import Replay, flags_of, is_trace, read

TRACES = Path(__file__).parents[2] / "data" / "traces"
SMALL = sorted(path for path in TRACES.iterdir() if is_trace(path))


def facts_of(path: Path) -> tuple[list[Seen], ControllerFlags, Key]:
    """The facts of a trace's first HPA without ticks, its controller's flags, and the HPA."""
    lines, facts, started = read(path)
    key = min(objects.key_of(line["object"]) for line in lines if line["source"] == "hpa")
    run = Replay(path.name, flags_of(facts), key, started)
    found = []
    for seen in run._facts(lines, (), lambda _now: None):
        run.store.take(seen)
        if not isinstance(seen.what, Tick):
            found.append(seen)
    return found, flags_of(facts), key


def snapshots(facts: Iterable[Seen], flags: ControllerFlags, key: Key, every: float = 5.0) -> Iterator[Any]:
    """What a store that looks at `key` shows each `every` seconds, without the objects' JSON."""
    store, due = Store(flags=flags, observe="all"), 0.0
    for seen in with_ticks(facts):
        store.take(seen)
        if store.focused is None and store.hpa(key) is not None:
            store.focus(key, seen.time)
        if seen.time >= due:
            due = seen.time + every
            yield plain(store.snapshot(seen.time))


def plain(value: Any) -> Any:
    """A snapshot as plain values without `raw` (which a recording reduces) and `version` (which counts changes)."""
    if isinstance(value, Snapshot):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "version"}
    if isinstance(value, SeriesView):
        return [repr(value._times), repr(value._values), value.step]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "raw"}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
