"""Series as kube-state-metrics and the kubelet would give them, made of known facts, for a real Prometheus to tell.

facts (a trace, or a list) -> Scraper.take -> scrape(time) -> OpenMetrics -> promtool -> blocks -> prometheus
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpatui.model import Deleted, Hpa, Key, Listed, Pod, PodUsage, Seen, Upserted, Workload

INSTALLED = shutil.which("prometheus") is not None and shutil.which("promtool") is not None
WHY = "prometheus and promtool (Debian's package prometheus) are not installed"
Labels = dict[str, str]


@dataclass
class Series:
    """Samples by metric and labels, as an OpenMetrics file."""

    samples: dict[str, dict[tuple[tuple[str, str], ...], list[tuple[float, float]]]] = field(default_factory=dict)

    def add(self, name: str, labels: Labels, moment: float, value: float) -> None:
        key = tuple(sorted((k, v) for k, v in labels.items() if v))
        self.samples.setdefault(name, {}).setdefault(key, []).append((moment, value))

    def text(self) -> str:
        lines = []
        for name, series in sorted(self.samples.items()):
            for labels, values in series.items():
                shown = ",".join(f'{key}="{value}"' for key, value in labels)
                lines += [f"{name}{{{shown}}} {value!r} {moment:.3f}" for moment, value in values]
        return "\n".join([*lines, "# EOF", ""])


@dataclass
class Scraper:
    """What is known at a moment, scraped. `names`: v2 or v1 of kube-state-metrics; `more`: labels of the scrape (on all
    series); `exported`: the scrape renames labels; `skip`: names that are dropped (by their beginning).
    """

    series: Series = field(default_factory=Series)
    names: str = "v2"
    more: Labels = field(default_factory=dict)
    exported: bool = False
    skip: tuple[str, ...] = ()
    hpas: dict[Key, Hpa] = field(default_factory=dict)
    pods: dict[Key, Pod] = field(default_factory=dict)
    workloads: dict[Key, Workload] = field(default_factory=dict)
    usages: dict[Key, PodUsage] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)  # uid -> core seconds
    counted: float | None = None

    def take(self, seen: Seen) -> None:
        """One fact."""
        what = seen.what
        if isinstance(what, Listed):
            table = self._table(what.kind.value)
            if table is not None:
                table.clear()
                table.update({item.key: item for item in what.items})
        elif isinstance(what, Upserted):
            table = self._table(what.kind.value)
            if table is not None:
                table[what.item.key] = what.item
        elif isinstance(what, Deleted):
            table = self._table(what.kind.value)
            if table is not None:
                table.pop(what.key, None)

    def _table(self, kind: str) -> dict[Key, Any] | None:
        tables: dict[str, dict[Key, Any]] = {
            "hpas": self.hpas,
            "pods": self.pods,
            "workloads": self.workloads,
            "pod metrics": self.usages,
        }
        return tables.get(kind)

    def _put(self, name: str, labels: Labels, moment: float, value: float) -> None:
        if name.startswith(self.skip):
            return
        if self.exported:
            taken = ("namespace", "pod", "container")
            labels = {(f"exported_{k}" if k in taken else k): v for k, v in labels.items()}
            labels |= {"namespace": "monitoring", "pod": "kube-state-metrics-0", "container": "ksm"}
        self.series.add(name, {**labels, **self.more}, moment, value)

    def scrape(self, moment: float) -> None:
        """A sample of each series."""
        for hpa in self.hpas.values():
            self._hpa(hpa, moment)
        for workload in self.workloads.values():
            of = workload.kind.lower()
            labels = {"namespace": workload.key.namespace, of: workload.key.name}
            size = "kube_statefulset_replicas" if of == "statefulset" else f"kube_{of}_spec_replicas"
            for name, value in (
                (size, workload.replicas), (f"kube_{of}_status_replicas", workload.status_replicas),
                (f"kube_{of}_status_replicas_ready", workload.ready), (f"kube_{of}_created", workload.created),
            ):  # fmt: skip
                if value is not None:
                    self._put(name, labels, moment, float(value))
        for pod in self.pods.values():
            self._pod(pod, moment)
        self._usage(moment)

    def _hpa(self, hpa: Hpa, moment: float) -> None:
        old = self.names == "v1"
        prefix, label = ("kube_hpa_", "hpa") if old else ("kube_horizontalpodautoscaler_", "horizontalpodautoscaler")
        labels = {"namespace": hpa.key.namespace, label: hpa.key.name}
        ref = hpa.reference
        if not old:
            target = {
                "scaletargetref_kind": ref.kind, "scaletargetref_name": ref.name,
                "scaletargetref_api_version": ref.api_version,
            }  # fmt: skip
            self._put(f"{prefix}info", {**labels, **target}, moment, 1)
        for name, value in (
            ("spec_max_replicas", hpa.max_replicas), ("spec_min_replicas", hpa.min_replicas),
            ("status_current_replicas", hpa.current_replicas), ("status_desired_replicas", hpa.desired_replicas),
            ("metadata_generation", 1),
        ):  # fmt: skip
            self._put(prefix + name, labels, moment, value)
        for condition in hpa.conditions:
            for status in ("true", "false", "unknown"):
                told = {**labels, "condition": condition.type, "status": status}
                self._put(f"{prefix}status_condition", told, moment, float(condition.status.lower() == status))
        types = {"Utilization": "utilization", "AverageValue": "average", "Value": "value"}
        for metric in hpa.metrics:
            told = {**labels, "metric_name": metric.name, "metric_target_type": types[metric.target_type]}
            scale = 1000.0 if metric.unit == "m" else 1.0
            if metric.target is not None:
                self._put(f"{prefix}spec_target_metric", told, moment, metric.target / scale)
            if metric.current is not None:
                self._put(f"{prefix}status_target_metric", told, moment, metric.current / scale)

    def _pod(self, pod: Pod, moment: float) -> None:
        labels = {"namespace": pod.key.namespace, "pod": pod.key.name, "uid": pod.uid}
        self._put("kube_pod_info", {**labels, "node": pod.node, "pod_ip": pod.ip}, moment, 1)
        for owner in pod.owners:
            told = {**labels, "owner_kind": owner.kind, "owner_name": owner.name, "owner_is_controller": "true"}
            self._put("kube_pod_owner", told, moment, 1)
            if owner.kind == "ReplicaSet":
                above = {
                    "namespace": pod.key.namespace, "replicaset": owner.name, "owner_kind": "Deployment",
                    "owner_name": owner.name.rpartition("-")[0], "owner_is_controller": "true",
                }  # fmt: skip
                self._put("kube_replicaset_owner", above, moment, 1)
        for name, value in (("created", pod.created), ("start_time", pod.started), ("deletion_timestamp", pod.deleted)):
            if value is not None:
                self._put(f"kube_pod_{name}", labels, moment, value)
        for phase in ("Pending", "Running", "Succeeded", "Failed", "Unknown"):
            self._put("kube_pod_status_phase", {**labels, "phase": phase}, moment, float(pod.phase == phase))
        if pod.condition("Ready") is not None or pod.ready:
            for status in ("true", "false", "unknown"):
                told = {**labels, "condition": status}
                self._put("kube_pod_status_ready", told, moment, float(("true" if pod.ready else "false") == status))
        for one in pod.containers:
            told = {**labels, "container": one.name}
            self._put("kube_pod_container_info", {**told, "image": one.image}, moment, 1)
            self._put("kube_pod_container_status_restarts_total", told, moment, one.restarts)
            self._put("kube_pod_container_status_running", told, moment, float(one.state == "Running"))
            for resource, unit, value in (
                ("cpu", "core", one.cpu_request), ("memory", "byte", one.memory_request),
            ):  # fmt: skip
                if value is None:
                    continue
                number = value / 1000 if resource == "cpu" else value
                if self.names == "v1":
                    ending = "cpu_cores" if resource == "cpu" else "memory_bytes"
                    self._put(f"kube_pod_container_resource_requests_{ending}", told, moment, number)
                else:
                    more = {"resource": resource, "unit": unit}
                    self._put("kube_pod_container_resource_requests", {**told, **more}, moment, number)

    def _usage(self, moment: float) -> None:
        passed = moment - self.counted if self.counted is not None else 0.0
        self.counted = moment
        honoured, self.exported = self.exported, False
        for key, usage in self.usages.items():
            pod = self.pods.get(key)
            if pod is None:
                continue
            for name, (cpu, memory) in (usage.containers or {"main": (usage.cpu, usage.memory)}).items():
                place = f"{pod.uid}/{name}"
                self.spent[place] = self.spent.get(place, 0.0) + cpu / 1000 * passed
                labels = {"namespace": key.namespace, "pod": key.name, "container": name, "cpu": "total"}
                self._put("container_cpu_usage_seconds_total", labels, moment, self.spent[place])
                labels.pop("cpu")
                self._put("container_memory_working_set_bytes", labels, moment, memory)
        self.exported = honoured


def scraped(facts: Iterable[Seen], every: float, *scrapers: Scraper) -> Iterator[tuple[float, Scraper]]:
    """Play facts; before each that is later than the next scrape, scrape. Gives each scrape's time, for truths."""
    due: float | None = None
    for seen in facts:
        if due is None:
            due = seen.time - seen.time % every + every
        while seen.time > due:
            for scraper in scrapers:
                yield due, scraper
                scraper.scrape(due)
            due += every
        for scraper in scrapers:
            scraper.take(seen)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def prometheus(
    folder: Path, text: str, *, web_config: str = "", prefix: str = "", scheme: str = "http"
) -> Iterator[str]:
    """A real server with the samples of an OpenMetrics text; gives its address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "samples.om").write_text(text)
    data = folder / "data"
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", str(folder / "samples.om"), str(data)]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    port = free_port()
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y", "--log.level=error",
        f"--web.external-url=http://127.0.0.1:{port}{prefix}",
    ]  # fmt: skip
    if web_config:
        (folder / "web.yml").write_text(web_config)
        command.append(f"--web.config.file={folder / 'web.yml'}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(process, port, folder / "log")
        yield f"{scheme}://127.0.0.1:{port}{prefix}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it answers, whatever it answers."""
    for _ in range(400):
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
                return
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("prometheus does not answer")
