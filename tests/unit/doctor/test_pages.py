"""Each check of the doctor has its page, and each page its check."""

from __future__ import annotations

import ast
from pathlib import Path

from hpatui.doctor.report import docs_of

ROOT = Path(__file__).parents[3]
PAGES = {path.stem for path in (ROOT / "docs" / "doctor").glob("*.md")} - {"index"}
CALLS = {"ok", "skip", "warn", "fail", "unseen"}


def ids() -> set[object]:
    """The ids that the checks name: as the first argument of a finding, or first of a pair (id, title)."""
    found: set[object] = set()
    for path in (ROOT / "hpatui" / "doctor" / "checks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
                found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_adapter":
                found |= {arg.value for arg in node.args[3:4] if isinstance(arg, ast.Constant)}
    return found


def test_each_check_has_a_page() -> None:
    known = ids()
    assert len(known) >= 15
    assert known - PAGES == set()


def test_the_link_leads_to_the_page() -> None:
    assert docs_of("target").endswith("/docs/doctor/target.md")
