"""A fact as a template and numbers, so that only the numbers that changed have to be written.

The text of a fact (`codec.py`) changes from one version to the next in a few numbers only. So each run of digits becomes a
hole (`%d`) of the template, and its value one of the numbers: `template % numbers` is the text again, whatever it was.
Samples of pods, of which there are most, are taken apart without the text where nothing of them gets lost that way.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from hpatui.model import Key, PodUsage
from hpatui.record.codec import Item, item_of, text_of

# A number as int() writes it again: no zero in front; at most 18 digits, so that it fits 64 bits.
_DIGITS = re.compile(rb"[1-9][0-9]{0,17}|0")
NANO = 1_000_000  # nanocores in a millicore
FAST_USAGE = "v"
_encode = msgspec.json.Encoder().encode


class Packed(NamedTuple):
    """A fact taken apart. `letter` says how."""

    letter: str
    template: bytes
    numbers: tuple[int, ...]


def pack(letter: str, item: Item) -> Packed:
    """Take a fact apart. ValueError or TypeError where it holds what JSON cannot."""
    if letter == "u" and isinstance(item, PodUsage):
        packed = _pack_usage(item)
        if packed is not None:
            return packed
    text = text_of(letter, item)
    numbers = tuple(map(int, _DIGITS.findall(text)))
    return Packed(letter, _DIGITS.sub(b"%d", text.replace(b"%", b"%%")), numbers)


def unpack(letter: str, template: bytes, numbers: Any) -> Any:
    """The fact again."""
    if letter == FAST_USAGE:
        return _usage(template, numbers)
    return item_of(letter, template % tuple(numbers))


def plain_letter(letter: str) -> str:
    """The letter of the fact's type (`codec.TYPES`)."""
    return "u" if letter == FAST_USAGE else letter


# Samples --------------------------------------------------------------------------------------------------------------


def _pack_usage(usage: PodUsage) -> Packed | None:
    """None where its values are not what follows from nanocores and bytes of its containers."""
    time, window = round(usage.time * 1000), round(usage.window * 1000)
    if usage.raw or usage.exact is None or time / 1000 != usage.time or window / 1000 != usage.window:
        return None
    numbers = [time, window]
    names = []
    for name, asked in usage.exact:
        pair = usage.containers.get(name)
        if pair is None or name in names:
            return None
        nanos, size = round(pair[0] * NANO), int(pair[1])
        if nanos / NANO != pair[0] or size != pair[1] or asked != {"cpu": -(-nanos // NANO), "memory": size * 1000}:
            return None
        names.append(name)
        numbers += (nanos, size)
    cpu, memory = _sums(usage.containers)
    if len(names) != len(usage.containers) or cpu != usage.cpu or memory != usage.memory:
        return None
    return Packed(FAST_USAGE, _encode((*usage.key, names, usage.labels)), tuple(numbers))


def _sums(containers: Any) -> tuple[float, float]:
    return sum(cpu for cpu, _ in containers.values()), sum(memory for _, memory in containers.values())


@lru_cache(maxsize=20_000)
def _usage_template(template: bytes) -> tuple[Key, tuple[str, ...], dict[str, str]]:
    namespace, name, names, labels = msgspec.json.decode(template)
    return Key(namespace, name), tuple(names), labels


def _usage(template: bytes, numbers: Any) -> PodUsage:
    key, names, labels = _usage_template(template)
    if len(names) == 1:
        nanos, size = numbers[2], numbers[3]
        cpu, memory = nanos / NANO, float(size)
        containers = {names[0]: (cpu, memory)}
        exact: Any = ((names[0], {"cpu": -(-nanos // NANO), "memory": size * 1000}),)
    else:
        containers = {n: (numbers[2 + 2 * i] / NANO, float(numbers[3 + 2 * i])) for i, n in enumerate(names)}
        exact = tuple(
            (n, {"cpu": -(-numbers[2 + 2 * i] // NANO), "memory": numbers[3 + 2 * i] * 1000})
            for i, n in enumerate(names)
        )
        cpu, memory = _sums(containers)
    return PodUsage(key, numbers[0] / 1000, numbers[1] / 1000, cpu, memory, containers, labels, b"", exact)
