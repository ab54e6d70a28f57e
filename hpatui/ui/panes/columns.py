"""The columns of the HPA list: which fit, how wide, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.text import Text

from hpatui.model import Hpa, MetricTarget
from hpatui.state.heat import COLD, STEP
from hpatui.state.history import metric_label
from hpatui.state.snapshot import HpaRow
from hpatui.text import cell_width, fit, printable
from hpatui.ui.look import STATE_MARK, STATE_STYLE, sparkline
from hpatui.ui.marks import FAINT, begin
from hpatui.ui.names import padded
from hpatui.ui.units import pair

TREND, HOUR, HALF = 12, 30, 15
LEAST_HEADLINE, FULL_HEADLINE = 24, 56
OVER = 1.1  # a ratio from which a metric is above its target
# What people may hide; name and state always stay. The order is that of the chooser.
CHOICES: tuple[tuple[str, str], ...] = (
    ("namespace", "namespace"),
    ("reference", "what it scales"),
    ("targets", "metrics against their targets"),
    ("bounds", "min and max"),
    ("sizes", "replicas now and wanted"),
    ("trend", "replicas of the last minutes, as bars"),
    ("hour", "the hottest metric of the last hour, as a strip"),
    ("headline", "why, in a few words"),
)


class Widths(NamedTuple):
    """Columns in cells; 0: not shown."""

    space: int = 0
    name: int = 4
    reference: int = 0
    targets: int = 7
    bounds: int = 0
    sizes: int = 0
    trend: int = 0
    hour: int = 0
    headline: int = 0


def measure(rows: Sequence[HpaRow], width: int, hidden: frozenset[str]) -> Widths:
    """The columns for `width` cells; those that tell less give way first."""
    sample = rows[:400]

    def widest(texts: Iterable[str], least: int, most: int) -> int:
        return min(most, max([least, *(cell_width(text) for text in texts)]))

    bounds = 0 if "bounds" in hidden else 10
    sizes = 0 if "sizes" in hidden else 13
    fixed = 2 + bounds + sizes + 11  # cursor, state
    spaced = width >= 90 and "namespace" not in hidden
    space = widest((r.key.namespace for r in sample), 9, max(20, width // 6)) if spaced else 0
    name = widest((r.key.name for r in sample), 4, max(20, width - fixed - space - 1 - 16))
    left = width - fixed - name - 1 - (space + 1 if space else 0)
    targets = 0
    if "targets" not in hidden:
        targets = widest((targets_text(r.hpa) for r in sample), 7, max(10, min(44, left)))
        left -= targets + 1
    wanted = widest((str(r.hpa.reference) for r in sample), 9, 30)
    reference = wanted if left > wanted + 1 and "reference" not in hidden else 0
    left -= reference + 1 if reference else 0
    trend = TREND if left > TREND + 1 and "trend" not in hidden else 0
    left -= trend + 1 if trend else 0
    hour = 0
    if "hour" not in hidden:
        # Why comes before the strip: a sentence that is cut tells nothing.
        why = 0 if "headline" in hidden else widest((r.headline for r in sample), LEAST_HEADLINE, FULL_HEADLINE)
        hour = HOUR if left > HOUR + why + 1 else HALF if left > HALF + why + 1 else 0
    left -= hour + 1 if hour else 0
    headline = left - 1 if left > LEAST_HEADLINE and "headline" not in hidden else 0
    return Widths(space, name, reference, targets, bounds, sizes, trend, hour, headline)


def header(widths: Widths) -> Text:
    """The line over the rows."""
    cells = [
        ("NAMESPACE", widths.space),
        ("NAME", widths.name),
        ("REFERENCE", widths.reference),
        ("TARGETS", widths.targets),
    ]
    text = "  " + "".join(fit(title, width) + " " for title, width in cells if width)
    text += " MIN  MAX " if widths.bounds else ""
    text += "  NOW  WANT  " if widths.sizes else ""
    text += fit("TREND", widths.trend) + " " if widths.trend else ""
    text += fit("LAST HOUR", widths.hour) + " " if widths.hour else ""
    text += fit("STATE", 11) + ("WHY" if widths.headline else "")
    return Text(text, style=FAINT, end="")


def row_text(row: HpaRow, widths: Widths, name: str, *, selected: bool, now: float) -> Text:
    """One HPA. `name`: as it is shown, at most as wide as its column."""
    hpa = row.hpa
    faint = FAINT if not selected else ""
    text = begin("> " if selected else "  ", "bold cyan" if selected else "")
    if widths.space:
        text.append(padded(printable(hpa.key.namespace), widths.space) + " ", style=faint)
    text.append(padded(name, widths.name) + " ", style="bold" if selected else "")
    if widths.reference:
        text.append(padded(printable(str(hpa.reference)), widths.reference) + " ", style=faint)
    if widths.targets:
        text.append_text(targets_cell(hpa, widths.targets)).append(" ")
    if widths.bounds:
        text.append(f"{hpa.min_replicas:>4} {hpa.max_replicas:>4} ", style=faint)
    if widths.sizes:
        moving = hpa.current_replicas != hpa.desired_replicas
        text.append(f"{hpa.current_replicas:>5} {wanted(row):>5}  ", style="bold" if moving else "")
    if widths.trend:
        text.append(fit(sparkline(row.trend, widths.trend), widths.trend) + " ", style="cyan")
    if widths.hour:
        text.append_text(strip(row, widths.hour, now)).append(" ")
    text.append(fit(f"{STATE_MARK[row.state]} {row.state.value}", 11), style=STATE_STYLE[row.state])
    if widths.headline:
        text.append(fit(printable(row.headline), widths.headline), style=faint)
    return text


def wanted(row: HpaRow) -> str:
    """The size that the controller wants; `-` where it never computed one (the API then says 0)."""
    hpa = row.hpa
    disabled = any(condition.reason == "ScalingDisabled" for condition in hpa.conditions)
    computed = hpa.desired_replicas > 0 or hpa.min_replicas == 0 or disabled
    return str(hpa.desired_replicas) if computed else "-"


# Targets --------------------------------------------------------------------------------------------------------------


def _metric_text(metric: MetricTarget) -> str:
    name = printable(metric_label(metric), 60)
    return name if metric.target is None else f"{name} {pair(metric.current, metric.target, metric.unit)}"


def targets_text(hpa: Hpa) -> str:
    """Current and target of each metric in one unit, for people; kubectl's own text is in `describe`, `watch` and JSON."""
    return "  ".join(_metric_text(metric) for metric in hpa.metrics) or printable(hpa.targets)


def targets_cell(hpa: Hpa, width: int) -> Text:
    """The metrics, each in the colour of its own trouble; those that do not fit are counted, no number is cut."""
    if not hpa.metrics:
        return Text(fit(printable(hpa.targets), width), end="")
    text, left = Text(end=""), width
    for index, metric in enumerate(hpa.metrics):
        word = ("  " if index else "") + _metric_text(metric)
        rest = len(hpa.metrics) - index - 1
        if cell_width(word) > left - (4 if rest else 0) and not (cell_width(word) <= left and not rest):
            if index == 0:
                text.append(fit(word, left), style=_style(metric))
            else:
                text.append(f" +{rest + 1}"[:left], style=FAINT)
            break
        text.append(word, style=_style(metric))
        left -= cell_width(word)
    return text.append(" " * (width - text.cell_len))


def _style(metric: MetricTarget) -> str:
    if metric.target is not None and metric.ratio is None:
        return "red"
    return "yellow" if metric.ratio is not None and metric.ratio > OVER else ""


# The last hour --------------------------------------------------------------------------------------------------------

_HEAT = (" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█")
_GLOW = ("", *("blue",) * COLD, "green", "yellow", "yellow", "red")


def strip(row: HpaRow, width: int, now: float) -> Text:
    """The last hour in `width` cells: how high, and in which colour, says how far the hottest metric was from its target."""
    levels = row.heat.until(int(now // STEP))
    each = HOUR // width
    if each > 1:
        levels = bytes(max(levels[max(0, i - each) : i]) for i in range(len(levels), 0, -each))[::-1]
    text = Text(" " * (width - len(levels)), end="")
    for level in levels[-width:]:
        text.append(_HEAT[level], style=_GLOW[level])
    return text
