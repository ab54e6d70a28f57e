"""What runs inside a container: how much CPU a request costs, how memory grows, how long a start takes.

A profile is chosen by the annotation `sandbox.hpatui.dev/profile` of the pod, or else by the image of its first
container; other annotations under the same prefix change single numbers (`sandbox.hpatui.dev/cost-ms: "10"`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

PREFIX = "sandbox.hpatui.dev/"
KI = 1024.0
MI = 1024.0 * 1024.0


@dataclass(frozen=True, slots=True)
class Profile:
    """CPU in cores or CPU seconds, memory in bytes, times in seconds."""

    name: str
    serves: bool = True  # answers HTTP, through the data plane
    cost: float = 0.004  # CPU seconds a request
    backlog: int = 100  # requests in the container at most; the next one gets a 503
    body: str = "OK!"
    idle_cpu: float = 0.001
    memory: float = 21576 * KI
    memory_per_request: float = 64 * KI  # while it is in flight
    held: float = 0.0  # bytes a request leaves behind for `held_for`
    held_for: float = 60.0
    leak: float = 0.0  # bytes a request leaves behind for ever
    leak_per_second: float = 0.0
    startup_cpu: float = 0.0  # CPU seconds spent at the start
    ready_after: float = 0.0  # seconds from start to ready; 0: the kubelet's own
    crash_after: float = 0.0  # seconds from start to exit code 1; 0: never
    run_for: float = 0.0  # seconds from start to exit code 0; 0: for ever
    log: str = ""  # what the container writes at its start
    consumes: float = 0.0  # messages per second that it takes from its queue
    queue: str = ""  # the queue's name
    wave: str = ""  # CPU without requests: "low,high,period[,phase]" in cores and seconds, for all replicas together
    init_takes: float = 0.0  # seconds of each init container; 0: what its command says
    init_fails: bool = False  # init containers exit with code 1
    sidecar_fails: bool = False  # native sidecars crash
    pull_error: bool = False  # the image does not exist
    process: bool = False  # a real process (`containers`)


_PHP = Profile(
    "php-apache", log="AH00558: apache2: Could not reliably determine the server's fully qualified domain name"
)
_METRICS_LOG = (
    "I0101 00:00:00.000000       1 serving.go:374] Generated self-signed cert (/tmp/apiserver.crt, /tmp/apiserver.key)"
)

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        _PHP,
        Profile("web", cost=0.002, memory=12 * MI),
        Profile("memory", cost=0.002, memory=20 * MI, held=512 * KI, held_for=30.0),
        Profile("slow-start", cost=0.004, memory=60 * MI, startup_cpu=3.0, ready_after=12.0),
        Profile("leaky", cost=0.002, memory=24 * MI, leak=24 * KI, leak_per_second=16 * KI),
        Profile("queue-consumer", serves=False, consumes=5.0, memory=40 * MI),
        Profile("metrics-server", serves=False, idle_cpu=0.004, memory=18 * MI, log=_METRICS_LOG),
        Profile("batch", serves=False, idle_cpu=0.2, memory=30 * MI, run_for=5.0),
        Profile("idle", serves=False, memory=0.8 * MI),
        Profile("synthetic", serves=False, memory=30 * MI),
        Profile("locust", serves=False, process=True, idle_cpu=0.05, memory=60 * MI),
        Profile("crash", serves=False, crash_after=2.0, log="fatal: cannot read configuration"),
        Profile("broken-image", serves=False, pull_error=True),
    )
}  # fmt: skip
_IMAGES = (
    ("hpa-example", "php-apache"),
    ("php-apache", "php-apache"),
    ("metrics-server", "metrics-server"),
    ("locustio/locust", "locust"),
    ("busybox", "idle"),
    ("pause", "idle"),
)
_CALL = re.compile(
    r"\b(?:wget|curl)\b.*?https?://(?P<name>[a-z0-9-]+)(?:\.(?P<space>[a-z0-9-]+)[a-z0-9.-]*)?(?::(?P<port>\d+))?"
)
_SCALES = {"cost": ("cost-ms", 0.001)}


def profile_of(pod: Mapping[str, Any]) -> Profile:
    """The profile of a pod; unknown names and numbers that are none are passed over."""
    notes = pod["metadata"].get("annotations") or {}
    containers = pod["spec"].get("containers") or [{}]
    image = containers[0].get("image", "")
    default = next((name for part, name in _IMAGES if part in image), "web")
    if called_service(pod):
        default = "idle"
    elif pod["spec"].get("restartPolicy", "Always") != "Always" and default in ("web", "idle"):
        default = "batch"
    base = PROFILES.get(notes.get(f"{PREFIX}profile", default)) or PROFILES[default]
    if not any(name.startswith(PREFIX) for name in notes):
        return base
    return _changed(base, notes)


def called_service(pod: Mapping[str, Any]) -> str:
    """`namespace/name:port` of the Service that a pod calls in an endless loop, as the guide's busybox does; or ""."""
    for container in pod["spec"].get("containers") or ():
        text = " ".join([*(container.get("command") or ()), *(container.get("args") or ())])
        found = _CALL.search(text)
        if found and "while" in text:
            name, space = found["name"], found["space"] or pod["metadata"].get("namespace", "default")
            return f"{space}/{name}:{found['port'] or 80}"
    return ""


def _changed(base: Profile, notes: Mapping[str, str]) -> Profile:
    changes: dict[str, Any] = {}
    for entry in fields(Profile):
        name, scale = _SCALES.get(entry.name, (entry.name.replace("_", "-"), 1.0))
        text = notes.get(PREFIX + name)
        if text is None or entry.name == "name":
            continue
        value = _read(text, type(getattr(base, entry.name)), scale)
        if value is not None:
            changes[entry.name] = value
    return replace(base, **changes)


def _read(text: str, kind: type, scale: float) -> object:
    if kind is bool:
        return text == "true"
    if kind is str:
        return text
    read: Callable[[str], float] = int if kind is int else float
    try:
        number = read(text)
    except ValueError:
        return None
    return number * scale if kind is float else number


def wave(text: str, now: float) -> float:
    """CPU of a `wave` ("low,high,period[,phase]") at `now`: a triangle between low and high cores."""
    try:
        low, high, period, *rest = (float(part) for part in text.split(","))
    except ValueError:
        return 0.0
    if period <= 0:
        return low
    at = ((now + (rest[0] if rest else 0.0)) / period) % 1.0
    return low + (high - low) * (2 * at if at < 0.5 else 2 - 2 * at)
