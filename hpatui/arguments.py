"""The flags of all commands. Nothing here imports what a command needs to run."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable

from hpatui.errors import HpatuiError


def cluster() -> argparse.ArgumentParser:
    """Flags of all commands that look at a cluster. Nothing is set that was not given, so that layers below show."""
    group = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add = group.add_argument_group("cluster").add_argument
    add("--kubeconfig", metavar="FILE", help="kubeconfig (default: $KUBECONFIG, then ~/.kube/config)")
    add("--context", metavar="C", help="context of the kubeconfig")
    add("-n", "--namespace", metavar="NS", help="namespace (default: the context's)")
    add("--as", dest="as_user", metavar="USER", help="impersonate this user, as kubectl --as does")
    add("--as-group", dest="as_groups", action="append", metavar="GROUP", help="with --as: this group too (repeatable)")
    add("-A", "--all-namespaces", action="store_true", help="HPAs of all namespaces")
    add("--hpa", metavar="[NS/]NAME", help="the HPA to select")
    levels = ("auto", "focus", "view", "all")
    add("--observe", choices=levels, help="whose decisions are computed: of the selected HPA, of those in view, of all")
    add("--log-file", metavar="FILE", help="where failures are logged (default: hpatui.log in the state folder)")
    add = group.add_argument_group("the cluster's controller").add_argument
    for name, text in (
        ("sync-period", "the controller's sync period"),
        ("downscale-stabilization", "its downscale stabilization window"),
        ("cpu-initialization", "its CPU initialization period"),
        ("initial-readiness-delay", "its initial readiness delay"),
    ):
        add(f"--{name}", type=_seconds, metavar="SECONDS", help=f"{text}, where the cluster's flags were changed")
    add("--tolerance", type=float, metavar="FRACTION", help="the controller's default tolerance (0.1)")
    text = "whose rules the controller follows, as 1.32 (default: those of the server's version)"
    add("--controller-rules", type=_rules, metavar="VERSION", help=text)
    text = "its feature gates, where they were changed: HPAScaleToZero=true,PodLevelResources=false"
    add("--feature-gates", type=_gates, metavar="GATES", help=text)
    return group


def prometheus(parser: argparse.ArgumentParser) -> None:
    """A Prometheus that knows the time in which nothing was recorded."""
    text = "fill the time without a recording from this Prometheus (Thanos, Mimir, VictoriaMetrics)"
    parser.add_argument("--prometheus", metavar="URL", default=argparse.SUPPRESS, help=text)


def screen() -> argparse.ArgumentParser:
    group = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add = group.add_argument_group("screen").add_argument
    add("--read-only", action="store_true", help="no load and nothing that changes a cluster")
    add("--low-bandwidth", action="store_true", help="fewer colours and repaints, for slow lines")
    add("--ascii", action="store_true", help="no characters beyond ASCII")
    add("--theme", metavar="T", help="dark, light, ansi or high-contrast")
    add("--bell", action="store_true", help="ring the terminal's bell at each rescale")
    add("--no-record", dest="record", action="store_false", help="keep no recording of what is seen")
    add = group.add_argument_group("load of the key l").add_argument
    add("--load-url", metavar="URL", help="where l sends the load (default: found from the HPA)")
    ways = ("proxy", "port-forward", "cluster")
    add("--load-via", choices=ways, help="how l reaches the pods (proxy); cluster: by Locust inside it")
    add("--load-workers", type=int, metavar="N", help="Locust's workers with --load-via cluster (1)")
    add("--load-plan", metavar="FILE", help="a plan in TOML that l carries out: stages, requests, TLS")
    add("--load-rate", type=_positive, metavar="R", help="requests per second that l starts with (50)")
    add("--max-rate", type=_positive, metavar="R", help="never more requests per second than this (200)")
    return group


def _scenario_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--scenario", default="walkthrough", metavar="NAME", help="what the sandbox holds (hpatui demo --list)")
    add("--fleet", type=int, default=0, metavar="N", help="N more HPAs with their deployments")
    add("--speed", type=_positive, default=1.0, metavar="N", help="run the cluster's clock N times faster")
    add("--kube-timings", action="store_true", help="Kubernetes' own timings (sync 15 s, window 300 s)")
    add("--kubernetes", default="", metavar="VERSION", help="be Kubernetes 1.28 to 1.38, to the letter (default: 1.37)")


def demo(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui demo`."""
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    _scenario_arguments(parser)


def sandbox(parser: argparse.ArgumentParser, run_fault: Callable[[argparse.Namespace], int]) -> None:
    """Flags of `hpatui sandbox`, and its command `fault`."""
    _scenario_arguments(parser)
    add = parser.add_argument
    add("--port", type=_port, default=0, metavar="N", help="port on 127.0.0.1 (default: a free one)")
    add("--kubeconfig-out", metavar="FILE", help="where to write the kubeconfig")
    add("--parent-pipe", action="store_true", help=argparse.SUPPRESS)
    faults = parser.add_subparsers(title="commands", metavar="fault")
    fault = faults.add_parser("fault", help="break something in a running sandbox", allow_abbrev=False)
    from hpatui.sandbox.options import add_fault_arguments

    add_fault_arguments(fault)
    fault.set_defaults(run=run_fault)


def watch(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui watch`."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each snapshot")
    parser.add_argument("--changes", action="store_true", help="one line for each change instead (JSON only)")
    parser.add_argument("--once", action="store_true", help="end after the first complete snapshot")
    parser.add_argument("--details", action="store_true", help="with pods and events (JSON only)")


def one_hpa(parser: argparse.ArgumentParser) -> None:
    """The name of an HPA."""
    parser.add_argument("name", metavar="[NS/]NAME", help="the HPA")


def explain(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui explain`."""
    one_hpa(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def doctor(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui doctor`."""
    parser.add_argument("name", metavar="[NS/]NAME", nargs="?", help="one HPA (default: all of the namespace)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def upgrade(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui upgrade`."""
    add = parser.add_argument
    add("name", metavar="[NS/]NAME", nargs="?", help="one HPA (default: all of the namespace)")
    add("--to", required=True, type=_rules, metavar="VERSION", help="the version to compare with: 1.28 to 1.38")
    add("--watch", type=_seconds, default=0.0, metavar="SECONDS", help="watch each HPA that long: its syncs count too")
    add("--json", action="store_true", help="as JSON")


def example(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui example`."""
    parser.add_argument("action", choices=("apply", "remove", "print"), help="create it, delete it, or show its YAML")
    parser.add_argument("--yes", action="store_true", help="do it on a cluster that is not the sandbox")


def config(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui config`."""
    parser.add_argument("--init", action="store_true", help="write a commented file to start with")
    parser.add_argument("--json", action="store_true", help="as JSON")


def completion(parser: argparse.ArgumentParser) -> None:
    """The shell whose completion is printed."""
    text = "bash, zsh or fish; e.g. `source <(hpatui completion bash)`, or `hpatui completion fish | source`"
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help=text)


def load(parser: argparse.ArgumentParser) -> None:
    """Flags of `hpatui load`."""
    from hpatui.load.arguments import add_arguments

    add_arguments(parser)


def _seconds(text: str) -> float:
    from hpatui.load.plan import parse_duration

    try:
        return parse_duration(text)
    except (HpatuiError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 15, 30s or 5m") from error


def _rules(text: str) -> str:
    from hpatui.autoscaler.rules import rules_of

    try:
        return rules_of(text).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _gates(text: str) -> str:
    from hpatui.autoscaler.which_rules import parse_gates

    try:
        parse_gates(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


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
