"""Flags -> Settings -> a command. Every heavy import stands inside the command that needs it, so that `hpatui --help` and
the first frame of the screen come at once.

Exit codes: 0 done, 1 a threshold or check failed, 2 could not go on, 130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui import __version__, arguments
from hpatui.commands import Command, CommandTable, experiments, helping, memory, tuning, world
from hpatui.commands.running import settings_of, with_session
from hpatui.ends import ending, need_output, run_async
from hpatui.settings import Settings

if TYPE_CHECKING:
    from hpatui.plain.options import WatchOptions
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.session.live import Session


def main(argv: Sequence[str] | None = None) -> int:
    """Run hpatui; returns the exit code. Errors for the user are one line on standard error."""
    gc.set_threshold(50_000, 10, 10)  # a collection for each 700 new objects is a fifth of the time to the first list
    words = sys.argv[1:] if argv is None else list(argv)

    def command() -> int:
        if "_ARGCOMPLETE" in os.environ:
            from hpatui.plain.completing import answer, asked

            answer(build_parser(asked() or []))
        args = build_parser(words).parse_args(words)
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)

    try:
        return ending(command)
    finally:
        gc.freeze()  # all that is left goes with the process; to look for cycles in it takes a tenth of a short command


# Arguments ------------------------------------------------------------------------------------------------------------


def build_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The command line; only the commands among `words` know their own flags, for those of all take time to build."""
    parents = {"cluster": arguments.cluster(), "screen": arguments.screen()}
    parser: argparse.ArgumentParser = helping.Parser(
        prog="hpatui",
        description="Watch HorizontalPodAutoscalers scale, and why, while you drive the load.",
        epilog="No cluster at hand? `hpatui demo` brings its own. `hpatui COMMAND --help` explains a command.",
        parents=[*parents.values()],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hpatui {__version__}")
    parser.set_defaults(run=_run_screen)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (text, run, group, fill) in _COMMANDS.items():
        if name not in words:
            commands.add_parser(name, help=text, add_help=False)
            continue
        sub = commands.add_parser(
            name, help=text, description=text, parents=[parents[word] for word in group.split()], allow_abbrev=False
        )
        sub.set_defaults(run=run)
        fill(sub)
        helping.finish(sub, name)
    helping.finish(parser, "")
    return parser


# Commands -------------------------------------------------------------------------------------------------------------


def _run_screen(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    return _show(settings)


def _show(settings: Settings, demo: SandboxOptions | None = None) -> int:
    """The screen, or the plain front end where the terminal cannot show one."""
    from hpatui.ui.terminal import prepare, screen_possible, speaks_utf8

    reason = screen_possible(os.environ, sys.stdin, sys.stdout)
    if settings.hpa:
        from hpatui.session.port import parse_hpa_name

        parse_hpa_name(settings.hpa)  # what is wrong there is said before the screen opens

    def make_session() -> Session:
        from hpatui.session.live import Session

        return Session(settings, demo=demo, record=settings.record)

    if reason is None:
        prepare(os.environ)
        if not speaks_utf8(os.environ):
            settings = replace(settings, ascii=True)
        from hpatui.ui.app import run

        return run(make_session, settings)
    print(f"hpatui: {reason}: printing lines instead", file=sys.stderr)
    return _watch_plain(settings, demo=demo)


def _run_demo(args: argparse.Namespace) -> int:
    from hpatui.sandbox.options import SandboxOptions, list_scenarios

    if args.list:
        for name, text in list_scenarios():
            print(f"{name:<16} " + text.replace("\n", f"\n{'':<17}"))
        return 0
    options = SandboxOptions(
        scenario=args.scenario,
        fleet=args.fleet,
        speed=args.speed,
        kube_timings=args.kube_timings,
        kubernetes=args.kubernetes,
    )
    options.check()
    return _show(settings_of(args), options)


def _run_sandbox(args: argparse.Namespace) -> int:
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.sandbox.server import run_sandbox

    return run_sandbox(
        SandboxOptions(
            port=args.port,
            kubeconfig_out=args.kubeconfig_out,
            scenario=args.scenario,
            fleet=args.fleet,
            speed=args.speed,
            kube_timings=args.kube_timings,
            parent_pipe=args.parent_pipe,
            kubernetes=args.kubernetes,
        )
    )


def _run_fault(args: argparse.Namespace) -> int:
    from hpatui.sandbox.faults import run_fault

    return run_fault(args)


def _run_watch(args: argparse.Namespace) -> int:
    need_output()
    from hpatui.errors import UsageError
    from hpatui.plain.options import WatchOptions

    if args.changes and (not args.json or args.once):
        raise UsageError("--changes goes with --json, and not with --once", hint="write watch --json --changes")
    return _watch_plain(settings_of(args), WatchOptions(args.json, args.once, args.details, args.changes))


def _watch_plain(
    settings: Settings, options: WatchOptions | None = None, demo: SandboxOptions | None = None
) -> int:  # fmt: skip
    from hpatui.plain.options import WatchOptions
    from hpatui.plain.watch import watch

    chosen = options or WatchOptions()
    details = chosen.details or not chosen.once
    if chosen.once and settings.observe != "all":
        settings = replace(settings, observe="focus")  # a single look has no time to observe
    return with_session(settings, lambda session: watch(session, chosen), demo, details=details)


def _run_explain(args: argparse.Namespace) -> int:
    from hpatui.plain.explain import explain

    settings = settings_of(args, hpa=args.name, observe="focus")
    return with_session(settings, lambda session: explain(session, as_json=args.json))


def _run_describe(args: argparse.Namespace) -> int:
    from hpatui.plain.describe import describe

    settings = settings_of(args, hpa=args.name, observe="focus")
    return with_session(settings, describe)


def _run_doctor(args: argparse.Namespace) -> int:
    from hpatui.plain.doctor import doctor

    return run_async(doctor(settings_of(args, hpa=args.name), as_json=args.json))


def _run_upgrade(args: argparse.Namespace) -> int:
    from hpatui.plain.upgrade import upgrade

    settings = settings_of(args, hpa=args.name)
    return with_session(settings, lambda session: upgrade(session, args.to, as_json=args.json, seconds=args.watch))


def _run_example(args: argparse.Namespace) -> int:
    from hpatui.plain.example import example

    return run_async(example(settings_of(args), args.action, yes=args.yes))


def _run_config(args: argparse.Namespace) -> int:
    from hpatui.plain import config

    return config.init() if args.init else config.show(vars(args), as_json=args.json)


def _run_completion(args: argparse.Namespace) -> int:
    from hpatui.plain.completing import script

    print(script(args.shell))
    return 0


def _run_load(args: argparse.Namespace) -> int:
    from hpatui.plain.load import load

    return load(args, settings_of(args))


_COMMANDS: CommandTable = {
    "demo": Command("the screen on an embedded sandbox cluster", _run_demo, "screen", arguments.demo),
    "sandbox": Command(
        "the sandbox cluster alone, until interrupted",
        _run_sandbox,
        "",
        lambda parser: arguments.sandbox(parser, _run_fault),
    ),
    "watch": Command("print HPAs and their changes as lines or JSON", _run_watch, "cluster", arguments.watch),
    "explain": Command("why an HPA has the size it has, step by step", _run_explain, "cluster", arguments.explain),
    "describe": Command("the text of `kubectl describe hpa`", _run_describe, "cluster", arguments.one_hpa),
    "doctor": Command(
        "check the autoscaling pipeline; exit code 1 if something is broken",
        _run_doctor,
        "cluster",
        arguments.doctor,
    ),
    "upgrade": Command(
        "which HPAs another version of Kubernetes would size differently; exit code 1 if any",
        _run_upgrade,
        "cluster",
        arguments.upgrade,
    ),
    "example": Command(
        "a small application with an HPA, to try autoscaling on a cluster",
        _run_example,
        "cluster",
        arguments.example,
    ),
    "config": Command(
        "the settings in force and where each comes from", _run_config, "cluster screen", arguments.config
    ),
    "completion": Command("completion for bash, zsh or fish", _run_completion, "", arguments.completion),
    "load": Command("drive load without a screen and report it", _run_load, "cluster", arguments.load),
    **memory.COMMANDS,
    **tuning.COMMANDS,
    **experiments.COMMANDS,
    **world.COMMANDS,
}


if __name__ == "__main__":
    raise SystemExit(main())
