"""What every sandbox has: nodes, the system namespaces, a metrics server, and the controller's flags to read."""

from __future__ import annotations

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.sandbox.options import Timings
from hpatui.sandbox.scenarios.build import Manifest, World, deployment, namespace, node

FLAGS = ("sync_period", "tolerance", "downscale_stabilization", "cpu_initialization", "initial_readiness_delay",
         "metrics_resolution")  # fmt: skip
METRICS_IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.8.0"


def flags(timings: Timings) -> Manifest:
    """The ConfigMap with the controller's flags, in seconds."""
    data = {name: f"{getattr(timings, name):g}" for name in FLAGS}
    meta = {"name": "hpatui-sandbox", "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def metrics_server(notes: dict[str, str] | None = None) -> list[Manifest]:
    """Deployment, Service and APIService, as its own manifest has them."""
    server = deployment(
        "kube-system", "metrics-server", image=METRICS_IMAGE, labels={"k8s-app": "metrics-server"}, port=10250,
        needs={"requests": {"cpu": "100m", "memory": "200Mi"}}, notes=notes,
    )  # fmt: skip
    meta = {"name": "metrics-server", "namespace": "kube-system", "labels": {"k8s-app": "metrics-server"}}
    ports = [{"name": "https", "port": 443, "targetPort": 10250, "protocol": "TCP"}]
    return [
        server,
        {
            "apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": {"selector": {"k8s-app": "metrics-server"}, "ports": ports},
        },
        api_service("metrics.k8s.io", "v1beta1", "metrics-server"),
    ]  # fmt: skip


def api_service(group: str, version: str, name: str) -> Manifest:
    """An APIService that is served by a Service of kube-system."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{version}.{group}", "labels": {"k8s-app": name}},
        "spec": {
            "group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": True, "service": {"namespace": "kube-system", "name": name, "port": 443},
        },
    }  # fmt: skip


def base(
    world: World, *, nodes: int = 2, cpu: str = "4", memory: str = "8Gi", metrics_notes: dict[str, str] | None = None
) -> None:
    """Two nodes of 4 cores, the namespaces and the metrics server; a while later all of it runs."""
    world.apply(*(namespace(name) for name in ("default", "kube-system", "kube-public", "kube-node-lease")))
    now = format_rfc3339(as_datetime(world.clock.time()))
    world.apply(*(node(f"node-{number}", cpu, memory, since=now) for number in range(1, nodes + 1)))
    world.apply(flags(world.timings), kubernetes_service(), *metrics_server(metrics_notes))
    world.advance(10.0)


def kubernetes_service() -> Manifest:
    """Service default/kubernetes."""
    meta = {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    }
    ports = [{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports, "clusterIP": "10.96.0.1"}}
