"""Field errors in Kubernetes' words (apimachinery/pkg/util/validation), and the checks that all types share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hpatui.sandbox.apiserver.status import FieldError

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_DNS_LABEL = re.compile(_LABEL)
_DNS_1035 = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile("([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile("(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
DNS_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def quoted(value: Any) -> str:
    """A value as field errors show it."""
    return msgspec.json.encode(value).decode()


def required(field: str, text: str = "") -> FieldError:
    """A field that must be set."""
    return FieldError(field, "FieldValueRequired", f"Required value{': ' + text if text else ''}")


def wrong(field: str, value: Any, text: str) -> FieldError:
    """A field with a value that it must not have."""
    return FieldError(field, "FieldValueInvalid", f"Invalid value: {quoted(value)}: {text}")


def unsupported(field: str, value: Any, allowed: Sequence[str]) -> FieldError:
    """A field with a value that is none of the known ones."""
    names = ", ".join(f'"{name}"' for name in sorted(allowed))
    return FieldError(field, "FieldValueNotSupported", f"Unsupported value: {quoted(value)}: supported values: {names}")


def duplicate(field: str, value: Any) -> FieldError:
    """A value that is there twice."""
    return FieldError(field, "FieldValueDuplicate", f"Duplicate value: {quoted(value)}")


def missing(field: str, value: Any) -> FieldError:
    """A name of something that is not there."""
    return FieldError(field, "FieldValueNotFound", f"Not found: {quoted(value)}")


def forbidden_field(field: str, text: str) -> FieldError:
    """A field that must not be set or changed."""
    return FieldError(field, "FieldValueForbidden", f"Forbidden: {text}")


def name_errors(name: Any, style: str = "subdomain") -> list[str]:
    """What is wrong with a name: as a DNS `subdomain`, `label` (RFC 1123) or `service` (RFC 1035)."""
    text = str(name)
    pattern, most, message = {
        "subdomain": (_SUBDOMAIN, 253, SUBDOMAIN_TEXT),
        "label": (_DNS_LABEL, 63, LABEL_TEXT),
        "service": (_DNS_1035, 63, DNS_1035_TEXT),
    }[style]
    errors = [f"must be no more than {most} bytes"] if len(text.encode()) > most else []
    if not pattern.fullmatch(text):
        errors.append(message)
    return errors


def check_labels(field: str, labels: Any) -> list[FieldError]:
    """Keys and values of labels."""
    errors = []
    for key, value in (labels or {}).items() if isinstance(labels, Mapping) else ():
        errors += _key_errors(field, key)
        if len(value) > 63:
            errors.append(wrong(field, value, "must be no more than 63 bytes"))
        if not _VALUE.fullmatch(value):
            errors.append(wrong(field, value, _LABEL_VALUE))
    return errors


def _key_errors(field: str, key: str) -> list[FieldError]:
    prefix, slash, name = key.rpartition("/")
    errors = []
    if slash and not _SUBDOMAIN.fullmatch(prefix):
        errors.append(wrong(field, key, f"prefix part {SUBDOMAIN_TEXT}"))
    if len(name) > 63:
        errors.append(wrong(field, key, "name part must be no more than 63 bytes"))
    if not _QUALIFIED.fullmatch(name):
        errors.append(wrong(field, key, _NAME_PART))
    return errors


def check_annotations(field: str, annotations: Any) -> list[FieldError]:
    """Keys and the total size of annotations."""
    if not isinstance(annotations, Mapping):
        return []
    errors = [error for key in annotations for error in _key_errors(field, key.lower())]
    if sum(len(key) + len(value) for key, value in annotations.items()) > 256 * 1024:
        errors.append(FieldError(field, "FieldValueTooLong", "Too long: may not be more than 262144 bytes"))
    return errors


def check_not_negative(field: str, value: Any) -> list[FieldError]:
    """A number that must not be below 0."""
    if isinstance(value, int) and value < 0:
        return [wrong(field, value, "must be greater than or equal to 0")]
    return []
