"""The doctor's screen: the whole pipeline looked at, from the metrics API to the pods, with what mends what is wrong."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterable

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.widget import Widget

from hpatui.doctor.report import Check, Outcome, Report, summary
from hpatui.errors import HpatuiError
from hpatui.session.port import SessionPort
from hpatui.text import printable
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import BAD, FAINT, GOOD, WARN, begin
from hpatui.ui.screens.dialog import Dialog

_LOOK: dict[Outcome, tuple[str, str]] = {
    Outcome.OK: ("✔", GOOD),
    Outcome.WARNING: ("◆", WARN),
    Outcome.FAILED: ("✖", f"bold {BAD}"),
    Outcome.FORBIDDEN: ("○", BAD),
    Outcome.SKIPPED: ("·", FAINT),
}


class DoctorScreen(Dialog[None]):
    """Examines once when it opens, and again on r."""

    DEFAULT_CSS = """
    DoctorScreen > LinePane { width: 96%; height: 92%; }
    """
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("escape,q,D", "leave", "close"),
        Binding("r", "again", "again"),
    ]

    def __init__(self, session: SessionPort) -> None:
        super().__init__()
        self._session = session
        self._pane = LinePane("Doctor", id="report", ascii=session.settings.ascii)
        self._job: asyncio.Task[None] | None = None
        self._report: Report | None = None

    def parts(self) -> Iterable[Widget]:
        """One pane."""
        return (self._pane,)

    def on_mount(self) -> None:
        """Begin to look."""
        self._pane.border_subtitle = "r again · esc close"
        self._pane.focus()
        self.action_again()

    def on_unmount(self) -> None:
        """Nobody waits for the answer any more."""
        if self._job is not None:
            self._job.cancel()

    def on_resize(self, event: events.Resize) -> None:
        """Other widths, other lines."""
        if self._report is not None:
            self.call_after_refresh(self._show, self._report)

    def action_again(self) -> None:
        """Look again."""
        if self._job is None or self._job.done():
            self._pane.set_lines([Text("looking at the metrics pipeline, the HPAs and their pods ...", FAINT, end="")])
            self._job = asyncio.create_task(self._examine())

    async def _examine(self) -> None:
        try:
            report = await self._session.examine()
        except HpatuiError as error:
            self._pane.set_lines([Text(printable(str(error)), BAD, end="")])
            return
        self._report = report
        self._show(report)

    def _show(self, report: Report) -> None:
        self._pane.set_title(f"Doctor · {printable(summary(report))}")
        lines: list[Text] = []
        for check in (*report.findings, *(c for c in report.checks if c.outcome is Outcome.FORBIDDEN)):
            lines += self._finding(check)
        if not report.findings:
            lines.append(Text("Nothing is wrong as far as could be looked.", GOOD, end=""))
        lines.append(Text(end=""))
        for check in report.checks:
            if check.outcome in (Outcome.OK, Outcome.SKIPPED):
                lines.append(self._head(check, tail=check.reason))
        self._pane.set_lines(lines)

    def _head(self, check: Check, tail: str = "") -> Text:
        mark, style = _LOOK[check.outcome]
        line = begin(f"{mark} ", style)
        line.append(printable(check.title), style="" if check.outcome in (Outcome.OK, Outcome.SKIPPED) else "bold")
        if check.about:
            line.append(f"  {printable(check.about)}", style=FAINT)
        if tail:
            line.append(f"  {printable(tail)}", style=FAINT)
        return line

    def _finding(self, check: Check) -> list[Text]:
        lines = [self._head(check)]
        width = max(20, self._pane.inner_width - 4)
        lines += [Text(f"  {part}", end="") for part in textwrap.wrap(printable(check.reason), width)]
        for item in check.evidence:
            line = begin("  seen  ", FAINT)
            line.append(f"{printable(item.object)}  {printable(item.field)} = ")
            line.append(printable(item.value), style="bold")
            lines.append(line)
        if check.command:
            line = begin("  mend  ", FAINT)
            line.append(printable(check.command), style="cyan")
            lines.append(line)
        return [*lines, Text(end="")]
