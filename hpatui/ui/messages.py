"""What happened, as the screen's parts tell each other; facts in the past tense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from hpatui.state.snapshot import Snapshot


class SnapshotChanged(Message):
    """The session has a new snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot
