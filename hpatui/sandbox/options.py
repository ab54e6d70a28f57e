"""What a sandbox is asked to be, and its clocks. Imports nothing heavy: the command line and the session read it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

from hpatui.errors import UsageError
from hpatui.sandbox.release import Release, release_of
from hpatui.sandbox.scenarios.catalog import CATALOG

FLEET_MOST = 20_000
_SLEEPS, _SLEEPS_FROM = "scale-to-zero", "1.37"
_SYNCS_PER_SECOND = 250.0  # of all HPAs together, at most


@dataclass(frozen=True, slots=True)
class Timings:
    """The controller's flags and the metrics server's resolution, in seconds of the cluster's clock.

    `tolerance` is a fraction. The names are those of the keys in ConfigMap kube-system/hpatui-sandbox.
    """

    sync_period: float = 3.0
    tolerance: float = 0.1
    downscale_stabilization: float = 30.0
    cpu_initialization: float = 15.0
    initial_readiness_delay: float = 3.0
    metrics_resolution: float = 3.0
    pod_start: float = 1.5  # from scheduled to running
    pod_ready: float = 1.0  # from running to ready, where no probe says otherwise
    pod_stop: float = 1.0  # from SIGTERM to gone, where the application stops by itself
    crash_backoff: float = 3.0  # first pause before a restart; doubles up to 30 times this
    event_refill: float = 20.0  # until an object that had its burst of events may have one more


QUICK = Timings()
KUBERNETES = Timings(
    sync_period=15.0,
    downscale_stabilization=300.0,
    cpu_initialization=300.0,
    initial_readiness_delay=30.0,
    metrics_resolution=15.0,
    pod_start=3.0,
    pod_ready=2.0,
    pod_stop=2.0,
    crash_backoff=10.0,
    event_refill=300.0,
)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How to run a sandbox. `port` 0: a free one. `kubeconfig_out` None: a file in a private temporary folder.

    `kubernetes`: which version it is (`release`).
    `parent_pipe`: standard input is a pipe held by the parent; the sandbox ends when it closes.
    """

    port: int = 0
    kubeconfig_out: str | None = None
    scenario: str = "walkthrough"
    fleet: int = 0
    speed: float = 1.0
    kube_timings: bool = False
    parent_pipe: bool = False
    kubernetes: str = ""

    def check(self) -> None:
        """Raise UsageError where a value cannot be used."""
        if self.scenario not in CATALOG:
            raise UsageError(f"no scenario {self.scenario!r}", hint=f"there are: {', '.join(CATALOG)}")
        if self.scenario == _SLEEPS and not self.release.rules.scale_to_zero:
            raise UsageError(f"scenario {_SLEEPS} needs Kubernetes {_SLEEPS_FROM}", hint=f"--kubernetes {_SLEEPS_FROM}")
        if not 0 <= self.fleet <= FLEET_MOST:
            raise UsageError(f"--fleet {self.fleet}: not between 0 and {FLEET_MOST}")
        if not 0.1 <= self.speed <= 100:
            raise UsageError(f"--speed {self.speed:g}: not between 0.1 and 100")

    @property
    def release(self) -> Release:
        """Which Kubernetes it is; UsageError for one that it cannot be."""
        return release_of(self.kubernetes or (_SLEEPS_FROM if self.scenario == _SLEEPS else ""))

    @property
    def timings(self) -> Timings:
        """Quick ones, or Kubernetes' own; a large fleet is synced less often, so that one core suffices."""
        chosen = KUBERNETES if self.kube_timings else QUICK
        period = max(chosen.sync_period, self.fleet / _SYNCS_PER_SECOND)
        return replace(chosen, sync_period=period) if period > chosen.sync_period else chosen


def list_scenarios() -> list[tuple[str, str]]:
    """Name and what to look at, in the order to show them."""
    return [(name, entry.look_at) for name, entry in CATALOG.items()]


def add_fault_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hpatui sandbox fault`; run by hpatui.sandbox.faults.run_fault."""
    parser.add_argument("--kubeconfig", metavar="FILE", help="the sandbox's kubeconfig (default: $KUBECONFIG)")
    kinds = parser.add_subparsers(title="faults", metavar="FAULT", dest="fault", required=True)

    def add(name: str, text: str, target: str = "") -> argparse.ArgumentParser:
        kind = kinds.add_parser(name, help=text, description=text, allow_abbrev=False)
        if target:
            kind.add_argument("target", metavar=target)
        kind.add_argument("--for", dest="seconds", type=float, metavar="S", help="end it after S seconds")
        return kind

    add("metrics-down", "the metrics API is unavailable")
    slow = add("api-slow", "every answer of the API server comes late")
    slow.add_argument("--delay", type=float, default=1.0, metavar="S", help="how late (default 1 s)")
    start = add("slow-start", "pods that start from now on are ready later")
    start.add_argument("--delay", type=float, default=10.0, metavar="S", help="how much later (default 10 s)")
    add("api-down", "the API server closes every connection (default: for 10 s)")
    add("pod-crash", "containers of a pod crash (with --for: again and again)", "[NS/]POD")
    add("node-gone", "a node is lost with its pods", "NODE")
    kinds.add_parser("list", help="the faults in force")
    clear = kinds.add_parser("clear", help="end one fault, or all")
    clear.add_argument("target", metavar="FAULT", nargs="?", help="as `list` names it")
