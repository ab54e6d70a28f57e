"""The exception tree. Each error is one line that says what happened and what to do.

    HpatuiError                 exit code 2 unless said otherwise
    ├── UsageError              a flag, a file or a value that the user gave
    ├── MalformedObject         a Kubernetes object without a needed field, or with one of the wrong type
    ├── ClusterError            anything between us and the API server
    │   ├── NoClusterError          no kubeconfig, unknown context, empty configuration
    │   ├── UnreachableError        refused, timed out, name not resolved, TLS
    │   ├── TrustError              TLS or a name that trying again does not mend
    │   ├── AuthError               401, expired credentials, a login plugin that failed
    │   │   └── LoginNeededError        a login plugin that has to ask the user something
    │   ├── ForbiddenError          403: names the permission that is missing
    │   ├── NotServedError          404 on a group or resource: the API is not there
    │   ├── GoneError               410: the resourceVersion is too old, list again
    │   ├── ConflictError           409: the object changed meanwhile, or other managers own the fields
    │   └── ServerBusyError         429, 500, 503 and the like: worth another try
    ├── SandboxError            the embedded sandbox could not start or go on
    ├── LoadError               the load cannot start: target, route, plan or limits
    ├── RecordingError          a recording cannot be written, or not be read
    └── PrometheusError         a Prometheus cannot be asked, or does not have what is needed

The client libraries' own exceptions are translated into these at the door (one module a library); nothing
above that door catches a library's exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class HpatuiError(Exception):
    """An error with a message for the user: `message` says what happened, `hint` what to do (may be empty)."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """One line: what happened and what to do."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(HpatuiError):
    """A flag, file or value that the user gave cannot be used."""


class MalformedObject(HpatuiError):
    """A Kubernetes object lacks a field or has a value of the wrong type at `path` (e.g. `spec.metrics[0].type`)."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class ClusterError(HpatuiError):
    """The API server could not be reached or refused; `retry_after` seconds when the server named a pause."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class NoClusterError(ClusterError):
    """There is no usable kubeconfig, context or in-cluster configuration."""


class UnreachableError(ClusterError):
    """No HTTP answer: refused, timed out, unresolved, or TLS failed."""


class TrustError(UnreachableError):
    """TLS or the server's name is wrong: only another configuration mends that, so the first contact is not retried."""


class AuthError(ClusterError):
    """The server does not accept who we are, or a login plugin failed."""


class LoginNeededError(AuthError):
    """A login plugin needs the terminal: run `command` in `env` there; what it prints is the credential."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, why: str = "") -> None:
        """`why`: what it said when it ran without a terminal."""
        name = command[0].rpartition("/")[2]
        super().__init__(why or f"the login plugin {name} has to ask you something", hint="press L to log in")
        self.command = tuple(command)
        self.env = dict(env)


class ForbiddenError(ClusterError):
    """The server knows us and refuses; the message names the missing permission."""


class NotServedError(ClusterError):
    """The server does not serve this group, resource or object."""


class GoneError(ClusterError):
    """The resourceVersion is no longer held by the server; list again."""


class ConflictError(ClusterError):
    """The object is another than thought, or other managers own what was to be changed: `causes` are (field, message)."""

    def __init__(self, message: str, *, hint: str = "", causes: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message, hint=hint)
        self.causes = tuple(causes)


class ServerBusyError(ClusterError):
    """The server answered that it cannot serve this now."""


class SandboxError(HpatuiError):
    """The sandbox could not start, or stopped."""


class LoadError(HpatuiError):
    """A load run cannot start or go on."""


class RecordingError(HpatuiError):
    """A recording cannot be opened, read or written."""


class PrometheusError(HpatuiError):
    """A Prometheus cannot be asked, refuses, or does not have what is needed."""
