"""The pods of a simulated run: what they carry, what they use, which samples the controller gets of them.

Pods that were made together behave alike and are one cohort; the established ones (long ready, started up) are one cohort
too. A sample is the mean over its window, as the metrics server has it; between two changes all is constant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import exp, floor, inf
from typing import TYPE_CHECKING

from hpatui.tune.cohort import KILLED, LONG_AGO, PENDING, READY, RUNNING, Cohort, established
from hpatui.tune.control import Reading
from hpatui.tune.workload import Demand, Kind, WorkloadModel

if TYPE_CHECKING:
    from hpatui.tune.simulate import Setup

_BACKOFF_MOST = 30.0  # times the first pause before a killed container starts again
_ALIKE = 0.01  # how different the held memory of cohorts that become one may be


class Plant:
    """All pods. `advance` to a moment first, then `sample`, `readings` or `resize` at it."""

    def __init__(
        self,
        model: WorkloadModel,
        demand: Demand,
        setup: Setup,
        size: int,
        reference: Sequence[float],
        shared: Sequence[bool],
        is_cpu: Sequence[bool],
        columns: Sequence[int],
    ) -> None:
        """`reference`: over which value a metric is above its target; `shared`: whether its one value is divided by the pods
        that exist; `is_cpu`: whether the controller looks at how long a pod is ready; `columns`: the metrics that it reads.
        """
        self._columns = columns
        self._model, self._metrics, self._demand, self._setup = model, model.metrics, demand, setup
        self._reference, self._shared, self._is_cpu = reference, shared, is_cpu
        many = len(model.metrics)
        self._held = [metric.index for metric in model.metrics if metric.kind is Kind.HELD]
        limited = [m.index for m in model.metrics if m.kind is Kind.SHARED and m.limit is not None and m.cost > 0]
        self._first = limited[0] if limited else 0  # whose demand may be more than pods can carry
        self._asking = 0.0
        self._now = demand.begin
        leak = next(
            (i for i in self._held if model.metrics[i].hold == inf and model.metrics[i].limit is not None), None
        )
        each = [1] * size if leak is not None else [size] if size else []
        self._cohorts = [established(count, many) for count in each]
        self.exist = self.ready = size
        self._index = 0  # of the demand in force
        self._change = demand.times[1] if len(demand.times) > 1 else inf
        self._share = [0.0] * many  # a pod's use by the demand
        self._carried = [0.0] * many  # its integral
        self._before = list(self._carried)  # at the end of the last sample's window
        self._mean = [0.0] * many  # of established pods in the newest sample
        self._samples: deque[tuple[float, list[int]]] = deque()
        self._hot, self._lost = False, 0.0
        self.pod_seconds = self.above = self.unserved = self.asked = 0.0
        self.kills = 0
        self.ready_series = [(demand.begin, size)]
        self._flow()
        for index in self._held:
            metric = self._metrics[index]
            for number, cohort in enumerate(self._cohorts):
                if metric.hold < inf:
                    cohort.held[index] = self._share[index] * metric.hold
                elif metric.limit is not None:
                    # Pods that leak were started, or killed, at different times.
                    cohort.held[index] = max(0.0, metric.limit - metric.idle) * (number + 0.5) / size
        self._first_sample()

    # Time ---------------------------------------------------------------------------------------------------------

    def advance(self, until: float) -> None:
        """Let time pass up to `until`."""
        while self._now < until:
            moment = min(until, self._change, self._next_stage())
            if moment > self._now:
                self._pass(moment - self._now)
                self._now = moment
            if self._now >= self._change:
                self._index += 1
                times = self._demand.times
                self._change = times[self._index + 1] if self._index + 1 < len(times) else inf
                self._flow()
            self._stages()

    def count_from_here(self) -> None:
        """What was counted so far does not count."""
        self.pod_seconds = self.above = self.unserved = self.asked = 0.0
        self.kills = 0
        self.ready_series = [(self._now, self.ready)]

    def _pass(self, seconds: float) -> None:
        self.pod_seconds += self.exist * seconds
        carried = self._carried
        for index, share in enumerate(self._share):
            carried[index] += share * seconds
        if self._held:
            self._hold(seconds)
        if self._hot:
            self.above += seconds
        self.unserved += self._lost * seconds
        self.asked += self._asking * seconds

    def _flow(self) -> None:
        """What a ready pod carries from now on, and what nobody does."""
        ready, hot, lost = self.ready, False, 0.0
        curves, at = self._demand.curves, self._index
        self._asking = curves[self._first][at]
        for index, metric in enumerate(self._metrics):
            load = metric.cost * curves[index][at]
            if metric.kind is Kind.TOTAL:
                self._share[index] = load
                used = load / max(self.exist, 1) if self._shared[index] else load
                hot = hot or used > self._reference[index]
                continue
            if metric.kind is Kind.UNREAD:
                continue
            if metric.kind is Kind.POD:
                self._share[index] = load
                hot = hot or load + metric.idle > self._reference[index]
                continue
            if not ready:
                self._share[index] = 0.0
                if load > 0:
                    hot, lost = True, self._asking
                continue
            share = load / ready
            if metric.kind is Kind.SHARED and metric.limit is not None and share > metric.limit - metric.idle:
                room = max(0.0, metric.limit - metric.idle)
                if index == self._first:
                    lost = (share - room) * ready / metric.cost
                share = room
            self._share[index] = share
            if metric.kind is Kind.SHARED and share + metric.idle > self._reference[index]:
                hot = True
        self._hot, self._lost = hot or self._holds_much(), lost

    def _holds_much(self) -> bool:
        """Whether pods hold more on average than the target."""
        for index in self._held:
            count = total = 0.0
            for cohort in self._cohorts:
                if cohort.stage == READY:
                    count += cohort.count
                    total += cohort.count * self._memory(cohort, index)
            if count and total / count > self._reference[index]:
                return True
        return False

    def _memory(self, cohort: Cohort, index: int) -> float:
        metric = self._metrics[index]
        aged = (
            metric.growth * (self._now - cohort.running_at) if metric.growth and cohort.running_at > LONG_AGO else 0.0
        )
        return metric.idle + aged + cohort.held[index]

    def _hold(self, seconds: float) -> None:
        for index in self._held:
            metric, share = self._metrics[index], self._share[index]
            if metric.hold == inf:
                for cohort in self._cohorts:
                    if cohort.stage == READY:
                        cohort.held[index] += share * seconds
                continue
            kept, full = exp(-seconds / metric.hold), share * metric.hold
            for cohort in self._cohorts:
                goal = full if cohort.stage == READY else 0.0
                cohort.held[index] = goal + (cohort.held[index] - goal) * kept

    # Pods ---------------------------------------------------------------------------------------------------------

    def _next_stage(self) -> float:
        soonest = inf
        for cohort in self._cohorts:
            if cohort.next < soonest:
                soonest = cohort.next
        if self._held:
            soonest = min(soonest, self._next_kill())
        return soonest

    def _next_kill(self) -> float:
        """When the first pod will be over its memory limit, as things go now; a step at a time where memory bends."""
        soonest = inf
        for index in self._held:
            metric = self._metrics[index]
            if metric.limit is None:
                continue
            for cohort in self._cohorts:
                if cohort.stage not in (RUNNING, READY):
                    continue
                speed = metric.growth - (cohort.held[index] / metric.hold if metric.hold < inf else 0.0)
                speed += self._share[index] if cohort.stage == READY else 0.0
                room = metric.limit - self._memory(cohort, index)
                if room <= 0:
                    return self._now
                if speed > 0:
                    soonest = min(soonest, self._now + max(room / speed, 0.05))
        return soonest

    def _stages(self) -> None:
        """Pods that run, are ready or are killed by now."""
        changed = False
        for cohort in self._cohorts:
            if cohort.next <= self._now:
                changed = True
                if cohort.stage in (PENDING, KILLED):
                    cohort.stage, cohort.running_at = RUNNING, self._now
                    cohort.next = self._now + self._model.ready_delay
                else:
                    cohort.stage, cohort.ready_at, cohort.next = READY, self._now, inf
                    cohort.carried = list(self._carried)
        if self._held and self._kill():
            changed = True
        if changed:
            self._count()

    def _kill(self) -> bool:
        killed = False
        for index in self._held:
            limit = self._metrics[index].limit
            if limit is None:
                continue
            for cohort in self._cohorts:
                if cohort.stage in (RUNNING, READY) and self._memory(cohort, index) >= limit:
                    # The first restart comes at once, each later one after a pause that doubles.
                    pause = self._model.restart_delay * min(2.0 ** (cohort.kills - 1), _BACKOFF_MOST)
                    cohort.stage, cohort.next = KILLED, self._now + (pause if cohort.kills else 0.0)
                    cohort.kills += 1
                    cohort.fresh = cohort.sampled = None
                    cohort.ready_at = cohort.running_at = inf
                    cohort.held = [0.0] * len(self._metrics)
                    self.kills += cohort.count
                    killed = True
        return killed

    def _count(self) -> None:
        exist = ready = 0
        for cohort in self._cohorts:
            exist += cohort.count
            if cohort.stage == READY:
                ready += cohort.count
        self.exist = exist
        if ready != self.ready:
            self.ready = ready
            self.ready_series.append((self._now, ready))
        self._flow()

    def resize(self, now: float, size: int) -> None:
        """The scale asks for `size` pods from now on."""
        more = size - self.exist
        if more > 0:
            cohort = Cohort(more, now, len(self._metrics))
            cohort.next = now + self._model.start_delay
            self._cohorts.append(cohort)
        else:
            # As the ReplicaSet controller ranks them: what is not ready goes first, then what is ready for the shortest time.
            order = sorted(self._cohorts, key=lambda c: (c.stage == READY, -c.ready_at, -c.begun))
            for cohort in order:
                gone = min(cohort.count, -more)
                cohort.count -= gone
                more += gone
            self._cohorts = [cohort for cohort in self._cohorts if cohort.count]
        self._count()

    # Samples ------------------------------------------------------------------------------------------------------

    def _first_sample(self) -> None:
        """At the begin the established pods have a sample of the demand at the begin."""
        for cohort in self._cohorts:
            values = [
                round(self._memory(cohort, index) if metric.kind is Kind.HELD else metric.idle + self._share[index])
                for index, metric in enumerate(self._metrics)
            ]
            cohort.fresh = cohort.sampled = (values, self._now, self._setup.flags.metrics_resolution)

    def sample(self, end: float) -> None:
        """A sample's window ends."""
        self._flow_check()
        length = self._setup.flags.metrics_resolution
        begin = end - length
        means = [(now - before) / length for now, before in zip(self._carried, self._before, strict=True)]
        self._before = list(self._carried)
        for cohort in self._cohorts:
            if cohort.running_at > begin:
                window = end - cohort.running_at
                if window < self._setup.first_sample or cohort.stage in (PENDING, KILLED):
                    continue
            else:
                window = length
            cohort.fresh = (self._values(cohort, end, window, means), end, window)
        if len(self._cohorts) > 1:
            self._settle(begin)

    def publish(self) -> None:
        """The metrics API has the newest samples."""
        for cohort in self._cohorts:
            cohort.sampled = cohort.fresh

    def _flow_check(self) -> None:
        """Held memory moves between changes of anything else: whether it is above its target is looked at here."""
        if self._held:
            self._flow()

    def _values(self, cohort: Cohort, end: float, window: float, means: Sequence[float]) -> list[int]:
        values = []
        starts = self._model.startup_time
        for index, metric in enumerate(self._metrics):
            if metric.kind in (Kind.TOTAL, Kind.UNREAD):
                values.append(0)
                continue
            if metric.kind is Kind.HELD:
                values.append(round(self._memory(cohort, index)))
                continue
            if metric.kind is Kind.POD:
                values.append(round(metric.idle + means[index]))
                continue
            if cohort.ready_at <= end - window:
                used = metric.idle + means[index]
            elif cohort.stage == READY:
                used = metric.idle + (self._carried[index] - cohort.carried[index]) / window
            else:
                used = metric.idle
            if metric.startup and end - window < cohort.running_at + starts:
                burnt = min(end, cohort.running_at + starts) - max(end - window, cohort.running_at)
                used += metric.startup * max(0.0, burnt) / window
            values.append(round(used if metric.limit is None else min(used, metric.limit)))
        return values

    def _settle(self, begin: float) -> None:
        """Cohorts that behave as the established one become part of it."""
        cohorts = self._cohorts
        first = cohorts[0]
        if first.stage != READY or first.ready_at > begin:
            return
        since = begin - self._model.startup_time
        kept = [first]
        for cohort in cohorts[1:]:
            if (
                cohort.stage == READY
                and cohort.ready_at <= begin
                and cohort.running_at <= since
                and self._alike(first, cohort)
            ):
                first.count += cohort.count
            else:
                kept.append(cohort)
        self._cohorts = kept

    def _alike(self, one: Cohort, other: Cohort) -> bool:
        for index in self._held:
            a, b = self._memory(one, index), self._memory(other, index)
            if abs(a - b) > _ALIKE * max(a, b, 1.0):
                return False
        return True

    def divisor(self, index: int) -> int:
        """By how many pods one value is divided."""
        return self.exist if self._shared[index] else 1

    def readings(self, now: float) -> list[Reading | None]:
        """What the controller reads of each metric."""
        return [self._reading(index, now) for index in self._columns]

    def _reading(self, index: int, now: float) -> Reading | None:
        kind = self._metrics[index].kind
        if kind is Kind.UNREAD:
            return None
        if kind is Kind.TOTAL:
            return Reading(0, round(self._share[index]))
        return self._per_pod(index, now, cpu=self._is_cpu[index])

    def _per_pod(self, index: int, now: float, *, cpu: bool) -> Reading:
        reading = Reading()
        flags, whole = self._setup.flags, floor
        for cohort in self._cohorts:
            count, sampled = cohort.count, cohort.sampled
            if cohort.stage == PENDING:
                reading.unready += count
            elif sampled is None:
                reading.missing += count
            elif (
                cpu
                and cohort.begun + flags.cpu_initialization > now
                and (cohort.stage != READY or whole(sampled[1]) < whole(cohort.ready_at) + sampled[2])
            ):
                reading.unready += count
            else:
                reading.counted += count
                reading.total += count * sampled[0][index]
        return reading
