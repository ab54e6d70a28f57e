"""The resources that the sandbox serves, as data: names, versions, verbs, subresources."""

from __future__ import annotations

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ_VERBS = ("get", "list")


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One resource. `versions`: the preferred one first, which is also the one that is stored.

    `storage`: (group, plural) of the resource in whose form objects are kept, if that is another one. `virtual`:
    nothing is stored, another part of the server answers. `singular` is what `kubectl api-resources` and discovery call
    one; instances compare by identity.
    """

    group: str
    versions: tuple[str, ...]
    kind: str
    plural: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    categories: tuple[str, ...] = ()
    storage: tuple[str, str] | None = None
    virtual: bool = False
    generation: bool = False  # metadata.generation follows the spec
    replicas: bool = False  # has spec.replicas and a scale subresource

    @property
    def singular(self) -> str:
        """The lower-case kind."""
        return self.kind.lower()

    @property
    def version(self) -> str:
        """The preferred version."""
        return self.versions[0]

    @property
    def api_version(self) -> str:
        """Group and preferred version, as objects carry them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """As error texts name it: deployments.apps, pods."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        """Whether status is written through its subresource only."""
        return "status" in self.subresources


_S = ("status",)
_SCALE = ("status", "scale")
_ALL = ("all",)
_NOWHERE = False

_TABLE = (
    # core
    Resource("", ("v1",), "Namespace", "namespaces", ("ns",), _NOWHERE, ("status", "finalize"),
             tuple(v for v in ALL_VERBS if v != "deletecollection")),
    Resource("", ("v1",), "Node", "nodes", ("no",), _NOWHERE, _S),
    Resource("", ("v1",), "Pod", "pods", ("po",), True,
             ("status", "log", "portforward", "proxy", "binding", "eviction", "exec", "attach"),
             categories=_ALL, generation=True),
    Resource("", ("v1",), "Service", "services", ("svc",), True, ("status", "proxy"), categories=_ALL),
    Resource("", ("v1",), "Endpoints", "endpoints", ("ep",)),
    Resource("", ("v1",), "Event", "events", ("ev",)),
    Resource("", ("v1",), "ConfigMap", "configmaps", ("cm",)),
    Resource("", ("v1",), "Secret", "secrets"),
    Resource("", ("v1",), "ServiceAccount", "serviceaccounts", ("sa",)),
    Resource("", ("v1",), "ResourceQuota", "resourcequotas", ("quota",), True, _S),
    Resource("", ("v1",), "LimitRange", "limitranges", ("limits",)),
    Resource("", ("v1",), "PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",), True, _S),
    Resource("", ("v1",), "ReplicationController", "replicationcontrollers", ("rc",), True, _SCALE,
             categories=_ALL, generation=True, replicas=True),
    # workloads
    Resource("apps", ("v1",), "Deployment", "deployments", ("deploy",), True, _SCALE, categories=_ALL,
             generation=True, replicas=True),
    Resource("apps", ("v1",), "ReplicaSet", "replicasets", ("rs",), True, _SCALE, categories=_ALL,
             generation=True, replicas=True),
    Resource("apps", ("v1",), "StatefulSet", "statefulsets", ("sts",), True, _SCALE, categories=_ALL,
             generation=True, replicas=True),
    Resource("apps", ("v1",), "DaemonSet", "daemonsets", ("ds",), True, _S, categories=_ALL, generation=True),
    Resource("apps", ("v1",), "ControllerRevision", "controllerrevisions"),
    Resource("batch", ("v1",), "Job", "jobs", (), True, _S, categories=_ALL, generation=True),
    Resource("batch", ("v1",), "CronJob", "cronjobs", ("cj",), True, _S, categories=_ALL, generation=True),
    Resource("autoscaling", ("v2", "v1", "v2beta2", "v2beta1"), "HorizontalPodAutoscaler",
             "horizontalpodautoscalers", ("hpa",), True, _S, categories=_ALL),
    Resource("argoproj.io", ("v1alpha1",), "Rollout", "rollouts", ("ro",), True, _SCALE,
             generation=True, replicas=True),
    # the rest
    Resource("policy", ("v1",), "PodDisruptionBudget", "poddisruptionbudgets", ("pdb",), True, _S, generation=True),
    Resource("coordination.k8s.io", ("v1",), "Lease", "leases"),
    Resource("discovery.k8s.io", ("v1",), "EndpointSlice", "endpointslices", generation=True),
    Resource("events.k8s.io", ("v1",), "Event", "events", ("ev",), storage=("", "events")),
    Resource("apiregistration.k8s.io", ("v1",), "APIService", "apiservices", (), _NOWHERE, _S,
             categories=("api-extensions",)),
    # answered, not stored
    Resource("metrics.k8s.io", ("v1", "v1beta1"), "PodMetrics", "pods", (), True, (), READ_VERBS, virtual=True),
    Resource("metrics.k8s.io", ("v1", "v1beta1"), "NodeMetrics", "nodes", (), _NOWHERE, (), READ_VERBS, virtual=True),
    *(
        Resource("authorization.k8s.io", ("v1",), kind, f"{kind.lower()}s", (), kind.startswith("Local"), (),
                 ("create",), virtual=True)
        for kind in ("SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview",
                     "LocalSubjectAccessReview")
    ),
    Resource("authentication.k8s.io", ("v1",), "SelfSubjectReview", "selfsubjectreviews", (), _NOWHERE, (),
             ("create",), virtual=True),
)  # fmt: skip

RESOURCES: dict[tuple[str, str], Resource] = {(entry.group, entry.plural): entry for entry in _TABLE}


def stored_as(resource: Resource) -> Resource:
    """The resource in whose form objects of `resource` are kept."""
    return RESOURCES[resource.storage] if resource.storage is not None else resource


def of_kind(group: str, kind: str) -> Resource | None:
    """The resource of a kind; None if it is not served."""
    return next((entry for entry in _TABLE if entry.group == group and entry.kind == kind), None)
