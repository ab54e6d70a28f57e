"""What a command printed, validated against its schema: strictly, so that a key that the schema does not name is noticed."""

from __future__ import annotations

from typing import Any

import jsonschema

from hpatui.plain.schema import schema


def strict(part: Any) -> Any:
    """A schema whose objects have no other keys than those that it names."""
    if isinstance(part, list):
        return [strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {key: strict(value) for key, value in part.items()}
    if "properties" in closed:
        closed["additionalProperties"] = False
    return closed


def check(name: str, value: object) -> None:
    """Raises jsonschema.ValidationError where `value` is not what `hpatui schema NAME` says."""
    validator = jsonschema.Draft202012Validator(strict(schema(name)))
    validator.validate(value)
