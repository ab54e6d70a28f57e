"""The walkthrough's application on any cluster, on request: applied, and removed again.

Each object bears the label `app.kubernetes.io/managed-by: hpatui`; one without it is somebody's own and never touched.
"""

from __future__ import annotations

from hpatui.cluster.connect import Connection
from hpatui.cluster.writes import Object, Writer
from hpatui.errors import ClusterError
from hpatui.sandbox.scenarios.walkthrough import manifests
from hpatui.text import printable

_OWNER = {"app.kubernetes.io/managed-by": "hpatui"}


def example_objects(namespace: str) -> list[Object]:
    """Namespace, Deployment, Service and HPA, in the order in which to create them."""
    found = []
    for item in manifests(namespace):
        meta = {**item["metadata"], "labels": {**(item["metadata"].get("labels") or {}), **_OWNER}}
        found.append({key: value for key, value in {**item, "metadata": meta}.items() if key != "status"})
    return found


async def apply_example(connection: Connection, namespace: str) -> list[str]:
    """Create what is not there; a line for each object. ClusterError where one is somebody else's, or we may not."""
    said, writer = [], Writer(connection)
    found = [(item, await writer.read(item)) for item in example_objects(namespace)]
    for item, there in found:
        if there is not None and item["kind"] != "Namespace" and not _ours(there):
            raise ClusterError(
                f"{_words(item)} in namespace {namespace} is not hpatui's", hint="choose another namespace with -n"
            )
    for item, there in found:
        if there is None:
            await writer.create(item)
        said.append(f"{_words(item)} {'created' if there is None else 'is there'}")
    return said


async def remove_example(connection: Connection, namespace: str) -> list[str]:
    """Delete what `apply_example` created, but for the namespace; a line for each object."""
    said, writer = [], Writer(connection)
    for item in reversed(example_objects(namespace)):
        there = await writer.read(item)
        if there is None or not _ours(there):
            why = "is not there" if there is None else "is not hpatui's and stays"
            said.append(f"{_words(item)} {why}")
        elif item["kind"] == "Namespace":
            said.append(f"{_words(item)} stays: kubectl delete namespace {namespace} removes it with all that is in it")
        else:
            await writer.delete(item)
            said.append(f"{_words(item)} deleted")
    return said


def _ours(there: Object) -> bool:
    return _OWNER.items() <= ((there.get("metadata") or {}).get("labels") or {}).items()


def _words(item: Object) -> str:
    return f"{item['kind']} {printable(item['metadata']['name'])}"
