"""How the HPA controller finds what scaleTargetRef means, and what it reads of it.

The controller takes the group of apiVersion and the kind, asks discovery which resources that may be, and reads the
scale subresource of the one that answers. It does not use the version, and its mapper knows each kind by its name and
by its name in lower case, nothing else (recorded of 1.36.2: tests/data/field, 11-target-refs). An empty apiVersion is
the core group.

Source: reconcileAutoscaler of the HPA controller; restmapper.NewDiscoveryRESTMapper of client-go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hpatui.doctor.fields import Json, child, items, name, namespace, number, text
from hpatui.doctor.reading import Reading, Reads, Sight
from hpatui.forms.label_selectors import Selector, SelectorError, parse_selector
from hpatui.forms.selectors import selector_text

# Kinds whose own object says all that their scale subresource does.
BUILT_IN = frozenset(
    {("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("", "ReplicationController")}
)
_COMMON = (("apps", "v1"), ("", "v1"), ("batch", "v1"))
MOST_GROUPS = 60  # groups that are searched for a kind that was written in the wrong one


class Problem(StrEnum):
    """Why a reference leads to nothing that can be scaled."""

    NONE = ""
    UNSEEN = "unseen"  # a look was refused or failed: nothing is known
    GROUP = "group"  # the API group is not served
    KIND = "kind"  # the group has no such kind
    NO_SCALE = "no scale"  # the kind cannot be scaled
    GONE = "gone"  # there is no object of that name


@dataclass(frozen=True, slots=True)
class Target:
    """What a scaleTargetRef leads to. `reading` is the object; `kind` and `plural` are as served (empty: unknown).

    `selector` is the text by which the controller selects pods; `meant` are apiVersion and kind where another fits.
    """

    reading: Reading
    problem: Problem = Problem.NONE
    group: str = ""
    version: str = ""
    kind: str = ""
    plural: str = ""
    selector: str = ""
    replicas: int | None = None  # of the scale's spec
    counted: int | None = None  # of the scale's status
    meant: tuple[str, str] = ("", "")
    scale: Reading | None = None  # where the scale subresource was read

    @property
    def served(self) -> bool:
        """Whether the object is there and can be scaled."""
        return self.problem is Problem.NONE

    def selects(self) -> Selector | None:
        """The selector, or None where there is none that can be used."""
        try:
            return parse_selector(self.selector) if self.selector else None
        except SelectorError:
            return None


def split(api_version: str) -> tuple[str, str]:
    """`apps/v1` -> ("apps", "v1"); `v1` -> ("", "v1")."""
    group, slash, version = api_version.partition("/")
    return (group, version) if slash else ("", api_version)


def base_of(group: str, version: str) -> str:
    """The path below which a group's version is served."""
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


async def resolve(reads: Reads, hpa: Json, *, one: bool) -> Target:
    """Follow an HPA's scaleTargetRef. `one`: read single objects instead of lists."""
    reference = child(hpa, "spec", "scaleTargetRef")
    kind, wanted = text(reference, "kind"), text(reference, "name")
    group, named = split(text(reference, "apiVersion"))
    versions = await _versions(reads, group, named)
    if not versions:
        path = base_of(group, named)
        reading = Reading(path, Sight.MISSING, (), f"the group {group} is not served", 404)
        return Target(reading, Problem.GROUP, group, named, meant=await _meant(reads, kind, group))
    unseen: Reading | None = None
    last = ""
    for version in versions:
        last = base_of(group, version)
        document = await reads.object(last)
        if document.sight is not Sight.READ:
            unseen = document if document.sight is not Sight.MISSING else unseen
            continue
        served = items(document.first, "resources")
        found = next((r for r in served if kind_matches(text(r, "kind"), kind) and "/" not in text(r, "name")), None)
        if found is None:
            continue
        plural = text(found, "name")
        scalable = any(text(r, "name") == f"{plural}/scale" for r in served)
        return await _object(reads, hpa, one, Target(_path(last, hpa, plural, wanted), _problem(scalable), group, version,
                             text(found, "kind"), plural))  # fmt: skip
    if unseen is not None:
        return Target(unseen, Problem.UNSEEN, group, named)
    reading = Reading(last, Sight.MISSING, (), f'no matches for kind "{kind}" in group "{group}"', 404)
    return Target(reading, Problem.KIND, group, named, meant=await _meant(reads, kind, group))


def kind_matches(served: str, written: str) -> bool:
    """Whether the controller's mapper takes `written` for the kind `served`: its name, or that in lower case."""
    return bool(written) and written in (served, served.lower())


def _problem(scalable: bool) -> Problem:
    return Problem.NONE if scalable else Problem.NO_SCALE


def _path(base: str, hpa: Json, plural: str, wanted: str) -> Reading:
    return Reading(f"{base}/namespaces/{namespace(hpa)}/{plural}/{wanted}", Sight.MISSING)


async def _versions(reads: Reads, group: str, named: str) -> list[str]:
    """The versions of a group that are served, the preferred one first; the one that is named where nobody tells."""
    if not group:
        return ["v1"]
    groups = await reads.object("/apis")
    if groups.sight is not Sight.READ:
        return [named] if named else []
    found = next((g for g in items(groups.first, "groups") if text(g, "name") == group), None)
    if found is None:
        return []
    preferred = text(found, "preferredVersion", "version")
    known = [text(v, "version") for v in items(found, "versions")]
    return sorted(known, key=lambda version: version != preferred) or ([named] if named else [])


async def _object(reads: Reads, hpa: Json, one: bool, target: Target) -> Target:
    """Read the object, and the scale subresource where the object alone does not say what that has."""
    wanted, where = text(hpa, "spec", "scaleTargetRef", "name"), namespace(hpa)
    base = base_of(target.group, target.version)
    path = target.reading.path
    reading = await reads.found(base, target.plural, where, wanted, one=one)
    problem = target.problem
    if reading.sight is Sight.MISSING:
        return _with(target, reading, Problem.GONE)
    if problem is not Problem.NONE:
        return _with(target, reading, problem)
    if reading.sight is not Sight.READ and (target.group, target.kind) in BUILT_IN:
        return _with(target, reading, Problem.UNSEEN)
    if (target.group, target.kind) in BUILT_IN:
        own = reading.first or {}
        return Target(
            reading, Problem.NONE, target.group, target.version, target.kind, target.plural,
            selector_text(child(own, "spec", "selector")), _or_one(number(own, "spec", "replicas")),
            number(own, "status", "replicas") or 0,
        )  # fmt: skip
    scale = await reads.object(f"{path}/scale")
    if scale.sight is not Sight.READ:
        return Target(
            reading if reading.sight is not Sight.READ else scale, Problem.UNSEEN, target.group, target.version,
            target.kind, target.plural, scale=scale,
        )  # fmt: skip
    return Target(
        reading, Problem.NONE if reading.sight is Sight.READ else Problem.UNSEEN, target.group, target.version,
        target.kind, target.plural, _scale_selector(scale.first), number(scale.first, "spec", "replicas") or 0,
        number(scale.first, "status", "replicas") or 0, scale=scale,
    )  # fmt: skip


def _with(target: Target, reading: Reading, problem: Problem) -> Target:
    return Target(reading, problem, target.group, target.version, target.kind, target.plural)


def _or_one(replicas: int | None) -> int:
    return 1 if replicas is None else replicas


def _scale_selector(scale: Json | None) -> str:
    """status.selector of autoscaling/v1; extensions/v1beta1 had an object there and the text beside it."""
    return text(scale, "status", "selector") or text(scale, "status", "targetSelector")


async def _meant(reads: Reads, kind: str, group: str) -> tuple[str, str]:
    """apiVersion and kind of what was probably meant: a served kind that has a scale, whose name, plural or singular is
    the word that was written, whatever the case.
    """
    word = kind.lower()
    tried: set[tuple[str, str]] = set()
    for pair in [*_COMMON, *await _all_groups(reads)][:MOST_GROUPS]:
        if pair in tried:
            continue
        tried.add(pair)
        document = await reads.object(base_of(*pair))
        served = items(document.first, "resources")
        names = {text(r, "name") for r in served}
        for resource in served:
            plural = text(resource, "name")
            words = {text(resource, "kind").lower(), plural, text(resource, "singularName")}
            if word and word in words and f"{plural}/scale" in names:
                return "/".join(part for part in pair if part), text(resource, "kind")
    return "", ""


async def _all_groups(reads: Reads) -> Iterable[tuple[str, str]]:
    groups = await reads.object("/apis")
    return [
        (text(group, "name"), text(group, "preferredVersion", "version") or text(version, "version"))
        for group in items(groups.first, "groups")
        for version in items(group, "versions")[:1]
        if not text(group, "name").endswith("metrics.k8s.io")
    ]


def controller(obj: Json | None) -> Json | None:
    """The entry of metadata.ownerReferences that manages the object, if one does."""
    return next((o for o in items(obj, "metadata", "ownerReferences") if o.get("controller") is True), None)


def owner_text(owner: Json | None) -> str:
    """`Job/report`; empty for nobody."""
    return f"{text(owner, 'kind')}/{text(owner, 'name')}" if owner is not None else ""


def object_name(obj: Json | None) -> str:
    """metadata.name of an object that may be absent."""
    return name(obj) if obj is not None else ""
