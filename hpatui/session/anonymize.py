"""The same facts without a name: namespaces, HPAs, targets, pods, containers, images, nodes, addresses, labels and what
they are set to, metric names and selectors, managers, and whatever stands in a message.

One text always becomes the same other text, so that selectors still select and owners still own. Nothing is kept because it
is not known as a name; things are kept because they are known to name nothing (`known_words`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from hpatui.forms.label_selectors import Requirement, SelectorError, parse_selector
from hpatui.model import (
    ClusterEvent,
    Deleted,
    Key,
    Listed,
    LoadChanged,
    LoadSample,
    Seen,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.record.codec import LETTERS, item_of, text_of
from hpatui.session.known_words import LABELS, MANAGERS, NAMES, WORDS

What = ClusterEvent | LoadSample | LoadChanged | Tick

_ADDRESS = re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$")
_NUMBER = re.compile(
    r"^[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?:m|u|n|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|s|h|d|ms|%|x)?$"
)
_FIELD = re.compile(r"^(?:f:)?(?:[A-Za-z_]+[A-Za-z0-9_]*|\.)$|^[0-9]+$|^$")
# Words of a sentence: what may stand in a name stays together; a comma or a colon at its end does not belong to it.
_WORD = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)|[^\W_](?:[\w.@:/'-]*\w)?", re.UNICODE)

# Fields whose text is a name, with what it is called afterwards.
_TYPED = {
    "namespace": "ns", "node": "node", "ip": "addr", "container": "container", "uid": "uid", "image": "image",
    "manager": "manager", "component": "component",
}  # fmt: skip
_ENUMS = (
    "type", "target_type", "status", "reason", "phase", "operation", "selectPolicy", "policy", "unit", "state", "severity",
    "restartPolicy", "subresource",
)  # fmt: skip
RESOURCES = ("cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "hugepages-1Gi")
_MAPS = ("labels", "matchLabels")  # objects whose fields are labels
_KEYED = ("per_pod", "containers")  # objects whose fields are names


class Names:
    """Each name and what it is called instead. First every fact is looked at (`learn`), so that no new name is an old one."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._new: dict[str, str] = {}

    def learn(self, name: str, kind: str) -> None:
        """A name was met; the first kind that is more than `name` stays."""
        if self._kinds.get(name, "name") == "name":
            self._kinds[name] = kind

    def settle(self) -> None:
        """All names are known: choose the new ones."""
        counts: dict[str, int] = {}
        for name, kind in self._kinds.items():
            while True:
                counts[kind] = counts.get(kind, 0) + 1
                made = _address(counts[kind]) if kind == "addr" else f"{kind}-{counts[kind]}"
                if made not in self._kinds:
                    break
            self._new[name] = made

    def known(self, word: str) -> bool:
        """Whether it is the name of something."""
        return word in self._kinds

    def new(self, name: str) -> str:
        """What it is called instead. KeyError where it was never met."""
        return self._new[name]


def _address(number: int) -> str:
    return f"10.0.{number // 250 % 250}.{number % 250 + 1}"


class Anonymizer:
    """`look` at every fact, then `settle`, then `take` each again."""

    def __init__(self) -> None:
        self.names = Names()
        self._settled = False

    def look(self, facts: Iterable[Seen]) -> None:
        """Learn the names in facts."""
        for seen in facts:
            self._what(seen.what)

    def settle(self) -> None:
        """All facts were looked at."""
        self.names.settle()
        self._settled = True

    def take(self, facts: Iterable[Seen]) -> Iterator[Seen]:
        """The facts without their names."""
        for seen in facts:
            yield Seen(seen.time, self._what(seen.what))

    def name(self, name: str, kind: str = "name") -> str:
        """A name, as it is called instead."""
        if not name:
            return name
        if not self._settled:
            self.names.learn(name, kind)
            return name
        return self.names.new(name)

    # Facts ----------------------------------------------------------------------------------------------------

    def _what(self, what: What) -> What:
        match what:
            case Listed(kind=kind, items=items, scope=scope, of=of):
                return Listed(kind, tuple(self._item(item) for item in items), self._scope(scope), self._kind(of))
            case Upserted(kind=kind, item=item, scope=scope):
                return Upserted(kind, self._item(item), self._scope(scope))
            case Deleted(kind=kind, key=key, uid=uid, scope=scope, of=of):
                return Deleted(kind, self._key(key, "name"), self.name(uid, "uid"), self._scope(scope), self._kind(of))
            case StatusChanged(kind=kind, status=status, scope=scope):
                return StatusChanged(kind, replace(status, message=self.sentence(status.message)), self._scope(scope))
            case LoadSample() | LoadChanged():
                return self._item(what)  # type: ignore[no-any-return]
        return what

    def _item(self, item: Any) -> Any:
        letter = LETTERS[type(item)]
        kind = {"h": "hpa", "w": "app", "s": "app", "p": "pod", "u": "pod", "o": "app", "e": "event"}.get(
            letter, "name"
        )
        fact, raw = json.loads(text_of(letter, item))
        made = self._tree(fact, "", kind)
        shown = self._tree(raw, "", kind) if isinstance(raw, dict) else raw
        return item_of(letter, json.dumps((made, shown), separators=(",", ":")).encode()) if self._settled else item

    def _key(self, key: Key, kind: str) -> Key:
        return Key(self.name(key.namespace, "ns"), self.name(key.name, kind))

    def _scope(self, scope: str) -> str:
        namespace, slash, name = scope.partition("/")
        return f"{self.name(namespace, 'ns')}/{self.name(name, 'hpa')}" if slash else scope

    def _kind(self, kind: str) -> str:
        return kind if kind in NAMES else self.name(kind, "Kind")

    # JSON -----------------------------------------------------------------------------------------------------

    def _tree(self, value: Any, field: str, kind: str) -> Any:
        """A part of a fact; `field` is what it stands in, `kind` what the fact is of."""
        if isinstance(value, str):
            return self._text(value, field, kind)
        if isinstance(value, list):
            if (
                field in ("key", "about", "for_hpa")
                and len(value) == 2
                and all(isinstance(part, str) for part in value)
            ):
                return list(self._key(Key(*value), kind if field == "key" else "hpa" if field == "for_hpa" else "name"))
            return [self._tree(item, "" if isinstance(item, dict) else field, kind) for item in value]
        if not isinstance(value, dict):
            return value
        if field in _MAPS:
            return {self._label(name): self._value(text) for name, text in value.items()}
        if field == "annotations":
            return {}  # who installed it, and from where
        if field in _KEYED:
            return {self.name(name): self._tree(item, "", kind) for name, item in value.items()}
        if "key" in value and "operator" in value and isinstance(value.get("values"), list):
            return {**value, "key": self._label(value["key"]), "values": [self._value(one) for one in value["values"]]}
        return {
            self._field(name): self._tree(item, name, self._inner(field, name, kind)) for name, item in value.items()
        }

    def _inner(self, field: str, name: str, kind: str) -> str:
        """What a `name` below a field names."""
        if name in ("scaleTargetRef", "reference", "owners", "describedObject"):
            return "app"
        if name in ("metric", "metrics", "currentMetrics"):
            return "metric"
        return "container" if name in ("containers", "init_containers", "initContainers") else kind

    def _text(self, text: str, field: str, kind: str) -> str:
        if not text or _TIME.match(text):
            return text
        if field in ("apiVersion", "api_version"):
            return (
                text
                if text in NAMES
                else f"{self.name(text, 'group')}/v1"
                if self._settled
                else self.name(text, "group")
            )
        if field == "kind":
            return self._kind(text)
        if field in _ENUMS and (text in NAMES or text.lower() in WORDS):
            return text
        if field == "selector":
            return self._selector(text)
        if field == "name":
            return text if text in RESOURCES else self.name(text, kind)
        if field == "manager" and text in MANAGERS:
            return text
        if field in _TYPED:
            return self.sentence(text) if field == "component" else self.name(text, _TYPED[field])
        return self.sentence(text)

    def _field(self, name: str) -> str:
        """A field's name; where it is no such name (a resource, an error) it is looked at as a text."""
        return name if _FIELD.match(name) else self.sentence(name)

    def _label(self, name: str) -> str:
        return name if name in LABELS else self.name(name, "label")

    def _value(self, value: Any) -> Any:
        return self.name(value, "value") if isinstance(value, str) and value not in ("true", "false") else value

    def _selector(self, text: str) -> str:
        try:
            terms = parse_selector(text).terms
        except SelectorError:
            return self.sentence(text)
        return ",".join(self._term(term) for term in terms)

    def _term(self, term: Requirement) -> str:
        key, values = self._label(term.key), [self._value(value) for value in term.values]
        match term.operator:
            case "exists":
                return key
            case "!":
                return f"!{key}"
            case "in" | "notin":
                return f"{key} {term.operator} ({','.join(values)})"
            case "gt" | "lt":
                return f"{key}{'>' if term.operator == 'gt' else '<'}{term.values[0]}"
            case _:
                return f"{key}{term.operator}{values[0]}"

    def sentence(self, text: str) -> str:
        """A text for people, in which only what names nothing stays."""
        return _WORD.sub(lambda match: self._word(match.group()), text)

    def _word(self, word: str) -> str:
        if _ADDRESS.match(word):
            return self.name(word, "addr")
        if word in NAMES or _TIME.match(word) or (_NUMBER.match(word) and not self.names.known(word)):
            return word
        if word.lower() in WORDS and not (self.names.known(word) and "-" in word):
            return word
        for mark in ("/", ":", "'", "@"):
            if mark in word and not self.names.known(word):
                return mark.join(self._word(part) if part else part for part in word.split(mark))
        return self.name(word)


def anonymized(facts: Callable[[], Iterable[Seen]]) -> tuple[Anonymizer, Iterator[Seen]]:
    """The names that are used instead, and the facts with them; `facts` gives them twice."""
    anonymizer = Anonymizer()
    anonymizer.look(facts())
    anonymizer.settle()
    return anonymizer, anonymizer.take(facts())
