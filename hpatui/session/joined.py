"""A recording with its gaps filled: where nothing was recorded, another recording tells (made from a Prometheus).

Both give their facts anew at the beginning of each stretch, so that a reader takes the change as it takes any new list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hpatui.model import Key, Kind, Seen, SourceState, SourceStatus, StatusChanged
from hpatui.record.meta import Meta
from hpatui.session.recording import OpenRecording

Span = tuple[float, float]
_NOBODY = "-"  # a scope that is nobody's: whoever was in focus while it was recorded is not any more


class Joined:
    """`spans` are the times (epoch seconds, in order, not touching) in which `filler` tells, in all others `recording`."""

    def __init__(self, recording: OpenRecording, filler: OpenRecording, spans: Sequence[Span]) -> None:
        self._recording, self._filler, self._spans = recording, filler, tuple(spans)

    @property
    def meta(self) -> Meta:
        """That of the recording, with what is to be said of the filler."""
        meta, other = self._recording.meta, self._filler.meta
        first, last = min(meta.first, other.first or meta.first), max(meta.last, other.last)
        source = f"{meta.source}; where it was not, {other.source}"
        return replace(meta, first=first, last=last, source=source, missing=other.missing)

    @property
    def problems(self) -> list[str]:
        """What could not be read so far."""
        return [*self._recording.problems, *self._filler.problems]

    def hpas(self, since: float | None = None, until: float | None = None) -> list[Key]:
        """Those of both, sorted."""
        return sorted({*self._recording.hpas(since, until), *self._filler.hpas(since, until)})

    def rescales(self, hpa: Key, since: float | None = None, until: float | None = None) -> list[Seen]:
        """Those of both, each in its time."""
        recorded = [s for s in self._recording.rescales(hpa, since, until) if not self._filled(s.time)]
        other = [s for s in self._filler.rescales(hpa, since, until) if self._filled(s.time)]
        return sorted([*recorded, *other], key=lambda seen: seen.time)

    def breaks(self) -> list[Span]:
        """From when to when nothing is known."""
        found = list(self._filler.breaks())
        known = self._filler.meta
        for start, end in self._recording.breaks():
            if not any(a <= start + 1 and end <= b + 1 for a, b in self._spans) or known.last < start:
                found.append((start, end))
        return sorted(found)

    def facts(self, since: float | None = None, until: float | None = None, hpa: Key | None = None) -> Iterator[Seen]:
        """As those of a recording."""
        meta = self.meta
        low = meta.first if since is None else since
        high = meta.last if until is None else until
        for place, (start, end, filled) in enumerate(self._stretches(low, high)):
            if filled and place and hpa is None:
                status = SourceStatus(SourceState.IDLE, start)
                yield Seen(start, StatusChanged(Kind.POD, status, _NOBODY))
            yield from (self._filler if filled else self._recording).facts(start, end, hpa)

    def close(self) -> None:
        """Close both; idempotent."""
        self._recording.close()
        self._filler.close()

    def _filled(self, moment: float) -> bool:
        return any(start <= moment < end for start, end in self._spans)

    def _stretches(self, low: float, high: float) -> Iterator[tuple[float, float, bool]]:
        """(from, to, whether the filler tells) in order, from `low` to `high`."""
        now = low
        for start, end in self._spans:
            if end <= now or start > high:
                continue
            if start > now:
                yield now, _before(start), False
            yield max(start, now), min(high, _before(end)), True
            now = end
        if now <= high:
            yield now, high, False


def _before(moment: float) -> float:
    return moment if moment == float("inf") else moment - 1e-6


def uncovered(recording: OpenRecording, since: float, until: float, least: float) -> list[Span]:
    """The times from `since` to `until` in which nothing was recorded, each of at least `least` seconds."""
    meta = recording.meta
    spans = [(since, meta.first), *recording.breaks(), (meta.last, until)]
    cut = [(max(since, start), min(until, end)) for start, end in spans]
    return [(start, end) for start, end in sorted(cut) if end - start >= least]
