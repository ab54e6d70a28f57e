"""Any bytes, cut anywhere: no exception, no end, and the keys after them are read."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from hpatui.ui.keybytes import MOST_PASTED, SILENCE, KeyReader


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _keys(messages: list[Message]) -> list[str]:
    return [message.key for message in messages if isinstance(message, events.Key)]


def _still_reads(reader: KeyReader, clock: _Clock) -> None:
    clock.now += SILENCE + 1
    reader.tick()
    reader.feed(b" " * 40)  # whatever sequence was begun is over after this
    assert _keys(reader.feed(b"q")) == ["q"]


_BAD = [
    b"\xe9", b"\xff", b"\xc3\x28", b"\x1b[108;1:2u", b"\x1b[1;99999999999999999999u", b"\x1b[99999999999u",
    b"\x1b[1114112u", b"\x1b[97;5;1114112u", b"\x1b[97;1;97:x:55296u", b"\x1b[<0;99999;-1M", b"\x1b[;;;u",
    b"\x1b[M\xff\xff\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\x1b[48;0;0;0;0t\x1b[<0;1;1M", b"\x00", b"\x1b[200~\x1b[201~", b"\x1b]52;c;x\x07",
]  # fmt: skip


@pytest.mark.parametrize("data", _BAD)
def test_bytes_that_ended_it_once_are_ignored_wherever_they_are_cut(data: bytes) -> None:
    for cut in range(len(data) + 1):
        clock = _Clock()
        reader = KeyReader(clock)
        reader.feed(data[:cut])
        reader.feed(data[cut:])
        _still_reads(reader, clock)


_PARTS = st.sampled_from(
    [b"\x1b[", b"\x1b", b"u", b"~", b";", b":", b"1", b"200~", b"\x1b[<", b"M", b"\xc3", b"\xff", b"q", b"R", b"t"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=6), _PARTS), max_size=40))
def test_any_bytes_in_any_pieces(pieces: list[bytes]) -> None:
    clock = _Clock()
    reader = KeyReader(clock)
    for piece in pieces:
        reader.feed(piece)
        clock.now += 0.05
        reader.tick()
    _still_reads(reader, clock)


def test_a_megabyte_of_noise() -> None:
    rng, clock = random.Random(21), _Clock()
    reader = KeyReader(clock)
    for _ in range(256):
        reader.feed(rng.randbytes(4096))
        reader.tick()
    _still_reads(reader, clock)


def test_sizes_that_bytes_claim_are_not_believed() -> None:
    reader = KeyReader(_Clock())
    found = reader.feed(b"\x1b[48;99999999;99999999;1;1t\x1b[?2048;2$y\x1b[5;5R")
    assert not [m for m in found if isinstance(m, events.Resize | events.CursorPosition)]


def test_a_paste_is_one_message_and_one_without_an_end_ends_by_itself() -> None:
    clock = _Clock()
    reader = KeyReader(clock)
    pasted = [m.text for m in reader.feed(b"\x1b[200~a q l\x1b[201~") if isinstance(m, events.Paste)]
    assert pasted == ["a q l"]
    assert _keys(reader.feed(b"\x1b[200~q l")) == []
    clock.now += SILENCE + 0.1
    assert _keys(reader.tick()) == []
    assert _keys(reader.feed(b"x")) == ["x"]


def test_a_paste_without_measure_is_cut() -> None:
    reader = KeyReader(_Clock())
    found = reader.feed(b"\x1b[200~" + b"x" * (MOST_PASTED + 5000) + b"\x1b[201~")
    (paste,) = [m for m in found if isinstance(m, events.Paste)]
    assert len(paste.text) <= MOST_PASTED
    assert _keys(reader.feed(b"y")) == ["y"]


def test_the_answer_that_the_terminal_is_there_is_no_key() -> None:
    answers: list[int] = []
    reader = KeyReader(_Clock(), lambda: answers.append(1))
    assert _keys([*reader.feed(b"a\x1b[0"), *reader.feed(b"nb")]) == ["a", "b"]
    assert answers == [1]
