"""Validation of ConfigMaps, Secrets, PodDisruptionBudgets and finalizers' names."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from hpatui.sandbox.apiserver.status import FieldError, bad_request
from hpatui.sandbox.apiserver.validation.errors import forbidden_field, required, wrong

JsonObject = dict[str, Any]
_KEY = re.compile("[-._a-zA-Z0-9]{1,253}")
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def check_config(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """A ConfigMap: the keys, and that an immutable one stays as it is."""
    return _keys(obj, ("data", "binaryData")) + _immutable(obj, old, ("data", "binaryData"))


def check_secret(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """A Secret: base64 (StatusError 400 where it is none), keys, the type for ever."""
    for value in (obj.get("data") or {}).values():
        _decoded(str(value))
    errors = _keys(obj, ("data",)) + _immutable(obj, old, ("data",))
    if old is not None and obj.get("type") != old.get("type"):
        errors.append(wrong("type", obj.get("type"), "field is immutable"))
    return errors


def _decoded(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        at = next((i for i, char in enumerate(text) if not (char.isascii() and (char.isalnum() or char in "+/="))), 0)
        why = f"illegal base64 data at input byte {at}"
        raise bad_request(f'Secret in version "v1" cannot be handled as a Secret: {why}') from error


def _keys(obj: JsonObject, fields: tuple[str, ...]) -> list[FieldError]:
    return [
        wrong(f"{field}[{key}]", key, _KEY_TEXT)
        for field in fields
        for key in obj.get(field) or {}
        if not _KEY.fullmatch(key)
    ]


def _immutable(obj: JsonObject, old: JsonObject | None, fields: tuple[str, ...]) -> list[FieldError]:
    if old is None or not old.get("immutable"):
        return []
    text = "field is immutable when `immutable` is set"
    changed = [field for field in fields if (obj.get(field) or {}) != (old.get(field) or {})]
    changed += [] if obj.get("immutable") else ["immutable"]
    return [forbidden_field(field, text) for field in changed]


def check_api_service(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """An APIService is named after what it serves."""
    spec = obj.get("spec") or {}
    version, group = spec.get("version") or "", spec.get("group") or ""
    errors = [] if version else [required("spec.version")]
    if obj["metadata"]["name"] != f"{version}.{group}":
        errors.append(
            wrong(
                "metadata.name", obj["metadata"]["name"], f'must be `spec.version+"."+spec.group`: "{version}.{group}"'
            )
        )
    return errors


def check_budget(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """A PodDisruptionBudget: one of the two limits, a number or a percentage that is not negative."""
    spec = obj.get("spec") or {}
    errors = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = {
            "MinAvailable": spec["minAvailable"],
            "Selector": spec.get("selector"),
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }  # as Go prints its struct
        errors.append(wrong("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
    for field in ("minAvailable", "maxUnavailable"):
        value = spec.get(field)
        if isinstance(value, int) and value < 0:
            errors.append(wrong(f"spec.{field}", value, "must be greater than or equal to 0"))
        elif isinstance(value, str) and not re.fullmatch("[0-9]+%", value):
            text = "a valid percent string must be a numeric string followed by an ending '%'"
            errors.append(wrong(f"spec.{field}", value, text))
    return errors


def check_finalizers(names: Any) -> list[FieldError]:
    """Finalizers of Kubernetes' own kinds: standard ones, or such with a domain."""
    text = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        wrong(f"metadata.finalizers[{index}]", name, text)
        for index, name in enumerate(names or ())
        if "/" not in str(name) and name not in _STANDARD_FINALIZERS
    ]
