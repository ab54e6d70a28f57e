"""`hpatui schema NAME`: the JSON Schema (2020-12) of what a command prints with --json, made from the types that the
command's code is checked against (TypedDicts, msgspec Structs), so that the two cannot differ.

`SCHEMAS` has a line for each output. Within a version keys are added only; a key that goes or means something else is a new
version. An object may have keys that a schema does not name yet.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_type_hints

from hpatui.errors import UsageError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BASE = "https://github.com/hpatui/hpatui/blob/main/docs/schemas/"
_KEY = re.compile(r"^\s*(\w+): (.+)$")


@dataclass(frozen=True, slots=True)
class Output:
    """One output: the command that prints it, the types (`module:Name`) of which each object is one, the version, and whether
    it is printed as lines of one object each.
    """

    command: str
    types: tuple[str, ...]
    version: int = 1
    lines: bool = False


_SHAPES = "hpatui.api.shapes:"
_LOAD = "hpatui.api.load_shapes:"
SCHEMAS: dict[str, Output] = {
    "watch": Output("hpatui watch --json", (f"{_SHAPES}SnapshotJson",), lines=True),
    "watch-changes": Output(
        "hpatui watch --json --changes",
        tuple(_SHAPES + name for name in ("StatusLine", "HpaLine", "DeletedLine", "LoadLine", "HeartbeatLine")),
        lines=True,
    ),
    "explain": Output("hpatui explain NAME --json", ("hpatui.api.explain_shapes:ExplanationJson",)),
    "doctor": Output("hpatui doctor --json", ("hpatui.doctor.report:ReportJson",)),
    "upgrade": Output("hpatui upgrade --to VERSION --json", ("hpatui.plain.upgrade:UpgradeJson",)),
    "load": Output("hpatui load TARGET --json", (f"{_LOAD}LoadResultJson",)),
    "load-capacity": Output("hpatui load TARGET --find-capacity --json", (f"{_LOAD}CapacityJson",)),
    "load-loops": Output("hpatui load TARGET --via cluster --engine busybox --json", (f"{_LOAD}LoopsJson",)),
    "api-what-if": Output("what_if of hpatui.api and hpatui mcp", ("hpatui.api.trials:TrialJson",)),
    "api-history": Output("history of hpatui.api and hpatui mcp", ("hpatui.api.history:HistoryJson",)),
    "advise": Output("hpatui advise --json", ("hpatui.api.advice_shapes:AdviceJson",)),
    "run": Output("hpatui run FILE --json", ("hpatui.experiment.result:Result",)),
    "compare": Output("hpatui compare A B --json", ("hpatui.plain.compare:CompareJson",)),
    "shadow": Output("hpatui shadow FILE --json", ("hpatui.api.applied_shapes:ShadowJson",)),
    "undo-list": Output("hpatui undo --list --json", ("hpatui.api.applied_shapes:KeptChangesJson",)),
    "config": Output("hpatui config --json", ("hpatui.plain.config:ConfigJson",)),
}


def run(name: str | None) -> int:
    """Print a schema, or without a name the list of them. UsageError for one that there is not."""
    if name is None:
        width = max(map(len, SCHEMAS))
        for known, output in SCHEMAS.items():
            print(f"{known:<{width}}  version {output.version}  {output.command}")
        return 0
    print(json.dumps(schema(name), indent=2, ensure_ascii=False))
    return 0


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of an output. UsageError for one that there is not."""
    output = SCHEMAS.get(name)
    if output is None:
        near = get_close_matches(name, SCHEMAS, n=3, cutoff=0.5) or list(SCHEMAS)
        raise UsageError(f"there is no schema {name!r}", hint=f"there are: {', '.join(near)}")
    import msgspec

    types = [_type(path) for path in output.types]
    tops, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    described = {kind.__name__: kind for kind in _all_types(types)}
    for title, part in parts.items():
        _describe(part, described.get(title))
    what = "each line is such an object" if output.lines else "one such object"
    body: dict[str, Any] = {"oneOf": list(tops)} if len(tops) > 1 else parts.pop(types[0].__name__)
    return {
        "$schema": DIALECT,
        "$id": f"{BASE}{name}-{output.version}.json",
        "version": output.version,
        **body,
        "title": f"{output.command}: {what}",
        "$defs": parts,
    }


def _type(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _all_types(types: list[Any]) -> Iterator[Any]:
    """The types and all TypedDicts and Structs within them."""
    seen: set[Any] = set()
    waiting: list[Any] = list(types)
    while waiting:
        kind = waiting.pop()
        if hasattr(kind, "__required_keys__") or hasattr(kind, "__struct_fields__"):
            if kind in seen:
                continue
            seen.add(kind)
            yield kind
            waiting += get_type_hints(kind).values()
        else:
            waiting += getattr(kind, "__args__", ())


def _describe(part: dict[str, Any], kind: Any) -> None:
    """Put the docstring's lines `key: text` to the keys."""
    if kind is None or "properties" not in part:
        part.pop("description", None)  # that of an enumeration's class is for programmers
        return
    text, keys = told(kind)
    part["description"] = text
    if hasattr(
        kind, "__struct_fields__"
    ):  # its defaults are for files of an older hpatui; what is printed has every key
        part["required"] = list(part["properties"])
        for value in part["properties"].values():
            value.pop("default", None)
    for key, meaning in keys.items():
        if key in part["properties"]:
            part["properties"][key] = {"description": meaning, **part["properties"][key]}


def told(kind: Any) -> tuple[str, dict[str, str]]:
    """What a type's docstring says: of itself, and of each key."""
    keys: dict[str, str] = {}
    words: list[str] = []
    for line in (kind.__doc__ or "").splitlines():
        found = _KEY.match(line)
        if found is not None and found[1] in kind.__annotations__:
            keys[found[1]] = found[2]
        elif line.strip():
            words.append(line.strip())
    return " ".join(words), keys
