"""A fleet in one line over its list: HPAs by state, each count a filter by click; all pods, and their cost beyond min."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static

from hpatui.state.snapshot import HpaState, Snapshot
from hpatui.state.totals import Counting, Totals
from hpatui.ui.look import STATE_MARK, STATE_STYLE
from hpatui.ui.marks import FAINT, to_ascii
from hpatui.ui.panes.groups import ORDER
from hpatui.ui.units import number

LEAST = 2  # HPAs from which there is something to count


class FleetLine(Static):
    """Counts of states; `Chosen` tells that one was clicked."""

    DEFAULT_CSS = """
    FleetLine { height: 1; padding: 0 2; display: none; background: $background; }
    FleetLine.fleet { display: block; }
    """

    class Chosen(Message):
        """A state was clicked."""

        def __init__(self, state: HpaState | None) -> None:
            super().__init__()
            self.state = state

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__(id="fleet")
        self._ascii = ascii
        self._counting = Counting()
        self._text = Text()
        self._places: list[tuple[int, int, HpaState | None]] = []
        self.totals = Totals()

    def show(self, snapshot: Snapshot, only: HpaState | None) -> None:
        """Count a snapshot's rows; `only`: the state that is filtered by."""
        self.totals = self._counting.take(snapshot.rows, snapshot.time)
        self.set_class(len(snapshot.rows) >= LEAST, "fleet")
        if len(snapshot.rows) < LEAST:
            return
        text, self._places = counts(self.totals, len(snapshot.rows), only, self.app.size.width - 4)
        text = to_ascii(text) if self._ascii else text
        if text.plain != self._text.plain or text.spans != self._text.spans:
            self._text = text
            self.update(text)

    def on_click(self, event: events.Click) -> None:
        """Filter by the count under the mouse."""
        event.stop()
        column = event.get_content_offset_capture(self).x
        for start, end, state in self._places:
            if start <= column < end:
                self.post_message(self.Chosen(state))


def counts(
    totals: Totals, hpas: int, only: HpaState | None, width: int
) -> tuple[Text, list[tuple[int, int, HpaState | None]]]:
    """The line, and which columns of it stand for which state (None: all). What does not fit is left out, never cut."""
    found = [(state, totals.states[state]) for state in ORDER if totals.states.get(state)]
    long = len(f"{hpas:,} HPAs") + sum(len(f"{n:,} {s.value}") + 4 for s, n in found)
    marks, words = long <= width or long - 2 * len(found) > width, long - 2 * len(found) <= width
    text = Text(end="").append(f"{hpas:,} HPAs", style="bold")
    spots: list[tuple[int, int, HpaState | None]] = [(0, text.cell_len, None)]
    for state, count in found:
        word = (f"{STATE_MARK[state]} " if marks else "") + f"{count:,}" + (f" {state.value}" if words else "")
        if text.cell_len + 2 + len(word) > width:
            break
        text.append("  ")
        start = text.cell_len
        text.append(word, style=STATE_STYLE[state] + (" reverse" if state is only else ""))
        spots.append((start, text.cell_len, state))
    for part in _sums(totals):
        if text.cell_len + 3 + len(part) <= width:
            text.append(" · ", style=FAINT).append(part, style=FAINT)
    return text, spots


def _sums(totals: Totals) -> list[str]:
    """Pods in all; and in two digits, so that a quiet screen stays quiet, pod-minutes since hpatui looks."""
    pods = f"{totals.pods:,} pods" + (f", {totals.wanted:,} wanted" if totals.wanted != totals.pods else "")
    parts = [pods]
    if totals.seconds >= 60:
        parts.append(f"{_coarse(totals.above)} pod-min above min")
        parts.append(f"{_coarse(totals.unused)} saved below max")
    return parts


def _coarse(value: float) -> str:
    return number(float(f"{value:.2g}"))
