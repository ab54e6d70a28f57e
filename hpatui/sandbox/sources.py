"""External metrics of HPAs that bring a source with them.

Annotation of the HPA, one series after another:
`sandbox.hpatui.dev/external-metrics: queue_depth{queue="a"} 10k; queue_depth{queue="b"} 190k`.
As with a real adapter, each series answers every query of its namespace whose selector matches its labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hpatui.quantity import parse_quantity
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.controllers.objects import Key, Object, key_of
from hpatui.sandbox.workload import PREFIX

ANNOTATION = f"{PREFIX}external-metrics"
_HPAS = RESOURCES["autoscaling", "horizontalpodautoscalers"]
_SERIES = re.compile(r"\s*(?P<name>[^\s{};]+)\s*(?:\{(?P<labels>[^{}]*)\})?\s+(?P<value>\S+)\s*")
_LABEL = re.compile(r'\s*(?P<name>[^\s="]+)\s*=\s*"(?P<value>[^"]*)"\s*')


@dataclass(frozen=True, slots=True)
class Series:
    """One series; `value` is a quantity's text."""

    metric: str
    labels: dict[str, str]
    value: str


def read_series(text: str) -> list[Series]:
    """The series of an annotation; what is none is passed over."""
    result = []
    for part in re.split(r"[;\n]", text):
        found = _SERIES.fullmatch(part)
        if found is None:
            continue
        pairs = [_LABEL.fullmatch(pair) for pair in (found["labels"] or "").split(",") if pair.strip()]
        try:
            value = str(parse_quantity(found["value"]))
        except ValueError:
            continue
        if all(pairs):
            result.append(Series(found["name"], {pair["name"]: pair["value"] for pair in pairs if pair}, value))
    return result


class Sources:
    """The series of all HPAs that have the annotation; with one, external.metrics.k8s.io is served."""

    def __init__(self, store: Store) -> None:
        self._by_hpa: dict[Key, list[Series]] = {}
        store.add_listener(_HPAS, self._changed)

    def __bool__(self) -> bool:
        return any(self._by_hpa.values())

    def names(self) -> set[str]:
        """The metrics that there are."""
        return {series.metric for all_of_one in self._by_hpa.values() for series in all_of_one}

    def find(self, namespace: str, metric: str) -> list[Series]:
        """The series of a metric; the same labels once."""
        by_labels: dict[tuple[tuple[str, str], ...], Series] = {}
        for (space, _), all_of_one in sorted(self._by_hpa.items()):
            for series in all_of_one:
                if space == namespace and series.metric == metric:
                    by_labels.setdefault(tuple(sorted(series.labels.items())), series)
        return list(by_labels.values())

    def _changed(self, type_: str, hpa: Object, old: Object | None) -> None:
        text = (hpa["metadata"].get("annotations") or {}).get(ANNOTATION)
        if type_ == "DELETED" or not isinstance(text, str):
            self._by_hpa.pop(key_of(hpa), None)
        elif old is None or (old["metadata"].get("annotations") or {}).get(ANNOTATION) != text:
            self._by_hpa[key_of(hpa)] = read_series(text)
