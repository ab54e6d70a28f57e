"""`python -m tests.versions.page` writes docs/versions.md from the rules and their examples."""

from __future__ import annotations

from pathlib import Path

from hpatui.autoscaler.rules import FACTS, NEWEST, OLDEST, TOLD, Fact
from tests.versions.examples import EXAMPLES

_HEAD = f"""# Versions of Kubernetes

<!-- Generated from hpatui/autoscaler/rules.py and tests/versions/examples.py: python -m tests.versions.page -->

hpatui decides as the HPA controller of Kubernetes 1.{OLDEST} to 1.{NEWEST} does. Which rules are used is said by
`hpatui explain`: `rules of 1.32 (server 1.32.9)`.

## Which rules

1. What `--controller-rules 1.32` (setting `controller_rules`) says. `1.37+succeeded_ignored` turns a single fact of
   the table below.
2. Else those of the server's version, vendors' names included (`v1.31.4-eks-2d5f260`, `v1.29.14+7cf4c05`, minor
   `29+`). With an emulated version its feature gates. Older than 1.{OLDEST}: those of 1.{OLDEST}; newer than
   1.{NEWEST}: those of 1.{NEWEST}; both are said.
3. `--feature-gates HPAScaleToZero=true,...` on top, where the controller runs with other gates than its version's.
4. Where at least two syncs go as other rules foretell, and none against them, those are used from then on, and it
   is said: the controller may be one minor older than the API server while a cluster is upgraded, and vendors port
   changes back.

The API server's version decides what TARGETS looks like. `hpatui upgrade --to 1.38 -A` names the HPAs that another
version would size differently.

## How it was verified

Recorded decisions of the controllers of 1.28, 1.32, 1.33, 1.34, 1.35 and 1.36 (1.32 stands for 1.29 to 1.32), of
1.36 with HPAScaleToZero on (1.37), and of that with the two changes merged for 1.38 are replayed: `make conformance
VECTORS=DIR`. No 1.37 or 1.38 release was recorded. Facts without a version are expected with 1.38, but nothing was
recorded of them: they are off unless turned by name or seen. Each example below is run by a test.

| sets of rules | recorded from |
|---|---|
| 1.28 | 1.28.15 |
| 1.29 to 1.32 | 1.32.13, and equal to 1.29.14 and 1.31.14; late patches of 1.29 to 1.31 by their numbers |
| 1.33, 1.34, 1.35, 1.36 | 1.33.13, 1.34.9, 1.35.6, 1.36.2 |
| 1.37, 1.38 | 1.36.2 with the gate, and with the changes |

## What changed

"Affects": what can differ. Sources are pull requests of kubernetes/kubernetes.
"""
_TOLD_HEAD = """
### Changed, but no decision differs

These are told, and are no switch: hpatui decides alike on both sides.

| since | before | from then on | remark | source |
|---|---|---|---|---|
"""
_MINORS = sorted({item.since for item in FACTS if item.since is not None})


def page() -> str:
    """The page's text."""
    parts = [_HEAD]
    parts += [
        f"\n### {_since(since)}\n\n{_table([item for item in FACTS if item.since == since])}" for since in _MINORS
    ]
    parts.append(f"\n### Expected, off by default\n\n{_table([item for item in FACTS if item.since is None])}")
    parts.append(_TOLD_HEAD)
    parts += [
        "| " + " | ".join((item.since, item.before, item.now, item.remark, item.source)) + " |\n" for item in TOLD
    ]
    return "".join(parts)


def _since(minor: int) -> str:
    return f"1.{minor}" if minor > OLDEST else f"1.{minor}, on in all known versions unless its gate is off"


def _table(facts: list[Fact]) -> str:
    lines = ["| fact | before | from then on | example | affects | source |", "|---|---|---|---|---|---|"]
    for item in facts:
        example = EXAMPLES[item.name]
        shown = f"{example.case}: `{example.before}`, then `{example.after}`"
        until = f", 1.{item.gate_from} and 1.{item.gate_until} only" if item.gate_until else ""
        gate = f" (gate {item.gate}{until})" if item.gate else ""
        late = ", ".join(f"1.{minor}.{patch}" for minor, patch in item.patches)
        source = f"{item.source}{f'; in {late}' if late else ''}"
        cells = (f"`{item.name}`{gate}", item.before, item.now, shown, item.affects, source)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = Path(__file__).parents[2] / "docs" / "versions.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(page(), encoding="utf-8")
    print(f"wrote {target}")
