"""Commands that change what is looked at: the list, the panes, the graph; texts, copies and files of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpatui.ui.commands.base import CommandApp

if TYPE_CHECKING:
    from hpatui.model import Key


class LookCommands(CommandApp):
    """None of these changes a cluster."""

    # The list -------------------------------------------------------------------------------------------------

    def action_cursor(self, step: int) -> None:
        """Move the list's cursor."""
        self.body.hpas.move(step)

    def action_filter(self) -> None:
        """Filter the list while one types."""
        self.body.open_filter()

    def action_sort(self) -> None:
        """The next order."""
        self.body.hpas.next_sort()

    def action_problems(self) -> None:
        """Problems first, on and off."""
        self.body.hpas.toggle_problems()

    def action_group(self) -> None:
        """Group by namespace, by state, not at all."""
        self.body.hpas.next_group()

    def action_only_state(self) -> None:
        """Only HPAs of one state, chosen from those that there are."""
        from hpatui.state.snapshot import HpaState
        from hpatui.ui.panes.groups import ORDER
        from hpatui.ui.screens.dialogs import ChoiceScreen

        counted = self.body.fleet.totals.states
        choices = [("", f"all {sum(counted.values()):,} HPAs")]
        choices += [(s.value, f"{s.value}  {counted[s]:,}") for s in ORDER if counted.get(s)]
        now = self.body.hpas.state

        def chosen(name: str | None) -> None:
            if name is not None:
                state = HpaState(name) if name else None
                self.body.only(state if state is not now else None)

        self.push_screen(ChoiceScreen("Only HPAs that are", choices, current=now.value if now else ""), chosen)

    def action_columns(self) -> None:
        """Show or hide a column of the list; the choice comes back until escape."""
        self._choose_columns("")

    def _choose_columns(self, current: str) -> None:
        from hpatui.ui.panes.columns import CHOICES
        from hpatui.ui.screens.dialogs import ChoiceScreen

        hidden = self.body.hpas.hidden_columns
        choices = [(name, f"{'[ ]' if name in hidden else '[x]'} {name}: {text}") for name, text in CHOICES]

        def chosen(name: str | None) -> None:
            if name is not None:
                self.body.hpas.hide_columns(hidden ^ {name})
                self.kept.keep("hidden_columns", sorted(hidden ^ {name}))
                self._choose_columns(name)

        self.push_screen(ChoiceScreen("Columns (where there is room)", choices, current=current), chosen)

    # Panes ----------------------------------------------------------------------------------------------------

    def action_zoom(self) -> None:
        """Zoom and back."""
        self.body.toggle_zoom()

    def action_step_back(self) -> None:
        """One step back: out of the zoom, off the value cursor, without a filter."""
        self.body.back()

    def action_hide(self) -> None:
        """Hide the pane with the focus, or show all again."""
        self.body.toggle_hidden()

    def action_jump(self, name: str) -> None:
        """Go to a pane."""
        self.body.jump(name)

    def action_events(self) -> None:
        """Other events."""
        self.body.events.next_choice()

    def _graph_in_view(self) -> bool:
        if self.body.graph.size.width and self.body.graph.display:
            return True
        self.tell("The graph is not in view", "press 2 for it")
        return False

    # The graph ------------------------------------------------------------------------------------------------

    def action_window(self) -> None:
        """The next time window."""
        if self._graph_in_view():
            self.body.graph.next_window()

    def action_freeze(self) -> None:
        """Freeze the graph, or follow."""
        if self._graph_in_view():
            self.body.graph.freeze()

    def action_scroll_time(self, direction: int) -> None:
        """Scroll the graph."""
        if self._graph_in_view():
            self.body.graph.scroll_time(direction)

    def action_value_cursor(self, direction: int) -> None:
        """Move the graph's cursor; its values stand in the legends."""
        if self._graph_in_view():
            self.body.graph.move_cursor(direction)

    # Texts and files ------------------------------------------------------------------------------------------

    def action_help(self) -> None:
        """All keys."""
        from hpatui.ui.screens.dialogs import HelpScreen

        self.push_screen(HelpScreen(self.facts()))

    def action_messages(self) -> None:
        """All that was told."""
        from hpatui.ui.screens.dialogs import TextScreen

        self.push_screen(TextScreen("Messages", self.told.text()))

    def facts(self) -> list[tuple[str, str]]:
        """What is known of this run, for the help: the log, the line to the terminal."""
        from hpatui import logs

        where = logs.path()
        return [("log", str(where) if where is not None else logs.problem() or "none"), ("line", self.pace.told())]

    def action_yaml(self) -> None:
        """The selected HPA as YAML, or the scale target or a pod of it."""
        from hpatui.ui.screens.dialogs import ChoiceScreen

        detail = self.need_detail()
        if detail is None:
            return
        hpa = detail.row.hpa
        space = hpa.key.namespace
        choices = [("HorizontalPodAutoscaler", hpa.key.name), (hpa.reference.kind, hpa.reference.name)]
        choices += [("Pod", row.pod.key.name) for row in detail.pods]

        def chosen(value: str | None) -> None:
            if value is not None:
                kind, _, name = value.partition("/")
                self.do(self._show_yaml(kind, space, name))

        self.push_screen(ChoiceScreen("YAML of", [(f"{k}/{n}", f"{k}/{n}") for k, n in choices]), chosen)

    async def _show_yaml(self, kind: str, namespace: str, name: str) -> None:
        from hpatui.model import Key
        from hpatui.ui.screens.dialogs import TextScreen

        text = await self.session.object_yaml(kind, Key(namespace, name))
        self.push_screen(TextScreen(f"{kind} {namespace}/{name}", text))

    def action_describe(self) -> None:
        """The selected HPA as kubectl describes it."""
        detail = self.need_detail()
        if detail is not None:
            self.do(self._describe(detail.row.key))

    async def _describe(self, key: Key) -> None:
        from hpatui.ui.screens.dialogs import TextScreen

        self.push_screen(TextScreen(f"Describe {key}", await self.session.describe(key)))

    def action_copy(self) -> None:
        """Copy the description (OSC 52)."""
        detail = self.need_detail()
        if detail is not None:
            self.do(self._copy(detail.row.key))

    async def _copy(self, key: Key) -> None:
        from hpatui.ui.screens.dialogs import COPIED

        self.copy_to_clipboard(await self.session.describe(key))
        self.tell("Handed to the terminal's clipboard", COPIED)

    def action_export(self) -> None:
        """Save what is looked at in the current folder: a picture, the screen's text, or the graph's numbers."""
        from hpatui.ui.export import KINDS
        from hpatui.ui.screens.dialogs import ChoiceScreen

        self.push_screen(ChoiceScreen("Save in the current folder", KINDS), self._export)

    def _export(self, kind: str | None) -> None:
        from hpatui.ui.export import save

        if kind is None:
            return
        try:
            path = save(self, kind, self.session.snapshot)
        except OSError as error:
            title = "It cannot be saved here"
            self.notify(str(error.strerror), title=title, severity="error", markup=False)
            return
        self.tell("Saved", str(path))
