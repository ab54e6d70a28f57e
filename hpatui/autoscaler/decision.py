"""The whole decision: one reconcile of one HPA, every step kept.

    find the scale -> bounds -> each metric (metrics.py: pods -> utilization -> replicas) -> the largest wins
      -> stabilization -> rate policies, minimum, maximum (behavior.py) -> write the scale -> write the status

`decide` is a pure function of its arguments: the same arguments give the same Decision, `now` is the only clock. The
rules of a Kubernetes version come with the config.
Source: reconcileAutoscaler of the HorizontalPodAutoscaler controller, Kubernetes 1.28 to 1.38.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpatui.autoscaler import zero
from hpatui.autoscaler.behavior import Limits, Stabilization, limit, remember_first, remember_rescale, stabilize
from hpatui.autoscaler.canonical import same_json
from hpatui.autoscaler.conditions import Conditions
from hpatui.autoscaler.go_format import mangled
from hpatui.autoscaler.inputs import (
    ControllerConfig,
    HpaObject,
    Memory,
    MetricsInput,
    OtherHpa,
    PodInput,
    ScaleInput,
)
from hpatui.autoscaler.metrics import MetricEvaluation, evaluate
from hpatui.autoscaler.replicas import Context
from hpatui.autoscaler.times import from_ns
from hpatui.autoscaler.utilization import Tolerance, tolerance_of
from hpatui.forms.label_selectors import Selector, SelectorError, parse_selector

UPDATE_TRIES = 5  # updates of the scale when it conflicts


@dataclass(frozen=True, slots=True)
class EventOut:
    """An event that the controller records about the HPA."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the controller decides, and every step to it. Steps that were not reached are None or empty.

    `wanted` is the size that the metrics ask for (None where they were not asked, or none answered), `winner` the label
    of the metric that asks for most and `winner_index` its place in spec.metrics (None where there is none). `replicas`
    is the size in the end, `rescaled_to` what was written to the scale. `status` is the HPA's status afterwards;
    `status_update` says written, unchanged or failed. `error` is what the reconcile returned (it only goes to the
    controller's log).
    """

    now: int
    current: int
    min_replicas: int
    max_replicas: int
    replicas: int
    rescaled_to: int | None
    reason: str
    status: Mapping[str, Any]
    status_update: str
    events: tuple[EventOut, ...]
    error: str | None
    memory: Memory
    scale_update_calls: int = 0
    tolerance: Tolerance | None = None
    metrics: tuple[MetricEvaluation, ...] = ()
    wanted: int | None = None
    winner: str = ""
    stabilization: Stabilization | None = None
    limits: Limits | None = None
    disabled: bool = False
    pods: int = 0
    winner_index: int | None = None


def decide(
    hpa: HpaObject,
    scale: ScaleInput,
    pods: Sequence[PodInput],
    metrics: MetricsInput,
    memory: Memory,
    config: ControllerConfig,
    now: int,
    *,
    others: Sequence[OtherHpa] = (),
    status_update_error: str | None = None,
) -> Decision:
    """One reconcile at `now` (nanoseconds since the epoch). `pods` may hold any pods of the cluster, in order of name.

    `others` are the other HPAs that the controller knows; `status_update_error` is the text with which writing the
    status fails. Raises nothing for inputs that `parse` accepts.
    """
    return _Reconcile(hpa, scale, pods, metrics, memory, config, now, others, status_update_error).run()


class _Stop(Exception):
    """The reconcile ends here: `error` is what it returns."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class _Reconcile:
    """The state of one reconcile while it runs."""

    def __init__(
        self,
        hpa: HpaObject,
        scale: ScaleInput,
        pods: Sequence[PodInput],
        metrics: MetricsInput,
        memory: Memory,
        config: ControllerConfig,
        now: int,
        others: Sequence[OtherHpa],
        status_update_error: str | None,
    ) -> None:
        self.hpa, self.scale, self.all_pods, self.metrics_input = hpa, scale, pods, metrics
        self.memory, self.config, self.now, self.others = memory, config, now, others
        self.rules = config.rules
        self.status_update_error = status_update_error
        self.conditions = Conditions(hpa.conditions, now)
        self.events: list[EventOut] = []
        self.reference = f"{hpa.target_kind}/{hpa.namespace}/{hpa.target_name}"
        self.tolerance = tolerance_of(hpa.behavior, config)
        self.status: Mapping[str, Any] | None = None  # None: only conditions changed
        self.status_update = "unchanged"
        self.evaluations: tuple[MetricEvaluation, ...] = ()
        self.pods: list[PodInput] = []
        self.wanted: int | None = None
        self.winner = ""
        self.winner_index: int | None = None
        self.reason = ""
        self.stabilization: Stabilization | None = None
        self.limits: Limits | None = None
        self.replicas = 0
        self.rescaled_to: int | None = None
        self.update_calls = 0
        self.disabled = False

    def run(self) -> Decision:
        """Reconcile and keep what happened."""
        error: str | None
        try:
            error = self._reconcile()
        except _Stop as stop:
            error = stop.error
        return Decision(
            now=self.now,
            current=self.scale.spec_replicas,
            min_replicas=self.hpa.min_replicas,
            max_replicas=self.hpa.max_replicas,
            replicas=self.replicas,
            rescaled_to=self.rescaled_to,
            reason=self.reason,
            status=self._status_json(),
            status_update=self.status_update,
            events=tuple(self.events),
            error=error,
            memory=self.memory,
            scale_update_calls=self.update_calls,
            tolerance=self.tolerance,
            metrics=self.evaluations,
            wanted=self.wanted,
            winner=self.winner,
            stabilization=self.stabilization,
            limits=self.limits,
            disabled=self.disabled,
            pods=len(self.pods),
            winner_index=self.winner_index,
        )

    # Steps ----------------------------------------------------------------------------------------------------

    def _reconcile(self) -> str | None:
        self._find_scale()
        current = self.scale.spec_replicas
        self.replicas = current
        self.memory = remember_first(self.memory, current, self.now)
        metric_error: str | None = None
        hpa = self.hpa
        if current == 0:
            self.disabled = not zero.looks_at_metrics(hpa, self.conditions, self.rules)
            if self.disabled:
                zero.set_disabled(self.conditions, self.rules)
            else:
                metric_error = self._from_metrics(current)
        elif current > hpa.max_replicas:
            self.reason, self.replicas = "Current number of replicas above Spec.MaxReplicas", hpa.max_replicas
        elif current < hpa.min_replicas:
            self.reason, self.replicas = "Current number of replicas below Spec.MinReplicas", hpa.min_replicas
        else:
            metric_error = self._from_metrics(current)
        if not self.disabled and self.replicas != current:
            self._rescale(current)
        else:
            self.replicas = current
        self._set_status(current, self.replicas, rescaled=self.rescaled_to is not None)
        failed = self._write_status()
        return failed if failed is not None else metric_error

    def _find_scale(self) -> None:
        version = self.hpa.target_api_version
        if version.count("/") > 1:
            text = f"unexpected GroupVersion string: {version}"
            self._no_scale(text, f"invalid API version in scale target reference: {text}")
        if self.scale.mapper_error is not None:
            text = self.scale.mapper_error
            self._no_scale(text, f"unable to determine resource for scale target reference: {text}")
        if self.scale.get_error is not None:
            text = self.scale.get_error
            self._no_scale(text, f"failed to query scale subresource for {self.reference}: {text}")
        text = "the HPA controller was able to get the target's current scale"
        self.conditions.set("AbleToScale", True, "SucceededGetScale", text)

    def _no_scale(self, text: str, error: str) -> None:
        self._warn("FailedGetScale", text)
        message = f"the HPA controller was unable to get the target's current scale: {text}"
        self.conditions.set("AbleToScale", False, "FailedGetScale", message)
        self._write_status()
        raise _Stop(error)

    def _from_metrics(self, current: int) -> str | None:
        """Ask the metrics, stabilize, limit. Returns the error of metrics that failed without stopping the rest."""
        error = self._compute(current)
        if error is not None and self.wanted is None:
            self._set_status(current, self.hpa.desired_replicas, failed=True)
            self._write_status()
            self._warn("FailedComputeMetricsReplicas", error)
            start = "failed to compute desired number of replicas based on listed metrics for"
            raise _Stop(f"{start} {self.reference}: {error}")
        assert self.wanted is not None
        wanted = max(self.wanted, 0)
        if wanted > current:
            self.reason = f"{self.winner if self.wanted > 0 else ''} above target"
        elif wanted < current:
            self.reason = "All metrics below target"
        step, self.memory = stabilize(self.hpa, self.memory, self.config, current, wanted, self.now)
        self.stabilization = step
        self.conditions.set("AbleToScale", True, step.reason, step.message)
        self.limits = limit(self.hpa, self.memory, current, step.replicas, self.now)
        self.conditions.set("ScalingLimited", self.limits.limited, self.limits.reason, self.limits.message)
        self.replicas = self.limits.replicas
        if current == 0 and self.replicas < self.hpa.min_replicas:
            # A raised minimum wakes a target from 0 whatever the rate limits say.
            self.replicas = self.hpa.min_replicas
            self.reason = self.reason or "Current number of replicas below Spec.MinReplicas"
        return error

    def _compute(self, current: int) -> str | None:
        """Evaluate every metric; the largest proposal becomes `wanted`. Returns the error text, or None."""
        selector = self._selector()
        if isinstance(selector, str):
            return selector
        context = Context(self.pods, current, self.scale.status_replicas, self.tolerance, self.config, self.now)
        evaluations: list[MetricEvaluation] = []
        best = 0
        failed: list[MetricEvaluation] = []
        for index, spec in enumerate(self.hpa.metrics):
            evaluation = evaluate(spec, self.hpa, selector, self.metrics_input, context, index)
            evaluations.append(evaluation)
            if evaluation.proposal is None:
                if evaluation.reason:
                    self._warn(evaluation.reason, evaluation.event)
                failed.append(evaluation)
            elif best == 0 or evaluation.proposal.replicas > best:
                best, self.winner, self.winner_index = evaluation.proposal.replicas, evaluation.label, index
        self.evaluations = tuple(evaluations)
        error: str | None = None
        if failed:
            count = f"{len(failed)} invalid out of {len(evaluations)}"
            error = f"invalid metrics ({count}), first error is: {failed[0].error}"
        if len(failed) >= len(evaluations) or (failed and best < current):
            if failed:
                text = f"the HPA was unable to compute the replica count: {failed[0].event}"
                self.conditions.inactive(failed[0].reason, self._message(text))
            self.winner, self.winner_index = "", None
            return error or "no metrics"
        text = f"the HPA was able to successfully calculate a replica count from {self.winner}"
        self.conditions.set("ScalingActive", True, "ValidMetricFound", text)
        self.wanted = best
        return error

    def _selector(self) -> Selector | str:
        """The target's selector, or the error that makes it unusable. Finds the target's pods."""
        text = self.scale.selector
        if not text:
            message = "the HPA target's scale is missing a selector"
            self._warn("SelectorRequired", "selector is required")
            self.conditions.set("ScalingActive", False, "InvalidSelector", message)
            return "selector is required"
        try:
            selector = parse_selector(text)
        except SelectorError as error:
            problem = f"couldn't convert selector into a corresponding internal selector object: {error}"
            self._warn("InvalidSelector", problem)
            self.conditions.set("ScalingActive", False, "InvalidSelector", self._message(problem))
            return self._message(problem)
        namespace = self.hpa.namespace
        self.pods = [pod for pod in self.all_pods if pod.namespace == namespace and selector.matches(pod.labels)]
        rivals = self._rivals(selector)
        if len(rivals) > 1:
            names = " ".join(rivals)
            problem = f"pods by selector {text} are controlled by multiple HPAs: [{names}]"
            self._warn("AmbiguousSelector", problem)
            self.conditions.set("ScalingActive", False, "AmbiguousSelector", problem)
            return problem
        return selector

    def _rivals(self, own: Selector) -> list[str]:
        """All HPAs that select any of the target's pods, this one included."""
        if not self.pods or not self.others:
            return []
        namespace = self.hpa.namespace
        found = {f"{namespace}/{self.hpa.name}"}
        for other in self.others:
            if other.namespace != namespace:
                continue
            try:
                selector = parse_selector(other.selector)
            except SelectorError:
                continue
            if any(selector.matches(pod.labels) for pod in self.pods):
                found.add(f"{other.namespace}/{other.name}")
        return sorted(found)

    def _rescale(self, current: int) -> None:
        wanted = self.replicas
        problem = self._update_scale()
        if problem is not None:
            text = f"New size: {wanted}; reason: {self.reason}; error: {problem}"
            self._warn("FailedRescale", text)
            message = f"the HPA controller was unable to update the target scale: {problem}"
            self.conditions.set("AbleToScale", False, "FailedUpdateScale", message)
            self._set_status(current, self.hpa.desired_replicas, failed=True)
            self._write_status()
            raise _Stop(f"failed to rescale {self.reference}: {problem}")
        message = f"the HPA controller was able to update the target scale to {wanted}"
        self.conditions.set("AbleToScale", True, "SucceededRescale", message)
        zero.set_rescaled(self.hpa, self.conditions, self.rules, current, wanted)
        self.events.append(EventOut("Normal", "SuccessfulRescale", f"New size: {wanted}; reason: {self.reason}"))
        self.memory = remember_rescale(self.hpa.behavior, self.memory, current, wanted, self.now)
        self.rescaled_to = wanted

    def _update_scale(self) -> str | None:
        """Write the scale; conflicts are tried again. Returns the error text, or None."""
        error = self.scale.update_error
        tries = 0
        while True:
            tries += 1
            self.update_calls = tries
            if error is None or (0 <= error.times < tries):
                return None
            if not error.conflict or not self.rules.conflicts_retried or tries >= UPDATE_TRIES:
                return error.message

    # Status ---------------------------------------------------------------------------------------------------

    def _message(self, text: str) -> str:
        """A finished message as the condition has it."""
        return text if self.rules.messages_verbatim else mangled(text)

    def _set_status(self, current: int, desired: int, *, rescaled: bool = False, failed: bool = False) -> None:
        scaled_at = self.now if rescaled else self.hpa.last_scale_time
        status: dict[str, Any] = {"currentReplicas": current, "desiredReplicas": desired}
        entries: object = [evaluation.status for evaluation in self.evaluations] or None
        if failed and not self.rules.failed_metrics_shown:
            entries = self.hpa.status.get("currentMetrics")
        status["currentMetrics"] = entries
        if scaled_at is not None:
            status["lastScaleTime"] = from_ns(scaled_at)
        self.status = status

    def _status_json(self) -> Mapping[str, Any]:
        base = self.hpa.status if self.status is None else self.status
        return {**base, "conditions": self.conditions.to_json()}

    def _write_status(self) -> str | None:
        """Write the status if it differs; returns the error text, or None."""
        if same_json(self._status_json(), self.hpa.status):
            return None
        if self.status_update_error is not None:
            self.status_update = "failed"
            self._warn("FailedUpdateStatus", self.status_update_error)
            return f"failed to update status for {self.hpa.name}: {self.status_update_error}"
        self.status_update = "written"
        return None

    def _warn(self, reason: str, message: str) -> None:
        self.events.append(EventOut("Warning", reason, message))
