"""Tables of one part of the time after the other -> facts, as if somebody had watched the cluster then.

Only what changed from one moment to the next is told. Where kube-state-metrics was not scraped, nothing is known: a gap is
told as a gap, also where Prometheus itself would still show the values before it (it does for five minutes).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isnan

from hpatui.model import (
    EVERYTHING,
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
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
    Workload,
)
from hpatui.prometheus.gather import PodFacts, PodId, Tables, spacing
from hpatui.prometheus.merged import Labels, value_at
from hpatui.prometheus.scene import (
    KINDS,
    TARGET_LABEL,
    HpaIndex,
    HpaState,
    PodState,
    Target,
    hpa_json,
    label_of,
    pod_json,
    target_of,
    workload_json,
)

LATE = 2.5  # scrapes without a sample that make a gap
NO_SAMPLES = "Prometheus has no samples of HPAs"


@dataclass(frozen=True, slots=True)
class Decoders:
    """How objects of the API server are read."""

    hpa: Callable[[bytes], Hpa | None]
    pod: Callable[[bytes], Pod | None]
    workload: Callable[[bytes, str], Workload | None]


class Translator:
    """Keeps what was told last, from one part of the time to the next. `withheld` are kinds that are not told at all, and
    why.
    """

    def __init__(self, decoders: Decoders, withheld: Mapping[Kind, str], step: float) -> None:
        self._decoders, self._withheld = decoders, withheld
        self._every = self._told_every = step
        self._live = False
        self._gap: Seen | None = None
        self._forget()

    @property
    def every(self) -> float:
        """Seconds between scrapes, as far as they were seen."""
        return self._every

    def _forget(self) -> None:
        self._hpas: dict[Key, Hpa] = {}
        self._states: dict[Key, tuple[HpaState, float | None]] = {}
        self._sizes: dict[Target, int] = {}
        self._workloads: dict[Target, tuple[Workload, Scale]] = {}
        self._pods: dict[PodId, tuple[PodState, Pod]] = {}
        self._ready: dict[PodId, tuple[str, float | None]] = {}
        self._usages: dict[Key, PodUsage] = {}

    def facts(self, tables: Tables) -> Iterator[Seen]:
        """The facts of a part of the time, in order of time."""
        self._every = spacing(tables.beat) or self._every
        hpas = HpaIndex(tables)
        part = _Part(tables, set(hpas.references()))
        for index, now in enumerate(tables.grid.times()):
            beat = tables.beat[index]
            if isnan(beat) or now - beat > LATE * self._every:
                self._lost(now, beat)
                continue
            if self._gap is not None:  # told once it is over: the end of all samples is no gap
                yield self._gap
                self._gap = None
            anew, self._live = not self._live, True
            changes = [
                *self._pods_at(part, index, now),
                *self._workloads_at(part, index),
                *self._usages_at(part, index, now),
                *self._hpas_at(hpas, index, now),
            ]
            yield from (Seen(now, what) for what in (self._everything(now) if anew else changes))
            yield Seen(now, Tick())  # that nothing changed is known as well

    def _lost(self, now: float, beat: float) -> None:
        if self._live:
            self._live = False
            self._forget()
            status = SourceStatus(SourceState.RECONNECTING, now, NO_SAMPLES, None if isnan(beat) else beat)
            self._gap = Seen(now, StatusChanged(Kind.HPA, status))

    def _everything(self, now: float) -> Iterator[Listed | StatusChanged]:
        """All that is known, at the beginning and after a gap."""
        live = SourceStatus(SourceState.LIVE, now, "", now)
        yield StatusChanged(Kind.HPA, live)
        yield Listed(Kind.HPA, tuple(self._hpas.values()))
        for kind in KINDS:
            both = [both for (of, _), both in self._workloads.items() if of == kind]
            yield Listed(Kind.WORKLOAD, tuple(workload for workload, _ in both), EVERYTHING, kind)
            yield Listed(Kind.SCALE, tuple(scale for _, scale in both), EVERYTHING, kind)
        for fact in (Kind.WORKLOAD, Kind.SCALE, Kind.POD, Kind.POD_USAGE):
            why = self._withheld.get(fact)
            # Not to be known: the same as what we may not see. No decision is computed from it.
            status = live if why is None else SourceStatus(SourceState.FORBIDDEN, now, why, now)
            yield StatusChanged(fact, status, EVERYTHING)
        yield Listed(Kind.POD, tuple(pod for _, pod in self._pods.values()), EVERYTHING)
        yield Listed(Kind.POD_USAGE, tuple(self._usages.values()), EVERYTHING)

    # HPAs -----------------------------------------------------------------------------------------------------

    def _hpas_at(self, hpas: HpaIndex, index: int, now: float) -> list[Upserted | Deleted]:
        found: list[Upserted | Deleted] = []
        there = set()
        for key in hpas.keys:
            state = hpas.at(key, index)
            if state is None:
                continue
            there.add(key)
            before = self._states.get(key)
            scaled = self._scaled(key, before, state, now)
            if before == (state, scaled):
                continue
            hpa = self._decoders.hpa(json.dumps(hpa_json(key, state, scaled, self._told_every)).encode())
            if hpa is None:
                continue
            # What a watch would give: another version each time that something changed.
            self._hpas[key] = hpa = replace(hpa, resource_version=f"{now:.3f}")
            self._states[key] = (state, scaled)
            found.append(Upserted(Kind.HPA, hpa))
        for key in [key for key in self._hpas if key not in there]:
            del self._hpas[key], self._states[key]
            found.append(Deleted(Kind.HPA, key))
        for target, (workload, _) in self._workloads.items():
            self._sizes[target] = workload.replicas
        return found

    def _scaled(
        self, key: Key, before: tuple[HpaState, float | None] | None, state: HpaState, now: float
    ) -> float | None:
        """When the HPA last changed the size, to the step. No series tells: a change of the target's size to what the HPA
        wants counts as its own, and where the target's size is not told a change of what it wants.
        """
        if before is None or (before[0].created, before[0].reference) != (state.created, state.reference):
            return None
        kind, name, _ = state.reference or ("", "", "")
        target = (kind, Key(key.namespace, name))
        size = self._workloads.get(target)
        if size is None:
            return now if before[0].desired != state.desired else before[1]
        was = self._sizes.get(target)
        changed = was is not None and size[0].replicas != was and size[0].replicas == state.desired
        return now if changed else before[1]

    # Targets --------------------------------------------------------------------------------------------------

    def _workloads_at(self, part: _Part, index: int) -> list[Upserted | Deleted]:
        found: list[Upserted | Deleted] = []
        there = set()
        for target in part.targets:
            obj = workload_json(part.tables, target, index, self._ready_pods(part, target))
            if obj is None:
                continue
            there.add(target)
            raw = json.dumps(obj).encode()
            known = self._workloads.get(target)
            if known is not None and known[0].raw == raw:
                continue
            workload = self._decoders.workload(raw, target[0])
            if workload is None:
                continue
            selector = f"{TARGET_LABEL}={label_of(target)}"
            scale = Scale(
                target[0], target[1], workload.replicas, workload.status_replicas, selector, "apps/v1", workload.uid
            )
            self._workloads[target] = (workload, scale)
            found += [Upserted(Kind.WORKLOAD, workload, EVERYTHING), Upserted(Kind.SCALE, scale, EVERYTHING)]
        for target in [target for target in self._workloads if target not in there]:
            del self._workloads[target]
            self._sizes.pop(target, None)
            found += [Deleted(kind, target[1], scope=EVERYTHING, of=target[0]) for kind in (Kind.WORKLOAD, Kind.SCALE)]
        return found

    def _ready_pods(self, part: _Part, target: Target) -> int | None:
        pods = [self._pods[pod][1] for pod in part.pods_of.get(target, ()) if pod in self._pods]
        return sum(1 for pod in pods if pod.ready and pod.deleted is None) if part.tables.ready else None

    # Pods -----------------------------------------------------------------------------------------------------

    def _pods_at(self, part: _Part, index: int, now: float) -> list[Upserted | Deleted]:
        found: list[Upserted | Deleted] = []
        there: set[PodId] = set()
        for pod, (facts, target) in part.pods.items():
            state = part.state(pod, index)
            if state is None:
                continue
            there.add(pod)
            known = self._pods.get(pod)
            if known is not None and known[0] == state and pod not in part.fresh:
                continue
            since = self._ready_since(part, pod, state, index, now)
            decoded = self._decoders.pod(json.dumps(pod_json(pod, facts, state, target, since)).encode())
            if decoded is None:
                continue
            part.fresh.discard(pod)
            if known is None or known[1] != decoded:
                found.append(Upserted(Kind.POD, decoded, EVERYTHING))
            self._pods[pod] = (state, decoded)
        for pod in [pod for pod in self._pods if pod not in there]:
            gone = self._pods.pop(pod)[1]
            self._ready.pop(pod, None)
            if not any(other[:2] == pod[:2] for other in there):  # another of the same name took its place already
                found.append(Deleted(Kind.POD, gone.key, gone.uid, EVERYTHING))
        return found

    def _ready_since(self, part: _Part, pod: PodId, state: PodState, index: int, now: float) -> float | None:
        """When its Ready condition changed: as told, or where that was seen, to the step; None where neither."""
        before = self._ready.get(pod)
        since = before[1] if before is not None else None
        if before is not None and before[0] != state.ready:
            since = now
        if state.ready == "True" and (exact := value_at(part.tables.ready_times, pod, index)) is not None:
            since = exact
        self._ready[pod] = (state.ready, since)
        return since

    # Usage ----------------------------------------------------------------------------------------------------

    def _usages_at(self, part: _Part, index: int, now: float) -> list[Listed]:
        if Kind.POD_USAGE in self._withheld:
            return []
        usages = {}
        for _, pod in self._pods.values():
            usage = part.usage(pod.key, index, now, self._every)
            if usage is not None:
                usages[pod.key] = usage
        if usages == self._usages:
            return []
        self._usages = usages
        return [Listed(Kind.POD_USAGE, tuple(usages.values()), EVERYTHING)]


class _Part:
    """The tables of a part of the time, by pod and by target."""

    def __init__(self, tables: Tables, targets: set[Target]) -> None:
        self.tables = tables
        self.targets = sorted(target for target in targets if target[0] in KINDS)
        self.pods: dict[PodId, tuple[PodFacts, Target]] = {}
        self.pods_of: dict[Target, list[PodId]] = {}
        for pod, facts in tables.pods.items():
            target = target_of(tables, pod, facts)
            if target in targets:
                self.pods[pod] = (facts, target)
                self.pods_of.setdefault(target, []).append(pod)
        self.fresh = set(self.pods)  # what does not change about them was read anew
        self._phases = _by(tables.phases, 3)
        self._ready = _by(tables.ready, 3)
        self._states = _by(tables.states, 3)
        self._restarts = _by(tables.restarts, 3)
        self._usage: dict[Key, list[str]] = {}
        for namespace, name, container in sorted(tables.cpu):
            self._usage.setdefault(Key(namespace, name), []).append(container)

    def state(self, pod: PodId, index: int) -> PodState | None:
        """The pod at a moment; None where it is not there."""
        tables = self.tables
        phase = _which(tables.phases, self._phases.get(pod, ()), index)
        if phase is None:
            return None
        ready = _which(tables.ready, self._ready.get(pod, ()), index)
        states = {}
        for labels in self._states.get(pod, ()):
            if value_at(tables.states, labels, index) is not None:
                states[labels[3]] = labels[4]
        restarts = [
            (labels[3], round(value))
            for labels in self._restarts.get(pod, ())
            if (value := value_at(tables.restarts, labels, index)) is not None
        ]
        deleted = value_at(tables.deleted, pod, index)
        return PodState(phase, (ready or "").capitalize(), deleted, tuple(sorted(states.items())), tuple(restarts))

    def usage(self, pod: Key, index: int, now: float, window: float) -> PodUsage | None:
        """A sample of the pod's containers, of which both cpu and memory are known; None where there is none."""
        containers, exact = {}, []
        for container in self._usage.get(pod, ()):
            cpu = value_at(self.tables.cpu, (*pod, container), index)
            memory = value_at(self.tables.memory, (*pod, container), index)
            if cpu is not None and memory is not None:
                containers[container] = (cpu * 1000, memory)
                exact.append((container, {"cpu": round(cpu * 1000), "memory": round(memory * 1000)}))
        if not containers:
            return None
        time = value_at(self.tables.sampled, pod, index)
        total = [sum(values) for values in zip(*containers.values(), strict=True)]
        return PodUsage(
            pod, now if time is None else min(time, now), window, total[0], total[1], containers, exact=tuple(exact)
        )


def _by(table: Mapping[Labels, object], length: int) -> dict[Labels, list[Labels]]:
    found: dict[Labels, list[Labels]] = {}
    for labels in sorted(table):
        found.setdefault(labels[:length], []).append(labels)
    return found


def _which(table: Mapping[Labels, object], rows: list[Labels] | tuple[()], index: int) -> str | None:
    """The last label of the row that has a value."""
    return next((labels[-1] for labels in rows if value_at(table, labels, index) is not None), None)  # type: ignore[arg-type]
