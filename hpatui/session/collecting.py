"""What was seen of an HPA's target, fact by fact from a recording, as tune/ wants it: a day of it in a few seconds.

    Seen (facts of one HPA, in order of time) -> Collector.take -> Collector.observed -> tune.learn

Nothing is decided again on the way (`observing` does that, from frames): a sync counts where its write was seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.inputs import HpaObject, Memory, MetricAnswer, MetricSpec
from hpatui.autoscaler.rules import Rules
from hpatui.errors import MalformedObject
from hpatui.model import (
    ControllerFlags,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    Pod,
    PodUsage,
    Scale,
    Seen,
    SourceState,
    StatusChanged,
    Upserted,
    Workload,
)
from hpatui.session.observing import extra_of, limits_of, request_of, used_of
from hpatui.session.recording import RecordingPort
from hpatui.state.facts import Reader, told_answers
from hpatui.state.frames import status_of
from hpatui.state.memory import first_memory
from hpatui.tune.control import PER_POD
from hpatui.tune.learn import Learned, TooLittle, learn
from hpatui.tune.observe import PodLook, Used, Watcher
from hpatui.tune.observed import Observed

_EDGE = 0.5  # seconds: a sync that could read nothing lies within its span
_OWN = 3.0  # seconds between a rescale in the HPA's status and the change of the scale
_GAPS = (SourceState.RECONNECTING, SourceState.FAILED)


class Collector:
    """Takes the facts of one HPA; those about others are passed over."""

    def __init__(self, key: Key, flags: ControllerFlags, rules: Rules) -> None:
        self.key = key
        self._scope = str(key)
        self._flags, self._rules = flags, rules
        self._reader = Reader()
        self._hpa: Hpa | None = None
        self._parsed: HpaObject | None = None
        self._spec: Any = None
        self._specs: tuple[MetricSpec, ...] = ()
        self._watcher = Watcher(())
        self._memory: Memory | None = None
        self._pods: dict[Key, Pod] = {}
        self._known: dict[str, Pod] = {}  # all that were seen, by name: for requests and limits
        self._usages: dict[Key, PodUsage] = {}
        self._fresh: dict[Key, PodUsage] = {}  # not told to the watcher yet
        self._told: dict[int, MetricAnswer] = {}
        self._told_at: float | None = None
        self._changed = False
        self._size: int | None = None
        self._scaled = False  # the scale itself was seen, so that the workload's copy of it is not looked at
        self._sizes: list[tuple[float, int]] = []
        self._own: list[tuple[float, int]] = []
        self._blind_since: float | None = None
        self._last = 0.0
        self.cut: float | None = None  # when the metrics of the spec changed: what was before is of another one

    @property
    def hpa(self) -> Hpa | None:
        """The newest version."""
        return self._hpa

    @property
    def parsed(self) -> HpaObject | None:
        """The same as the controller reads it; None where it cannot be read."""
        return self._parsed

    # In -------------------------------------------------------------------------------------------------------

    def take(self, seen: Seen) -> None:
        """One fact."""
        what, now = seen.what, seen.time
        if isinstance(what, Upserted):
            self._item(now, what.kind, what.item, what.scope)
        elif isinstance(what, Listed):
            if what.kind is Kind.POD and what.scope == self._scope:
                self._pods.clear()
                self._changed = True
            for item in what.items:
                self._item(now, what.kind, item, what.scope)
        elif isinstance(what, Deleted):
            if what.scope == self._scope and what.kind is Kind.POD:
                self._pods.pop(what.key, None)
                self._changed = True
        elif isinstance(what, StatusChanged) and what.kind is Kind.HPA and what.status.state in _GAPS:
            self._told_at = None
        self._last = max(self._last, now)

    def _item(self, now: float, kind: Kind, item: object, scope: str) -> None:
        if isinstance(item, Hpa):
            if item.key == self.key:
                self._hpa_seen(now, item)
        elif scope != self._scope:
            return
        elif isinstance(item, Pod):
            before = self._pods.get(item.key)
            self._pods[item.key] = self._known[item.key.name] = item
            self._changed = True
            if before is not None and before.ready != item.ready:
                self._look(now)
        elif isinstance(item, PodUsage):
            self._usage(now, item)
        elif isinstance(item, Scale):
            self._scaled = True
            self._resize(now, item.spec_replicas)
        elif isinstance(item, Workload) and not self._scaled:
            self._resize(now, item.replicas)

    def _usage(self, now: float, item: PodUsage) -> None:
        known = self._usages.get(item.key)
        if known is not None and known.time >= item.time:
            return
        if item.key in self._fresh:
            self._flush(now)
        self._usages[item.key] = self._fresh[item.key] = item

    def _resize(self, now: float, size: int) -> None:
        if size == self._size:
            return
        self._look(now)
        self._size = size
        self._sizes.append((now, size))
        self._watcher.size(now, size)

    def _hpa_seen(self, now: float, hpa: Hpa) -> None:
        before = self._hpa
        self._hpa = hpa
        if before is None or before.raw is not hpa.raw:
            self._parse(now, hpa)
        if before is None or self._parsed is None:
            return
        if status_of(before) == status_of(hpa):
            return
        if hpa.last_scale_time != before.last_scale_time:
            self._own.append((now, hpa.desired_replicas))
        self._say_again(now)
        self._told = told_answers(self._parsed, hpa.current_replicas, [k.name for k in self._pods])
        self._watcher.told(now, self._totals())
        self._told_at = now
        self._look(now)
        self._flush(now)
        if not self._usages and (totals := self._totals()):
            self._watcher.total(now, totals, self._flags.sync_period)
        self._watcher.sync(now, max((usage.time for usage in self._usages.values()), default=None))
        self._blind(now, hpa)

    def _parse(self, now: float, hpa: Hpa) -> None:
        try:
            parsed = self._reader.hpa(hpa)
        except MalformedObject:
            return
        spec = _json(hpa).get("spec")
        self._parsed = parsed
        if spec == self._spec:
            return
        metrics = [entry.get("type") for entry in spec.get("metrics") or ()] if isinstance(spec, Mapping) else []
        if self._spec is None or metrics != [e.get("type") for e in self._spec.get("metrics") or ()]:
            self._begin(now, parsed, hpa)
        self._spec = spec

    def _begin(self, now: float, parsed: HpaObject, hpa: Hpa) -> None:
        """All that is seen from now on is of these metrics."""
        if self._spec is not None:
            self.cut = now
        self._specs = (*parsed.metrics, *extra_of(parsed))
        self._watcher = Watcher([spec.type not in PER_POD for spec in self._specs])
        self._memory = first_memory(hpa, now)
        self._sizes = self._sizes[-1:]
        self._own.clear()
        for _, size in self._sizes:
            self._watcher.size(now, size)
        self._changed = bool(self._pods)

    def _blind(self, now: float, hpa: Hpa) -> None:
        active = hpa.condition("ScalingActive")
        blind = active is not None and active.status == "False" and active.reason != "ScalingDisabled"
        if blind and self._blind_since is None:
            self._blind_since = now
        elif not blind and self._blind_since is not None:
            self._watcher.blind(self._blind_since - _EDGE, now - _EDGE)
            self._blind_since = None

    # To the watcher -------------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        if self._changed:
            self._changed = False
            self._watcher.look(now, [_look_at(pod) for pod in self._pods.values()])

    def _flush(self, now: float) -> None:
        """The samples that came since the last one."""
        if not self._fresh or self._parsed is None:
            self._fresh.clear()
            return
        self._look(now)
        told = {
            index: {item.object_name: float(item.value) for item in answer.items}
            for index, answer in self._told.items()
            if self._parsed.metrics[index].type == "Pods"
        }
        used: list[Used] = []
        for usage in self._fresh.values():
            pod = self._known.get(usage.key.name)
            sample = self._reader.usage(usage, pod.labels if pod is not None else {})
            used.append(used_of(self._specs, sample, told))
        self._fresh.clear()
        self._watcher.samples(used, self._totals())

    def _totals(self) -> dict[int, float]:
        assert self._parsed is not None
        return {
            index: float(sum(item.value for item in answer.items))
            for index, answer in self._told.items()
            if self._parsed.metrics[index].type not in PER_POD and answer.items
        }

    def _say_again(self, now: float) -> None:
        """A status that stayed as it was: at each sync of that time the values were those of before."""
        period = self._flags.sync_period
        if self._told_at is None or self._usages or self._parsed is None or not (totals := self._totals()):
            return
        count = min(int((now - self._told_at) / period - 0.5), 100_000)
        for number in range(1, count + 1):
            self._watcher.total(self._told_at + number * period, totals, period)

    # Out ------------------------------------------------------------------------------------------------------

    def observed(self, until: float) -> Observed:
        """All that was seen, up to `until`."""
        self._say_again(until)
        self._look(self._last)
        self._flush(self._last)
        if self._blind_since is not None:
            self._watcher.blind(self._blind_since - _EDGE, until)
        pods = list(self._known.values())
        inputs = [self._reader.pod(pod) for pod in (list(self._pods.values()) or pods)]
        requests = [request_of(spec, inputs, self._rules) for spec in self._specs]
        extra = [spec.name for spec in self._specs[len(self._parsed.metrics if self._parsed else ()) :]]
        found = self._watcher.observed(requests, limits_of(self._specs, pods), self._memory, until, extra)
        return replace(found, foreign=tuple(_foreign(self._sizes, self._own)))


def _foreign(sizes: Sequence[tuple[float, int]], own: Sequence[tuple[float, int]]) -> Iterable[tuple[float, int]]:
    """Changes of the size that the HPA's status does not tell of."""
    for time, size in sizes[1:]:
        if not any(abs(at - time) <= _OWN and to == size for at, to in own):
            yield time, size


def _look_at(pod: Pod) -> PodLook:
    ready = next((c for c in pod.conditions if c.type == "Ready"), None)
    since = pod.ready_since
    if ready is not None:
        since = ready.last_transition_time if ready.status == "True" else None
    return PodLook(pod.key.name, pod.started, since, pod.deleted is None and pod.phase in ("Pending", "Running"))


def _json(hpa: Hpa) -> Mapping[str, Any]:
    try:
        value = json.loads(hpa.raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def learn_recorded(recording: RecordingPort, key: Key, since: float, until: float) -> tuple[Hpa, Learned]:
    """What a recording tells of an HPA, and the HPA as it was last. Raises TooLittle, which says what is missing."""
    flags = recording.meta.flags
    collector = Collector(key, flags, config_of(flags).rules)
    for seen in recording.facts(since, until, key):
        collector.take(seen)
    hpa, parsed = collector.hpa, collector.parsed
    if hpa is None or parsed is None:
        raise TooLittle(f"HPA {key} was not seen", hint="choose a longer time, or another HPA")
    return hpa, learn(parsed, collector.observed(until), flags)
