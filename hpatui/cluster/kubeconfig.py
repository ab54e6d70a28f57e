"""Which cluster, as whom: the kubeconfig files merged as kubectl merges them, or the pod's own service account.

The one door: files -> strict types (`kubefile.py`) -> `Access`, in which each field is used, or refused here by its name.
Raises NoClusterError where there is none; its hint mentions `hpatui demo`, which needs none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from hpatui.cluster.access import Access, PemSource, User
from hpatui.cluster.address import BadAddress, server_url, without_login
from hpatui.cluster.kubefile import ClusterEntry, ContextEntry, KubeFile, UserEntry, read_file
from hpatui.cluster.pem import pem_source
from hpatui.cluster.users import acting_as, user_of
from hpatui.errors import NoClusterError
from hpatui.settings import Settings
from hpatui.text import printable

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_DEMO = "or try it without a cluster: hpatui demo"
_LONGEST_PATH = 4000  # characters; more is no path on any system
_PROXIES = ("http", "https", "socks5", "socks5h")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """A context as lists show it: its name, the server's URL, its namespace, whether it is the file's current one."""

    name: str
    server: str
    namespace: str
    current: bool


def list_contexts(settings: Settings, environ: Mapping[str, str] | None = None) -> list[ContextFacts]:
    """The contexts of the kubeconfig, in its order. Servers are shown without user and password."""
    config = _Config(settings, os.environ if environ is None else environ)
    return [
        ContextFacts(name, config.server(context), context.namespace or "default", name == config.current)
        for name, (context, _) in config.contexts.items()
    ]


def cluster_access(settings: Settings, context: str | None = None, environ: Mapping[str, str] | None = None) -> Access:
    """What to connect to: the named context, else the settings' one, else the current one, else the pod's own."""
    env = os.environ if environ is None else environ
    wanted = context or settings.context
    inside = _in_cluster(env, settings) if not wanted else None
    if inside is not None:
        try:
            config = _Config(settings, env)
        except _Missing:
            if settings.kubeconfig:
                raise
            return inside
        return inside if config.empty else config.access(None)
    return _Config(settings, env).access(wanted)


class _Missing(NoClusterError):
    """There is no file at all."""


class _Config:
    """Several files as one: the first to name something wins."""

    def __init__(self, settings: Settings, env: Mapping[str, str]) -> None:
        self.clusters: dict[str, tuple[ClusterEntry, KubeFile]] = {}
        self.users: dict[str, tuple[UserEntry, KubeFile]] = {}
        self.contexts: dict[str, tuple[ContextEntry, KubeFile]] = {}
        self.current = ""
        self._settings = settings
        where = settings.kubeconfig or env.get("KUBECONFIG") or "~/.kube/config"
        self._where = where if len(where) < 200 and "\n" not in where else "KUBECONFIG"
        paths = [settings.kubeconfig] if settings.kubeconfig else self._split(where)
        found = [file for file in (self._read(path) for path in paths if path) if file is not None]
        if not found:
            raise _Missing(f"there is no kubeconfig at {self._where}", hint=f"name one with --kubeconfig, {_DEMO}")
        for file in found:
            _add(self.clusters, file.clusters, file)
            _add(self.users, file.users, file)
            _add(self.contexts, file.contexts, file)
            self.current = self.current or file.current

    @staticmethod
    def _split(where: str) -> list[str]:
        """A list of paths; but the content of a file, which holds colons too, stays in one piece to be refused by name."""
        return [where] if "\n" in where or "apiVersion" in where else where.split(os.pathsep)

    @staticmethod
    def _read(text: str) -> KubeFile | None:
        if "\n" in text or "apiVersion" in text or len(text) > _LONGEST_PATH:
            raise NoClusterError(
                "KUBECONFIG holds a kubeconfig's text where the path of a file belongs",
                hint="write the text into a file and name that",
            )
        try:
            path = Path(text).expanduser()
        except (RuntimeError, ValueError):
            path = Path(text)
        return read_file(path)

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it that could be connected to."""
        return not self.contexts and not self.clusters and not self.current

    def server(self, context: ContextEntry) -> str:
        """For lists."""
        found = self.clusters.get(context.cluster)
        return without_login(found[0].server) if found else ""

    def access(self, wanted: str | None) -> Access:
        """The whole of one context. NoClusterError names file, field and mend."""
        name = wanted or self.current
        if not name:
            raise NoClusterError(
                f"{self._where} names no current context", hint=self._choices("choose one with --context")
            )
        if name not in self.contexts:
            shown = printable(repr(name), 100)
            raise NoClusterError(f"there is no context {shown} in {self._where}", hint=self._choices("choose another"))
        context, file = self.contexts[name]
        self._known_fields(file, "context", name)
        shown = printable(repr(name), 100)
        if context.cluster not in self.clusters:
            raise NoClusterError(
                f"context {shown} names the cluster {printable(repr(context.cluster), 100)}, which {self._where} does "
                "not have", hint="correct the context"
            )  # fmt: skip
        if context.user not in self.users and context.user:
            raise NoClusterError(
                f"context {shown} names the user {printable(repr(context.user), 100)}, which {self._where} does not "
                "have", hint="correct the context, or log in again"
            )  # fmt: skip
        cluster, cluster_file = self.clusters[context.cluster]
        self._known_fields(cluster_file, "cluster", context.cluster)
        user, user_file = self.users.get(context.user, (UserEntry(), file))
        self._known_fields(user_file, "user", context.user)
        return _access(name, context, (cluster, cluster_file), (user, user_file), self._settings)

    def _known_fields(self, file: KubeFile, singular: str, name: str) -> None:
        strange = file.strange.get((singular, name))
        if strange:
            fields = printable(", ".join(strange), 200)
            shown = printable(repr(name), 100)
            raise NoClusterError(
                f"{file.path}: {singular} {shown} has fields that are not understood: {fields}",
                hint="correct or remove them; a misspelt one might be the one that limits what you may do",
            )

    def _choices(self, start: str) -> str:
        names = printable(", ".join(self.contexts), 500)
        return f"{start}: {names}" if self.contexts else f"it has none; {_DEMO}"


def _add(known: dict[str, tuple[_V, KubeFile]], more: dict[str, _V], file: KubeFile) -> None:
    for name, entry in more.items():
        known.setdefault(name, (entry, file))


def _access(
    name: str, context: ContextEntry, cluster: tuple[ClusterEntry, KubeFile], user: tuple[UserEntry, KubeFile],
    settings: Settings,
) -> Access:  # fmt: skip
    entry, file = cluster
    where = f"{file.path}: cluster {printable(repr(context.cluster), 100)}"
    try:
        server, login = server_url(entry.server)
    except BadAddress as error:
        shown = without_login(entry.server)
        words = f"{where}: server {shown!r} {error}" if shown else f"{where} has no server"
        raise NoClusterError(words, hint="correct it") from None
    ca = _authority(entry, file.path.parent, where)
    if entry.insecure and ca is not None:
        raise NoClusterError(f"{where} has both {ca.name} and insecure-skip-tls-verify", hint="remove one")
    may_identify = server.startswith("https://")  # like kubectl: who we are is told only over TLS
    acting = acting_as(user[0], f"{user[1].path}: user {printable(repr(context.user), 100)}", settings)
    return Access(
        context=name,
        server=server,
        namespace=context.namespace or "default",
        origin=str(file.path),
        cluster=context.cluster,
        ca=ca,
        tls_server_name=entry.tls_server_name or None,
        verify=not entry.insecure,
        proxy=_proxy(entry.proxy, where),
        compress=not entry.disable_compression,
        user=user_of(context.user, user, cluster, server, login) if may_identify else User(context.user),
        acting_as=acting,
        may_identify=may_identify,
    )


def _authority(entry: ClusterEntry, folder: Path, where: str) -> PemSource | None:
    if entry.ca and entry.ca_data:
        raise NoClusterError(f"{where} has certificate-authority and certificate-authority-data", hint="remove one")
    return pem_source("certificate-authority", entry.ca, entry.ca_data, folder, where)


def _proxy(url: str, where: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        clean = url.isprintable() and " " not in url
        usable = clean and parts.scheme in _PROXIES and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise NoClusterError(
            f"{where}: proxy-url {without_login(url)!r} is no proxy's URL", hint="write http://, https:// or socks5://"
        )
    return url


def _in_cluster(env: Mapping[str, str], settings: Settings) -> Access | None:
    host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT")
    token = _SERVICE_ACCOUNT / "token"
    if not host or not port or not token.exists():
        return None
    shown = f"[{host}]" if ":" in host else host
    namespace = _SERVICE_ACCOUNT / "namespace"
    authority = _SERVICE_ACCOUNT / "ca.crt"
    return Access(
        context="in-cluster",
        server=f"https://{shown}:{port}",
        namespace=namespace.read_text(encoding="utf-8").strip() if namespace.exists() else "default",
        origin="the pod's service account",
        ca=PemSource("ca.crt", path=authority) if authority.exists() else None,
        user=User(token_file=token),
        acting_as=acting_as(UserEntry(), "the pod's service account", settings),
    )
