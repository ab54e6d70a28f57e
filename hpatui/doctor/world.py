"""Everything the checks look at, read once: HPAs, what they scale, the pods that are selected, and whose those are.

The checks share one World, so an object that ten checks need costs one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.autoscaler.which_rules import Choice, server_version, which_rules
from hpatui.doctor.fields import Json, child, items, name, namespace, text
from hpatui.doctor.look import Look
from hpatui.doctor.reading import Reading, Reads, Sight
from hpatui.doctor.target import BUILT_IN, Target, controller, resolve
from hpatui.model import Key
from hpatui.text import printable

HPA_VERSIONS = ("v2", "v2beta2", "v2beta1", "v1")
_OWNERS = {
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "Job": ("/apis/batch/v1", "jobs"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
}

__all__ = ["Reading", "Sight", "Subject", "World"]


def same_shape(version: str, obj: dict[str, Any]) -> dict[str, Any]:
    """An HPA that needs no conversion."""
    return obj


def by_version(answer: Json) -> Choice:
    """The rules that go with an answer of /version."""
    return which_rules(server_version(answer))


@dataclass(frozen=True, slots=True)
class Subject:
    """An HPA with what its scaleTargetRef leads to and the pods that its scale's selector selects.

    `version` is the API version the HPA was read in (its object here has v2's shape). `owners` are the controllers of
    each pod (by name), nearest first, as far as they could be followed. `rules` are those of the cluster's controller.
    """

    hpa: Json
    found: Target
    pods: Reading
    version: str = "v2"
    owners: dict[str, tuple[Json, ...]] | None = None
    own: dict[str, bool | None] | None = None
    rules: Rules = RECORDED

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return Key(namespace(self.hpa), name(self.hpa))

    @property
    def target(self) -> Reading:
        """The target's object."""
        return self.found.reading

    @property
    def about(self) -> str:
        """The HPA as evidence names it."""
        return f"HorizontalPodAutoscaler/{self.key}"

    @property
    def reference(self) -> str:
        """The target as evidence names it."""
        kind = self.found.kind or text(self.hpa, "spec", "scaleTargetRef", "kind")
        return f"{kind}/{self.key.namespace}/{self.target_name}"

    @property
    def kubectl(self) -> str:
        """How a command about it begins."""
        return f"kubectl -n {self.key.namespace}"

    @property
    def kind(self) -> str:
        """The target's kind as kubectl takes it."""
        group, plural = self.found.group, self.found.plural
        if plural and (group, self.found.kind) not in BUILT_IN and group:
            return f"{plural}.{group}"
        return (self.found.kind or text(self.hpa, "spec", "scaleTargetRef", "kind")).lower()

    @property
    def target_name(self) -> str:
        """The target's name."""
        return text(self.hpa, "spec", "scaleTargetRef", "name")

    @property
    def metrics(self) -> list[Json]:
        """spec.metrics. A metric is its place in this list."""
        return items(self.hpa, "spec", "metrics")

    def is_own(self, pod: Json) -> bool | None:
        """Whether the target owns the pod; None where that cannot be known."""
        return (self.own or {}).get(name(pod))

    def foreign_pods(self) -> list[Json]:
        """Pods that the selector selects and that belong to something else, or to nobody."""
        return [pod for pod in self.pods.objects if self.is_own(pod) is False]

    def live_pods(self) -> list[Json]:
        """The target's own pods that are not being deleted and have not ended."""
        return [
            pod
            for pod in self.pods.objects
            if self.is_own(pod) is not False
            and not text(pod, "metadata", "deletionTimestamp")
            and text(pod, "status", "phase") not in ("Failed", "Succeeded")
        ]


class World:
    """Reads on demand and remembers. `scope_namespace` None means all namespaces.

    `older` makes an autoscaling/v2 object of an HPA of another version: (version, object) -> object.
    """

    def __init__(
        self,
        look: Look,
        now: float,
        scope_namespace: str | None,
        hpa: Key | None,
        older: Callable[[str, dict[str, Any]], dict[str, Any]] = same_shape,
        choose: Callable[[Json], Choice] = by_version,
    ) -> None:
        self.look = look
        self.now = now
        self.scope_namespace = hpa.namespace if hpa is not None else scope_namespace
        self.only = hpa
        self.hpas: Reading = Reading("", Sight.MISSING)
        self.subjects: tuple[Subject, ...] = ()
        self.neighbours: tuple[Subject, ...] = ()  # all HPAs of the scope, those that are not asked about too
        self._older, self._choose = older, choose
        self.rules, self.rules_text = RECORDED, ""
        self._version = "v2"
        self.reads = Reads(look, self.scope_namespace)

    @property
    def scope(self) -> str:
        """What is looked at, for people."""
        if self.only is not None:
            return f"HPA {self.only}"
        return f"namespace {self.scope_namespace}" if self.scope_namespace else "all namespaces"

    async def load(self) -> None:
        """Read the HPAs in scope, their targets and pods, and whose the pods are."""
        version = await self.look.get("/version")
        choice = self._choose(version.body or {})
        self.rules, self.rules_text = choice.controller, printable(choice.text, 200)
        self.hpas = await self._read_hpas()
        found = await asyncio.gather(*(self._subject(hpa) for hpa in self.hpas.objects))
        links = await self._links(found)
        self.neighbours = tuple(_owned(subject, links) for subject in found)
        self.subjects = tuple(s for s in self.neighbours if self.only is None or s.key.name == self.only.name)

    async def _read_hpas(self) -> Reading:
        """The HPAs of the scope, in v2's shape; of one that is asked for where the list may not be read, that one."""
        reading = Reading("", Sight.MISSING)
        for version in HPA_VERSIONS:
            base = f"/apis/autoscaling/{version}"
            reading = await self.list(base, "horizontalpodautoscalers", self.scope_namespace)
            if reading.sight is Sight.MISSING:
                continue
            if reading.sight is Sight.FORBIDDEN and self.only is not None:
                path = f"{base}/namespaces/{self.only.namespace}/horizontalpodautoscalers/{self.only.name}"
                reading = await self.object(path)
            self._version = version
            shaped = tuple(self._older(version, dict(hpa)) for hpa in reading.objects)
            return Reading(reading.path, reading.sight, shaped, reading.error, reading.status)
        return reading

    async def _subject(self, hpa: Json) -> Subject:
        found = await resolve(self.reads, hpa, one=self.only is not None)
        selector = found.selects()
        pods = await self.list("/api/v1", "pods", self.scope_namespace)
        if pods.sight is not Sight.READ and self.scope_namespace is None:
            pods = await self.list("/api/v1", "pods", namespace(hpa))
        selected = tuple(
            pod
            for pod in pods.objects
            if selector is not None
            and namespace(pod) == namespace(hpa)
            and selector.matches({str(k): str(v) for k, v in child(pod, "metadata", "labels").items()})
        )
        return Subject(
            hpa,
            found,
            Reading(pods.path, pods.sight, selected, pods.error, pods.status),
            self._version,
            rules=self.rules,
        )

    async def _links(self, subjects: list[Subject]) -> dict[str, Json | None]:
        """Controllers by the uid of what they own: those of the owners of pods, as far as they can be read."""
        kinds = {text(controller(pod), "kind") for s in subjects for pod in s.pods.objects} & {"ReplicaSet", "Job"}
        if any(s.found.served and (s.found.group, s.found.kind) not in BUILT_IN for s in subjects):
            kinds |= {"Deployment", "StatefulSet"}  # what an operator may have made for its own kind
        links: dict[str, Json | None] = {}
        for kind in sorted(kinds):
            base, resource = _OWNERS[kind]
            for obj in (await self.list(base, resource, self.scope_namespace)).objects:
                links[text(obj, "metadata", "uid")] = controller(obj)
        return links

    # Lists and objects ----------------------------------------------------------------------------------------

    async def list(self, base: str, resource: str, where: str | None) -> Reading:
        """All objects of `resource` below `base` in a namespace, or in all (None)."""
        return await self.reads.list(base, resource, where)

    async def object(self, path: str) -> Reading:
        """One object, or any other JSON document."""
        return await self.reads.object(path)

    async def events(self) -> Reading:
        """The core/v1 events in scope."""
        return await self.list("/api/v1", "events", self.scope_namespace)

    async def log_tail(self, pod: Json, lines: int = 5) -> tuple[str, ...]:
        """The last lines of a pod's log (of the container's run before this one, if that one crashed)."""
        path = f"/api/v1/namespaces/{namespace(pod)}/pods/{name(pod)}/log"
        for previous in ("true", "false"):
            answer = await self.look.get_text(path, {"tailLines": str(lines), "previous": previous})
            if answer.ok and answer.text.strip():
                return tuple(line for line in answer.text.splitlines() if line.strip())[-lines:]
        return ()


def _owned(subject: Subject, links: dict[str, Json | None]) -> Subject:
    """The subject with the owners of its pods."""
    owners = {name(pod): _chain(pod, links) for pod in subject.pods.objects}
    own = {name(pod): _belongs(subject, owners[name(pod)], links) for pod in subject.pods.objects}
    return Subject(subject.hpa, subject.found, subject.pods, subject.version, owners, own, subject.rules)


def _chain(pod: Json, links: dict[str, Json | None]) -> tuple[Json, ...]:
    chain: list[Json] = []
    owner = controller(pod)
    while owner is not None and owner not in chain:
        chain.append(owner)
        owner = links.get(text(owner, "uid"))
    return tuple(chain)


def _belongs(subject: Subject, chain: tuple[Json, ...], links: dict[str, Json | None]) -> bool | None:
    """Whether the target owns a pod through its controllers; None where it cannot be known."""
    uid = text(subject.target.first, "metadata", "uid")
    if not uid:
        return None
    if any(text(owner, "uid") == uid for owner in chain):
        return True
    built_in = (subject.found.group, subject.found.kind) in BUILT_IN
    if not chain:
        return False if built_in else None
    last = chain[-1]
    if text(last, "kind") in _OWNERS and text(last, "uid") not in links and not built_in:
        return None
    if text(last, "kind") == "ReplicaSet" and text(last, "uid") not in links:
        return None
    return False if built_in or text(last, "kind") in (*_OWNERS, "DaemonSet", "CronJob") else None
