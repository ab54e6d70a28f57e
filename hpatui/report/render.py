"""A page -> one HTML file: styles and pictures inside, no script, nothing from a network (its own policy forbids that)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from hpatui.errors import UsageError
from hpatui.report.chart import svg
from hpatui.report.page import Page
from hpatui.text import harmless, printable


def to_html(page: Page) -> str:
    """The whole file."""
    return str(_template().render(page=page))


def write_html(page: Page, path: Path) -> None:
    """Write it. UsageError where the file cannot be written."""
    try:
        path.write_text(to_html(page), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", hint="name a file that can be written") from error


def _shown(value: Any) -> Any:
    """Whatever is put out: printable, then escaped by jinja. A number is a text by then."""
    return value if isinstance(value, Markup) else printable(str(value), 20_000)


def _lines(text: str) -> Markup:
    """Text whose lines stay."""
    return Markup.escape(harmless(text))


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["kind"] = lambda block: type(block).__name__
    environment.filters["svg"] = svg
    environment.filters["lines"] = _lines
    return environment.from_string((files("hpatui.report") / "page.html.j2").read_text(encoding="utf-8"))
