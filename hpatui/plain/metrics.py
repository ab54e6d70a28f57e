"""Prometheus metrics of what no other exporter has: what each HPA wants before and after its limits, for how long it was
held, limited, capped or blind, and how far its metrics are from making it scale.

The names begin with `hpatui_hpa_`. Series of an HPA that is gone are gone too.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from hpatui.autoscaler.parse import parse_hpa
from hpatui.errors import MalformedObject, UsageError
from hpatui.model import ControllerFlags, Key
from hpatui.state.snapshot import HpaRow, Snapshot

_LABELS = ("namespace", "hpa")
_STATES = ("held", "limited", "capped", "floored", "blind")
_STEP = 30.0  # seconds at most between two looks that count as one span


class MetricsServer:
    """Serves `/metrics` in a thread of its own, from the newest snapshot that it was shown."""

    def __init__(self, address: str, port: int) -> None:
        """UsageError where the port cannot be used."""
        from prometheus_client import CollectorRegistry, start_http_server

        registry = CollectorRegistry()
        self.fleet = FleetMetrics()
        registry.register(self.fleet)
        try:
            self._server, self._thread = start_http_server(port, addr=address or "0.0.0.0", registry=registry)
        except OSError as error:
            where = f"{address}:{port}" if address else f"port {port}"
            raise UsageError(
                f"cannot serve metrics on {where}: {error.strerror}", hint="choose another port"
            ) from error

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def show(self, snapshot: Snapshot, flags: ControllerFlags, now: float) -> None:
        """The newest that is known; `now` in epoch seconds."""
        self.fleet.show(snapshot, flags, now)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FleetMetrics:
    """A collector of prometheus_client. Counters of seconds go on as long as the process does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: tuple[HpaRow, ...] = ()
        self._live = False
        self._seen_at: float | None = None
        self._flags = ControllerFlags()
        self._seconds: dict[tuple[Key, str], float] = {}
        self._wanted_since: dict[Key, float] = {}  # since when another size is wanted than there is
        self._took: dict[Key, tuple[float, int]] = {}  # seconds from wish to size altogether, and of how many rescales
        self._sizes: dict[Key, int] = {}

    def show(self, snapshot: Snapshot, flags: ControllerFlags, now: float) -> None:
        """Take the newest state of the fleet."""
        with self._lock:
            live = snapshot.status.state.value == "live"
            passed = now - self._seen_at if self._seen_at is not None else 0.0
            if self._live and 0 < passed <= _STEP:
                for row in self._rows:  # how it was until now
                    for state in states_of(row):
                        which = (row.hpa.key, state)
                        self._seconds[which] = self._seconds.get(which, 0.0) + passed
            self._rows, self._live, self._seen_at, self._flags = snapshot.rows, live, now, flags
            for row in snapshot.rows:
                self._time_to_scale(row, now)
            there = {row.hpa.key for row in snapshot.rows}
            for known in (self._wanted_since, self._took, self._sizes):
                for key in [key for key in known if key not in there]:
                    del known[key]
            for which in [which for which in self._seconds if which[0] not in there]:
                del self._seconds[which]

    def _time_to_scale(self, row: HpaRow, now: float) -> None:
        key, size = row.hpa.key, row.hpa.current_replicas
        before = self._sizes.get(key)
        if before is not None and before != size and key in self._wanted_since:
            total, count = self._took.get(key, (0.0, 0))
            self._took[key] = total + now - self._wanted_since.pop(key), count + 1
        self._sizes[key] = size
        wanted = row.decision.wanted if row.decision is not None else None
        if wanted is None or wanted == size:
            self._wanted_since.pop(key, None)
        else:
            self._wanted_since.setdefault(key, now)

    # Out ------------------------------------------------------------------------------------------------------

    def describe(self) -> list[Any]:
        """Nothing: what there is, is known only once HPAs are seen."""
        return []

    def collect(self) -> Iterator[Any]:
        """All series."""
        from prometheus_client.core import GaugeMetricFamily

        with self._lock:
            up = GaugeMetricFamily("hpatui_source_up", "Whether the HPAs are watched at present (1) or not (0)")
            up.add_metric((), float(self._live))
            yield up
            yield from self._gauges()
            yield from self._counters()

    def _gauges(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        texts = {
            "wanted_replicas": "What the metrics ask for, before minReplicas, maxReplicas, windows and rate limits",
            "predicted_replicas": "The size after the next sync, with all limits",
            "current_replicas": "The size, as the HPA's status tells",
            "min_replicas": "minReplicas",
            "max_replicas": "maxReplicas",
            "agreement_ratio": "Which share of the controller's decisions hpatui computed as the controller made them",
            "agreement_syncs": "How many decisions that share is of",
            "held_until_timestamp_seconds": "When a stabilization window lets go, at the latest",
        }
        families = {name: GaugeMetricFamily(f"hpatui_hpa_{name}", text, labels=_LABELS) for name, text in texts.items()}
        ratio = GaugeMetricFamily(
            "hpatui_hpa_metric_ratio", "Current value over target of each metric", labels=(*_LABELS, "metric")
        )
        distance = GaugeMetricFamily(
            "hpatui_hpa_tolerance_distance_ratio",
            "How far the metric is from leaving the tolerance, as a share of its target (negative: it left it)",
            labels=(*_LABELS, "metric"),
        )
        for row in self._rows if self._live else ():
            for name, value in values_of(row).items():
                if value is not None:
                    families[name].add_metric(row.hpa.key, float(value))
            for metric in row.hpa.metrics:
                if metric.ratio is not None:
                    labels = (*row.hpa.key, metric.label or metric.name)
                    ratio.add_metric(labels, metric.ratio)
                    distance.add_metric(labels, distance_of(row, metric.ratio, self._flags.tolerance))
        yield from families.values()
        yield ratio
        yield distance

    def _counters(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily

        texts = {
            "held": "Seconds in which a stabilization window held the size",
            "limited": "Seconds in which a rate policy held the size",
            "capped": "Seconds at maxReplicas while more was wanted",
            "floored": "Seconds at minReplicas while less was wanted",
            "blind": "Seconds in which no size could be computed",
        }
        for state in _STATES:
            family = CounterMetricFamily(f"hpatui_hpa_{state}_seconds", texts[state], labels=_LABELS)
            for row in self._rows:
                family.add_metric(row.hpa.key, self._seconds.get((row.hpa.key, state), 0.0))
            yield family
        took = SummaryMetricFamily(
            "hpatui_hpa_time_to_scale_seconds",
            "Seconds from when another size was wanted until it changed",
            labels=_LABELS,
        )
        for row in self._rows:
            total, count = self._took.get(row.hpa.key, (0.0, 0))
            took.add_metric(row.hpa.key, count_value=count, sum_value=total)
        yield took


def states_of(row: HpaRow) -> Iterator[str]:
    """What keeps the HPA from the size that it wants, at present."""
    active, outlook = row.hpa.condition("ScalingActive"), row.decision
    if (active is not None and active.status == "False") or (outlook is not None and outlook.error):
        yield "blind"
    if outlook is None:
        return
    for state, is_so in (
        ("held", outlook.held_until is not None),
        ("limited", outlook.more_at is not None),
        ("capped", outlook.capped),
        ("floored", outlook.floored),
    ):
        if is_so:
            yield state


def values_of(row: HpaRow) -> dict[str, float | None]:
    """The gauges of one HPA; None where it is not known."""
    hpa, outlook = row.hpa, row.decision
    values: dict[str, float | None] = {
        "current_replicas": hpa.current_replicas,
        "min_replicas": hpa.min_replicas,
        "max_replicas": hpa.max_replicas,
    }
    if outlook is not None:
        values |= {
            "wanted_replicas": outlook.wanted,
            "predicted_replicas": outlook.predicted,
            "agreement_ratio": outlook.agreed / outlook.compared if outlook.compared else None,
            "agreement_syncs": outlook.compared,
            "held_until_timestamp_seconds": outlook.held_until,
        }
    return values


@lru_cache(maxsize=4096)
def _own_tolerances(raw: bytes) -> tuple[float | None, float | None]:
    """The HPA's own tolerances up and down (spec.behavior), as fractions; None: the controller's counts."""
    try:
        behavior = parse_hpa(json.loads(raw)).behavior
    except (ValueError, MalformedObject):
        return None, None
    return (behavior.up.tolerance, behavior.down.tolerance) if behavior is not None else (None, None)


def distance_of(row: HpaRow, ratio: float, default: float) -> float:
    """How much further the ratio may go from 1, in the direction in which it is, before the HPA scales."""
    up, down = _own_tolerances(row.hpa.raw)
    own = up if ratio > 1.0 else down
    return (default if own is None else own) - abs(ratio - 1.0)
