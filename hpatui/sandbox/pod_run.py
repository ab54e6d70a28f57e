"""A pod on its node, and what the kubelet needs of containers that are real processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hpatui.sandbox.controllers.objects import Key, Object
from hpatui.sandbox.pod_log import PodLog
from hpatui.sandbox.workload import Profile


class NotMountedError(Exception):
    """A ConfigMap or Secret of a pod is not there (yet); says which."""


@dataclass(slots=True)
class PodRun:
    """A pod on its node. Times: epoch seconds.

    `stage`: creating, init, initbackoff, running, ready, backoff, image, config, ended, stopping.
    """

    key: Key
    uid: str
    node: str
    owner: str
    profile: Profile
    stage: str
    ip: str = ""
    due: float = 0.0  # when the next step is
    started: float = 0.0  # of the containers that run now
    restarts: int = 0
    exit_code: int = 1
    init: int = 0  # which init container runs: those before it have ended, or are sidecars that run
    init_since: float = 0.0
    init_code: int = 0
    init_restarts: dict[int, int] = field(default_factory=dict)  # by index
    pause: float = 0.0  # the back-off of the init container that failed, of the volume that is missing
    log: PodLog = field(default_factory=PodLog)


class Processes(Protocol):
    """Containers that are real processes (`containers.Containers`)."""

    def available(self) -> bool:
        """Whether they can be started here."""

    def start(self, pod: Object, run: PodRun) -> None:
        """Start one. NotMountedError where a volume is missing."""

    def stop(self, run: PodRun) -> None:
        """End it, if there is one; its end is not reported."""


class NoProcesses:
    """None can be started."""

    def available(self) -> bool:
        return False

    def start(self, pod: Object, run: PodRun) -> None:
        return None

    def stop(self, run: PodRun) -> None:
        return None
