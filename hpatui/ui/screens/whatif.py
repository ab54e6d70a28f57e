"""What if: the HPA's spec as a form; each edit replays what was recorded, and the graph shows both runs. Applies nothing."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from rich.text import Text
from textual import events, on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.markup import escape
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from hpatui.errors import HpatuiError
from hpatui.session.trial import Trial
from hpatui.state.whatif import Comparison, Outcome
from hpatui.text import printable
from hpatui.ui.charts.lanes import Area, Lane, Line, View, draw
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import BAD, FAINT, begin
from hpatui.ui.screens.dialog import Dialog
from hpatui.ui.screens.dialogs import COPIED

_GRAPH_ROWS = 12


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
        self._outcome.set_lines([*self._chart(comparison), *_table(comparison), Text(end=""), *_yaml(text)])

    def _chart(self, comparison: Comparison) -> list[Text]:
        start, end = comparison.now.replicas[0][0], self._trial.until
        was, would = comparison.now.replicas, comparison.then.replicas
        shades = ("#", "=") if self._ascii else ("█", "─")

        def names(moment: float | None) -> list[tuple[str, str]]:
            return [(f"{shades[0]} was", "cyan"), (f"{shades[1]} would be", "bold")]

        lane = Lane(
            "replicas",
            "cyan",
            names,
            (Area(was, "cyan"),),
            (Line(would, "white"),),
            whole=True,
            format=lambda value: f"{value:.0f}",
        )
        view = View(start, max(end, start + 1), self._outcome.inner_width, _GRAPH_ROWS, ascii=self._ascii)
        return draw([lane], [], view)

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


def _table(comparison: Comparison) -> list[Text]:
    now, then = comparison.now, comparison.then
    rows = [
        ("", "was", "would be"),
        ("pod-hours", f"{now.pod_hours:.2f}", f"{then.pod_hours:.2f}"),
        ("above target", f"{now.above_target:.0f} s", f"{then.above_target:.0f} s"),
        ("most replicas", str(_most(now)), str(_most(then))),
        ("rescales", str(_changes(now)), str(_changes(then))),
    ]
    lines = [Text(f"{name:<14}{was:>10}{would:>12}", FAINT if not name else "", end="") for name, was, would in rows]
    return lines + [Text(note, FAINT, end="") for note in comparison.notes]


def _most(outcome: Outcome) -> int:
    return max((size for _, size in outcome.replicas), default=0)


def _changes(outcome: Outcome) -> int:
    sizes = [size for _, size in outcome.replicas]
    return sum(1 for before, after in pairwise(sizes) if before != after)


def _yaml(text: str) -> list[Text]:
    lines = [begin("kubectl apply -f - <<'EOF'", FAINT)]
    lines += [Text(printable(line), end="") for line in text.rstrip("\n").split("\n")]
    return [*lines, begin("EOF", FAINT)]
