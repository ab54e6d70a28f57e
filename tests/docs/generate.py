"""`python -m tests.docs.generate` writes what is made from the code: docs/reference, docs/schemas and the manual page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from hpatui import __version__
from hpatui.cli import _COMMANDS, build_parser
from hpatui.commands.helping import EXAMPLES, SECTIONS
from hpatui.plain.config import _ABOUT
from hpatui.plain.schema import SCHEMAS, schema
from hpatui.settings import Settings
from hpatui.ui.keys import KEYS, shown_key

ROOT = Path(__file__).parents[2]
EXITS = ((0, "done"), (1, "a threshold or check failed"), (2, "could not go on"), (130, "interrupted"))
_NOTE = "<!-- Generated: python -m tests.docs.generate -->\n\n"


def flags(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """(how it is written, what it does) of each argument that is shown."""
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):
            continue
        value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest)
        words = ", ".join(action.option_strings)
        shown = f"{words} {value}" if words and action.nargs != 0 else words or str(value)
        yield shown, (action.help or "").replace("%%", "%")


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command; that of the whole program is named with the empty text."""
    parser = build_parser(list(_COMMANDS))
    (commands,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {"": parser, **{name: commands.choices[name] for name in _COMMANDS}}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _table(head: tuple[str, str], rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return (
        "\n".join([*lines, *(f"| `{left.replace('|', chr(92) + '|')}` | {_cell(right)} |" for left, right in rows)])
        + "\n"
    )


def commands_page() -> str:
    """All commands with their flags and examples."""
    parts = [f"{_NOTE}# Commands\n"]
    for name, parser in parsers().items():
        parts.append(f"\n## hpatui {name}".rstrip() + f"\n\n{(parser.description or '').strip()}\n\n")
        parts.append(_table(("flag", "what it does"), flags(parser)))
        if name in EXAMPLES:
            parts.append("\n```text\n" + "\n".join(line for line, _ in EXAMPLES[name]) + "\n```\n")
    return "".join(parts)


def generated() -> dict[Path, str]:
    """File -> its text."""
    reference = ROOT / "docs" / "reference"
    keys = [(shown_key(entry), entry.help) for entry in KEYS]
    settings = [(item.name, _ABOUT.get(item.name, "")) for item in fields(Settings)]
    outputs = [
        (name, f"[{output.command}](../schemas/{name}-{output.version}.json)") for name, output in SCHEMAS.items()
    ]
    exits = [(str(code), text) for code, text in EXITS]
    pages = {
        "commands": commands_page(),
        "keys": f"{_NOTE}# Keys\n\n{_table(('key', 'what it does'), keys)}",
        "settings": f"{_NOTE}# Settings\n\nFlags beat the environment (`HPATUI_NAME`), which beats the file.\n\n"
        + _table(("setting", "what it says"), settings),
        "json": f"{_NOTE}# JSON\n\n`hpatui schema NAME` prints the JSON Schema (2020-12) of an output. Within a version keys "
        "are added only; ignore those that you do not know.\n\n" + _table(("name", "output"), outputs),
        "exit-codes": f"{_NOTE}# Exit codes\n\n{_table(('code', 'meaning'), exits)}",
    }
    found = {reference / f"{name}.md": text for name, text in pages.items()}
    for name, output in SCHEMAS.items():
        text = json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"
        found[ROOT / "docs" / "schemas" / f"{name}-{output.version}.json"] = text
    found[ROOT / "share" / "man" / "man1" / "hpatui.1"] = manual()
    return found


def _troff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in ".'" else line for line in text.splitlines())


def manual() -> str:
    """The manual page."""
    lines = [f'.TH HPATUI 1 "" "hpatui {__version__}" "User Commands"', ".SH NAME"]
    lines += ["hpatui \\- watch HorizontalPodAutoscalers scale, and why, while you drive the load", ".SH SYNOPSIS"]
    lines += [".B hpatui", "[flags] [COMMAND ...]"]
    known = parsers()
    lines += [".SH OPTIONS"]
    for shown, text in flags(known[""]):
        lines += [".TP", f".B {_troff(shown)}", _troff(text)]
    lines.append(".SH COMMANDS")
    for names in SECTIONS.values():
        for name in (name for name in names if name in known):
            lines += [f".SS hpatui {_troff(name)}", _troff(known[name].description or "")]
            common = {shown for shown, _ in flags(known[""])}
            for shown, text in flags(known[name]):
                if shown not in common:
                    lines += [".TP", f".B {_troff(shown)}", _troff(text)]
            for line, what in EXAMPLES.get(name, ()):
                lines += [".PP", f"{_troff(line)}:", _troff(what)]
    lines.append(".SH KEYS")
    for entry in KEYS:
        lines += [".TP", f".B {_troff(shown_key(entry))}", _troff(entry.help)]
    lines.append(".SH EXIT STATUS")
    for code, text in EXITS:
        lines += [".TP", f".B {code}", _troff(text)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
