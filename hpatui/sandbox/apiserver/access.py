"""Who may do what: bearer tokens, and rules for tokens that may not do everything."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpatui.sandbox.apiserver.status import StatusError

JsonObject = dict[str, Any]
ADMIN = "sandbox-admin"


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources (`pods`, `deployments/scale`) of groups; "*" is any. `namespaces` empty: everywhere."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    groups: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def allows(self, asked: Attributes) -> bool:
        """Whether the rule covers the request."""
        resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        return (
            _in(asked.verb, self.verbs)
            and _in(asked.group, self.groups)
            and (_in(resource, self.resources) or f"*/{asked.subresource}" in self.resources)
            and (not self.namespaces or asked.namespace in self.namespaces)
            and (not self.names or asked.name in self.names)
        )


def _in(value: str, allowed: tuple[str, ...]) -> bool:
    return "*" in allowed or value in allowed


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do. `namespace` "": all namespaces or the cluster's scope."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """Who sent a request; `rules` None: may do everything."""

    name: str
    rules: tuple[Rule, ...] | None = None
    groups: tuple[str, ...] = ("system:authenticated",)

    def may(self, asked: Attributes) -> bool:
        """Whether the user is allowed to."""
        return self.rules is None or any(rule.allows(asked) for rule in self.rules)

    def check(self, asked: Attributes) -> None:
        """StatusError 403 if not, in Kubernetes' words."""
        if self.may(asked):
            return
        resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        full = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
        subject = f'{full} "{asked.name}"' if asked.name else full
        scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        details: JsonObject = {"kind": asked.resource}
        if asked.name:
            details["name"] = asked.name
        if asked.group:
            details["group"] = asked.group
        raise StatusError(
            403, "Forbidden",
            f'{subject} is forbidden: User "{self.name}" cannot {asked.verb} resource "{resource}" '
            f'in API group "{asked.group}" {scope}',
            details,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """The table of tokens. Who has none of them is nobody."""

    token: str
    restricted: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    _admin: User = field(default_factory=lambda: User(ADMIN, None, ("system:masters", "system:authenticated")))

    def user(self, authorization: str) -> User:
        """Who an Authorization header is from; StatusError 401 for nobody known."""
        scheme, _, given = authorization.partition(" ")
        given = given.strip()
        if scheme.lower() == "bearer" and given:
            if secrets.compare_digest(given.encode(), self.token.encode()):
                return self._admin
            for number, (token, rules) in enumerate(self.restricted.items()):
                if secrets.compare_digest(given.encode(), token.encode()):
                    return User(f"restricted-{number + 1}", tuple(rules))
        raise StatusError(401, "Unauthorized", "Unauthorized")


def review(user: User, kind: str, body: JsonObject) -> JsonObject:
    """The answer to a SelfSubjectAccessReview and its relatives."""
    if kind == "SelfSubjectReview":
        info = {"username": user.name, "groups": list(user.groups)}
        return {**body, "metadata": {}, "status": {"userInfo": info}}
    spec = body.get("spec") if isinstance(body.get("spec"), dict) else {}
    assert isinstance(spec, dict)
    if kind == "SelfSubjectRulesReview":
        return {**body, "metadata": {}, "spec": spec, "status": _rules(user, str(spec.get("namespace") or ""))}
    wanted = spec.get("resourceAttributes")
    if isinstance(wanted, dict):
        text = {key: str(value or "") for key, value in wanted.items()}
        asked = Attributes(
            text.get("verb", ""), text.get("group", ""), text.get("resource", ""), text.get("subresource", ""),
            text.get("namespace", ""), text.get("name", ""),
        )  # fmt: skip
        allowed = user.may(asked)
    elif isinstance(spec.get("nonResourceAttributes"), dict):
        allowed = True
    else:
        raise StatusError(
            422, "Invalid",
            f'{kind}.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of '
            "nonResourceAttributes or resourceAttributes must be specified",
        )  # fmt: skip
    status: JsonObject = {"allowed": allowed}
    if not allowed:
        status["reason"] = "no rule of this token allows it"
    return {**body, "metadata": {"creationTimestamp": None}, "spec": spec, "status": status}


def _rules(user: User, namespace: str) -> JsonObject:
    rules = [Rule(("*",), ("*",))] if user.rules is None else list(user.rules)
    resource_rules = [
        {
            "verbs": list(rule.verbs),
            "apiGroups": list(rule.groups),
            "resources": list(rule.resources),
            **({"resourceNames": list(rule.names)} if rule.names else {}),
        }
        for rule in rules
        if not rule.namespaces or namespace in rule.namespaces
    ]
    paths = {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez",
                                                   "/openapi", "/openapi/*", "/readyz", "/version"]}  # fmt: skip
    return {"resourceRules": resource_rules, "nonResourceRules": [paths], "incomplete": False}
