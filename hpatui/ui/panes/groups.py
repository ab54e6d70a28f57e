"""The order of the HPA list: what is filtered out, how the rest is sorted, and the headings between groups."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.text import Text

from hpatui.state.snapshot import PROBLEM_STATES, HpaRow, HpaState
from hpatui.text import printable
from hpatui.ui.look import STATE_MARK, STATE_STYLE
from hpatui.ui.marks import FAINT

SORTS: tuple[str, ...] = ("name", "state", "replicas", "ratio")
GROUPS: tuple[str, ...] = ("", "namespace", "state")
# Worst first: the order of counts and of groups.
ORDER: tuple[HpaState, ...] = (
    HpaState.FAILING, HpaState.BLIND, HpaState.AMBIGUOUS, HpaState.CAPPED, HpaState.LIMITED, HpaState.UP, HpaState.DOWN,
    HpaState.HELD, HpaState.FLOOR, HpaState.STEADY, HpaState.NEW, HpaState.OFF,
)  # fmt: skip


class Heading(NamedTuple):
    """A line between groups."""

    name: str
    hpas: int
    pods: int
    states: tuple[tuple[HpaState, int], ...]
    by_state: bool

    def text(self) -> Text:
        """`shop  12 HPAs  48 pods  ● 9 steady  ▲ 2 up`."""
        line = Text(end="").append(self.name, style="bold")
        line.append(f"  {self.hpas:,} {'HPA' if self.hpas == 1 else 'HPAs'}  {self.pods:,} pods", style=FAINT)
        for state, count in () if self.by_state else self.states:
            line.append("  ").append(f"{STATE_MARK[state]} {count:,} {state.value}", style=STATE_STYLE[state])
        return line


@dataclass(frozen=True, slots=True)
class View:
    """What the list shows, and how."""

    filter: str = ""
    state: HpaState | None = None
    sort: str = SORTS[0]
    group: str = GROUPS[0]
    problems: bool = False

    def rows(self, rows: Sequence[HpaRow]) -> list[HpaRow]:
        """Those that are shown, in order."""
        words = self.filter.lower().split()
        found = [row for row in rows if _matches(row, words)] if words else list(rows)
        if self.state is not None:
            found = [row for row in found if row.state is self.state]
        by = _SORT_KEYS.get(self.sort)
        if by is not None:
            found.sort(key=by)  # type: ignore[arg-type]  # all keys of one sort are comparable with each other
        if self.problems:
            found.sort(key=lambda row: row.state not in PROBLEM_STATES)
        if self.group == "namespace":
            found.sort(key=lambda row: row.key.namespace)
        elif self.group == "state":
            found.sort(key=lambda row: ORDER.index(row.state))
        return found

    def lines(self, rows: Sequence[HpaRow]) -> list[HpaRow | Heading]:
        """Rows in order, with the headings of their groups."""
        if not self.group:
            return list(rows)
        lines: list[HpaRow | Heading] = []
        start = 0
        for index in range(1, len(rows) + 1):
            if index == len(rows) or self._of(rows[index]) != self._of(rows[start]):
                lines += [self._heading(rows[start:index]), *rows[start:index]]
                start = index
        return lines

    def _of(self, row: HpaRow) -> str:
        return row.key.namespace if self.group == "namespace" else row.state.value

    def _heading(self, rows: Sequence[HpaRow]) -> Heading:
        states = Counter(row.state for row in rows)
        counted = tuple((state, states[state]) for state in ORDER if state in states)
        pods = sum(row.hpa.current_replicas for row in rows)
        return Heading(printable(self._of(rows[0]), 60), len(rows), pods, counted, self.group == "state")

    def words(self) -> list[str]:
        """What differs from the whole list in order of names, for the title."""
        found = [f"filter {self.filter}"] if self.filter else []
        found += [f"only {self.state.value}"] if self.state is not None else []
        found += [f"by {self.sort}"] if self.sort != SORTS[0] else []
        found += [f"grouped by {self.group}"] if self.group else []
        return found + (["problems first"] if self.problems else [])


def _ratio(row: HpaRow) -> float:
    return max((metric.ratio for metric in row.hpa.metrics if metric.ratio is not None), default=-1.0)


def _lasts(row: HpaRow) -> float:
    """Until when what holds or limits it does so."""
    ends = (row.decision.held_until, row.decision.more_at) if row.decision is not None else ()
    return min((moment for moment in ends if moment is not None), default=math.inf)


_SORT_KEYS: dict[str, Callable[[HpaRow], object]] = {
    "state": lambda row: (row.state.value, _lasts(row), row.key),
    "replicas": lambda row: (-row.hpa.current_replicas, row.key),
    "ratio": lambda row: (-_ratio(row), row.key),
}


def _matches(row: HpaRow, words: Sequence[str]) -> bool:
    hpa = row.hpa
    labels = " ".join(f"{key}={value}" for key, value in hpa.labels.items())
    text = f"{hpa.key.namespace} {hpa.key.name} {hpa.reference} {labels} {row.state.value} {row.headline}".lower()
    return all(word in text for word in words)
