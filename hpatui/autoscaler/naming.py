"""How people call a metric. A metric is its place in spec.metrics; its name alone may be another's too.

`cpu`, `cpu of proxy`, `queue_depth`; and where a name repeats, what tells the metrics apart: the object, the selector, the
target's kind, in the end the place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from hpatui.autoscaler.inputs import MetricSpec
from hpatui.forms.selectors import selector_text

LONGEST = 40  # characters of a selector that are shown; what differs is mostly at its end


def metric_name(spec: MetricSpec) -> str:
    """The short name: `cpu`, `cpu of sidecar`, `queue_depth`."""
    return f"{spec.name} of {spec.container}" if spec.container else spec.name


def _with_object(spec: MetricSpec) -> str:
    name = metric_name(spec)
    described = spec.described
    if spec.type == "Object" and described.get("name"):
        return f"{name} of {described.get('kind', '')}/{described['name']}"
    shown = selector_text(spec.selector)
    return f"{name}{{{_short(shown)}}}" if shown else name


def _with_type(spec: MetricSpec) -> str:
    return f"{_with_object(spec)} ({spec.type})"


def _with_target(spec: MetricSpec) -> str:
    return f"{_with_object(spec)} ({spec.target.type})"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"…{text[-(LONGEST - 1) :]}"


def metric_names(specs: Sequence[MetricSpec]) -> tuple[str, ...]:
    """The names of all metrics of an HPA, in their order, no two alike."""
    ways: tuple[Callable[[MetricSpec], str], ...] = (metric_name, _with_object, _with_type, _with_target)
    names = [metric_name(spec) for spec in specs]
    for way in ways:
        counts = Counter(names)
        if len(counts) == len(names):
            return tuple(names)
        longer = [way(spec) if counts[name] > 1 else name for spec, name in zip(specs, names, strict=True)]
        names = longer if len(set(longer)) > len(counts) else names  # what tells nothing apart is left out
    counts = Counter(names)
    return tuple(f"{name} (metric {i})" if counts[name] > 1 else name for i, name in enumerate(names, start=1))
