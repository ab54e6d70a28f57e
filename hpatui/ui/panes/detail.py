"""The panes about the selected HPA: why, conditions, events, pods."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from rich.text import Text

from hpatui.autoscaler.explanation import Countdown, Explanation
from hpatui.clock import as_datetime
from hpatui.model import Condition, Event, Kind, SourceState
from hpatui.state.snapshot import Detail, PodRow, Snapshot
from hpatui.text import cell_width, fit, printable
from hpatui.ui.lines import LinePane
from hpatui.ui.look import STATE_MARK, STATE_STYLE, TONE_STYLE
from hpatui.ui.marks import BAD, FAINT, GOOD, WARN, begin, coarse_age
from hpatui.ui.names import cut_apart, padded
from hpatui.ui.panes.status import stale_mark, state_lines, unselected_lines

ROOMY = 18  # rows from which the why pane shows everything


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, max(10, width), subsequent_indent=indent, break_long_words=True) or [""]


def clock_time(seconds: float) -> str:
    """A moment as a local clock time."""
    return as_datetime(seconds).astimezone().strftime("%H:%M:%S")


def left_text(until: float, now: float) -> str:
    """What is left until a moment: in seconds within the last minute, else in coarser steps."""
    left = until - now
    if left <= 0:
        return "now"
    if left <= 60:
        return f"{int(left + 0.999)}s"
    return f"{int(left // 60)}m"


class WhyPane(LinePane):
    """The decision: a headline, a line a step, what is waited for and what would change it."""

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__("Why", id="why", ascii=ascii)

    def show(self, snapshot: Snapshot) -> None:
        """Show the explanation of the selected HPA."""
        detail = snapshot.detail
        if detail is None:
            self.set_lines(
                state_lines(snapshot.status, snapshot.time, "an HPA", "No HPA is selected.", self.inner_width)
            )
            return
        explanation = detail.explanation
        headline = explanation.headline if explanation is not None else detail.row.headline
        mark, style = STATE_MARK[detail.row.state], STATE_STYLE[detail.row.state]
        lines = [
            Text(line, style=f"bold {style}".replace("bold bold", "bold"), end="")
            for line in _wrapped(f"{mark} {printable(headline)}", self.inner_width, "  ")
        ]
        if explanation is not None:
            lines += self._steps(explanation, snapshot.time)
        self.set_lines(lines)

    def _steps(self, explanation: Explanation, now: float) -> list[Text]:
        lines: list[Text] = []
        most = max(14, self.inner_width // 3)
        width = min(most, max((cell_width(printable(step.label)) for step in explanation.lines), default=0))
        labels = cut_apart([printable(step.label) for step in explanation.lines], width)
        for step, label in zip(explanation.lines, labels, strict=True):
            lines += self._labelled(label, step.text, TONE_STYLE[step.tone], width)
        # Syncs and samples come every few seconds: counting down to them is for the zoomed pane, not for every line of ssh.
        shown = [c for c in explanation.countdowns if self.inner_height >= ROOMY or c.kind not in ("sync", "sample")]
        lines += [self._countdown(item, now) for item in shown]
        for change in explanation.would_change:
            for index, part in enumerate(_wrapped(printable(change), self.inner_width - 2)):
                lines.append(Text(("→ " if index == 0 else "  ") + part, style="italic", end=""))
        for pattern in explanation.patterns:
            lines += self._labelled(pattern.label, pattern.text, TONE_STYLE[pattern.tone], width)
        if explanation.compared:
            agreed = f"agrees with the controller: {explanation.agreed} of {explanation.compared} syncs"
            lines.append(Text(agreed, style=FAINT, end=""))
        if explanation.known_since is not None:
            lines.append(Text(f"memory known since {clock_time(explanation.known_since)}", style=FAINT, end=""))
        for hint in explanation.hints:
            lines += [Text(part, style=WARN, end="") for part in _wrapped(printable(hint), self.inner_width)]
        return lines

    def _labelled(self, label: str, text: str, style: str, width: int) -> list[Text]:
        """A label and a sentence beside it, on as many lines as it takes."""
        lines: list[Text] = []
        for index, part in enumerate(_wrapped(printable(text), self.inner_width - width - 2)):
            line = begin(fit(printable(label), width) + "  " if index == 0 else " " * (width + 2), FAINT)
            line.append(part, style=style)
            lines.append(line)
        return lines

    def _countdown(self, item: Countdown, now: float) -> Text:
        line = Text(f"{printable(item.text)} ", end="")
        line.append(f"{clock_time(item.until)} ({left_text(item.until, now)})", style="bold cyan")
        return line


class ConditionsPane(LinePane):
    """The HPA's conditions: good or not, since when, and the sentence behind the reason."""

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__("Conditions", id="conditions", ascii=ascii)

    def show(self, snapshot: Snapshot) -> None:
        """Show the conditions of the selected HPA."""
        detail = snapshot.detail
        self.set_title(f"Conditions{stale_mark(snapshot.status, snapshot.time)}")
        if detail is None or not detail.row.hpa.conditions:
            waits = [Text("no conditions yet", style=FAINT, end="")]
            self.set_lines(waits if detail is not None else unselected_lines())
            return
        lines: list[Text] = []
        for condition in detail.row.hpa.conditions:
            lines += self._lines_of(condition, snapshot.time)
        self.set_lines(lines)

    def _lines_of(self, item: Condition, now: float) -> list[Text]:
        fine = (item.status == "True") != (item.type == "ScalingLimited")
        style = GOOD if fine else WARN if item.type == "ScalingLimited" else BAD
        since = coarse_age(now - item.last_transition_time) if item.last_transition_time is not None else ""
        head = begin("✔ " if fine else "✖ ", style)
        head.append(f"{fit(printable(item.type), 15)} ", style="bold")
        head.append(fit(printable(item.reason), max(10, self.inner_width - 25)), style=style)
        head.append(f"{since:>5}", style=FAINT)
        if self.inner_height < 6:
            return [head]
        return [
            head,
            *(
                Text(f"  {part}", style=FAINT, end="")
                for part in _wrapped(printable(item.message), self.inner_width - 2)
            ),
        ]


def _is_news(event: Event) -> bool:
    """What the kubelet did well is no news; warnings about pods are."""
    return event.type != "Normal" or event.about_kind != "Pod"


_EVENTS: tuple[tuple[str, Callable[[Event], bool]], ...] = (
    ("", _is_news),
    ("HPA only", lambda event: event.about_kind == "HorizontalPodAutoscaler"),
    ("warnings", lambda event: event.type == "Warning"),
    ("all", lambda event: True),
)


class EventsPane(LinePane):
    """Events about the HPA, its target and its pods; newest first."""

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__("Events", id="events", ascii=ascii)
        self._choice = 0
        self._snapshot: Snapshot | None = None

    def next_choice(self) -> str:
        """Show other events: the news, those of the HPA only, warnings, all. Returns what is shown now."""
        self._choice = (self._choice + 1) % len(_EVENTS)
        if self._snapshot is not None:
            self.show(self._snapshot)
        return _EVENTS[self._choice][0]

    def show(self, snapshot: Snapshot) -> None:
        """Show the events of the selected HPA."""
        detail = snapshot.detail
        self._snapshot = snapshot
        name, wanted = _EVENTS[self._choice]
        stale = stale_mark(detail.statuses.get(Kind.EVENT), snapshot.time) if detail is not None else ""
        self.set_title(f"Events{' · ' + name if name else ''}{stale}")
        if detail is None or not detail.events:
            status = detail.statuses.get(Kind.EVENT) if detail is not None else None
            self.set_lines(
                state_lines(status, snapshot.time, "events", "No events.", self.inner_width)
                if detail is not None
                else unselected_lines()
            )
            return
        shown = [event for event in detail.events if wanted(event)][:200]
        lines = [self._line(event, snapshot.time) for event in shown]
        self.set_lines(lines or [Text("No such events: press e for others.", style=FAINT, end="")])

    def _line(self, event: Event, now: float) -> Text:
        seen = coarse_age(now - event.last_seen) if event.last_seen is not None else ""
        count = f" x{event.count}" if event.count > 1 else ""
        warning = event.type == "Warning"
        line = begin(f"{seen:>4} ", FAINT)
        line.append(
            f"{printable(event.reason)}{count} ",
            style=WARN if warning else "bold green" if event.reason == "SuccessfulRescale" else "bold",
        )
        if event.about_kind != "HorizontalPodAutoscaler":
            line.append(f"{printable(event.about.name)} ", style=FAINT)
        line.append(printable(event.message), style="")
        line.truncate(self.inner_width, overflow="ellipsis")
        return line


class PodsPane(LinePane):
    """The target's pods with their usage against request and limit; `/` in it filters them."""

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__("Pods", id="pods", ascii=ascii)
        self._filter = ""
        self._cut: tuple[tuple[str, ...], int, list[str]] = ((), 0, [])

    @property
    def filter(self) -> str:
        """Only pods with each of these words in name, phase or reason are shown."""
        return self._filter

    def set_filter(self, text: str) -> None:
        """Show only some; the caller shows the snapshot again."""
        self._filter = text.strip()

    def show(self, snapshot: Snapshot) -> None:
        """Show the pods of the selected HPA."""
        detail = snapshot.detail
        if detail is None:
            self.set_title("Pods")
            self.set_lines(unselected_lines())
            return
        words = self._filter.lower().split()
        shown = [row for row in detail.pods if _matches(row, words)] if words else detail.pods
        self._title(detail, snapshot.time, len(shown))
        if not detail.pods:
            self.set_lines(
                state_lines(detail.statuses.get(Kind.POD), snapshot.time, "pods", "No pods.", self.inner_width)
            )
            return
        if not shown:
            self.set_lines([Text("No pod matches the filter: esc drops it.", style=FAINT, end="")])
            return
        lines = [self._line(row, name) for row, name in zip(shown, self._names(shown), strict=True)]
        usage = detail.statuses.get(Kind.POD_USAGE)
        if usage is not None and usage.state not in (SourceState.LIVE, SourceState.CONNECTING):
            lines.append(Text(f"usage {usage.state.value}: {printable(usage.message)}", style=BAD, end=""))
        self.set_lines(lines)

    def _names(self, rows: Sequence[PodRow]) -> list[str]:
        """The pods' names in one width, no two of them alike; cut anew only where they changed."""
        names = tuple(printable(row.pod.key.name) for row in rows)
        width = min(max(cell_width(name) for name in names), max(12, self.inner_width - 34))
        if self._cut[:2] != (names, width):
            self._cut = (names, width, [padded(name, width) for name in cut_apart(names, width)])
        return self._cut[2]

    def _title(self, detail: Detail, now: float, shown: int) -> None:
        ready = sum(1 for row in detail.pods if row.pod.ready)
        newest = max((row.usage.time for row in detail.pods if row.usage is not None), default=None)
        age = f" · sample {coarse_age(now - newest)} old" if newest is not None and now - newest >= 60 else ""
        stale = stale_mark(detail.statuses.get(Kind.POD), now)
        some = f" · {shown} match {printable(self._filter, 40)}" if self._filter else ""
        self.set_title(f"Pods {ready}/{len(detail.pods)} ready{some}{age}{stale}")

    def _line(self, row: PodRow, name: str) -> Text:
        pod = row.pod
        line = begin("● " if pod.ready else "○ ", GOOD if pod.ready else WARN)
        line.append(name + " ")
        if row.usage is not None:
            request = f"/{pod.cpu_request:.0f}m" if pod.cpu_request is not None else ""
            line.append(f"{row.usage.cpu:>5.0f}m{request:<6} ", style="bold")
            line.append(f"{row.usage.memory / 2**20:>5.0f}Mi ")
        else:
            line.append(f"{'no sample yet':>20} ", style=FAINT)
        if not pod.ready or pod.reason != "Running":
            line.append(printable(pod.reason), style=WARN)
        elif pod.restarts:
            line.append(f"{pod.restarts} restarts", style=WARN)
        elif row.load is not None:
            line.append(f"{row.load:.0f}/s", style="cyan")
        return line


def _matches(row: PodRow, words: Sequence[str]) -> bool:
    pod = row.pod
    text = f"{pod.key.name} {pod.phase} {pod.reason} {'' if pod.ready else 'not-ready'}".lower()
    return all(word in text for word in words)
