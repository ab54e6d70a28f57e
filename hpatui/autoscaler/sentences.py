"""The words of an explanation: numbers and the controller's own error texts in, plain sentences out.

No sentence here knows where its numbers come from. Times are shown as the reader's local clock time (HH:MM:SS), because
"until 14:08:10" stays true while a screen stands still and "in 4 m 12 s" does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from hpatui.clock import as_datetime

_MISSING_REQUEST = re.compile(r"missing request for (\S+) in container (\S+) of Pod (\S+)")

# Endings of the controller's errors, and what they mean to a person.
_BLIND = (
    ("no metrics returned from resource metrics API", "the metrics API has no sample of these pods yet"),
    ("did not receive metrics for targeted pods (pods might be unready)", "none of the pods has a usable sample yet"),
    ("did not receive metrics for any ready pods", "no ready pod has a sample yet"),
    ("no metrics returned from custom metrics API", "the custom metrics API has no value of it"),
    ("no metrics returned from external metrics API", "the external metrics API has no value of it"),
    (
        "invalid object metric source: neither a value target nor an average value target was set",
        "the type of its target does not fit (Value needs value, AverageValue needs averageValue)",
    ),
    ("no pods returned by selector while calculating replica count", "no pod matches the target's selector"),
)


def clock_time(seconds: float) -> str:
    """Epoch seconds -> the local clock time, HH:MM:SS."""
    return as_datetime(seconds).astimezone().strftime("%H:%M:%S")


def plural(count: int, noun: str) -> str:
    """`1 replica`, `3 replicas`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(fraction: float) -> str:
    """0.1 -> `10 %`."""
    return f"{Decimal(str(round(fraction * 100, 2))).normalize():f} %"


def names(all_names: Sequence[str], most: int = 3) -> str:
    """`a, b and 4 more`."""
    if len(all_names) <= most:
        return " and ".join([", ".join(all_names[:-1]), all_names[-1]] if len(all_names) > 1 else list(all_names))
    return f"{', '.join(all_names[: most - 1])} and {len(all_names) - most + 1} more"


def duration(seconds: float) -> str:
    """`12 s`, `4 min`, `4 min 12 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def blind(message: str) -> str:
    """Why a metric has no value: the controller's error text -> a sentence that names the thing to mend."""
    missing = _MISSING_REQUEST.search(message)
    if missing is not None:
        return f"blind: container {missing.group(2)} has no {missing.group(1)} request"
    for ending, sentence in _BLIND:
        if ending in message:
            return f"blind: {sentence}"
    if "unable to fetch metrics from resource metrics API" in message:
        return f"blind: the metrics API does not answer ({_tail(message)})"
    if "custom metrics API" in message or "external metrics API" in message:
        return f"blind: the metrics adapter has no answer ({_tail(message)})"
    return f"blind: {message or 'the metric has no value'}"


def _tail(message: str) -> str:
    """The part after the last of the controller's own prefixes."""
    return re.split(r"metrics API: ", message, maxsplit=1)[-1]


NO_SCALE = "the HPA controller was unable to get the target's current scale: "
_WITHOUT_SCALE = {
    "daemonset": "it runs one pod on each node",
    "job": "it runs to an end",
    "cronjob": "it starts Jobs by the clock",
    "service": "it sends traffic to pods and owns none",
    "pod": "it is one pod",
    "configmap": "it holds settings",
}


def no_scale(message: str, kind: str, api_version: str) -> str:
    """Why the controller cannot read the target's scale, where the target's own reference tells."""
    if not api_version:
        return f"scaleTargetRef has no apiVersion, and the core group has no kind {kind}: it never works ({message})"
    why = _WITHOUT_SCALE.get(kind.lower())
    if why is not None:
        return f"a {kind} has no scale ({why}), so no HPA can set its size ({message})"
    return f"the controller cannot read the target's scale: {message}"


def stay(replicas: int) -> str:
    """`1 replica stays`, `3 replicas stay`."""
    return f"{plural(replicas, 'replica')} {'stays' if replicas == 1 else 'stay'}"


def metric_stays(current: str, target: str, tolerance: float, replicas: int) -> str:
    """Within tolerance."""
    return f"{current} of {target}, within the {percent(tolerance)} tolerance: {stay(replicas)}"


def metric_exact(current: str, target: str, replicas: int, *, below: bool) -> str:
    """Outside the tolerance, and rounding up still gives the present size."""
    if below:
        return f"{current} of {target}: {plural(replicas, 'replica')} {'is' if replicas == 1 else 'are'} still needed"
    return f"{current} of {target}: {plural(replicas, 'replica')} {'is' if replicas == 1 else 'are'} what it takes"


def metric_surge(current: str, target: str, tolerance: float, replicas: int) -> str:
    """An average over all pods within the tolerance, while more (or fewer) pods exist than the size says: the controller
    takes the number of pods that exist for the size.
    """
    exist = "pod that exists becomes" if replicas == 1 else f"{replicas} pods that exist (a rollout's surge?) become"
    return f"{current} of {target}, within the {percent(tolerance)} tolerance: the {exist} the size"


def metric_wants(current: str, target: str, ratio: float, proposal: int) -> str:
    """Outside the tolerance."""
    if proposal < 0:
        return f"{current} of {target} (x{ratio:.2f}): asks for less than nothing, which counts as 0 replicas"
    return f"{current} of {target} (x{ratio:.2f}): wants {plural(proposal, 'replica')}"


def held(wanted: int, held_at: int, until: float | None, recommended: float | None, *, inferred: bool = False) -> str:
    """Stabilization: `wants 1, held at 3 until 14:08:10 by the recommendation of 14:03:10`."""
    text = f"wants {max(0, wanted)}, held at {held_at}"
    if until is not None:
        text += f" until {clock_time(until)}" + (" at the latest" if inferred else "")
    if recommended is not None and not inferred:
        text += f" by the recommendation of {clock_time(recommended)}"
    return text


def allowance(direction: str, now_allowed: int, more: int, more_at: float | None) -> str:
    """Rate policies: `may add 2 pods now and 2 more at 14:03:22`."""
    verb = "add" if direction == "up" else "remove"
    first = f"may {verb} {plural(now_allowed, 'pod')} now" if now_allowed else f"may {verb} no pod now"
    if more_at is None or not more:
        return first
    word = f"{more} more" if now_allowed else plural(more, "pod")
    return (
        f"{first} and {word} at {clock_time(more_at)}" if now_allowed else f"{first}, {word} at {clock_time(more_at)}"
    )
