"""The commands run, compare."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hpatui.commands import Command, CommandTable
from hpatui.commands.running import settings_of

if TYPE_CHECKING:
    from hpatui.sandbox.options import SandboxOptions


def _run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from hpatui.ends import need_output, run_async
    from hpatui.errors import UsageError
    from hpatui.experiment.file import read_experiment
    from hpatui.experiment.ground import sandbox_options
    from hpatui.experiment.run import Setting
    from hpatui.experiment.series import run_all
    from hpatui.plain import login
    from hpatui.plain.experiment import Reports, finish, progress, with_flags

    need_output()
    settings = settings_of(args)
    reports = Reports(args.json, args.junit, args.markdown, args.html)
    reports.check()
    experiment = with_flags(read_experiment(args.file), args.speed, args.repeat)
    sandbox: SandboxOptions | None = sandbox_options(experiment)  # what is wrong with it is said wherever it runs
    where = args.on or settings.context or "sandbox"
    if where != "sandbox":
        if args.speed is not None:
            raise UsageError("--speed is for a sandbox of the run's own", hint="a cluster runs at its own speed")
        sandbox, settings = None, replace(settings, context=where)
    if settings.read_only:
        raise UsageError("this hpatui is read-only", hint="unset read_only (HPATUI_READ_ONLY, config file)")

    async def work() -> int:
        show, end = progress()
        setting = Setting(experiment, settings, sandbox, show, login.say, login.ask, args.yes, reports.beside())
        try:
            result = await run_all(setting)
        finally:
            end()
        return finish(result, reports)

    return run_async(work())


def _compare(args: argparse.Namespace) -> int:
    from hpatui.plain.compare import run_compare

    return run_compare(args.before, args.after, args.fail_if, as_json=args.json)


def _run_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the experiment, in TOML (docs/experiments.md)")
    text = "where: a sandbox of its own (default), or a context of the kubeconfig"
    add("--on", metavar="sandbox|CONTEXT", help=text)
    add("--json", action="store_true", help="the result as JSON, which hpatui compare reads")
    add("--junit", type=Path, metavar="FILE", help="write JUnit XML, for CI")
    add("--markdown", type=Path, metavar="FILE", help="write Markdown, for a pull request's comment")
    add("--html", type=Path, metavar="FILE", help="write one HTML file with charts, which works offline")
    add("--speed", type=float, metavar="N", help="run the sandbox's clock N times faster (times are the cluster's)")
    add("--repeat", type=_repeats, metavar="N", help="run it N times, whatever the file says")
    add("--yes", action="store_true", help="send load, create and change objects on a cluster without asking")


def _repeats(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 100:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 100")


def _compare_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("before", type=Path, metavar="A", help="a result of `hpatui run --json`")
    add("after", type=Path, metavar="B", help="another one, of the same experiment")
    text = 'exit code 1 if it changed by more: "p95 +20%%", "time to scale +5s" (repeatable)'
    add("--fail-if", action="append", default=[], metavar="TEXT", help=text)
    add("--json", action="store_true", help="the changes as JSON")


COMMANDS: CommandTable = {
    "run": Command(
        "run an experiment: load, faults, expectations; exit code 1 if one is not met", _run, "cluster", _run_flags
    ),
    "compare": Command("compare two results of `hpatui run --json`", _compare, "", _compare_flags),
}
