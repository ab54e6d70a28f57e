"""The line of the time machine, under the header: where in the recording the screen is, what happened there, and how it goes
on.
"""

from __future__ import annotations

from rich.text import Text

from hpatui.session.moments import clock_text
from hpatui.session.past import Past
from hpatui.ui.marks import BAD, FAINT, WAIT

PAST_STYLE = "bold reverse magenta"  # never used for anything that is now
_LEAST = 10  # cells of the slider


def timeline(past: Past, width: int) -> Text:
    """The slider in `width` cells: rescales as arrows, what was not recorded dotted, the range in bold, the moment as a
    block.
    """
    state = f"{'▶' if past.playing else '■'} {past.speed:g}x "
    dated = clock_text(past.first, dated=True)[:10] != clock_text(past.last, dated=True)[:10]
    first, last = (clock_text(moment, dated=dated)[:-3] for moment in (past.first, past.last))
    note = _note(past)
    cells = width - len(state) - len(first) - len(last) - 2 - len(note)
    if cells < _LEAST:
        note, cells = "", cells + len(note)
    if cells < _LEAST:
        first = last = ""
        cells = width - len(state) - 2
    text = Text(state, "bold", end="")
    text.append(f"{first} ", FAINT)
    text.append_text(_slider(past, max(1, cells)))
    text.append(f" {last}", FAINT)
    text.append(note, FAINT)
    return text


def _note(past: Past) -> str:
    parts = [past.source] if past.source != "recorded" else []
    parts += ["names replaced"] if past.anonymized else []
    if past.begins_at_mark and past.range[1] > past.range[0]:
        parts.append(f"range from {clock_text(past.range[0])}")
    return "".join(f"  {part}" for part in parts)


def _slider(past: Past, cells: int) -> Text:
    length = max(past.last - past.first, 1e-6)

    def cell(moment: float) -> int:
        return min(cells - 1, max(0, int((moment - past.first) / length * cells)))

    marks = ["─"] * cells
    styles = [FAINT if past.first + (index + 1) / cells * length < past.known_from else "" for index in range(cells)]
    for index in range(cell(past.range[0]), cell(past.range[1]) + 1):
        marks[index], styles[index] = "━", "bold"
    for start, end in past.gaps:
        for index in range(cell(start), cell(end) + 1):
            marks[index], styles[index] = "╌", BAD
    for rescale in past.rescales:
        down = rescale.from_size is not None and rescale.to_size < rescale.from_size
        marks[cell(rescale.time)], styles[cell(rescale.time)] = ("▼" if down else "▲"), WAIT
    marks[cell(past.now)], styles[cell(past.now)] = "█", "bold magenta"
    text = Text(end="")
    for mark, style in zip(marks, styles, strict=True):
        text.append(mark, style)
    return text
