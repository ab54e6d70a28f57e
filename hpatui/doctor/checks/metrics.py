"""Where the numbers come from: the metrics API and its APIService, metrics-server, the age of samples, adapters.

Rows of the failure table: no metrics-server, metrics-server crash loop, metrics stale, custom or external metric
missing; W2 to W4 of the walkthrough. Only what the HPAs in scope use is called broken: a cluster without an HPA on
Resource metrics needs no metrics-server.
"""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.doctor.checks.base import Family, span
from hpatui.doctor.fields import Json, child, condition, items, name, namespace, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Reading, Sight, Subject, World
from hpatui.forms.durations import SECOND, go_duration

RESOURCE_GROUP = "metrics.k8s.io"
USAGE_VERSIONS = ("v1beta1", "v1")
STALE_FACTOR, STALE_SLACK = 3.0, 45.0  # a sample older than 3 windows and 45 s is not fresh
CRASHES = 3

# What the last log lines of metrics-server mean: (text in the log, sentence, command).
LOG_MEANINGS = (
    (
        "i/o timeout",
        "metrics-server cannot reach the API server's cluster address: the pod network or kube-proxy is at fault",
        "kubectl -n kube-system get pods -o wide",
    ),
    (
        "connection refused",
        "what metrics-server dials does not listen: the API server or a kubelet is down or on another port",
        "kubectl get nodes -o wide",
    ),
    (
        "x509",
        "metrics-server does not trust the kubelets' certificates",
        "kubectl -n kube-system edit deployment metrics-server  # --kubelet-insecure-tls, or sign their certificates",
    ),
    (
        "forbidden",
        "metrics-server lacks a permission",
        "kubectl -n kube-system describe clusterrolebinding system:metrics-server",
    ),
    (
        "no such host",
        "metrics-server cannot resolve node names",
        "kubectl -n kube-system edit deployment metrics-server  # --kubelet-preferred-address-types=InternalIP",
    ),
)


@dataclass(frozen=True, slots=True)
class Uses:
    """Which kinds of metrics the HPAs in scope use."""

    resource: bool
    custom: bool
    external: bool


def uses_of(subjects: tuple[Subject, ...]) -> Uses:
    """What the specs of the HPAs ask for (v1 HPAs: cpu)."""
    types = {text(m, "type") for s in subjects for m in items(s.hpa, "spec", "metrics")}
    v1 = any(not items(s.hpa, "spec", "metrics") for s in subjects)
    return Uses(
        v1 or bool(types & {"Resource", "ContainerResource"}), bool(types & {"Pods", "Object"}), "External" in types
    )


async def usage_version(world: World) -> str:
    """The version of metrics.k8s.io to read: the one that the server prefers of those known here (v1 is new in 1.37)."""
    groups = await world.object("/apis")
    for group in items(groups.first, "groups"):
        if text(group, "name") == RESOURCE_GROUP:
            listed = (child(group, "preferredVersion"), *items(group, "versions"))
            return next((v for each in listed if (v := text(each, "version")) in USAGE_VERSIONS), USAGE_VERSIONS[0])
    return USAGE_VERSIONS[0]


async def check_metrics(world: World) -> Family:
    """The whole family."""
    family = Family("metrics pipeline")
    uses = uses_of(world.subjects)
    if uses.resource:
        await _resource_metrics(world, family)
    elif world.subjects:
        family.skip("metrics-api", "resource metrics API", "no HPA here uses cpu or memory")
    for used, group, id_, title in (
        (uses.custom, "custom.metrics.k8s.io", "custom-metrics-api", "custom metrics API"),
        (uses.external, "external.metrics.k8s.io", "external-metrics-api", "external metrics API"),
    ):
        if used:
            await _adapter(world, family, group, id_, title)
    return family


async def _resource_metrics(world: World, family: Family) -> None:
    """The API and metrics-server together: one cause gives one finding, the other names it."""
    groups = await world.object("/apis")
    version = await usage_version(world)
    apiservice = f"{version}.{RESOURCE_GROUP}"
    service = await world.object(f"/apis/apiregistration.k8s.io/v1/apiservices/{apiservice}")
    samples = await world.list(f"/apis/{RESOURCE_GROUP}/{version}", "pods", world.scope_namespace)
    served = any(text(g, "name") == RESOURCE_GROUP for g in items(groups.first, "groups"))
    available = condition(service.first, "Available") if service.first is not None else {}
    server_at_fault = await _metrics_server(world, family)
    title = "resource metrics API"
    if samples.sight is Sight.READ:
        family.ok("metrics-api", title, "the group metrics.k8s.io is served and answers")
        await _freshness(world, family, samples)
        return
    if samples.sight is Sight.FORBIDDEN:
        family.unseen("metrics-api", title, samples)
        return
    if server_at_fault:
        family.skip(
            "metrics-api", title, "does not answer, because metrics-server does not run", follows="metrics-server"
        )
    elif service.sight is Sight.MISSING or (not served and service.sight is not Sight.READ):
        family.fail(
            "metrics-api",
            title,
            "",
            "the group metrics.k8s.io is not served: metrics-server is not installed, so no HPA can read cpu or memory",
            (
                Evidence("/apis", "groups", "no metrics.k8s.io"),
                Evidence(samples.path, "HTTP status", str(samples.status)),
            ),
            "kubectl apply -f https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml",
        )
    else:
        await _unavailable(world, family, (apiservice, available), samples)
    family.skip("metrics-fresh", "age of samples", "there are no samples to look at", follows="metrics-api")


async def _unavailable(world: World, family: Family, service: tuple[str, Json], samples: Reading) -> None:
    """The APIService is there and does not answer: find the flag or object at fault (W2)."""
    apiservice, available = service
    reason, message = text(available, "reason"), text(available, "message")
    evidence = [
        Evidence(
            f"APIService/{apiservice}",
            "status.conditions[Available]",
            f"{text(available, 'status') or 'absent'} {reason}".strip(),
        ),
        Evidence(samples.path, "HTTP status", f"{samples.status} {samples.error}".strip()),
    ]
    why = f"the metrics API does not answer: {message or samples.error}"
    command = f"kubectl describe apiservice {apiservice}"
    if text(available, "status") != "False":
        config = await world.object("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")
        if config.sight is Sight.READ and not text(config.first, "data", "requestheader-client-ca-file"):
            path = "ConfigMap/kube-system/extension-apiserver-authentication"
            evidence.append(Evidence(path, "data.requestheader-client-ca-file", "absent"))
            why = "API aggregation is off: the API server runs without --requestheader-client-ca-file"
            command = (
                "kube-apiserver needs --requestheader-client-ca-file, --proxy-client-cert-file, --proxy-client-key-file"
            )
    elif "no route" in message or "timeout" in message or reason == "FailedDiscoveryCheck":
        why += "; if the API server cannot reach pod addresses, it needs --enable-aggregator-routing=true"
    family.fail("metrics-api", "resource metrics API", "", why, tuple(evidence), command)


async def _metrics_server(world: World, family: Family) -> bool:
    """W3 and W4: the deployment, its ready pods, restarts and last log lines. True if it is at fault."""
    title = "metrics-server"
    pods = await world.list("/api/v1", "pods", "kube-system")
    if pods.sight is not Sight.READ:
        family.unseen("metrics-server", title, pods)
        return False
    own = [p for p in pods.objects if _is_metrics_server(p)]
    if not own:
        family.skip(
            "metrics-server", title, "no pod of metrics-server in kube-system; another server may serve the API"
        )
        return False
    ready = [p for p in own if text(condition(p, "Ready"), "status") == "True"]
    crashing = [p for p in own if _restarts(p) >= CRASHES or _waiting(p) == "CrashLoopBackOff"]
    sick = [p for p in crashing if p not in ready] or ([] if ready else own)
    if not sick:
        family.ok("metrics-server", title, f"{len(ready)} of {len(own)} ready")
        return False
    pod = sick[0]
    log = await world.log_tail(pod)
    path = f"Pod/kube-system/{name(pod)}"
    evidence = [
        Evidence(path, "status.containerStatuses[].restartCount", str(_restarts(pod))),
        Evidence(path, "status.containerStatuses[].state", _waiting(pod) or text(pod, "status", "phase") or "unknown"),
        *(Evidence(path, "log", line[:300]) for line in log[-2:]),
    ]
    meaning, command = _meaning(log)
    state = "restarts again and again" if pod in crashing else "is not ready"
    family.fail(
        "metrics-server",
        title,
        path,
        f"metrics-server {state}{meaning}",
        tuple(evidence),
        command or (f"kubectl -n kube-system logs {name(pod)} --previous"),
    )
    return True


def _meaning(log: tuple[str, ...]) -> tuple[str, str]:
    joined = "\n".join(log)
    for sign, sentence, command in LOG_MEANINGS:
        if sign in joined:
            return f": {sentence}", command
    return "", ""


def _is_metrics_server(pod: Json) -> bool:
    labels = child(pod, "metadata", "labels")
    return "metrics-server" in (labels.get("k8s-app"), labels.get("app.kubernetes.io/name"), labels.get("app"))


def _restarts(pod: Json) -> int:
    return max((number(c, "restartCount") or 0 for c in items(pod, "status", "containerStatuses")), default=0)


def _waiting(pod: Json) -> str:
    for status in items(pod, "status", "containerStatuses"):
        reason = text(status, "state", "waiting", "reason")
        if reason:
            return reason
    return ""


async def _freshness(world: World, family: Family, samples: Reading) -> None:
    """The age of each HPA's newest sample; a single pod without one is normal while it starts."""
    title = "age of samples"
    newest: dict[str, tuple[float, float]] = {}
    by_pod = {(namespace(s), name(s)): s for s in samples.objects}
    old: list[tuple[Subject, float, float]] = []
    for subject in world.subjects:
        ages = []
        for pod in subject.live_pods():
            sample = by_pod.get((namespace(pod), name(pod)))
            moment = time_of(sample, "timestamp") if sample is not None else None
            if moment is not None:
                ages.append((world.now - moment, _window(sample)))
        if ages:
            age, window = min(ages)
            newest[str(subject.key)] = (age, window)
            if age > STALE_FACTOR * window + STALE_SLACK:
                old.append((subject, age, window))
    if not old:
        oldest = max((age for age, _ in newest.values()), default=None)
        if oldest is None:
            family.skip("metrics-fresh", title, "no sample of these pods to look at")
        else:
            family.ok("metrics-fresh", title, f"at most {span(oldest)} old")
        return
    nodes = await world.list("/api/v1", "nodes", None)
    lost = [n for n in nodes.objects if text(condition(n, "Ready"), "status") != "True"]
    for subject, age, window in old:
        evidence = (
            Evidence(f"PodMetrics of {subject.about}", "timestamp", f"{span(age)} old, window {window:g} s"),
            *(
                Evidence(f"Node/{name(n)}", "status.conditions[Ready]", text(condition(n, "Ready"), "status"))
                for n in lost[:3]
            ),
        )
        cause = (
            "a node's kubelet cannot be reached" if lost else "metrics-server is overloaded or cannot reach kubelets"
        )
        family.warn(
            "metrics-fresh",
            title,
            subject.about,
            f"the HPA decides on numbers {span(age)} old: {cause}",
            evidence,
            "kubectl get nodes" if lost else "kubectl -n kube-system logs deployment/metrics-server --tail=20",
        )


def _window(sample: Json | None) -> float:
    """Seconds that a sample covers; metrics-server's default where it does not say."""
    try:
        return go_duration(text(sample, "window")) / SECOND
    except ValueError:
        return 15.0


async def _adapter(world: World, family: Family, group: str, id_: str, title: str) -> None:
    """A metrics adapter's group: served at all? Whether it knows a metric, the HPA's own status tells."""
    groups = await world.object("/apis")
    if groups.sight is not Sight.READ:
        family.unseen(id_, title, groups)
        return
    versions = [
        text(v, "version")
        for g in items(groups.first, "groups")
        if g.get("name") == group
        for v in items(g, "versions")
    ]
    wanted = "external" if group.startswith("external") else "custom"
    if not versions:
        family.fail(
            id_,
            title,
            "",
            f"the group {group} is not served: no adapter for {wanted} metrics is installed",
            (Evidence("/apis", "groups", f"no {group}"),),
            f"kubectl get apiservices | grep {group}",
        )
        return
    answer = await world.object(f"/apis/{group}/{versions[0]}")
    if answer.sight is Sight.READ or answer.sight is Sight.FORBIDDEN:
        family.ok(id_, title, f"{group}/{versions[0]} is served")
        return
    family.fail(
        id_,
        title,
        "",
        f"the adapter behind {group} does not answer: {answer.error}",
        (Evidence(answer.path, "HTTP status", str(answer.status or "no answer")),),
        f"kubectl describe apiservice {versions[0]}.{group}",
    )
