"""What a terminal sends, as Textual's messages: any bytes, cut anywhere, never an exception.

Textual decodes strictly and its parser ends at what it does not expect; here bytes that are no UTF-8 are dropped, and a
sequence that the parser cannot read is dropped with a new parser behind it.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

from textual import events
from textual.message import Message
from textual.messages import InBandWindowResize

from hpatui.ui import textual_private

PASTE_BEGIN, PASTE_END = "\x1b[200~", "\x1b[201~"
MOST_PASTED = 100_000  # characters; nothing on the screen takes a longer text
SILENCE = 2.0  # seconds after which a paste whose end never came is over
_ANSWER = "\x1b[0n"  # to "are you there?" (DSR 5)
_LONGEST = max(len(PASTE_BEGIN), len(PASTE_END))


class KeyReader:
    """Feed it bytes, or nothing from time to time (`tick`). `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float], answered: Callable[[], None] = lambda: None) -> None:
        self._decode = getincrementaldecoder("utf-8")("ignore").decode
        self._parser: Any = textual_private.key_parser()
        self._clock = clock
        self._answered = answered
        self._tail = ""
        self._pasting = False
        self._pasted = 0
        self._heard = clock()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete."""
        self._heard = self._clock()
        found: list[Message] = []
        for letter in self._decode(data):
            found += self._take(letter)
        return [message for message in found if _wanted(message)]

    def tick(self) -> list[Message]:
        """What time alone completes: an escape that was the key, a paste that was cut off."""
        if self._pasting and self._clock() - self._heard > SILENCE:
            return self.feed(PASTE_END.encode())
        try:
            return [message for message in list(self._parser.tick()) if _wanted(message)]
        except Exception:  # noqa: BLE001  whatever the parser trips over
            self._renew()
            return []

    def _take(self, letter: str) -> list[Message]:
        self._tail = (self._tail + letter)[-_LONGEST:]
        if self._pasting:
            if self._tail.endswith(PASTE_END):
                self._pasting = False
            else:
                self._pasted += 1
                if self._pasted > MOST_PASTED and letter != "\x1b" and "\x1b" not in self._tail:
                    return []
        elif self._tail.endswith(PASTE_BEGIN):
            self._pasting, self._pasted = True, 0
        elif self._tail.endswith(_ANSWER):
            self._answered()
            self._renew()  # Textual's parser does not know this answer and would make keys of it
            return []
        try:
            return list(self._parser.feed(letter))
        except Exception:  # noqa: BLE001  as above
            self._renew()
            return []

    def _renew(self) -> None:
        self._parser = textual_private.like(textual_private.key_parser(), self._parser)
        self._tail = ""
        self._pasting = False


def _wanted(message: Message) -> bool:
    """Sizes and places come from the kernel; what claims to tell them here may be anything."""
    return not isinstance(message, events.Resize | InBandWindowResize | events.CursorPosition)
