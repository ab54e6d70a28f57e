"""What happened, as the screen's parts tell each other; facts in the past tense."""

from __future__ import annotations

from textual.message import Message

from hpatui.model import Key
from hpatui.state.snapshot import Snapshot


class SnapshotChanged(Message):
    """The session has a new snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class HpaSelected(Message):
    """The cursor of the HPA list came to rest on an HPA."""

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key
