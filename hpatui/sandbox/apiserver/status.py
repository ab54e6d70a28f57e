"""Kubernetes' Status objects: the refusals of the API server, with the words that clients know.

The texts follow k8s.io/apimachinery/pkg/api/errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpatui.sandbox.apiserver.resources import Resource


class StatusError(Exception):
    """A request that is refused: HTTP `code`, `reason` in one word, `message`, and Status.details."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def to_json(self) -> dict[str, Any]:
        """The metav1.Status."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status


@dataclass(frozen=True, slots=True)
class FieldError:
    """One cause of an Invalid: `kind` is the cause's reason (FieldValueInvalid, ...), `text` its message."""

    field: str
    kind: str
    text: str


def success(resource: Resource, name: str, uid: str) -> dict[str, Any]:
    """The Status that answers a finished deletion."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**_about(resource, name), "uid": uid},
    }


def _about(resource: Resource, name: str, *, kind: bool = False) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.kind if kind else resource.plural
    return details


def not_found(resource: Resource, name: str) -> StatusError:
    """404: there is no object of that name."""
    return StatusError(404, "NotFound", f'{resource.group_resource} "{name}" not found', _about(resource, name))


def path_not_found() -> StatusError:
    """404: nothing is served at this path."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> StatusError:
    """409: the name is taken."""
    return StatusError(
        409, "AlreadyExists", f'{resource.group_resource} "{name}" already exists', _about(resource, name)
    )


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: Resource, name: str, why: str = STALE) -> StatusError:
    """409: the object is not as the request expects it."""
    text = f'Operation cannot be fulfilled on {resource.group_resource} "{name}": {why}'
    return StatusError(409, "Conflict", text, _about(resource, name))


def bad_request(message: str) -> StatusError:
    """400: the request cannot be understood."""
    return StatusError(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str) -> StatusError:
    """403: understood and refused."""
    subject = f'{resource.group_resource} "{name}"' if name else resource.group_resource
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", _about(resource, name))


def expired(message: str) -> StatusError:
    """410: the resourceVersion or continue token is too old."""
    return StatusError(410, "Expired", message)


def unavailable(message: str = "the server is currently unable to handle the request") -> StatusError:
    """503: try later."""
    return StatusError(503, "ServiceUnavailable", message)


def method_not_allowed(resource: Resource | None = None, action: str = "") -> StatusError:
    """405: the path is served, but not for this verb."""
    if resource is None:
        return StatusError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}
        )
    text = f"{action} is not supported on resources of kind {resource.group_resource!r}".replace("'", '"')
    return StatusError(405, "MethodNotAllowed", text, _about(resource, ""))


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422: fields hold what they must not; one cause each."""
    texts = list(dict.fromkeys(f"{error.field}: {error.text}" for error in errors))
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = {
        **_about(resource, name, kind=True),
        "causes": [{"reason": error.kind, "message": error.text, "field": error.field} for error in errors],
    }
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {joined}', details)
