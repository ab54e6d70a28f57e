"""The load pane: what is sent where, how it is answered, and whose fault it is if not."""

from __future__ import annotations

from rich.text import Text

from hpatui.model import LoadState, LoadTotals, LoadView
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable
from hpatui.ui.lines import LinePane
from hpatui.ui.look import LOAD_STYLE
from hpatui.ui.marks import BAD, FAINT, WARN, begin


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


class LoadPane(LinePane):
    """The load of this session."""

    def __init__(self, *, ascii: bool = False, read_only: bool = False) -> None:
        super().__init__("Load", id="load", ascii=ascii)
        self._read_only = read_only
        self._selected = False
        self.past = False  # what is shown was sent then

    def show(self, snapshot: Snapshot) -> None:
        """Show the load."""
        if self._read_only:
            self.set_lines([Text("off: this hpatui is read-only", style=FAINT, end="")])
            return
        self._selected = snapshot.detail is not None
        self.set_lines(self._lines_of(snapshot.load))

    def _lines_of(self, load: LoadView) -> list[Text]:
        head = begin(f"{load.state.value} ", LOAD_STYLE[load.state])
        if load.target:
            head.append(f"{printable(load.plan)}  ", style="bold")
            head.append(printable(load.target), style="")
        lines = [head]
        last, totals = load.last, load.totals
        if load.state in (LoadState.IDLE, LoadState.FINISHED, LoadState.FAILED):
            rate = f" at {load.rate:g}/s" if load.rate else ""
            here = "press l to send load to the selected HPA's target" if self._selected else "No HPA is selected."
            then = "no load was sent then" if totals is None else "no load at this moment"
            here = then if self.past else here + (rate if self._selected else "")
            lines.append(Text(here, style=FAINT, end=""))
        if last is not None and load.state in (LoadState.RUNNING, LoadState.PAUSED):
            now = begin(f"{last.sent}/s sent", "bold")
            now.append(f"  {last.ok} ok", style="green")
            now.append(f"  {last.failed} failed", style=BAD if last.failed else FAINT)
            now.append(f"  {last.unserved} unserved", style=WARN if last.unserved else FAINT)
            now.append(f"  {last.in_flight} in flight", style=FAINT)
            lines.append(now)
            lines.append(Text(f"p50 {_ms(last.p50)}  p95 {_ms(last.p95)}  p99 {_ms(last.p99)} ms", end=""))
        if totals is not None:
            lines.append(Text(_totals(totals, self.inner_width), style=FAINT, end=""))
        if load.cost and load.state is LoadState.IDLE:
            lines.append(Text(load.cost, style=FAINT, end=""))
        if load.forecast and load.state is not LoadState.STARTING:
            lines.append(Text(load.forecast, style=FAINT, end=""))
        if last is not None and load.state is LoadState.RUNNING:
            if last.errors:
                kinds = ", ".join(f"{printable(kind)} {count}" for kind, count in sorted(last.errors.items()))
                lines.append(Text(f"errors: {kinds}", style=BAD, end=""))
            if last.breaker_open:
                lines.append(Text("everything fails: only a few probes are sent", style=BAD, end=""))
            if last.generator_limited:
                lines.append(Text("GENERATOR LIMITED: this machine is the bottleneck", style=f"bold {BAD}", end=""))
        if load.message:
            lines.append(Text(printable(load.message), style=BAD if load.state is LoadState.FAILED else WARN, end=""))
        return lines


def _totals(totals: LoadTotals, width: int) -> str:
    """The run so far; what does not fit is left out, never cut."""
    share = f"{100 * totals.failed / totals.requests:.1f} %" if totals.requests else "0 %"
    parts = [f"all {totals.requests} sent", f"{totals.ok} ok", f"{totals.failed} failed ({share})"]
    parts += [f"p95 {_ms(totals.p95)} ms"]
    text = parts[0]
    for part in parts[1:]:
        if len(text) + 2 + len(part) <= width:
            text += f"  {part}"
    return text
