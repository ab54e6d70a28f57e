"""What a search found, in lines: the runs side by side, the Pareto front as a small chart, and the YAML."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.api.advice_shapes import RecommendationJson, RunJson, SearchJson
from hpatui.text import printable

WIDTH, HEIGHT = 48, 8
ROWS = (
    ("pod-hours", "pod_hours", "{:.2f}"),
    ("s above target", "seconds_above_target", "{:.0f}"),
    ("% not served", "unserved_share", "{:.1%}"),
    ("rescales", "rescales", "{:d}"),
    ("most replicas", "most_replicas", "{:d}"),
    ("s at the maximum", "seconds_at_max", "{:.0f}"),
    ("killed for memory", "kills", "{:d}"),
)


def search_lines(search: SearchJson) -> list[str]:
    """All of it, for the one HPA that was searched for."""
    lines = []
    now, then = search["now"], search["recommended"]
    if search["uncertainty"] is not None:
        lines.append(
            f"{search['tried']} specs simulated for goal {search['goal']}; the simulation of the present one is "
            f"{100 * search['uncertainty']:.0f} % off what really happened"
        )
    else:
        lines.append(search["verdict"])
    if now is not None:
        lines += table(now, then)
        lines += ["", *chart(search["front"], now, then)]
    lines += [f"not known: {printable(text, 300)}" for text in search["missing"]]
    return lines


def yaml_lines(recommendation: RecommendationJson | None) -> list[str]:
    """The recommended HPA as a command to paste: nothing of it may be indented."""
    if recommendation is None or recommendation["by"] != "search":
        return []
    text = recommendation["yaml"].rstrip("\n").split("\n")
    return ["", "kubectl apply -f - <<'EOF'", *(printable(line, 400) for line in text), "EOF"]


def table(now: RunJson, then: RunJson | None) -> list[str]:
    """The present spec and the recommended one."""
    lines = [f"{'simulated':<18}{'now':>10}" + ("" if then is None else f"{'then':>10}")]
    for name, key, form in ROWS:
        values = [run[key] for run in (now, then) if run is not None]  # type: ignore[literal-required]
        if any(values) or key in ("pod_hours", "seconds_above_target"):
            lines.append(f"{name:<18}" + "".join(f"{form.format(value):>10}" for value in values))
    return lines


def chart(front: Sequence[RunJson], now: RunJson, then: RunJson | None) -> list[str]:
    """Pod-hours to the right, seconds above target upwards: `.` the front, `o` as it is, `*` the recommended one."""
    marks = [(run, ".") for run in front] + [(now, "o")] + ([(then, "*")] if then is not None else [])
    costs = [run["pod_hours"] for run, _ in marks]
    above = [run["seconds_above_target"] for run, _ in marks]
    low, high, top = min(costs), max(costs), max(above)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for run, mark in marks:
        x = round((run["pod_hours"] - low) / (high - low) * (WIDTH - 1)) if high > low else 0
        y = round(run["seconds_above_target"] / top * (HEIGHT - 1)) if top > 0 else 0
        grid[HEIGHT - 1 - y][x] = mark
    lines = [f"{top:>8.0f} s |" + "".join(grid[0])]
    lines += [f"{'':>10} |" + "".join(row) for row in grid[1:-1]]
    lines.append(f"{0:>8} s |" + "".join(grid[-1]))
    lines.append(f"{'':>10} +" + "-" * WIDTH)
    right = f"{high:.2f} pod-hours"
    lines.append(f"{'':>12}{low:<{WIDTH - len(right)}.2f}{right}")
    lines.append(
        f"{'':>12}o as it is" + ("  * recommended" if then is not None else "") + "  . nothing is better in both"
    )
    return [line.rstrip() for line in lines]
