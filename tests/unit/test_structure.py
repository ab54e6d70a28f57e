"""The limits of structure that keep each piece readable: lines of a file, lines of a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import hpatui

FOLDER = Path(hpatui.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
MOST_OF_A_FILE, MOST_OF_A_FUNCTION = 400, 60


def long_functions(source: str) -> Iterator[tuple[str, int]]:
    """Name and lines of each function, decorators included, that has too many."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines = (node.end_lineno or first) - first + 1
            if lines > MOST_OF_A_FUNCTION:
                yield node.name, lines


def test_no_file_is_longer_than_can_be_kept_in_mind() -> None:
    assert len(FILES) > 100
    lengths = {str(path.relative_to(FOLDER)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_OF_A_FILE} == {}


def test_no_function_is_longer_than_a_page() -> None:
    found = {
        f"{path.relative_to(FOLDER)}:{name}": lines
        for path in FILES
        for name, lines in long_functions(path.read_text(encoding="utf-8"))
    }
    assert found == {}


def test_the_measure_itself() -> None:
    body = "\n".join("    x = 1" for _ in range(MOST_OF_A_FUNCTION - 1))
    assert list(long_functions(f"def f():\n{body}\n")) == []
    assert list(long_functions(f"def f():\n{body}\n    y = 2\n")) == [("f", MOST_OF_A_FUNCTION + 1)]
    assert list(
        long_functions(f"class C:\n    @p\n    async def g():\n    {body.replace(chr(10), chr(10) + '    ')}\n")
    ) == [("g", MOST_OF_A_FUNCTION + 1)]
