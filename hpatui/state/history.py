"""Writes what an HPA's facts say into its history: replicas, metrics, rescales; and rebuilds what events tell of
earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from hpatui.model import Event, Hpa, MetricTarget
from hpatui.state.series import HpaHistory, Rescale, Series

MAX_RESCALES = 256
METRIC_POINTS = 1024

_NEW_SIZE = re.compile(r"New size: (\d+); reason: (.*)", re.DOTALL)
_COMBINED = "(combined from similar events): "


def metric_label(metric: MetricTarget) -> str:
    """The name of a metric's series, which no other metric of the HPA has: `cpu`, `queue_depth`, `cpu of sidecar`."""
    if metric.label:
        return metric.label
    return f"{metric.name}/{metric.container}" if metric.container else metric.name


@lru_cache(maxsize=4096)
def parse_rescale(message: str) -> tuple[int, str] | None:
    """(size, reason) from the message of a SuccessfulRescale event, or None. The reason may be empty."""
    match = _NEW_SIZE.match(message.removeprefix(_COMBINED))
    return (int(match.group(1)), match.group(2).strip()) if match else None


def record_hpa(history: HpaHistory, before: Hpa | None, hpa: Hpa, now: float) -> Rescale | None:
    """Append what `hpa` says at `now`; returns the rescale if this version of the HPA shows a new one."""
    history.current.append(now, hpa.current_replicas)
    history.desired.append(now, hpa.desired_replicas)
    history.min.append(now, hpa.min_replicas)
    history.max.append(now, hpa.max_replicas)
    seen: set[str] = set()
    for metric in hpa.metrics:
        label = metric_label(metric)
        seen.add(label)
        series = history.metrics.get(label)
        if series is None:
            series = history.metrics[label] = Series(METRIC_POINTS, step=True)
            history.targets[label] = Series(64, step=True)
        series.append(now, metric.current)
        history.targets[label].append(now, metric.target)
    for label in history.metrics.keys() - seen:
        history.metrics[label].append(now, None)
    if before is None or hpa.last_scale_time is None or hpa.last_scale_time == before.last_scale_time:
        return None
    if before.last_scale_time is not None and hpa.last_scale_time < before.last_scale_time:
        return None
    start = before.desired_replicas or before.current_replicas
    rescale = Rescale(hpa.last_scale_time, start, hpa.desired_replicas, "", seen=True)
    return rescale if _add_rescale(history, rescale) else None


def record_gap(history: HpaHistory, now: float) -> None:
    """From `now` on nothing is known, until the next fact."""
    for series in (history.current, history.desired, history.ready, *history.metrics.values()):
        if len(series):
            series.append(now, None)


def record_events(history: HpaHistory, events: Iterable[Event]) -> None:
    """Take the reasons of rescales from SuccessfulRescale events, and the sizes of rescales before the first
    observation.
    """
    first = history.current.first_time
    earlier: list[tuple[float, float]] = []
    for event in sorted(events, key=lambda e: e.last_seen or 0.0):
        if event.reason != "SuccessfulRescale" or event.last_seen is None:
            continue
        parsed = parse_rescale(event.message)
        if parsed is None:
            continue
        size, reason = parsed
        previous = _size_before(history, event.last_seen)
        _add_rescale(history, Rescale(event.last_seen, previous, size, reason, seen=False))
        if first is not None and event.last_seen < first:
            earlier.append((event.last_seen, float(size)))
    if earlier:
        history.desired.backfill(earlier)
        history.current.backfill(earlier)


def _size_before(history: HpaHistory, time: float) -> int | None:
    sizes = [rescale.to_size for rescale in history.rescales if rescale.time < time - 1.0]
    return sizes[-1] if sizes else None


def _add_rescale(history: HpaHistory, rescale: Rescale) -> bool:
    """Insert in order of time; one of the same size within 3 s is the same rescale, of which the better facts are
    kept.
    """
    rescales = history.rescales
    for index, known in enumerate(rescales):
        if known.to_size == rescale.to_size and abs(known.time - rescale.time) <= 3.0:
            rescales[index] = Rescale(
                min(known.time, rescale.time),
                known.from_size if known.from_size is not None else rescale.from_size,
                known.to_size,
                known.reason or rescale.reason,
                known.seen or rescale.seen,
            )
            return rescale.seen and not known.seen
    rescales.append(rescale)
    rescales.sort(key=lambda item: item.time)
    del rescales[:-MAX_RESCALES]
    return True
