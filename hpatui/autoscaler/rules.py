"""The controller's rules by Kubernetes version, as data: one `Fact` for each thing that changed, and `Rules` made of them.

`rules_of("1.32")` are the rules of a minor with its default feature gates; `which_rules` chooses from a server's version,
what the user says and what was inferred. Each fact is a switch of `Rules`: off means as before, on means as since that
version. Nothing here decides; `decide` reads the switches from its config.
Source of each fact: the pull request of kubernetes/kubernetes that it names; recorded decisions of each minor show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

OLDEST, NEWEST = 28, 38  # minors of Kubernetes 1.x whose rules are known


@dataclass(frozen=True, slots=True)
class Fact:
    """One change. `name` is the switch of Rules; `since` the minor that has it on by default (None: not by default).

    `gate` is the feature gate that turns it, known to the controller from minor `gate_from` on, and locked after minor
    `gate_until` (0: not locked). `affects` says what it can change: size, condition, event, status, table. `patches`: the
    first patch level that has it, where a minor got it late.
    """

    name: str
    since: int | None
    before: str
    now: str
    source: str
    affects: str
    gate: str = ""
    gate_from: int = 0
    gate_until: int = 0
    patches: tuple[tuple[int, int], ...] = ()


FACTS = (
    Fact("container_metrics", 27, "ContainerResource metrics fail, without an event of their own",
         "ContainerResource metrics are looked at", "gate table of 1.28 to 1.32; locked on in 1.30, gone in 1.32",
         "size condition event status", gate="HPAContainerMetrics", gate_from=28, gate_until=29),
    Fact("sidecars_requested", 29, "native sidecars count in the usage, but not in the request",
         "native sidecars count in the request too, and must have one", "120001", "size condition event status",
         gate="SidecarContainers", gate_from=29),
    Fact("failed_metrics_shown", 29, "after failed metrics or a failed scale update currentMetrics keeps its old entries",
         "currentMetrics has this sync's entries, an empty one for a metric that failed", "121039", "status table"),
    Fact("messages_verbatim", 29, "a percent sign in the message of a failed metric is mangled in ScalingActive",
         "messages of conditions are written as they are", "127422", "condition", patches=((29, 14), (30, 10), (31, 6))),
    Fact("targets_named", 30, "TARGETS shows a resource without its name", "TARGETS shows `cpu: 50%/80%`", "122804", "table"),
    Fact("edge_within_tolerance", 33, "the distance of the ratio from 1 is compared, so that 1.1 is outside of 10 %",
         "the ratio is compared with 1 - tolerance and 1 + tolerance, so that 1.1 is within 10 %", "130797",
         "size condition event"),
    Fact("absent_container_missing", 33, "one pod whose metrics lack the container fails a ContainerResource metric",
         "such a pod counts as one without a sample", "127193", "size condition event status"),
    Fact("described_object_shown", 33, "the status of an Object metric with an average has an empty describedObject",
         "describedObject is filled in", "124555", "status"),
    Fact("negative_sum_overflows", 34, "External, AverageValue: a negative sum stays negative",
         "a sum below 0 at any step of the adding is taken for an overflow: the largest number", "127050",
         "size condition event status table"),
    Fact("external_average_capped", 34, "External, AverageValue: more than 2147483647 replicas wraps to the smallest number",
         "it stops at 2147483647", "127050", "size condition event"),
    Fact("pod_level_requests", 34, "utilization is always of the sum of the containers' requests",
         "pod-level requests are used where a pod has any", "132430", "size condition event status",
         gate="PodLevelResources", gate_from=34),
    Fact("conflicts_retried", 34, "the scale is written once; a conflict waits for the next sync",
         "a conflict on the scale is tried again, 5 times in all", "132007", "size condition event status"),
    Fact("memory_in_binary", 34, "averages of memory are written in bytes", "whole Ki, Mi, Gi are written as such", "132351",
         "status table"),
    Fact("tolerance_by_direction", 35, "`tolerance` in behavior is dropped or not looked at",
         "`tolerance` in behavior counts for its direction", "133128", "size status",
         gate="HPAConfigurableTolerance", gate_from=33),
    Fact("value_capped", 35, "Object and External, Value: more than 2147483647 replicas wraps to the smallest number",
         "it stops at 2147483647 (not from 0 replicas)", "126979", "size condition event"),
    Fact("external_sum_stops", 35, "External, Value: the sum of several items wraps",
         "the sum stops at the largest number", "133888", "size status table"),
    Fact("container_required", 35, "ContainerResource: a pod whose spec lacks the container has a request of 0",
         "such a pod fails the metric", "133415", "size condition event status"),
    Fact("zero_is_guarded", 36, "at 0 replicas with minReplicas 0 metrics are computed, whoever set 0",
         "0 replicas is disabled unless the gate is on and condition ScaledToZero is True", "135118",
         "size condition event status"),
    Fact("scale_to_zero", 37, "0 replicas is always disabled",
         "an HPA that scaled to 0 itself (condition ScaledToZero) wakes the target again", "139648",
         "size condition event status", gate="HPAScaleToZero", gate_from=36),
    Fact("succeeded_ignored", 38, "pods in phase Succeeded count as pods without a sample",
         "pods in phase Succeeded are ignored, with their metrics", "141302", "size condition event status"),
    Fact("overhead_left_out", 38, "spec.overhead of a pod with pod-level requests counts in its request",
         "spec.overhead does not count", "142154", "size condition event status"),
    Fact("all_sizes_capped", None, "some sizes beyond 2147483647 wrap to the smallest number",
         "all nine places stop at 2147483647 (expected with 1.38, not recorded yet)", "141397", "size condition event"),
    Fact("total_at_zero", None, "an average over 0 replicas reads -9223372036854775808m",
         "the total is told at 0 replicas (expected with 1.38, not recorded yet)", "140958", "status table"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A change that is no switch: no decision differs by it. `since` is a version, `remark` says what it is good for."""

    since: str
    before: str
    now: str
    source: str
    remark: str


TOLD = (
    Told("1.28.3", "Object metric whose target has the type Value and only an averageValue, or the reverse: nil dereference",
         "FailedGetObjectMetric: neither a value target nor an average value target was set",
         "code of 1.28.2 and of the last 1.28; the crash itself was not recorded",
         "hpatui gives the error on 1.28.0 to 1.28.2 too, where the controller would crash instead of deciding"),
    Told("1.32", "Normal and Warning events of an HPA share one limit (a burst of 25, then 1 in 5 minutes)",
         "each kind has a limit of its own", "124747",
         "until 1.31 a long outage of metrics can use it up: sizes change without an event SuccessfulRescale"),
    Told("1.33", "an event is named after its HPA and the time, also where that is no valid name",
         "its name is a UUID there", "code of 1.32 and 1.33", "hpatui finds events by the object that they are about"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """How a controller decides. `minor`: of Kubernetes 1.x, `changed`: switches that differ from that minor's defaults.

    The switches are the names of FACTS; each is explained there.
    """

    minor: int
    changed: tuple[str, ...] = ()
    container_metrics: bool = False
    sidecars_requested: bool = False
    failed_metrics_shown: bool = False
    messages_verbatim: bool = False
    targets_named: bool = False
    edge_within_tolerance: bool = False
    absent_container_missing: bool = False
    described_object_shown: bool = False
    negative_sum_overflows: bool = False
    external_average_capped: bool = False
    pod_level_requests: bool = False
    conflicts_retried: bool = False
    memory_in_binary: bool = False
    tolerance_by_direction: bool = False
    value_capped: bool = False
    external_sum_stops: bool = False
    container_required: bool = False
    zero_is_guarded: bool = False
    scale_to_zero: bool = False
    succeeded_ignored: bool = False
    overhead_left_out: bool = False
    all_sizes_capped: bool = False
    total_at_zero: bool = False

    @property
    def name(self) -> str:
        """ "1.32", or with switches that were turned "1.37+succeeded_ignored-scale_to_zero"."""
        turned = "".join(f"{'+' if getattr(self, name) else '-'}{name}" for name in self.changed)
        return f"1.{self.minor}{turned}"

    def turned(self, name: str, on: bool) -> Rules:
        """These rules with one switch turned. KeyError for a name that is no fact's."""
        fact(name)
        default = _default(self.minor)[name]
        changed = tuple(sorted({*self.changed, name} if on is not default else {*self.changed} - {name}))
        return replace(self, changed=changed, **{name: on})

    def differences(self, other: Rules) -> tuple[Fact, ...]:
        """The facts in which two sets of rules differ, oldest first."""
        return tuple(item for item in FACTS if getattr(self, item.name) != getattr(other, item.name))


_BY_NAME = {item.name: item for item in FACTS}


def fact(name: str) -> Fact:
    """The fact of a switch. KeyError if there is none."""
    return _BY_NAME[name]


def _default(minor: int) -> dict[str, Any]:
    return {item.name: item.since is not None and minor >= item.since for item in FACTS}


_DEFAULTS: Mapping[int, Rules] = {minor: Rules(minor, **_default(minor)) for minor in range(OLDEST, NEWEST + 1)}
RECORDED = _DEFAULTS[36]  # what recorded decisions without a version, and configs without rules, mean


def rules_of_minor(minor: int) -> Rules:
    """The rules of Kubernetes 1.`minor`; beyond what is known the nearest."""
    return _DEFAULTS[min(max(minor, OLDEST), NEWEST)]


def rules_of(name: str) -> Rules:
    """ "1.32" -> its rules; `+switch` and `-switch` behind it turn single facts. ValueError says what is wrong."""
    base, *turns = name.replace("-", "\0-").replace("+", "\0+").split("\0")
    major, _, minor = base.removeprefix("v").partition(".")
    if major != "1" or not minor.isdigit():
        raise ValueError(f"{name!r} names no rules: give 1.{OLDEST} to 1.{NEWEST}")
    rules = rules_of_minor(int(minor))
    for turn in turns:
        if turn[1:] not in _BY_NAME:
            raise ValueError(f"{turn[1:]!r} is none of the facts: {', '.join(_BY_NAME)}")
        rules = rules.turned(turn[1:], turn[0] == "+")
    return rules
