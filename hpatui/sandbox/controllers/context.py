"""What every controller needs: the store, the queue, the recorder, the look-ups and the timings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.controllers.engine import Engine
from hpatui.sandbox.controllers.events import Recorder
from hpatui.sandbox.controllers.index import OwnerIndex, PodIndex
from hpatui.sandbox.controllers.objects import Object
from hpatui.sandbox.options import Timings

DEPLOYMENTS = RESOURCES["apps", "deployments"]
REPLICASETS = RESOURCES["apps", "replicasets"]
CONTROLLER_REVISIONS = RESOURCES["apps", "controllerrevisions"]
NODES = RESOURCES["", "nodes"]
PODS = RESOURCES["", "pods"]


@dataclass(frozen=True, slots=True)
class Context:
    """Shared by all controllers of one sandbox. `admission`: each may change a new pod, or refuse it (StatusError)."""

    store: Store
    engine: Engine
    recorder: Recorder
    timings: Timings
    pods: PodIndex
    pods_of: OwnerIndex
    replicasets_of: OwnerIndex
    revisions_of: OwnerIndex
    admission: list[Callable[[Object], Object]] = field(default_factory=list)

    def create_pod(self, pod: Object) -> Object:
        """Create a pod for a controller, if admission lets it; StatusError if not."""
        created: Object = self.store.create(PODS, pod, check=lambda new, old: self.admit(new))
        return created

    def admit(self, pod: Object) -> Object:
        """A new pod, defaulted, as it shall be stored."""
        for step in self.admission:
            pod = step(pod)
        return pod

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None if there is none."""
        try:
            return self.store.get(resource, namespace, name)
        except StatusError:
            return None

    def set_status(self, resource: Resource, namespace: str, name: str, change: Callable[[Object], Object]) -> None:
        """Write what `change` makes of the status, if that is something new and the object is still there."""

        def changed(obj: Object) -> Object:
            return {**obj, "status": change(obj.get("status") or {})}

        try:
            self.store.modify(resource, namespace, name, changed, subresource="status")
        except StatusError as refused:
            if refused.code != 404:
                raise


def make_context(store: Store, engine: Engine, timings: Timings) -> Context:
    """A context whose look-ups follow `store` from now on (which must still be empty)."""
    return Context(
        store,
        engine,
        Recorder(store, engine, timings.event_refill),
        timings,
        PodIndex(store),
        OwnerIndex(store, PODS),
        OwnerIndex(store, REPLICASETS),
        OwnerIndex(store, CONTROLLER_REVISIONS),
    )
