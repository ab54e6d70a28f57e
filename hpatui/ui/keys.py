"""All keys, as data: the footer, the help and the command palette are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key: what it runs, a word for the footer, a sentence for the help. `footer`: shown in the footer."""

    key: str
    action: str
    label: str
    help: str
    group: str
    footer: bool = False
    shown: str = ""


KEYS: tuple[KeyEntry, ...] = (
    KeyEntry("l", "toggle_load", "load", "Start or stop the load at the selected HPA's target", "Load", True),
    KeyEntry("plus,equals_sign", "nudge_load(1)", "more", "More load: the next round rate", "Load", True, "+"),
    KeyEntry("minus", "nudge_load(-1)", "less", "Less load", "Load", True, "-"),
    KeyEntry("r", "ask_rate", "rate", "Type a rate in requests per second", "Load"),
    KeyEntry("S", "ask_shape", "shape", "Shape of the load: steady, ramp, steps, spike, sine, sawtooth", "Load"),
    KeyEntry("p", "pause_load", "pause", "Pause the load, or go on", "Load"),
    KeyEntry("j", "cursor(1)", "down", "Next HPA (or arrow down)", "HPAs", False, "j ↓"),
    KeyEntry("k", "cursor(-1)", "up", "Previous HPA (or arrow up)", "HPAs", False, "k ↑"),
    KeyEntry(
        "slash",
        "filter",
        "filter",
        "Filter HPAs by name, namespace, label, state; in the pods, those",
        "HPAs",
        True,
        "/",
    ),
    KeyEntry("s", "sort", "sort", "Sort HPAs: by name, by state, by replicas, by ratio", "HPAs"),
    KeyEntry("exclamation_mark", "problems", "problems", "Problems first, on and off", "HPAs", False, "!"),
    KeyEntry("f", "only_state", "states", "Only HPAs of one state; the counts over the list do so by click", "HPAs"),
    KeyEntry("g", "group", "group", "Group the list by namespace, by state, or not", "HPAs"),
    KeyEntry("v", "columns", "columns", "Choose the list's columns", "HPAs"),
    KeyEntry("enter", "zoom", "zoom", "Zoom the pane to the whole screen and back", "Panes", True, "enter"),
    KeyEntry("escape", "step_back", "back", "One step back: filter, value cursor, zoom", "Panes", False, "esc"),
    KeyEntry("h", "hide", "hide", "Hide the pane; on the list: show all again", "Panes"),
    KeyEntry("tab", "focus_next", "pane", "Next pane (shift+tab: previous)", "Panes", False, "tab"),
    KeyEntry("1", "jump('hpas')", "", "Go to the HPAs", "Panes"),
    KeyEntry("2", "jump('graph')", "", "Go to the graph", "Panes"),
    KeyEntry("3", "jump('why')", "", "Go to the why", "Panes"),
    KeyEntry("4", "jump('conditions')", "", "Go to the conditions", "Panes"),
    KeyEntry("5", "jump('load')", "", "Go to the load", "Panes"),
    KeyEntry("6", "jump('events')", "", "Go to the events", "Panes"),
    KeyEntry("7", "jump('pods')", "", "Go to the pods", "Panes"),
    KeyEntry("w", "what_if", "what if", "What if: trial edits of the HPA on what was recorded", "Answers", True),
    KeyEntry("D", "doctor", "doctor", "Doctor: is the whole pipeline sound?", "Answers", True),
    KeyEntry("T", "time_machine", "now", "Time machine: into the past, and back to now", "Past", True),
    KeyEntry("u", "runs", "runs", "Scaling runs: how long each step took", "Answers"),
    KeyEntry("e", "events", "events", "Other events: news, the HPA's only, warnings, all", "Look"),
    KeyEntry("y", "yaml", "yaml", "YAML of the HPA, its target or a pod", "Look"),
    KeyEntry("d", "describe", "describe", "The HPA as kubectl describes it", "Look"),
    KeyEntry("t", "window", "window", "Time window of the graph: 5 m, 15 m, 1 h, 6 h", "Graph"),
    KeyEntry("space", "freeze", "freeze", "Freeze the graph, or follow again", "Graph", False, "space"),
    KeyEntry("left", "scroll_time(-1)", "earlier", "Scroll the graph back", "Graph", False, "←"),
    KeyEntry("right", "scroll_time(1)", "later", "Scroll the graph on", "Graph", False, "→"),
    KeyEntry("comma", "value_cursor(-1)", "values", "Values at a moment: cursor to the left", "Graph", False, ","),
    KeyEntry("full_stop", "value_cursor(1)", "values on", "Value cursor to the right", "Graph", False, "."),
    KeyEntry("left_square_bracket", "rescale(-1)", "rescale before", "To the rescale before", "Past", True, "["),
    KeyEntry("right_square_bracket", "rescale(1)", "after", "In the past: to the rescale after", "Past", True, "]"),
    KeyEntry("G", "go_to", "go to a time", "In the past: go to a time: 03:12, -2h, ...", "Past", True),
    KeyEntry("m", "mark_range", "range", "In the past: the range of w and u begins here", "Past", True),
    KeyEntry("P", "play", "play", "In the past: play or pause (p too); + - speed, ← → move", "Past", True, "p"),
    KeyEntry("n", "namespace", "namespace", "Choose a namespace, or all", "Cluster", True),
    KeyEntry("c", "context", "context", "Choose a context", "Cluster", True),
    KeyEntry("L", "login", "log in", "Log in where the cluster asks for it; else connect anew", "Cluster"),
    KeyEntry("C", "copy", "copy", "Copy the description to the clipboard", "Look"),
    KeyEntry("x", "export", "save", "Save a picture, the text, or the numbers (SVG, text, CSV)", "Look"),
    KeyEntry("M", "messages", "messages", "All that was told in the bottom line, newest first", "Program"),
    KeyEntry("question_mark", "help", "help", "All keys", "Program", True, "?"),
    KeyEntry("ctrl+l", "redraw", "redraw", "Paint the screen anew", "Program"),
    KeyEntry("q", "quit", "quit", "Quit; stops what it started", "Program", True),
)


def bindings() -> list[Binding]:
    """The table as Textual's bindings."""
    return [
        Binding(entry.key, entry.action, entry.label or entry.help, show=False, tooltip=entry.help) for entry in KEYS
    ]


def shown_key(entry: KeyEntry) -> str:
    """The key as people write it."""
    return entry.shown or entry.key
