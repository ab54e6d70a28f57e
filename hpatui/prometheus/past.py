"""The past of HPAs as a Prometheus knows it: first a look at what there is, then fact after fact, a part of the time after
the other, so that no answer and no memory grows with the length of the whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from math import ceil, floor, isnan

from hpatui.errors import PrometheusError
from hpatui.model import Kind, Seen
from hpatui.prometheus import queries
from hpatui.prometheus.api import Api, Grid, Series
from hpatui.prometheus.door import TooMuchError
from hpatui.prometheus.gather import gather, spacing
from hpatui.prometheus.merged import metric_name
from hpatui.prometheus.queries import CLUSTERS, Scope
from hpatui.prometheus.translate import Decoders, Translator
from hpatui.text import printable

LOOKS = 48  # moments at which the first look counts what there is
VALUES = 400_000  # values that one answer should have at most, by the first look
LONGEST, SHORTEST = (
    7200.0,
    600.0,
)  # seconds of one part of the time; a part that is too much is halved down to the latter
WINDOW, SCRAPES = 120.0, 4.0  # a container's last two samples lie within so many seconds, or scrapes
NEAR = 600.0  # seconds in which the time between scrapes is measured
_HPA = "kube_horizontalpodautoscaler_"
_NEEDED = ("spec_max_replicas", "status_current_replicas", "status_desired_replicas")
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What there is of a time: from when to when HPAs are told of (epoch seconds), how often (seconds), how many series there
    are at most at once, what is missing in words, which kinds of fact are not told at all and why, and the API server's
    version where it is told.
    """

    scope: Scope
    first: float
    last: float
    every: float
    series: int
    missing: tuple[str, ...]
    withheld: dict[Kind, str]
    server_version: str


async def look(api: Api, scope: Scope, since: float, until: float, step: float) -> Look:
    """See what there is between two moments. PrometheusError where there are no HPAs, or those of several clusters."""
    first, last = await _span(api, scope, since, until)
    grid = looks(first, last, 1)
    found = replace(
        scope,
        exported=bool(await api.range(queries.renamed(scope), grid)),
        exported_usage=bool(await api.range(queries.renamed(scope, usage=True), grid)),
    )
    counts = await api.range(queries.presence(found), grid)
    named = {metric_name(one) for one in counts}
    lacking = [_HPA + name for name in _NEEDED if _HPA + name not in named]
    if lacking:
        hint = "let it keep these series of kube-state-metrics"
        raise PrometheusError(f"Prometheus has no {', '.join(lacking)}{_of(scope)}", hint=hint)
    _one_cluster(await api.range(queries.clusters(found), grid))
    cpu = await api.range(queries.usage_presence(found, queries.CPU), grid)
    memory = await api.range(queries.usage_presence(found, queries.MEMORY), grid)
    version = _version(await api.range(queries.version(found), grid))
    missing, withheld = _missing(named, bool(cpu), bool(memory), version)
    near = Grid(last - NEAR, 5.0, round(NEAR / 5.0) + 1)
    beat = await api.range(queries.heartbeat(found), near)
    every = (spacing(beat[0].values) if beat else None) or step
    return Look(found, first, last, every, _most([*counts, *cpu, *memory]), missing, withheld, version)


async def _span(api: Api, scope: Scope, since: float, until: float) -> tuple[float, float]:
    """From when to when HPAs are told of. Every sample counts, however short the time in which there are any."""
    grid = looks(since, until, 15)
    step, found = grid.step, []
    for one in (scope, replace(scope, exported=True)):
        found = await api.range(f"count({queries.last_of(one, queries.HPA_MAX, step)})", grid)
        if found or scope.namespace is None:
            break
    times = [t for t, n in zip(grid.times(), found[0].values, strict=True) if not isnan(n)] if found else []
    if not times:
        raise NoSamplesError(
            f"Prometheus has no series of HPAs{_of(scope)} from kube-state-metrics in that time",
            hint="it needs kube-state-metrics; see the namespace (-n), the time (--since) and prometheus_match",
        )
    return max(since, times[0] - step), times[-1]


def looks(since: float, until: float, least: int) -> Grid:
    """Moments up to `until`, whole seconds apart, `least` or more: the first is at `since` or before."""
    step = float(max(least, ceil((until - since) / (LOOKS - 1))))
    return Grid(until - step * (LOOKS - 1), step, LOOKS)


async def last_samples(api: Api, scope: Scope, since: float, until: float) -> float:
    """When HPAs were last told of, within a minute or so. NoSamplesError where they never were."""
    for _ in range(3):
        _, last = await _span(api, scope, since, until)
        since, until = last - looks(since, until, 15).step, last
    return until


class NoSamplesError(PrometheusError):
    """There are no HPAs in a time."""


def _of(scope: Scope) -> str:
    return f" of namespace {printable(scope.namespace, 80)}" if scope.namespace is not None else ""


def _most(counts: list[Series]) -> int:
    return round(sum(max((value for value in one.values if not isnan(value)), default=0.0) for one in counts))


def _one_cluster(series: list[Series]) -> None:
    seen: dict[str, set[str]] = {name: {one.labels.get(name, "") for one in series} for name in CLUSTERS}
    for name, values in seen.items():
        if len(values) > 1:
            known = sorted(value for value in values if value)
            names = printable(", ".join(known[:5]), 200)
            raise PrometheusError(
                f"this Prometheus has HPAs of several clusters ({name}: {names})",
                hint=f"choose one: prometheus_match = '{name}=\"{printable(known[0], 60)}\"'",
            )


def _version(series: list[Series]) -> str:
    """The newest moment's version; empty where there are several, or none."""
    last = [one.labels.get("git_version", "") for one in series if not isnan(one.values[-1])]
    return printable(last[0], 60) if len(last) == 1 else ""


_ALWAYS = (
    "the controller's messages and reasons",
    "events",
    "who wrote a size or a spec (a change of the size to what the HPA wants counts as the HPA's)",
    "spec.behavior (the defaults are taken)",
    "labels and selectors (pods are found by their owners)",
    "what happened between two samples",
)


def _missing(names: set[str], cpu: bool, memory: bool, version: str) -> tuple[tuple[str, ...], dict[Kind, str]]:
    """What is not told, in words; and the kinds of fact that cannot be told at all, and why."""
    missing = list(_ALWAYS)
    withheld: dict[Kind, str] = {}

    def absent(*needed: str) -> bool:
        return not any(name.startswith(needed) for name in names)

    for needed, words in (
        ((f"{_HPA}info",), f"what an HPA scales, and so its pods ({_HPA}info)"),
        ((f"{_HPA}spec_min_replicas",), f"minReplicas ({_HPA}spec_min_replicas; 1 is taken)"),
        ((f"{_HPA}spec_target",), f"the HPAs' metrics ({_HPA}spec_target_metric)"),
        ((f"{_HPA}status_target",), f"the values of the HPAs' metrics ({_HPA}status_target_metric)"),
        ((f"{_HPA}status_condition",), f"the HPAs' conditions ({_HPA}status_condition)"),
        (("kube_deployment_spec_replicas", "kube_statefulset_replicas"), "the targets' sizes (kube_deployment_*)"),
    ):
        if absent(*needed):
            missing.append(words)
    pods = ""
    if absent("kube_pod_status_phase"):
        pods = "pods (kube_pod_status_phase)"
    elif absent("kube_pod_owner", "kube_pod_info", queries.MIXIN):
        pods = "which pods belong to what (kube_pod_owner)"
    elif absent("kube_replicaset_owner", queries.MIXIN) and not absent("kube_deployment_spec_replicas"):
        pods = "which pods belong to Deployments (kube_replicaset_owner)"
    usage = ""
    if not (cpu and memory):
        lacking = [name for name, there in ((queries.CPU, cpu), (queries.MEMORY, memory)) if not there]
        usage = f"usage of pods ({', '.join(lacking)})"
    elif not pods and absent("kube_pod_container_resource_requests"):
        # With usage and without requests it would look as if pods requested nothing.
        usage = "requests of pods, and so what their usage means (kube_pod_container_resource_requests)"
    if not pods and absent("kube_pod_status_ready"):
        usage = usage or "which pods are ready, and so whose usage counts (kube_pod_status_ready)"
    for kind, words in ((Kind.POD, pods), (Kind.POD_USAGE, usage or pods)):
        if words:
            withheld[kind] = f"not in this Prometheus: {words}"
    missing += [words for words in (pods, usage) if words]
    if not version:
        missing.append("the server's version, and so whose rules the controller follows (kubernetes_build_info)")
    return tuple(missing), withheld


async def facts(
    api: Api, seen: Look, decoders: Decoders, step: float, progress: Progress = lambda _share: None
) -> AsyncIterator[Seen]:
    """The facts of the time that was looked at. `progress` is told which share of it is done."""
    translator = Translator(decoders, seen.withheld, max(step, seen.every))
    start = floor(seen.first / step) * step
    length = min(
        LONGEST, max(SHORTEST, VALUES / max(1, seen.series) * step * 3)
    )  # a third of all at most in one answer
    now = start
    while now <= seen.last:
        count = max(1, min(round(length / step), floor((seen.last - now) / step) + 1))
        window = max(WINDOW, SCRAPES * translator.every)
        try:
            tables = await gather(api, seen.scope, Grid(now, step, count), window)
        except TooMuchError:
            if length <= SHORTEST or count == 1:
                raise
            length = max(SHORTEST, length / 2)
            continue
        for fact in translator.facts(tables):
            yield fact
        now += count * step
        progress(min(1.0, (now - start) / max(step, seen.last - start)))


def source_text(step: float, every: float) -> str:
    """Where the facts are from, and how finely: `from Prometheus, every 30 s`."""
    return f"from Prometheus, every {max(step, every):g} s"
