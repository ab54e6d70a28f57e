"""Label selectors of the API (objects) as the text that kubectl, scales and query parameters use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OPERATORS = {"In": "in", "NotIn": "notin"}


def selector_text(selector: Any) -> str:
    """`{matchLabels, matchExpressions}`, or the plain map of old kinds, as text; empty for what is no selector.

    Terms as metav1.FormatLabelSelector writes them: sorted by key, `a=b,c in (d,e),f,!g`.
    """
    if not isinstance(selector, dict):
        return ""
    labels = selector.get("matchLabels")
    expressions = selector.get("matchExpressions")
    if labels is None and expressions is None:
        labels = selector
    pairs = labels.items() if isinstance(labels, dict) else ()
    terms = [(str(key), f"{key}={value}") for key, value in pairs if isinstance(value, str)]
    for item in expressions if isinstance(expressions, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("key"), str):
            continue
        key, operator, values = item["key"], item.get("operator"), item.get("values")
        if operator in _OPERATORS:
            listed = ",".join(sorted(str(value) for value in values)) if isinstance(values, list) else ""
            terms.append((key, f"{key} {_OPERATORS[operator]} ({listed})"))
        elif operator:
            terms.append((key, key if operator == "Exists" else f"!{key}"))
    return ",".join(term for _, term in sorted(terms, key=lambda pair: pair[0]))


def selector_matches(selector: Any, labels: Mapping[str, Any] | None) -> bool:
    """Whether a metav1.LabelSelector selects these labels. None selects nothing, an empty one everything."""
    if not isinstance(selector, Mapping):
        return False
    labels = labels or {}
    wanted = selector.get("matchLabels")
    if isinstance(wanted, Mapping) and any(labels.get(key) != value for key, value in wanted.items()):
        return False
    terms = selector.get("matchExpressions")
    return all(_term_matches(term, labels) for term in terms) if isinstance(terms, list | tuple) else True


def _term_matches(term: Any, labels: Mapping[str, Any]) -> bool:
    if not isinstance(term, Mapping):
        return False
    values, found = term.get("values") or (), labels.get(str(term.get("key", "")))
    match term.get("operator"):
        case "In":
            return found is not None and found in values
        case "NotIn":
            return found is None or found not in values
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case _:
            return False
