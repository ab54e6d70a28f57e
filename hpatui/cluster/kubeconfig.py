"""Which cluster, as whom: the kubeconfig files merged as kubectl merges them, or the pod's own service account.

Raises NoClusterError where there is none; its hint mentions `hpatui demo`, which needs none.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hpatui.errors import NoClusterError
from hpatui.settings import Settings

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_DEMO = "or try it without a cluster: hpatui demo"


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """A context as lists show it: its name, the server's URL, its namespace, whether it is the file's current one."""

    name: str
    server: str
    namespace: str
    current: bool


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """All that a connection needs. `user` may hold secrets, so it is left out of the representation."""

    context: str
    server: str
    namespace: str
    ca_file: str | None
    ca_data: str | None
    tls_server_name: str | None
    verify: bool
    proxy: str | None
    user: Mapping[str, Any] = field(repr=False)
    folder: Path = Path()  # what relative paths in `user` are relative to


def list_contexts(settings: Settings, environ: Mapping[str, str] | None = None) -> list[ContextFacts]:
    """The contexts of the kubeconfig, in its order."""
    config = _Config(settings, os.environ if environ is None else environ)
    return [
        ContextFacts(name, config.server(context), str(context.get("namespace") or "default"), name == config.current)
        for name, context in config.contexts.items()
    ]


def cluster_access(
    settings: Settings, context: str | None = None, environ: Mapping[str, str] | None = None
) -> ClusterAccess:
    """What to connect to: the named context, else the settings' one, else the current one, else the pod's own."""
    env = os.environ if environ is None else environ
    wanted = context or settings.context
    if not wanted and not settings.kubeconfig and not env.get("KUBECONFIG"):
        inside = _in_cluster(env)
        if inside is not None and not Path("~/.kube/config").expanduser().exists():
            return inside
    return _Config(settings, env).access(wanted)


class _Config:
    """Several files as one: the first to name something wins."""

    def __init__(self, settings: Settings, env: Mapping[str, str]) -> None:
        self.clusters: dict[str, tuple[dict[str, Any], Path]] = {}
        self.users: dict[str, tuple[dict[str, Any], Path]] = {}
        self.contexts: dict[str, dict[str, Any]] = {}
        self.current = ""
        self._where = settings.kubeconfig or env.get("KUBECONFIG") or "~/.kube/config"
        paths = [settings.kubeconfig] if settings.kubeconfig else self._where.split(os.pathsep)
        found = [path for path in (Path(p).expanduser() for p in paths if p) if path.exists()]
        if not found:
            raise NoClusterError(
                f"there is no kubeconfig at {self._where}", hint=f"name one with --kubeconfig, {_DEMO}"
            )
        for path in found:
            self._add(path)

    def _add(self, path: Path) -> None:
        try:
            config = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, UnicodeDecodeError) as error:
            raise NoClusterError(f"cannot read {path}: {error}", hint="make it readable") from error
        except yaml.YAMLError as error:
            line = getattr(getattr(error, "problem_mark", None), "line", None)
            where = f" (line {line + 1})" if line is not None else ""
            raise NoClusterError(f"{path} is no YAML{where}", hint="correct it") from error
        if config is None:
            return
        if not isinstance(config, dict):
            raise NoClusterError(f"{path} is no kubeconfig", hint=f"name another with --kubeconfig, {_DEMO}")
        for name, entry in _named(config, "clusters", "cluster"):
            self.clusters.setdefault(name, (entry, path.parent))
        for name, entry in _named(config, "users", "user"):
            self.users.setdefault(name, (entry, path.parent))
        for name, entry in _named(config, "contexts", "context"):
            self.contexts.setdefault(name, entry)
        self.current = self.current or str(config.get("current-context") or "")

    def server(self, context: Mapping[str, Any]) -> str:
        cluster, _ = self.clusters.get(str(context.get("cluster")), ({}, Path()))
        return str(cluster.get("server") or "")

    def access(self, wanted: str | None) -> ClusterAccess:
        name = wanted or self.current
        if not name:
            raise NoClusterError(
                f"{self._where} names no current context", hint=self._choices("choose one with --context")
            )
        context = self.contexts.get(name)
        if context is None:
            raise NoClusterError(f"there is no context {name!r} in {self._where}", hint=self._choices("choose another"))
        cluster_name = str(context.get("cluster") or "")
        if cluster_name not in self.clusters:
            raise NoClusterError(
                f"context {name!r} names the cluster {cluster_name!r}, which {self._where} does not have"
            )
        cluster, folder = self.clusters[cluster_name]
        user, user_folder = self.users.get(str(context.get("user") or ""), ({}, folder))
        server = str(cluster.get("server") or "")
        if not server.startswith(("http://", "https://")):
            raise NoClusterError(
                f"cluster {cluster_name!r} has no usable server address ({server!r})", hint="correct it"
            )
        ca_file, ca_data = cluster.get("certificate-authority"), cluster.get("certificate-authority-data")
        return ClusterAccess(
            context=name,
            server=server.rstrip("/"),
            namespace=str(context.get("namespace") or "default"),
            ca_file=str((folder / str(ca_file)).resolve()) if ca_file else None,
            ca_data=decode_base64(ca_data, "certificate-authority-data").decode("ascii", "replace")
            if ca_data
            else None,
            tls_server_name=cluster.get("tls-server-name"),
            verify=not cluster.get("insecure-skip-tls-verify"),
            proxy=cluster.get("proxy-url"),
            user=user,
            folder=user_folder,
        )

    def _choices(self, start: str) -> str:
        return f"{start}: {', '.join(self.contexts)}" if self.contexts else f"it has none; {_DEMO}"


def _named(config: dict[str, Any], plural: str, singular: str) -> list[tuple[str, dict[str, Any]]]:
    entries = config.get(plural)
    if not isinstance(entries, list):
        return []
    found: list[tuple[str, dict[str, Any]]] = []
    for entry in entries:
        if isinstance(entry, dict) and "name" in entry:
            value = entry.get(singular)
            found.append((str(entry["name"]), value if isinstance(value, dict) else {}))
    return found


def decode_base64(text: object, name: str) -> bytes:
    """The bytes of a `-data` field; NoClusterError, without its content, where it is not base64."""
    try:
        return base64.b64decode(str(text), validate=False)
    except ValueError as error:
        raise NoClusterError(f"{name} of the kubeconfig is no base64", hint="correct it") from error


def _in_cluster(env: Mapping[str, str]) -> ClusterAccess | None:
    host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT")
    token = _SERVICE_ACCOUNT / "token"
    if not host or not port or not token.exists():
        return None
    shown = f"[{host}]" if ":" in host else host
    namespace = _SERVICE_ACCOUNT / "namespace"
    return ClusterAccess(
        context="in-cluster",
        server=f"https://{shown}:{port}",
        namespace=namespace.read_text(encoding="utf-8").strip() if namespace.exists() else "default",
        ca_file=str(_SERVICE_ACCOUNT / "ca.crt"),
        ca_data=None,
        tls_server_name=None,
        verify=True,
        proxy=None,
        user={"tokenFile": str(token)},
    )
