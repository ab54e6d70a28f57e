"""The scaling runs of the selected HPA: how long each step took, from the load's change to the metric's rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.widget import Widget

from hpatui.session.port import SessionPort
from hpatui.state.snapshot import Detail, Snapshot
from hpatui.state.timing import ScalingRun, medians, scaling_runs
from hpatui.text import printable
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import FAINT
from hpatui.ui.panes.detail import clock_time
from hpatui.ui.screens.dialog import Dialog

_WIDE, _NARROW = 16, 9
_SHORT = ("load", "crosses", "decided", "created", "ready", "settled")


class RunsScreen(Dialog[None]):
    """A table, a line a run; newest first, and the medians of each direction."""

    DEFAULT_CSS = """
    RunsScreen > LinePane { width: 96%; height: auto; min-height: 8; max-height: 80%; }
    """
    BINDINGS = [Binding("escape,q,u,enter", "leave", "close")]  # noqa: RUF012  Textual declares it so

    def __init__(self, session: SessionPort) -> None:
        super().__init__()
        self._session = session
        self._pane = LinePane("Scaling runs", id="runs", ascii=session.settings.ascii)

    def parts(self) -> Iterable[Widget]:
        """One pane."""
        return (self._pane,)

    def on_mount(self) -> None:
        """Show what there is."""
        self._pane.border_subtitle = "seconds since the step before · esc close"
        self._pane.focus()
        self.call_after_refresh(self._show, self._session.snapshot)

    def on_resize(self, event: events.Resize) -> None:
        """Other widths, other columns."""
        self.call_after_refresh(self._show, self._session.snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        detail = snapshot.detail
        if detail is None:
            return
        self._pane.set_title(f"Scaling runs of {printable(str(detail.row.key))}")
        lines = run_lines(detail, snapshot, wide=self._pane.inner_width >= 22 + 6 * _WIDE)
        self._pane.set_lines(lines)
        self._pane.styles.height = min(len(lines) + 2, max(8, self.size.height - 4))


def run_lines(detail: Detail, snapshot: Snapshot, *, wide: bool) -> list[Text]:
    """The table's lines."""
    tolerance = detail.explanation.tolerance[1] if detail.explanation and detail.explanation.tolerance else 0.1
    pods = [row.pod for row in detail.pods]
    runs = scaling_runs(detail.history, snapshot.load_history, pods, tolerance)
    if not runs:
        return [Text("No scaling run was seen yet: press l to send load.", FAINT, end="")]
    width = _WIDE if wide else _NARROW
    names = [name for name, _ in runs[0].steps()] if wide else list(_SHORT)
    head = Text(f"{'WHEN':<9}{'SIZE':<10}" + "".join(f"{name:>{width}}" for name in names) + f"{'ALL':>8}", FAINT)
    lines = [head, *(_line(run, width) for run in reversed(runs))]
    for up, word in ((True, "up"), (False, "down")):
        middle = medians(runs, up=up)
        if middle:
            text = f"{'median':<9}{word:<10}" + _cells([value for _, value in middle], width)
            lines.append(Text(text, "bold", end=""))
    for line in lines:
        line.end = ""
    return lines


def _line(run: ScalingRun, width: int) -> Text:
    start = "?" if run.from_size is None else str(run.from_size)
    steps = [value for _, value in run.steps()]
    moments = [m for m in (run.load_changed, run.crossed, run.decided, run.settled) if m is not None]
    whole = f"{max(moments) - min(moments):.0f} s" if len(moments) > 1 and run.settled is not None else "-"
    size = f"{start} → {run.to_size}"
    return Text(f"{clock_time(run.decided):<9}{size:<10}{_cells(steps, width)}{whole:>8}", "cyan" if run.up else "")


def _cells(values: Sequence[float | None], width: int) -> str:
    return "".join(f"{'-' if value is None else f'{value:.1f} s':>{width}}" for value in values)
