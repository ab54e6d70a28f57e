"""The queries: which series are read, by which names, and how few of them.

Names of kube-state-metrics: docs/metrics of kubernetes/kube-state-metrics; `kube_hpa_*` and
`kube_pod_container_resource_requests_cpu_cores` are those before its version 2. Usage: cAdvisor's, which the kubelet's
/metrics/resource (what metrics-server reads) has under the same names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_HPA = "kube_(horizontalpodautoscaler|hpa)_"
HPA_NAMES = (
    f"{_HPA}(info|created|metadata_generation|spec_max_replicas|spec_min_replicas|status_current_replicas"
    "|status_desired_replicas|(spec|status)_target(_container|_object)?_metric)"
)
HPA_MAX = f"{_HPA}spec_max_replicas"
CONDITIONS = f"{_HPA}status_condition"
WORKLOADS = (
    "kube_deployment_(created|metadata_generation|spec_replicas|status_replicas(_ready|_available|_updated)?)"
    "|kube_statefulset_(created|metadata_generation|replicas|status_replicas(_ready|_available|_updated)?)"
)
LINKS = "kube_replicaset_owner"
MIXIN = "namespace_workload_pod:kube_pod_owner:relabel"  # a rule of the kubernetes-mixin: which workload a pod is of
PODS = (
    "kube_pod_(info|owner|created|start_time|container_info|init_container_info)"
    "|kube_pod(_init)?_container_resource_(requests|limits)(_cpu_cores|_memory_bytes)?"
    f"|{MIXIN}"
)
POD_FLAGS = "kube_pod_status_phase|kube_pod_status_ready|kube_pod_container_status_(waiting_reason|running)"
POD_VALUES = "kube_pod_deletion_timestamp|kube_pod_container_status_restarts_total|kube_pod_status_ready_time"
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
VERSION = "kubernetes_build_info"
# Labels by which stores of several clusters tell them apart.
CLUSTERS = ("cluster", "cluster_name", "cluster_id", "k8s_cluster", "k8s_cluster_name", "kubernetes_cluster")
_OF_CONTAINER = 'container!="",container!="POD"'
_RENAMED = 'exported_namespace!=""'


@dataclass(frozen=True, slots=True)
class Scope:
    """Which series are meant: of a namespace (None: all), that meet `match`. `exported`: kube-state-metrics' own labels were
    renamed by a scrape that does not honour them (exported_namespace, ...); `exported_usage`: so were cAdvisor's.
    """

    namespace: str | None = None
    match: str = ""
    exported: bool = False
    exported_usage: bool = False

    def states(self, names: str, more: str = "") -> str:
        """A selector of kube-state-metrics' series, by a pattern of names."""
        return self._selector(f'__name__=~"{names}"', self.exported, more)

    def usage(self, name: str, more: str = "") -> str:
        """A selector of containers' usage."""
        kept = _OF_CONTAINER.replace("container", "exported_container") if self.exported_usage else _OF_CONTAINER
        return name + self._selector("", self.exported_usage, f"{kept},{more}" if more else kept)

    def _selector(self, first: str, exported: bool, more: str) -> str:
        label = "exported_namespace" if exported else "namespace"
        name = "" if self.namespace is None else f'{label}="{_quoted(self.namespace)}"'
        return "{" + ",".join(part for part in (first, name, self.match, more) if part) + "}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_POD = "namespace,pod,exported_namespace,exported_pod"
_CONTAINER = f"{_POD},container,exported_container"


def presence(scope: Scope) -> str:
    """How many series there are of each name."""
    names = "|".join((HPA_NAMES, CONDITIONS, WORKLOADS, LINKS, PODS, POD_FLAGS, POD_VALUES))
    return f"count by (__name__) ({scope.states(names)})"


def usage_presence(scope: Scope, name: str) -> str:
    """How many containers there is usage of."""
    return f"count({scope.usage(name)})"


def renamed(scope: Scope, *, usage: bool = False) -> str:
    """How many series there are whose labels the scrape renamed."""
    other = replace(scope, exported=True, exported_usage=True)
    return f"count({other.usage(MEMORY, _RENAMED) if usage else other.states(HPA_MAX, _RENAMED)})"


def clusters(scope: Scope) -> str:
    """Of which clusters there are HPAs."""
    return f"count by ({','.join(CLUSTERS)}) ({scope.states(HPA_MAX)})"


def version(scope: Scope) -> str:
    """The version of the API servers."""
    match = f",{scope.match}" if scope.match else ""
    return f'count by (git_version) ({VERSION}{{job=~".*apiserver.*"{match}}})'


def heartbeat(scope: Scope) -> str:
    """When kube-state-metrics was last scraped."""
    return f"max(timestamp({scope.states(HPA_MAX)}))"


def flags(scope: Scope, names: str) -> str:
    """Of series that are 1 or 0 those that are 1."""
    return f"{scope.states(names)} == 1"


def last_of(scope: Scope, names: str, seconds: float) -> str:
    """The last value of each series that there was within some time: for what does not change."""
    return f"last_over_time({scope.states(names)}[{max(1, round(seconds))}s])"


def cpu(scope: Scope, window: float) -> str:
    """Cores that each container used, from the last two samples, as metrics-server does it. One value for each container,
    however many scrape it; without total, the values of single CPUs are added.
    """
    return f"max by ({_CONTAINER}) (sum without (cpu) (irate({scope.usage(CPU)}[{max(1, round(window))}s])))"


def memory(scope: Scope) -> str:
    """Bytes of each container's working set."""
    return f"max by ({_CONTAINER}) ({scope.usage(MEMORY)})"


def sampled(scope: Scope) -> str:
    """When each pod's usage was sampled."""
    return f"max by ({_POD}) (timestamp({scope.usage(MEMORY)}))"
