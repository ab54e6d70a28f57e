"""What a pod's containers wrote: the lines of the present run with their times, and those of the run before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_LINES = 200  # kept of each run


class Line(NamedTuple):
    """One line, without its end; `time` in epoch seconds."""

    time: float
    text: str


class PodLog:
    """The log of a pod. `previous` is None until a container was restarted."""

    def __init__(self) -> None:
        self.previous: list[Line] | None = None
        self._lines: list[Line] = []
        self._written = 0  # lines ever
        self._runs = 0

    def begin(self) -> None:
        """A container starts: what there is belongs to the run before."""
        if self._runs:
            self.previous, self._lines = self._lines, []
        self._runs += 1

    def write(self, text: str, now: float) -> None:
        """Append lines; the oldest of the run go."""
        lines = [Line(now, line) for line in text.splitlines()]
        self._lines.extend(lines)
        self._written += len(lines)
        del self._lines[:-_LINES]

    def lines(self, *, since: float | None = None, tail: int | None = None, previous: bool = False) -> list[Line]:
        """The lines written at `since` (epoch seconds) or later, of those the last `tail`."""
        found = (self.previous or []) if previous else self._lines
        if since is not None:
            found = [line for line in found if line.time >= since]
        return found[len(found) - min(tail, len(found)) :] if tail is not None else list(found)

    @property
    def end(self) -> int:
        """A mark for `after`."""
        return self._written

    def after(self, mark: int) -> Iterator[Line]:
        """The lines written since `end` was `mark`, as far as they are kept."""
        count = min(self._written - mark, len(self._lines))
        return iter(self._lines[len(self._lines) - count :])
