"""Flags -> Settings -> a command. Every heavy import stands inside the command that needs it, so that `hpatui --help` and
the first frame of the screen come at once.

Exit codes: 0 done, 1 a threshold or check failed, 2 could not go on, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from hpatui import __version__
from hpatui.errors import HpatuiError
from hpatui.plain.options import WatchOptions
from hpatui.settings import Settings, load_settings

if TYPE_CHECKING:
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.session.live import Session

EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run hpatui; returns the exit code. Errors for the user are one line on standard error."""
    parser = build_parser()
    args = parser.parse_args(argv)
    command: Callable[[argparse.Namespace], int] = args.run
    try:
        return command(args)
    except HpatuiError as error:
        print(f"hpatui: {_one_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error, but standard output must not be flushed again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _one_line(text: str) -> str:
    from hpatui.text import printable

    return printable(" ".join(text.split()), 2000)


# Arguments ------------------------------------------------------------------------------------------------------------


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, without importing what the commands need."""
    cluster, screen = _cluster_arguments(), _screen_arguments()
    parser = argparse.ArgumentParser(
        prog="hpatui",
        description="Watch HorizontalPodAutoscalers scale, and why, while you drive the load.",
        epilog="No cluster at hand? `hpatui demo` brings its own.",
        parents=[cluster, screen],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hpatui {__version__}")
    parser.set_defaults(run=_run_screen)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, text: str, run: Callable[[argparse.Namespace], int], *parents: argparse.ArgumentParser) -> Any:
        sub = commands.add_parser(name, help=text, description=text, parents=parents, allow_abbrev=False)
        sub.set_defaults(run=run)
        return sub

    demo = add("demo", "the screen on an embedded sandbox cluster", _run_demo, screen)
    demo.add_argument("--list", action="store_true", help="list the scenarios and end")
    _sandbox_arguments(demo)
    sandbox = add("sandbox", "the sandbox cluster alone, until interrupted", _run_sandbox)
    _sandbox_arguments(sandbox)
    sandbox.add_argument("--port", type=_port, default=0, metavar="N", help="port on 127.0.0.1 (default: a free one)")
    sandbox.add_argument("--kubeconfig-out", metavar="FILE", help="where to write the kubeconfig")
    sandbox.add_argument("--parent-pipe", action="store_true", help=argparse.SUPPRESS)
    _fault_arguments(sandbox)
    watch = add("watch", "print HPAs and their changes as lines or JSON", _run_watch, cluster)
    watch.add_argument("--json", action="store_true", help="one JSON object a line for each snapshot")
    watch.add_argument("--once", action="store_true", help="end after the first complete snapshot")
    watch.add_argument("--details", action="store_true", help="with pods and events (JSON only)")
    for name, text, run in (
        ("explain", "why an HPA has the size it has, step by step", _run_explain),
        ("describe", "the text of `kubectl describe hpa`", _run_describe),
    ):
        command = add(name, text, run, cluster)
        command.add_argument("name", metavar="[NS/]NAME", help="the HPA")
        if name == "explain":
            command.add_argument("--json", action="store_true", help="as JSON")
    doctor = add("doctor", "check the autoscaling pipeline; exit code 1 if something is broken", _run_doctor, cluster)
    doctor.add_argument("name", metavar="[NS/]NAME", nargs="?", help="one HPA (default: all of the namespace)")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    example = add("example", "a small application with an HPA, to try autoscaling on a cluster", _run_example, cluster)
    example.add_argument("action", choices=("apply", "remove", "print"), help="create it, delete it, or show its YAML")
    example.add_argument("--yes", action="store_true", help="do it on a cluster that is not the sandbox")
    from hpatui.load.arguments import add_arguments

    add_arguments(add("load", "drive load without a screen and report it", _run_load, cluster))
    return parser


def _cluster_arguments() -> argparse.ArgumentParser:
    """Flags of all commands that look at a cluster. Nothing is set that was not given, so that layers below show."""
    group = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add = group.add_argument
    add("--kubeconfig", metavar="FILE", help="kubeconfig (default: $KUBECONFIG, then ~/.kube/config)")
    add("--context", metavar="C", help="context of the kubeconfig")
    add("-n", "--namespace", metavar="NS", help="namespace (default: the context's)")
    add("-A", "--all-namespaces", action="store_true", help="HPAs of all namespaces")
    add("--hpa", metavar="[NS/]NAME", help="the HPA to select")
    for name, text in (
        ("sync-period", "the controller's sync period"),
        ("downscale-stabilization", "its downscale stabilization window"),
        ("cpu-initialization", "its CPU initialization period"),
        ("initial-readiness-delay", "its initial readiness delay"),
    ):
        add(f"--{name}", type=_seconds, metavar="SECONDS", help=f"{text}, where the cluster's flags were changed")
    add("--tolerance", type=float, metavar="FRACTION", help="the controller's default tolerance (0.1)")
    return group


def _screen_arguments() -> argparse.ArgumentParser:
    group = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add = group.add_argument
    add("--read-only", action="store_true", help="no load and nothing that changes a cluster")
    add("--low-bandwidth", action="store_true", help="fewer colours and repaints, for slow lines")
    add("--ascii", action="store_true", help="no characters beyond ASCII")
    add("--theme", metavar="T", help="dark, light, ansi or high-contrast")
    add("--bell", action="store_true", help="ring the terminal's bell at each rescale")
    add("--load-url", metavar="URL", help="where l sends the load (default: found from the HPA)")
    ways = ("proxy", "port-forward", "cluster")
    add("--load-via", choices=ways, help="how l reaches the pods (proxy); cluster: by Locust inside it")
    add("--load-workers", type=int, metavar="N", help="Locust's workers with --load-via cluster (1)")
    add("--load-rate", type=_positive, metavar="R", help="requests per second that l starts with (50)")
    add("--max-rate", type=_positive, metavar="R", help="never more requests per second than this (200)")
    return group


def _sandbox_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--scenario", default="walkthrough", metavar="NAME", help="what the sandbox holds (hpatui demo --list)")
    add("--fleet", type=int, default=0, metavar="N", help="N more HPAs with their deployments")
    add("--speed", type=_positive, default=1.0, metavar="N", help="run the cluster's clock N times faster")
    add("--kube-timings", action="store_true", help="Kubernetes' own timings (sync 15 s, window 300 s)")


def _fault_arguments(sandbox: argparse.ArgumentParser) -> None:
    faults = sandbox.add_subparsers(title="commands", metavar="fault")
    fault = faults.add_parser("fault", help="break something in a running sandbox", allow_abbrev=False)
    from hpatui.sandbox.options import add_fault_arguments

    add_fault_arguments(fault)
    fault.set_defaults(run=_run_fault)


def _seconds(text: str) -> float:
    from hpatui.load.plan import parse_duration

    try:
        return parse_duration(text)
    except (HpatuiError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 15, 30s or 5m") from error


def _positive(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if 0 < value < 1e9:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")


def _port(text: str) -> int:
    if text.isdecimal() and 0 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")


def _settings(args: argparse.Namespace) -> Settings:
    return load_settings(vars(args))


# Commands -------------------------------------------------------------------------------------------------------------


def _run_screen(args: argparse.Namespace) -> int:
    settings = _settings(args)
    return _show(settings)


def _show(settings: Settings, demo: SandboxOptions | None = None) -> int:
    """The screen, or the plain front end where the terminal cannot show one."""
    from hpatui.ui.terminal import screen_possible

    reason = screen_possible(os.environ, sys.stdin, sys.stdout, sys.stderr)
    if settings.hpa:
        from hpatui.session.port import parse_hpa_name

        parse_hpa_name(settings.hpa)  # what is wrong there is said before the screen opens

    def make_session() -> Session:
        from hpatui.session.live import Session

        return Session(settings, demo=demo)

    if reason is None:
        from hpatui.ui.app import run

        return run(make_session, settings)
    print(f"hpatui: {reason}: printing lines instead", file=sys.stderr)
    return _watch_plain(settings, WatchOptions(), demo)


def _run_demo(args: argparse.Namespace) -> int:
    from hpatui.sandbox.options import SandboxOptions, list_scenarios

    if args.list:
        for name, text in list_scenarios():
            print(f"{name:<16} " + text.replace("\n", f"\n{'':<17}"))
        return 0
    options = SandboxOptions(scenario=args.scenario, fleet=args.fleet, speed=args.speed, kube_timings=args.kube_timings)
    options.check()
    return _show(_settings(args), options)


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
        )
    )


def _run_fault(args: argparse.Namespace) -> int:
    from hpatui.sandbox.faults import run_fault

    return run_fault(args)


def _run_watch(args: argparse.Namespace) -> int:
    return _watch_plain(_settings(args), WatchOptions(args.json, args.once, args.details))


def _watch_plain(settings: Settings, options: WatchOptions, demo: SandboxOptions | None = None) -> int:
    from hpatui.plain.watch import watch

    return _with_session(settings, lambda session: watch(session, options), demo)


def _run_explain(args: argparse.Namespace) -> int:
    from hpatui.plain.explain import explain

    settings = load_settings({**vars(args), "hpa": args.name})
    return _with_session(settings, lambda session: explain(session, as_json=args.json))


def _run_describe(args: argparse.Namespace) -> int:
    from hpatui.plain.describe import describe

    settings = load_settings({**vars(args), "hpa": args.name})
    return _with_session(settings, describe)


def _run_doctor(args: argparse.Namespace) -> int:
    from hpatui.plain.doctor import doctor

    return _run_async(doctor(load_settings({**vars(args), "hpa": args.name}), as_json=args.json))


def _run_example(args: argparse.Namespace) -> int:
    from hpatui.plain.example import example

    return _run_async(example(_settings(args), args.action, yes=args.yes))


def _run_load(args: argparse.Namespace) -> int:
    from hpatui.plain.load import load

    return load(args, _settings(args))


def _with_session(
    settings: Settings, work: Callable[[Session], Coroutine[Any, Any, int]], demo: SandboxOptions | None = None
) -> int:
    from hpatui.session.live import Session

    async def run() -> int:
        session = Session(settings, demo=demo)
        try:
            return await work(session)
        finally:
            await session.stop()

    return _run_async(run())


def _run_async(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end, or until SIGINT, SIGTERM or SIGHUP: those cancel the work, which then cleans up."""
    import asyncio

    async def guarded() -> int:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return EXIT_INTERRUPTED

    return asyncio.run(guarded())


if __name__ == "__main__":
    raise SystemExit(main())
