"""Series of the same thing made one: scraped by two Prometheis, told by two kube-state-metrics, or of an older version.

Only labels that name the thing count; whatever else a scrape put on a series (instance, job, replica, ...) does not.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from math import isnan, nan

from hpatui.errors import PrometheusError
from hpatui.prometheus.api import Series
from hpatui.text import printable

Labels = tuple[str, ...]
Table = dict[Labels, "array[float]"]
UNLIKE = 4  # moments at which two series of one thing may differ, as one of them is told of a change later
_OLD_HPA = "kube_hpa_"
_NEW_HPA = "kube_horizontalpodautoscaler_"


def label(labels: Mapping[str, str], name: str) -> str:
    """A label of the object itself: where the scrape renamed it, it is called exported_..."""
    return labels.get(f"exported_{name}") or labels.get(name, "")


def hpa_name(labels: Mapping[str, str]) -> str:
    """The HPA that a series is about, by the label of version 2 or of version 1."""
    return label(labels, "horizontalpodautoscaler") or label(labels, "hpa")


def metric_name(series: Series) -> str:
    """The metric's name as it is from version 2 of kube-state-metrics on."""
    return _NEW_HPA + series.name[len(_OLD_HPA) :] if series.name.startswith(_OLD_HPA) else series.name


def merge(series: Iterable[Series], names: tuple[str, ...], *, strict: bool = False) -> Table:
    """One row of values for each combination of labels. Of several series the one that is first by its labels counts, and
    where it has no value the next. `strict`: PrometheusError where they tell of different things for long.
    """
    groups: dict[Labels, list[Series]] = {}
    for one in series:
        key = tuple(hpa_name(one.labels) if name == "hpa" else label(one.labels, name) for name in names)
        if key[0] or "namespace" not in names[:1]:
            groups.setdefault(key, []).append(one)
    return {key: _one(group, key, strict=strict) for key, group in groups.items()}


def _one(group: list[Series], key: Labels, *, strict: bool) -> array[float]:
    if len(group) == 1:
        return group[0].values
    # The order is that of the labels: the same series counts in the next part of the time.
    group.sort(key=lambda one: sorted(one.labels.items()))
    result = array("d", group[0].values)
    for other in group[1:]:
        unlike = 0
        for index, value in enumerate(other.values):
            if isnan(result[index]):
                result[index] = value
            elif not isnan(value) and value != result[index]:
                unlike += 1
        if strict and unlike > UNLIKE:
            raise _two_things(group[0], other, key)
    return result


def _two_things(one: Series, other: Series, key: Labels) -> PrometheusError:
    names = sorted(
        name
        for name in {*one.labels, *other.labels}
        if one.labels.get(name) != other.labels.get(name) and name not in ("instance", "pod", "__name__")
    )
    which = printable(", ".join(names[:4]), 100) or "no label"
    return PrometheusError(
        f"this Prometheus has two different HPAs {printable('/'.join(key[:2]), 100)}: their series differ in {which}",
        hint='choose one cluster with prometheus_match, as cluster="prod"',
    )


def value_at(table: Mapping[Labels, array[float]], key: Labels, index: int) -> float | None:
    """A value of a table; None where there is none."""
    row = table.get(key)
    if row is None:
        return None
    value = row[index]
    return None if isnan(value) else value


def nothing(count: int) -> array[float]:
    """A row without values."""
    return array("d", [nan]) * count
