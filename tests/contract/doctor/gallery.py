"""What hpatui says about each scenario: its explanation and the doctor's findings, as a person would read them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from hpatui.autoscaler.explain import Explanation
from hpatui.autoscaler.sentences import clock_time
from hpatui.cluster.decode import decode_event, decode_hpa, decode_workload
from hpatui.cluster.decode_pods import decode_pod, usage_of
from hpatui.model import ControllerFlags, Key, Pod, PodUsage, SourceState, SourceStatus, Workload
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.controllers.autoscaler import HPAS
from hpatui.sandbox.controllers.objects import Object
from hpatui.state.facts import Facts
from hpatui.state.history import record_events, record_hpa
from hpatui.state.observer import Observer
from hpatui.state.series import HpaHistory
from tests.contract.doctor.sandbox_look import SandboxLook


@dataclass(frozen=True, slots=True)
class Act:
    """One stretch of a scenario: `cores` of demand for `seconds`; what is said then is kept if `title` is set."""

    title: str
    cores: float
    seconds: float
    quota: float = 0.1  # cores that one pod may use


PLAYS: dict[str, tuple[Act, ...]] = {
    "walkthrough": (
        Act("idle", 0.0, 20),
        Act("the load begins", 0.25, 6),
        Act("at the maximum", 0.25, 30),
        Act("the load is gone", 0.002, 15),
        Act("down again", 0.002, 60),
    ),
    "flapping": (
        Act("", 0.12, 20),
        Act("", 0.03, 20),
        Act("", 0.12, 20),
        Act("", 0.03, 20),
        Act("up and down", 0.12, 20),
    ),
    "held-down": (Act("the burst", 0.3, 30), Act("quiet", 0.004, 20)),
    "rate-limited": (Act("the campaign begins", 0.9, 15), Act("one pod at a time", 0.9, 22)),
    "at-max": (Act("all that may be", 0.5, 60),),
    "no-metrics": (Act("blind", 0.02, 10),),
    "crash-loop": (Act("blind", 0.02, 10),),
    "missing-requests": (Act("one of two is blind", 0.02, 10),),
    "ambiguous": (Act("neither scales", 0.02, 10),),
    "target-missing": (Act("nothing to scale", 0.0, 10),),
    "unschedulable": (Act("no room", 0.8, 60, 0.4),),
    "quota": (Act("no quota", 0.5, 60),),
    "broken-image": (Act("pods that never come", 0.3, 60),),
    "slow-start": (Act("help is late", 0.4, 10, 0.5), Act("more than needed", 0.4, 30, 0.5)),
    "queue": (Act("a wave of messages", 0.0, 30),),
    "stale-metrics": (Act("the past", 0.02, 5),),
    "unknown-metric": (Act("a wrong name", 0.02, 5),),
    "no-adapter": (Act("nobody serves it", 0.02, 5),),
    "no-controller": (Act("nobody looks", 0.02, 5),),
    "second-writer": (Act("set back", 0.02, 5),),
    "high-floor": (Act("a costly floor", 0.02, 20),),
    "rollout": (Act("a new version", 0.05, 5),),
}


_POD = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{9,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b")


class Reading:
    """Observers of all HPAs of a scenario, fed once a second from the store as a watch would."""

    def __init__(self, look: SandboxLook) -> None:
        self.look = look
        timings = look.cluster.timings
        flags = ControllerFlags(
            sync_period=timings.sync_period,
            tolerance=timings.tolerance,
            downscale_stabilization=timings.downscale_stabilization,
            cpu_initialization=timings.cpu_initialization,
            initial_readiness_delay=timings.initial_readiness_delay,
            metrics_resolution=timings.metrics_resolution,
            known=True,
        )
        self.histories: dict[Key, HpaHistory] = {}
        self.observers: dict[Key, Observer] = {}
        self._flags = flags
        self.feed()

    def play(self, act: Act) -> None:
        """Let the act run."""
        for _ in range(round(act.seconds)):
            self.look.load(act.cores, 1.0, quota=act.quota)
            self.feed()

    def feed(self) -> None:
        """Hand all that the store holds to the observers."""
        store, now = self.look.cluster.store, self.look.clock.time()
        for obj in store.list(HPAS, None)[0]:
            hpa = decode_hpa(_raw(obj))
            assert hpa is not None
            history = self.histories.setdefault(hpa.key, HpaHistory())
            observer = self.observers.get(hpa.key)
            if observer is None:
                observer = self.observers[hpa.key] = Observer(hpa.key, self._flags, history)
            observer.hpa_changed(hpa, now)
            record_hpa(history, None, hpa, now)
            events = [decode_event(_raw(e)) for e in store.list(RESOURCES["", "events"], hpa.key.namespace)[0]]
            own = [e for e in events if e is not None and e.about == hpa.key and e.about_kind.startswith("Horizontal")]
            observer.events(own, now)
            record_events(history, own)
            workload, pods, usages = self._target(hpa.key.namespace, hpa.reference.name)
            answers = self.look.cluster.metrics.available()
            state = SourceState.LIVE if answers else SourceState.RECONNECTING
            status = SourceStatus(state, now, "" if answers else "the server is currently unable to handle the request")
            observer.facts(Facts(now, workload, dict(pods), dict(usages), status))
            observer.explanation(now)

    def _target(self, namespace: str, name: str) -> tuple[Workload | None, dict[Key, Pod], dict[Key, PodUsage]]:
        store, now = self.look.cluster.store, self.look.clock.time()
        found = [o for o in store.list(RESOURCES["apps", "deployments"], namespace)[0] if o["metadata"]["name"] == name]
        if not found:
            return None, {}, {}
        objects: list[Object] = [
            pod
            for pod in store.list(RESOURCES["", "pods"], namespace)[0]
            if matches(found[0]["spec"]["selector"], pod["metadata"].get("labels") or {})
        ]
        pods = {pod.key: pod for o in objects if (pod := decode_pod(_raw(o))) is not None}
        samples = self.look.cluster.metrics.pods(objects, now) if self.look.cluster.metrics.available() else []
        usages = {usage.key: usage for o in samples if (usage := usage_of(o, _raw(o))) is not None}
        return decode_workload(_raw(found[0])), pods, usages

    def explanations(self) -> dict[Key, Explanation]:
        """What is said of each HPA now."""
        now = self.look.clock.time()
        return {k: e for k, o in sorted(self.observers.items()) if (e := o.explanation(now)) is not None}


def _raw(obj: Object) -> bytes:
    return json.dumps(obj).encode()


async def page(scenario: str) -> str:
    """The gallery's page of a scenario. Times are shown as they are, so the caller fixes the time zone."""
    reading = Reading(SandboxLook(scenario))
    lines = [f"# {scenario}", ""]
    for act in PLAYS[scenario]:
        reading.play(act)
        if not act.title:
            continue
        lines.append(f"## {act.title}")
        for key, explanation in reading.explanations().items():
            lines += ["", *_said(key, explanation)]
        report = await reading.look.report()
        found = [f"  {c.outcome.value} {c.id} {c.about}: {c.reason}\n    mend: {c.command}" for c in report.findings]
        lines += ["", "doctor:", *(found or ["  nothing to report"]), ""]
    return _POD.sub("-POD", "\n".join(lines))


def _said(key: Key, explanation: Explanation) -> list[str]:
    lines = [f"{key}: {explanation.headline}"]
    lines += [f"  {line.label}: {line.text}" for line in explanation.lines]
    lines += [f"  waits: {c.text} {clock_time(c.until)}" for c in explanation.countdowns if c.kind.startswith("scale")]
    lines += [f"  {text}" for text in explanation.would_change]
    lines += [f"  over time: {line.text}" for line in explanation.patterns]
    return lines + [f"  hint: {hint}" for hint in explanation.hints]
