"""What if: the HPA's spec as a form; each edit replays what was recorded, and the graph shows both runs. Applies nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from textwrap import wrap

from rich.text import Text
from textual import events, on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.markup import escape
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from hpatui.errors import HpatuiError
from hpatui.session.trial import Simulated, Trial
from hpatui.state.whatif import Comparison
from hpatui.text import printable
from hpatui.tune.learn import TooLittle
from hpatui.ui.charts.lanes import Area, Lane, Line, View, draw
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import BAD, FAINT, begin
from hpatui.ui.screens.dialog import Dialog
from hpatui.ui.screens.dialogs import COPIED

_GRAPH_ROWS = 10
_BELOW = 9  # rows below the graph: the figures, and how sure they are
Sizes = tuple[tuple[float, int], ...]
Points = tuple[tuple[float, float], ...]


class Field(Input):
    """A field of the form. No value has a capital C, so that key copies here as everywhere."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Textual: whether a key is typed into the field, so that no binding gets it."""
        return character != "C" and super().check_consume_key(key, character)


class WhatIfScreen(Dialog[None]):
    """Edits on the left, their consequence on the right."""

    DEFAULT_CSS = """
    WhatIfScreen { background: $background; align: left top; }
    WhatIfScreen Horizontal { height: 1fr; }
    WhatIfScreen #form { width: 34; height: 1fr; border: round $calm; padding: 0 1; }
    WhatIfScreen #form Label { color: $text-muted; }
    WhatIfScreen #form Input { height: 1; border: none; padding: 0 1; background: $surface; margin: 0 0 0 1; }
    WhatIfScreen #form Input:focus { background: $panel; border: none; }
    WhatIfScreen #form .changed { text-style: bold; color: $accent; }
    WhatIfScreen #outcome { width: 1fr; height: 1fr; }
    WhatIfScreen #keys { height: 1; padding: 0 1; color: $text-muted; }
    """
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("escape", "leave", "close"),
        Binding("ctrl+r", "reset", "as it is"),
        Binding("ctrl+y", "copy", "copy the YAML"),
        Binding("C", "copy", "copy the YAML", priority=True),
    ]

    def __init__(self, trial: Trial, *, ascii: bool = False) -> None:
        super().__init__()
        self._trial = trial
        self._ascii = ascii
        self._fields = trial.fields()
        self._inputs = {field.id: Field(value=field.value) for field in self._fields}
        self._outcome = LinePane("Replicas then and now", id="outcome", ascii=ascii)

    def parts(self) -> Iterable[Widget]:
        """The form beside its consequence."""
        lines = []
        for field in self._fields:
            line = Vertical(Label(Text(printable(field.label))), self._inputs[field.id])
            line.styles.height = 2
            lines.append(line)
        form = VerticalScroll(*lines, id="form", can_focus=False)
        form.border_title = escape(f"What if {printable(str(self._trial.key), 26)}")
        keys = Static(Text("tab next field · ctrl+r as it is · C copy the YAML · esc close"), id="keys")
        return Horizontal(form, self._outcome), keys

    def on_mount(self) -> None:
        """The first field has the keys."""
        self._inputs["min"].focus()
        self.call_after_refresh(self._replay)

    def on_resize(self, event: events.Resize) -> None:
        """Another width, another picture."""
        self.call_after_refresh(self._replay)

    @property
    def values(self) -> dict[str, str]:
        """Field id -> text."""
        return {name: widget.value for name, widget in self._inputs.items()}

    @on(Input.Changed)
    def _edited(self) -> None:
        for field in self._fields:
            self._inputs[field.id].set_class(self._inputs[field.id].value.strip() != field.value, "changed")
        self._replay()

    def _replay(self) -> None:
        try:
            comparison = self._trial.compare(self.values)
            text = self._trial.yaml(self.values)
        except HpatuiError as error:
            self._outcome.set_lines([Text(printable(str(error)), f"bold {BAD}", end="")])
            return
        try:
            simulated = self._trial.simulate(self.values)
        except TooLittle as error:
            lines = replayed(comparison, error, self._outcome.inner_width)
            chart = self._chart(comparison.now.replicas, comparison.then.replicas, [])
        else:
            lines = table(comparison, simulated, self._outcome.inner_width)
            chart = self._chart(comparison.now.replicas, simulated.then.replicas, self._metrics(simulated))
        self._outcome.set_lines([*chart, *lines, Text(end=""), *_yaml(text)])

    @property
    def _shades(self) -> tuple[str, str]:
        return ("#", "=") if self._ascii else ("█", "─")

    def _chart(self, was: Points, would: Points, more: list[Lane]) -> list[Text]:
        end = self._trial.until
        start = min(was[0][0] if was else end, would[0][0] if would else end)
        lane = self._lane("replicas", was, would, lambda value: f"{value:.0f}", whole=True)
        rows = min(_GRAPH_ROWS + 4 * len(more), max(_GRAPH_ROWS, self._outcome.size.height - _BELOW))
        view = View(start, max(end, start + 1), self._outcome.inner_width, rows, ascii=self._ascii)
        return draw([lane, *more], [], view)

    def _metrics(self, simulated: Simulated) -> list[Lane]:
        """The metric that was the hottest, in percent of its target, as it is and as it would be, both simulated."""
        known = [
            (max(value for _, value in was), was, would)
            for was, would in zip(simulated.now.ratios, simulated.then.ratios, strict=False)
            if was and would
        ]
        if not known:
            return []
        _, was, would = max(known, key=lambda item: item[0])
        name = next((f.label for f in self._fields if f.id == f"target.{_place(simulated, was)}"), "metric")
        before, after = (tuple((time, 100 * value) for time, value in curve) for curve in (was, would))
        return [self._lane(f"{printable(name, 24)} %", before, after, lambda value: f"{value:.0f}", whole=False)]

    def _lane(self, name: str, was: Points, would: Points, form: Callable[[float], str], *, whole: bool) -> Lane:
        shades = self._shades

        def names(moment: float | None) -> list[tuple[str, str]]:
            return [(f"{shades[0]} was", "cyan"), (f"{shades[1]} would be", "bold")]

        return Lane(name, "cyan", names, (Area(was, "cyan"),), (Line(would, "white"),), whole=whole, format=form)

    def action_reset(self) -> None:
        """All fields as the cluster has them."""
        for field in self._fields:
            self._inputs[field.id].value = field.value

    def action_copy(self) -> None:
        """Copy the YAML (OSC 52)."""
        try:
            self.app.copy_to_clipboard(self._trial.yaml(self.values))
        except HpatuiError as error:
            self.notify(printable(error.hint), title=printable(error.message), severity="error", markup=False)
            return
        self.notify(f"then kubectl apply -f -; {COPIED}", title="Handed to the terminal's clipboard", markup=False)


def replayed(comparison: Comparison, why: TooLittle, width: int) -> list[Text]:
    """Without a simulation: each recorded sync decided again, with the use that was recorded."""
    now, then = comparison.now, comparison.then
    rows = [
        ("", "was", "would be"),
        ("pod-hours", f"{now.pod_hours:.2f}", f"{then.pod_hours:.2f}"),
        ("above target", f"{now.above_target:.0f} s", f"{then.above_target:.0f} s"),
        ("most replicas", str(_most(now.replicas)), str(_most(then.replicas))),
        ("rescales", str(_changes(now.replicas)), str(_changes(then.replicas))),
    ]
    lines = [Text(f"{name:<14}{was:>10}{would:>12}", FAINT if not name else "", end="") for name, was, would in rows]
    notes = [f"not simulated: {why.message}; {why.hint}", *comparison.notes]
    return lines + _notes(notes, width)


def _notes(notes: Iterable[str], width: int) -> list[Text]:
    room = max(width, 20)
    return [Text(line, FAINT, end="") for note in notes for line in wrap(printable(note, 300), room)]


def table(comparison: Comparison, simulated: Simulated, width: int) -> list[Text]:
    """What was seen, and two simulated runs: the spec as it is (how far from what was seen says how far to trust the other)
    and as edited.
    """
    seen, now, then = comparison.now, simulated.now, simulated.then
    rows = [
        ("", "seen", "simulated", "would be"),
        ("pod-hours", f"{seen.pod_hours:.2f}", f"{now.pod_hours:.2f}", f"{then.pod_hours:.2f}"),
        ("s above target", f"{seen.above_target:.0f}", f"{now.seconds_above_target:.0f}", f"{then.seconds_above_target:.0f}"),
        ("% not served", "", f"{100 * now.unserved_share:.1f}", f"{100 * then.unserved_share:.1f}"),
        ("most replicas", *(str(_most(run.replicas)) for run in (seen, now, then))),
        ("rescales", *(str(_changes(run.replicas)) for run in (seen, now, then))),
    ]  # fmt: skip
    if now.kills or then.kills:
        rows.append(("killed (memory)", "", str(now.kills), str(then.kills)))
    lines = [
        Text(f"{name:<15}{a:>7}{b:>10}{c:>9}", FAINT if not name else "", end="", overflow="ellipsis")
        for name, a, b, c in rows
    ]
    notes = [
        f"the simulation is {100 * simulated.uncertainty:.0f} % off the pod-hours that were seen",
        f"(within one pod {100 * simulated.near:.0f} % of the time)",
        *simulated.missing,
    ]
    return lines + _notes(notes, width)


def _place(simulated: Simulated, curve: Points) -> int:
    return next(index for index, known in enumerate(simulated.now.ratios) if known is curve)


def _most(replicas: Sizes) -> int:
    return max((size for _, size in replicas), default=0)


def _changes(replicas: Sizes) -> int:
    sizes = [size for _, size in replicas]
    return sum(1 for before, after in pairwise(sizes) if before != after)


def _yaml(text: str) -> list[Text]:
    lines = [begin("kubectl apply -f - <<'EOF'", FAINT)]
    lines += [Text(printable(line), end="") for line in text.rstrip("\n").split("\n")]
    return [*lines, begin("EOF", FAINT)]
