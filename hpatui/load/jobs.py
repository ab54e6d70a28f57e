"""Load from inside the cluster: the objects that a run consists of. Pure; nothing is created here.

Locust: a ConfigMap (locustfile), a Secret (the plan, whose headers may hold a token), a Service (how workers find the
master) and two Jobs. busybox: one Job of wget loops, which counts nothing.

The pods' labels are our own, so that neither the target's Service nor its HPA takes them for the application; requests
equal limits; no service account token; the restricted Pod Security Standard. Jobs end by their deadline and are deleted
`TTL` seconds later, whatever happens to hpatui.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hpatui.errors import LoadError, UsageError
from hpatui.load.plan import LoadPlan, RequestSpec, Stage
from hpatui.load.target import USER_AGENT

LEASE = 30  # seconds without a word from hpatui after which a Job that it runs ends
DEADLINE = 600  # seconds at most of a printed manifest whose plan has no end
MARGIN = 60  # seconds for pulling the image and starting, on top of the run
TTL = 60
MOST_PODS = 100
OWNER = "app.kubernetes.io/managed-by"
RUN = "hpatui.dev/run"
CONTROL_PORT = 5558  # on the loopback of the master's pod, for a port-forward (locust/locustfile.py)
LOCUST, BUSYBOX = "locustio/locust:2.47.0", "busybox:1.36"
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the generators run and what they aim at. `selector` is that of the target's Service."""

    name: str  # of the run: hpatui-load-XXXXX
    namespace: str
    url: str
    workers: int = 1
    selector: Mapping[str, str] = field(default_factory=dict)
    insecure: bool = False

    def check(self) -> None:
        """UsageError for a number of pods that cannot be used, LoadError if the Service would select the generators."""
        if not 1 <= self.workers <= MOST_PODS:
            raise UsageError(f"{self.workers} workers cannot be used", hint=f"1 to {MOST_PODS}")
        if self.selector and all(self.labels("").get(key) == value for key, value in self.selector.items()):
            raise LoadError("the target's Service would select the load generators too", hint="narrow its selector")

    def labels(self, role: str) -> dict[str, str]:
        """The labels of a pod."""
        own = {"app.kubernetes.io/name": "hpatui-load", OWNER: "hpatui", RUN: self.name}
        return {**own, "hpatui.dev/role": role} if role else own


def deadline_of(plan: LoadPlan) -> int:
    """Seconds after which a printed Job ends by itself."""
    lasts = plan.duration
    if lasts is None and all(stage.duration is not None for stage in plan.stages) and plan.model == "open":
        lasts = sum(stage.duration or 0.0 for stage in plan.stages)
    return DEADLINE if lasts is None else int(lasts + plan.timeout) + MARGIN


def locust_objects(plan: LoadPlan, place: Place, *, leased: bool = False) -> list[Object]:
    """The objects of a Locust run. `leased`: hpatui runs it, and it ends when hpatui falls silent."""
    place.check()
    folder = Path(__file__).with_name("locust")
    files = {name: (folder / name).read_text(encoding="utf-8") for name in ("locustfile.py", "run_state.py")}
    lasts = LEASE + MARGIN if leased else deadline_of(plan)
    master = [
        "--master",
        "--headless",
        "--expect-workers",
        str(place.workers),
        "--expect-workers-max-wait",
        str(MARGIN),
    ]
    command = ["locust", "-f", "/load/locustfile.py", "--only-summary"]
    mounts: list[Object] = [
        {"name": "load", "mountPath": "/load", "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    sources = [{"configMap": {"name": place.name}}, {"secret": {"name": place.name}}]
    volumes: list[Object] = [{"name": "load", "projected": {"sources": sources}}, {"name": "tmp", "emptyDir": {}}]

    def job(role: str, more: list[str], pods: int, cpu: str) -> Object:
        pod = _pod(place, role, LOCUST, [*command, *more], cpu, "256Mi", mounts, volumes)
        return _job(place, role, pod, pods, lasts)

    return [
        {**_named(place, "v1", "ConfigMap"), "data": files},
        {
            **_named(place, "v1", "Secret"),
            "stringData": {"plan.json": json.dumps(locust_plan(plan, place, leased=leased))},
        },
        {
            **_named(place, "v1", "Service"),
            "spec": {
                "clusterIP": "None",
                "publishNotReadyAddresses": True,
                "selector": place.labels("master"),
                "ports": [{"name": "master", "port": 5557}],
            },
        },
        job("master", master, 1, "500m"),
        job("worker", ["--worker", "--master-host", place.name], place.workers, "1"),
    ]


def locust_plan(plan: LoadPlan, place: Place, *, leased: bool = False) -> Object:
    """What the locustfile reads. UsageError for what Locust is not told to do."""
    if any(stage.until for stage in plan.stages) and not leased:
        raise UsageError("a stage that waits (until ...) cannot be printed", hint="give it a duration")
    if plan.http2 or plan.arrivals != "even":
        raise UsageError("HTTP/2 and Poisson arrivals cannot run in the cluster", hint="leave them out")
    try:
        requests = [
            {**asdict(spec), "headers": {"User-Agent": USER_AGENT, **_joined(spec)}, "body": spec.body.decode()}
            for spec in plan.requests
        ]
    except UnicodeDecodeError as error:
        raise UsageError("a body that is no text cannot run in the cluster", hint="use another way (--via)") from error
    for request in requests:
        request["path"] = "/" + str(request["path"]).lstrip("/")
    return {
        "url": place.url.rstrip("/"), "insecure": place.insecure, "model": plan.model,
        "concurrency": plan.most_in_flight if plan.model == "closed" else plan.concurrency,
        "duration": plan.duration, "max_rate": plan.max_rate, "timeout": plan.timeout,
        "connection_age": plan.connection_age, "stages": [asdict(stage) for stage in named(plan.stages)],
        "requests": requests, "lease": LEASE if leased else None,
    }  # fmt: skip


def _joined(spec: RequestSpec) -> dict[str, str]:
    """Headers as Locust takes them: one line for a name; several values as a list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in spec.pairs:
        same = next((known for known in found if known.lower() == name.lower()), None)
        found[same or name] = f"{found[same]}, {value}" if same else value
    return found


def named(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages with their texts as names: Locust reports those."""
    return tuple(replace(stage, name=stage.text()) for stage in stages)


def busybox_job(place: Place, deadline: int, max_rate: float = 200.0, pause: float = 0.01) -> Object:
    """The walkthrough's loop, `workers` times: wget as fast as answered, with `pause` seconds in between, or more where all
    loops together could exceed `max_rate` requests/s. UsageError for https.

    This wget follows redirects and has no option against it. But what it asks a proxy for, it asks that proxy for after a
    redirect too; so the target is made its own proxy, and nothing else ever gets a request. A server must understand that
    form of a request (RFC 9112, 3.2.2). Over https this wget knows no proxies.
    """
    place.check()
    parts = urlsplit(place.url)
    if parts.scheme != "http":
        raise UsageError("busybox's wget would follow redirects from https to anywhere", hint="use --engine locust")
    pause = max(pause, place.workers / max_rate)
    loop = f"while sleep {pause:g}; do wget -q -O- {shlex.quote(place.url)} >/dev/null; done"
    pod = _pod(place, "busybox", BUSYBOX, ["/bin/sh", "-c", loop], "100m", "32Mi", [], [])
    pod["containers"][0]["env"] = [{"name": "http_proxy", "value": f"http://{parts.netloc}"}]
    return _job(place, "busybox", pod, place.workers, deadline)


def _named(place: Place, api_version: str, kind: str, role: str = "") -> Object:
    name = f"{place.name}-{role}" if role else place.name
    meta = {"name": name, "namespace": place.namespace, "labels": place.labels(role)}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta}


def _job(place: Place, role: str, pod: Object, pods: int, deadline: int) -> Object:
    spec = {
        "parallelism": pods,
        "completions": pods,
        "backoffLimit": 0,
        "activeDeadlineSeconds": deadline,
        "ttlSecondsAfterFinished": TTL,
        "template": {"metadata": {"labels": place.labels(role)}, "spec": pod},
    }
    return {**_named(place, "batch/v1", "Job", role), "spec": spec}


def _pod(
    place: Place, role: str, image: str, command: list[str], cpu: str, memory: str, mounts: list[Object],
    volumes: list[Object],
) -> Object:  # fmt: skip
    size = {"cpu": cpu, "memory": memory}
    container = {
        "name": role,
        "image": image,
        "command": command,
        "resources": {"requests": size, "limits": size},
        "volumeMounts": mounts,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    away = {"labelSelector": {"matchLabels": dict(place.selector)}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": away}]
        }
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"affinity": affinity} if place.selector else {}),
        "containers": [container],
        **({"volumes": volumes} if volumes else {}),
    }
