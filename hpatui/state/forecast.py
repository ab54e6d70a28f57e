"""What a load will ask for, learned from the loads of this session, and what the scaling of a run cost.

Counted in pods at their target: an HPA wants `sum over pods of metric / target` of them (autoscaler.replicas), and that
sum grows with the load:  wanted = idle x pods + cost x rate.  `idle` is learned without load, `cost` under a steady one.
A pod that is saturated hides what it is asked for, so the dearer seconds count. Pure; times are epoch seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median

from hpatui.model import ControllerFlags, Hpa, MetricTarget
from hpatui.state.history import metric_label
from hpatui.state.series import AnyHistory, AnyLoadHistory

STEADY = 0.1  # by how much the rate may vary while a metric is learned from
DEAR = 0.75  # the quantile of the learned costs that is believed
LEAST, MOMENTS = 3, 120  # at least, at most: moments to learn from
IDLE_MOST = 0.9  # with more use than that without load, nothing can be foretold
DOUBLING, FOUR = 2, 4  # Kubernetes' default scaleUp policies: 100 % or 4 pods each 15 s


@dataclass(frozen=True, slots=True)
class LoadModel:
    """`cost`: pods at their target for each request/s; `idle`: the share of its target that a pod uses without load."""

    metric: str
    cost: float
    idle: float

    def wanted(self, rate: float) -> int:
        """Replicas that the HPA will want at a steady rate, without regard to its limits."""
        return max(1, ceil(self.cost * rate / (1.0 - self.idle) - 0.01))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run: `used` and `needed` in pod-seconds (`needed` by the model), seconds with failed or unserved requests,
    and how many pods more than ever needed there were.
    """

    used: float
    needed: float | None
    bad_seconds: int
    overshoot: int | None


def learn(hpa: Hpa, history: AnyHistory, load: AnyLoadHistory, flags: ControllerFlags) -> LoadModel | None:
    """The model of the metric that asks for most; None until some moments of steady load were seen."""
    found = [_learn(metric, history, load, flags) for metric in hpa.metrics]
    models = [model for model in found if model is not None]
    return max(models, key=lambda model: model.wanted(100.0), default=None)


def forecast(model: LoadModel, rate: float, hpa: Hpa, flags: ControllerFlags) -> str:
    """`50/s: 3 replicas, in about 45 s`, in words."""
    wanted = model.wanted(rate)
    size = min(max(wanted, hpa.min_replicas), hpa.max_replicas)
    pods = f"{size} replica{'s'[: size > 1]}"
    if wanted > hpa.max_replicas:
        pods += f" (maxReplicas), {wanted} would be needed"
    elif wanted < hpa.min_replicas:
        pods += " (minReplicas)"
    cycles, now = 0, max(hpa.current_replicas, 1)
    while now < size and cycles < 20:
        now, cycles = min(size, max(DOUBLING * now, FOUR + now)), cycles + 1
    seconds = flags.metrics_resolution + cycles * flags.sync_period
    when = f", after {cycles} sync{'s'[: cycles > 1]}: about {seconds:.0f} s" if cycles else ""
    return f"{rate:g}/s means {pods}{when}"


def cost(history: AnyHistory, load: AnyLoadHistory, begin: float, end: float, model: LoadModel | None) -> Cost | None:
    """What the scaling of a run cost, from its begin to its end; None where the size is not known."""
    sizes = [(time, value) for time, value in history.current.window(begin, end) if value is not None]
    if not sizes or end <= begin:
        return None
    used = sum(
        value * (after - time) for (time, value), after in zip(sizes, [*(t for t, _ in sizes[1:]), end], strict=True)
    )
    bad = sum(1 for _, value in load.errors.window(begin, end) if value)
    if model is None:
        return Cost(used, None, bad, None)
    rates = [value or 0.0 for _, value in load.offered.window(begin, end)]
    wants = [model.wanted(rate) for rate in rates]
    needed = sum(wants) * (end - begin) / len(wants) if wants else 0.0
    over = max(0, int(max(value for _, value in sizes)) - max(wants, default=1))
    return Cost(used, needed, bad, over)


def _learn(metric: MetricTarget, history: AnyHistory, load: AnyLoadHistory, flags: ControllerFlags) -> LoadModel | None:
    label = metric_label(metric)
    values, targets = history.metrics.get(label), history.targets.get(label)
    if values is None or targets is None:
        return None
    lag = 2 * flags.metrics_resolution + flags.sync_period  # old enough that metric and HPA have seen the rate
    idle: list[float] = []
    busy: list[tuple[float, float, float]] = []  # rate, share of the target, pods
    for time, value in list(values)[-MOMENTS:]:
        target, pods = targets.at(time), history.current.at(time)
        if value is None or not target or not pods:
            continue
        rates = [rate or 0.0 for _, rate in load.rate.window(time - lag, time)]
        if not any(rates):
            idle.append(value / target)
        elif any(size != pods for _, size in history.current.window(time - lag, time)):
            continue  # the metric is still that of another size
        elif min(rates) > 0 and len(rates) >= lag * 0.8 and max(rates) - min(rates) <= STEADY * max(rates) + 1:
            busy.append((sum(rates) / len(rates), value / target, pods))
    rest = median(idle) if idle else 0.0
    if len(busy) < LEAST or rest > IDLE_MOST:
        return None
    costs = sorted(max(0.0, (share - rest) * pods / rate) for rate, share, pods in busy)
    return LoadModel(label, costs[int(DEAR * (len(costs) - 1))], rest)


def cost_text(found: Cost) -> str:
    """`scaling cost 4.2 pod-minutes, 3.5 needed; ...`, in words."""
    text = f"the run used {found.used / 60:.1f} pod-minutes"
    if found.needed is not None:
        text += f", {found.needed / 60:.1f} needed"
    if found.overshoot:
        text += f"; {found.overshoot} pod{'s'[: found.overshoot > 1]} more than ever needed"
    return text + (f"; {found.bad_seconds} s with errors" if found.bad_seconds else "")
