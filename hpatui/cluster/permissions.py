"""What we may do: asked of the API server (SelfSubjectAccessReview), once a session for each question."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hpatui.cluster.connect import Connection
from hpatui.errors import ClusterError

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Action:
    """A verb on a resource (`services/proxy` with its subresource) of an API group, in a namespace (empty: all)."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{'.' + self.group if self.group else ''}{where}"


class Permissions:
    """Answers for one connection, remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[Action, bool] = {}

    async def may(self, action: Action) -> bool:
        """Whether the action is allowed. Where the server cannot be asked: True, for the attempt itself will tell."""
        if action not in self._known:
            try:
                self._known[action] = await self._ask(action)
            except ClusterError:
                return True
        return self._known[action]

    async def _ask(self, action: Action) -> bool:
        resource, _, subresource = action.resource.partition("/")
        attributes = {"verb": action.verb, "group": action.group, "resource": resource, "subresource": subresource}
        if action.namespace:
            attributes["namespace"] = action.namespace
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = json.loads(await self._connection.request("POST", _PATH, body=review))
        status = answer.get("status") if isinstance(answer, dict) else None
        return bool(status.get("allowed")) if isinstance(status, dict) else True
