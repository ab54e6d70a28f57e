"""The text of `kubectl describe hpa`, to the letter. Source: kubectl's describer for autoscaling/v2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hpatui.autoscaler.tabs import align
from hpatui.autoscaler.targets_column import quantity_text
from hpatui.autoscaler.times import SECOND, to_ns
from hpatui.text import age

Json = Mapping[str, Any]

_SKIPPED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 140  # characters of an annotation on its own line


def describe_hpa(hpa: Json, events: Sequence[Json] | None, now: datetime) -> str:
    """Describe an HPA (autoscaling/v2) and its events (core/v1); ages are counted from `now` (aware)."""
    metadata, spec, status = _part(hpa, "metadata"), _part(hpa, "spec"), _part(hpa, "status")
    ref = _part(spec, "scaleTargetRef")
    lines = [
        f"Name:\t{metadata.get('name', '')}",
        f"Namespace:\t{metadata.get('namespace', '')}",
        *_labels(_part(metadata, "labels")),
        *_annotations(_part(metadata, "annotations")),
        f"CreationTimestamp:\t{_created(metadata.get('creationTimestamp'))}",
        f"Reference:\t{ref.get('kind', '')}/{ref.get('name', '')}",
        "Metrics:\t( current / target )",
    ]
    statuses = status.get("currentMetrics") or ()
    for index, metric in enumerate(spec.get("metrics") or ()):
        lines.append(_metric(metric, statuses[index] if index < len(statuses) else None))
    minimum = spec.get("minReplicas")
    lines.append(f"Min replicas:\t{'<unset>' if minimum is None else minimum}")
    lines.append(f"Max replicas:\t{spec.get('maxReplicas') or 0}")
    lines += _behavior(spec.get("behavior"))
    counts = f"{status.get('currentReplicas') or 0} current / {status.get('desiredReplicas') or 0} desired"
    lines.append(f"{ref.get('kind', '')} pods:\t{counts}")
    lines += _conditions(status.get("conditions") or ())
    if events is None:  # they may not be read: kubectl says nothing of them then
        return align("\n".join([*lines, ""]))
    if not events:
        return align("\n".join([*lines, "Events:\t<none>", ""]))
    return align("\n".join([*lines, ""])) + align("\n".join([*_events(events, now), ""]))


def _part(obj: Json, name: str) -> Json:
    value = obj.get(name)
    return value if isinstance(value, Mapping) else {}


def _labels(labels: Json) -> Iterable[str]:
    pairs = [f"{key}={value}" for key, value in sorted(labels.items())]
    return [f"Labels:\t{pairs[0]}", *(f"\t{pair}" for pair in pairs[1:])] if pairs else ["Labels:\t<none>"]


def _annotations(annotations: Json) -> Iterable[str]:
    keys = sorted(key for key in annotations if key != _SKIPPED_ANNOTATION)
    if not keys:
        return ["Annotations:\t<none>"]
    lines: list[str] = []
    for index, key in enumerate(keys):
        start = "Annotations:\t" if index == 0 else "\t"
        value = str(annotations[key]).removesuffix("\n")
        if len(value) + len(key) + 2 > _LONGEST or "\n" in value:
            lines.append(f"{start}{key}:")
            lines += [f"\t  {_shorten(part, _LONGEST - 2)}" for part in value.split("\n")]
        else:
            lines.append(f"{start}{key}: {value}")
    return lines


def _shorten(text: str, most: int) -> str:
    return text[:most] + "..." if len(text) > most else text


def _created(text: object) -> str:
    if not isinstance(text, str) or not text:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    moment = datetime.fromtimestamp(to_ns(text) // SECOND, UTC)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return (
        f"{days[moment.weekday()]}, {moment.day:02d} {months[moment.month - 1]} {moment.year:04d} "
        f"{moment:%H:%M:%S} +0000"
    )


# Metrics --------------------------------------------------------------------------------------------------------------


def _metric(metric: Json, status: Json | None) -> str:
    kind = metric.get("type", "")
    how = {
        "External": _external,
        "Pods": _pods,
        "Object": _object,
        "Resource": _resource,
        "ContainerResource": _container,
    }.get(kind)
    if how is None:
        return f'  <unknown metric type "{kind}">'
    field = kind[:1].lower() + kind[1:]
    entry = status.get(field) if status is not None else None
    current = _part(entry, "current") if isinstance(entry, Mapping) else None
    return how(_part(metric, field), current)


def _values(current: Json | None, target: Json, name: str, *, careful: bool = False) -> str:
    """`current / target` of a value field; `careful`: an entry without that field counts as no entry."""
    if current is None or (careful and current.get(name) is None):
        return f"<unknown> / {quantity_text(target.get(name))}"
    return f"{quantity_text(current.get(name))} / {quantity_text(target.get(name))}"


def _external(source: Json, current: Json | None) -> str:
    target, name = _part(source, "target"), _part(source, "metric").get("name", "")
    if target.get("averageValue") is not None:
        return f'  "{name}" (target average value):\t{_values(current, target, "averageValue", careful=True)}'
    return f'  "{name}" (target value):\t{_values(current, target, "value")}'


def _pods(source: Json, current: Json | None) -> str:
    name = _part(source, "metric").get("name", "")
    return f'  "{name}" on pods:\t{_values(current, _part(source, "target"), "averageValue")}'


def _object(source: Json, current: Json | None) -> str:
    target, described = _part(source, "target"), _part(source, "describedObject")
    name = _part(source, "metric").get("name", "")
    start = f'  "{name}" on {described.get("kind", "")}/{described.get("name", "")} '
    if target.get("type") == "AverageValue":
        return f"{start}(target average value):\t{_values(current, target, 'averageValue')}"
    return f"{start}(target value):\t{_values(current, target, 'value')}"


def _resource(source: Json, current: Json | None) -> str:
    return _resource_values(f"  resource {source.get('name', '')} on pods", _part(source, "target"), current)


def _container(source: Json, current: Json | None) -> str:
    start = f'  resource {source.get("name", "")} of container "{source.get("container", "")}" on pods'
    return _resource_values(start, _part(source, "target"), current)


def _resource_values(start: str, target: Json, current: Json | None) -> str:
    if target.get("averageValue") is not None:
        return f"{start}:\t{_values(current, target, 'averageValue')}"
    have = "<unknown>"
    if current is not None and current.get("averageUtilization") is not None:
        have = f"{current['averageUtilization']}% ({quantity_text(current.get('averageValue'))})"
    percent = target.get("averageUtilization")
    want = "<auto>" if percent is None else f"{percent}%"
    return f"{start}  (as a percentage of request):\t{have} / {want}"


# The rest -------------------------------------------------------------------------------------------------------------


def _behavior(behavior: Json | None) -> list[str]:
    if behavior is None:
        return []
    lines = ["Behavior:"]
    for title, name in (("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")):
        rules = behavior.get(name)
        if rules is None:
            continue
        lines.append(f"  {title}:")
        window = rules.get("stabilizationWindowSeconds")
        if window is not None:
            lines.append(f"    Stabilization Window: {window} seconds")
        policies = rules.get("policies") or ()
        if policies:
            lines.append(f"    Select Policy: {rules.get('selectPolicy') or 'Max'}")
            lines.append("    Policies:")
            for policy in policies:
                period = policy.get("periodSeconds") or 0
                value = policy.get("value") or 0
                lines.append(f"      - Type: {policy.get('type', '')}\tValue: {value}\tPeriod: {period} seconds")
    return lines


def _conditions(conditions: Sequence[Json]) -> list[str]:
    if not conditions:
        return []
    lines = ["Conditions:", "  Type\tStatus\tReason\tMessage", "  ----\t------\t------\t-------"]
    for item in conditions:
        cells = (item.get("type", ""), item.get("status", ""), item.get("reason", ""), item.get("message", ""))
        lines.append("  " + "\t".join(cells))
    return lines


def _events(events: Sequence[Json], now: datetime) -> list[str]:
    now_ns = int(now.timestamp()) * SECOND + now.microsecond * 1000
    lines = ["Events:", "  Type\tReason\tAge\tFrom\tMessage", "  ----\t------\t----\t----\t-------"]
    for event in sorted(events, key=lambda item: _ns(item.get("lastTimestamp"))):
        series, count = event.get("series"), event.get("count") or 0
        first = _since(event.get("eventTime") or event.get("firstTimestamp"), now_ns)
        if series is not None:
            interval = f"{_since(series.get('lastObservedTime'), now_ns)} (x{series.get('count') or 0} over {first})"
        elif count > 1:
            interval = f"{_since(event.get('lastTimestamp'), now_ns)} (x{count} over {first})"
        else:
            interval = first
        source = _part(event, "source").get("component") or event.get("reportingComponent") or ""
        message = str(event.get("message", "")).strip()
        lines.append(f"  {event.get('type', '')}\t{event.get('reason', '')}\t{interval}\t{source}\t{message}")
    return lines


def _ns(text: object) -> int:
    return to_ns(text) if isinstance(text, str) and text else -(2**62)


def _since(text: object, now_ns: int) -> str:
    if not isinstance(text, str) or not text:
        return "<unknown>"
    delta = now_ns - to_ns(text)
    return age(delta // SECOND if delta >= 0 else -(-delta // SECOND))
