"""What the terminal shows, cell by cell: a repaint becomes the fewest bytes that make the terminal show it.

Textual repaints whole widgets' lines; what did not change is dropped here, so an idle screen writes nothing and one
changed cell costs a few bytes. `want` is what the screen should show, `have` what was sent to the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from hpatui.text import is_unsafe

Cell = tuple[str, Style | None]  # the letter with what combines with it; empty: the second half of a wide one
_UNKNOWN: Cell = ("\0", None)
_BLANK: Cell = (" ", None)
MOST_MARKS = 4  # letters in one cell: what combines with the first beyond that is dropped
_GAP = 4  # unchanged cells that are cheaper to write again than to jump over
_ATTRIBUTES = (
    ("bold", "1"), ("dim", "2"), ("italic", "3"), ("underline", "4"), ("blink", "5"), ("blink2", "6"),
    ("reverse", "7"), ("conceal", "8"), ("strike", "9"), ("underline2", "21"), ("overline", "53"),
)  # fmt: skip


class Frame:
    """The wanted and the sent cells of a terminal of `width` x `height`; `colours` None: attributes only, no colour."""

    def __init__(self, width: int = 0, height: int = 0, colours: ColorSystem | None = ColorSystem.TRUECOLOR) -> None:
        self.colours = colours
        self._want: list[list[Cell]] = []
        self._have: list[list[Cell]] = []
        self._dirty: set[int] = set()
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Another size: nothing is known of what the terminal shows, and everything will be painted anew."""
        self.width, self.height = width, height
        self._want = [[_BLANK] * width for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Somebody else wrote to the terminal: send everything again."""
        self._have = [[_UNKNOWN] * self.width for _ in range(self.height)]
        self._dirty = set(range(self.height))

    def put(self, x: int, y: int, segments: Iterable[Segment], end: int | None = None) -> None:
        """The cells from (x, y) on are to show `segments`, up to before column `end`."""
        if not 0 <= y < self.height:
            return
        row = self._want[y]
        end = self.width if end is None else min(end, self.width)
        for text, style, control in segments:
            if control:
                continue
            for letter in text:
                size = 1 if letter < "\u0300" else get_character_cell_size(letter)
                if is_unsafe(letter):  # the last gate to the terminal, whatever a pane forgot
                    letter = "?"
                    if size == 0:
                        continue
                if size == 0:
                    if 0 < x <= end and row[x - 1][0] != " " and len(row[x - 1][0]) < MOST_MARKS:
                        row[x - 1] = (row[x - 1][0] + letter, row[x - 1][1])
                    continue
                if x + size > end:
                    break
                row[x] = (letter, style)
                if size == 2:
                    row[x + 1] = ("", style)
                x += size
        self._dirty.add(y)

    @property
    def pending(self) -> bool:
        """Whether there may be something to send."""
        return bool(self._dirty)

    def encode(self) -> str:
        """What to write so that the terminal shows what is wanted; empty if it does already."""
        pen = _Pen(self.colours)
        for y in sorted(self._dirty):
            want, have = self._want[y], self._have[y]
            if want != have:
                for start, end in _runs(want, have):
                    pen.write(y, start, want[start:end])
                self._have[y] = want.copy()
        self._dirty.clear()
        return pen.finish()


def _runs(want: list[Cell], have: list[Cell]) -> list[tuple[int, int]]:
    """Ranges of cells that differ, wide letters whole, small gaps of one style closed."""
    runs: list[tuple[int, int]] = []
    x, width = 0, len(want)
    while x < width:
        if want[x] == have[x]:
            x += 1
            continue
        start = x
        while start > 0 and want[start][0] == "":
            start -= 1
        while x < width and want[x] != have[x]:
            x += 1
        while x < width and want[x][0] == "":
            x += 1
        if runs and start - runs[-1][1] <= _GAP and _one_style(want, runs[-1][1] - 1, start):
            runs[-1] = (runs[-1][0], x)
        else:
            runs.append((start, x))
    return runs


def _one_style(row: list[Cell], start: int, end: int) -> bool:
    style = row[start][1]
    return all(row[x][1] == style and len(row[x][0]) == 1 for x in range(start, end))


class _Pen:
    """Writes runs of cells with as few moves and colour changes as possible."""

    def __init__(self, colours: ColorSystem | None) -> None:
        self._colours = colours
        self._out: list[str] = []
        self._at: tuple[int, int] | None = None  # (row, column) if it is certain
        self._style: Style | None = None

    def write(self, y: int, x: int, cells: list[Cell]) -> None:
        self._move(y, x)
        for index, (letter, style) in enumerate(cells):
            if letter == "":
                continue
            if self._at is None:
                self._move(y, x + index)
            if style is not self._style:
                self._out.append(_change(self._style, style, self._colours))
                self._style = style
            self._out.append(letter)
            # After a letter that terminals may count differently the place is not certain any more.
            certain = letter < "\u0300" or "\u2500" <= letter <= "\u28ff"
            self._at = (y, x + index + 1) if certain else None

    def _move(self, y: int, x: int) -> None:
        if self._at == (y, x):
            return
        if self._at is not None and self._at[0] == y and x > self._at[1]:
            distance = x - self._at[1]
            self._out.append("\x1b[C" if distance == 1 else f"\x1b[{distance}C")
        else:
            self._out.append(f"\x1b[{y + 1};{x + 1}H")
        self._at = (y, x)

    def finish(self) -> str:
        if not self._out:
            return ""
        self._out.append(_change(self._style, None, self._colours))
        return "".join(self._out)


@lru_cache(maxsize=8192)
def _parts(style: Style | None, colours: ColorSystem | None) -> tuple[str, str, str]:
    """SGR codes of a style: attributes, foreground, background (the last two never empty)."""
    if style is None:
        return "", "39", "49"
    attributes = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))
    if colours is None:  # NO_COLOR
        return attributes, "39", "49"
    fore = ";".join(style.color.downgrade(colours).get_ansi_codes()) if style.color else "39"
    back = ";".join(style.bgcolor.downgrade(colours).get_ansi_codes(False)) if style.bgcolor else "49"
    return attributes, fore, back


@lru_cache(maxsize=8192)
def _change(before: Style | None, after: Style | None, colours: ColorSystem | None) -> str:
    """The sequence that changes the pen from one style to another."""
    old, new = _parts(before, colours), _parts(after, colours)
    if old == new:
        return ""
    if old[0] == new[0]:
        codes = [code for index, code in enumerate(new) if index and code != old[index]]
    else:
        codes = [
            "0",
            *filter(None, new[:1]),
            *(c for c, plain in zip(new[1:], ("39", "49"), strict=True) if c != plain),
        ]
    text = ";".join(codes)
    return "\x1b[m" if text == "0" else f"\x1b[{text}m"
