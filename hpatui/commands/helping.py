"""What `--help` says beyond the flags: the commands by what they are for, and examples of each. The manual page and the
reference of the documentation are made from the same tables.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

SECTIONS: dict[str, tuple[str, ...]] = {
    "look": ("watch", "explain", "describe", "doctor", "upgrade"),
    "try": ("demo", "sandbox", "example"),
    "load": ("load", "run", "compare"),
    "remember": ("record", "replay", "export", "history"),
    "tune": ("advise", "shadow", "undo"),
    "programs": ("schema", "mcp", "shot"),
    "hpatui itself": ("config", "completion"),
}

# name -> (command line, what it does)
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("hpatui", "the screen on the current context"),
        ("hpatui -n shop --hpa cart", "one namespace, one HPA selected"),
        ("hpatui demo", "the screen on a cluster of its own"),
    ),
    "watch": (
        ("hpatui watch -n shop", "changes as sentences"),
        ("hpatui watch --once --json -A", "one JSON object with all HPAs"),
        ("hpatui watch --json --changes", "a line for each change, for days"),
    ),
    "explain": (("hpatui explain shop/cart", "why it has the size it has"),),
    "describe": (("hpatui describe shop/cart", "the text of kubectl describe hpa"),),
    "doctor": (
        ("hpatui doctor -n shop", "all HPAs of a namespace; exit code 1 if something is broken"),
        ("hpatui doctor shop/cart --json", "one HPA, for scripts"),
    ),
    "upgrade": (("hpatui upgrade --to 1.38 -A", "which HPAs 1.38 sizes differently; exit code 1 if any"),),
    "demo": (
        ("hpatui demo", "press l for load, q to quit"),
        ("hpatui demo --list", "what else it can show"),
        ("hpatui demo --scenario flapping --speed 4", "another scenario, four times as fast"),
    ),
    "sandbox": (
        ("hpatui sandbox --kubeconfig-out kc", "then: kubectl --kubeconfig kc get hpa -A"),
        ("hpatui sandbox --kubernetes 1.32", "as Kubernetes 1.32 answers"),
    ),
    "example": (
        ("hpatui example print", "look first"),
        ("hpatui example apply --yes", "create it on the current context; remove deletes it again"),
    ),
    "load": (
        ("hpatui load shop/cart --rate 50 --duration 1m", "the Service in front of an HPA's target"),
        ("hpatui load http://127.0.0.1:8080/ --rate 200 --duration 1m --max-p95 250ms", "exit code 1 if missed"),
        ("hpatui load shop/cart --find-capacity --peak 900", "requests/s per pod, replicas for a peak"),
        ("hpatui load shop/cart --plan spike.toml --json", "a plan; its stages may wait for the HPA"),
    ),
    "config": (
        ("hpatui config", "the settings in force, and where each comes from"),
        ("hpatui config --init", "write a commented file to start with"),
    ),
    "completion": (
        ("source <(hpatui completion bash)", "in ~/.bashrc; the same with zsh"),
        ("hpatui completion fish | source", "in ~/.config/fish/config.fish"),
    ),
    "schema": (
        ("hpatui schema", "the outputs that have one"),
        ("hpatui schema watch > watch.schema.json", "that of one of them"),
    ),
    "mcp": (
        ("hpatui mcp --context staging -A", "the command that an agent's configuration names"),
        ("hpatui mcp --allow-load", "with load, each order of which is to be confirmed"),
    ),
    "record": (("hpatui record -A", "record all HPAs until interrupted"),),
    "replay": (("hpatui replay", "the recording of the current context on the screen"),),
    "export": (("hpatui export night.hpatui", "a file to send to a colleague"),),
    "history": (("hpatui history shop/cart", "what happened to it"),),
    "advise": (("hpatui advise -A", "which HPAs are badly set, and what would be better"),),
    "shadow": (("hpatui shadow candidate.yaml", "a candidate beside the live HPA; nothing is applied"),),
    "undo": (("hpatui undo", "bring back the spec before hpatui's last change"),),
    "run": (("hpatui run spike.toml --on sandbox", "an experiment; exit code 1 if an expectation fails"),),
    "compare": (("hpatui compare before.json after.json", "two results of the same experiment"),),
    "shot": (("hpatui shot", "a picture of the screen"),),
}


class Parser(argparse.ArgumentParser):
    """A wrong command line is one line that says where to read on, as every other error is."""

    def error(self, message: str) -> NoReturn:
        """Exit code 2."""
        from hpatui.text import printable

        self.exit(2, f"hpatui: {printable(message, 500)}; `{self.prog} --help` says what there is\n")


class Help(argparse.RawDescriptionHelpFormatter):
    """Commands by section; what this version does not have is left out, what no section names comes last."""

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction):
            return super()._format_action(action)
        told = {choice.dest: choice for choice in action._choices_actions}
        named = {name for names in SECTIONS.values() for name in names}
        sections = {**SECTIONS, "more": tuple(told.keys() - named)}
        parts: list[str] = []
        for title, names in sections.items():
            lines = [super(Help, self)._format_action(told[name]) for name in names if name in told]
            if lines:
                parts.append(f"{' ' * self._current_indent}{title}:\n")
                parts += [f"  {line}" for line in lines]
        return "".join(parts)


def examples(name: str) -> str:
    """The examples of a command as the end of its help; empty where there are none."""
    rows = EXAMPLES.get(name, ())
    width = max((len(line) for line, _ in rows), default=0)
    if width > 60:
        shown = [f"  {line}\n      {what}" for line, what in rows]
    else:
        shown = [f"  {line:<{width}}  {what}" for line, what in rows]
    return "\n".join(["examples:", *shown]) if rows else ""


def finish(parser: argparse.ArgumentParser, name: str) -> None:
    """Give a parser its examples and a usage that fits into a line."""
    parser.formatter_class = Help
    parser.epilog = "\n\n".join(part for part in (parser.epilog, examples(name)) if part)
    words = [parser.prog, "[flags]"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words.append(str(action.metavar or "COMMAND").upper() + " ...")
        elif not action.option_strings:
            shown = str(action.metavar or action.dest)
            if action.choices and not action.metavar:
                shown = "{" + ",".join(map(str, action.choices)) + "}"
            words.append(f"[{shown}]" if action.nargs in ("?", "*") else shown)
    parser.usage = " ".join(words).replace("%", "%%")
    if not name:
        parser.usage = f"{parser.prog} [flags] [COMMAND ...]"
        groups = parser._action_groups
        groups.insert(1, groups.pop())  # the commands before all flags
