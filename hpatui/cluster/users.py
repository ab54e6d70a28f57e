"""The user of a context: `user` of the kubeconfig with each of its fields checked as kubectl checks them, or refused."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpatui.cluster.access import ExecPlugin, Impersonation, Oidc, PemSource, User
from hpatui.cluster.kubefile import ClusterEntry, ExecEntry, KubeFile, ProviderEntry, UserEntry
from hpatui.cluster.pem import pem_bytes, pem_source
from hpatui.errors import NoClusterError, UsageError
from hpatui.masking import remember_secret
from hpatui.settings import Settings
from hpatui.text import printable

EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_CLUSTER_EXTENSION = "client.authentication.k8s.io/exec"
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def acting_as(user: UserEntry, where: str, settings: Settings) -> Impersonation:
    """Whom the file or the flags impersonate. As in kubectl, the flags' user and groups take the place of the file's."""
    name = settings.as_user or user.as_user
    groups = settings.as_groups or tuple(user.as_groups)
    if not name and (groups or user.as_uid or user.as_extra):
        if settings.as_groups:
            raise UsageError("--as-group needs --as", hint="name the user as well")
        raise NoClusterError(f"{where} has as-groups, as-uid or as-user-extra without as", hint="add as")
    extra = tuple((key, tuple(values)) for key, values in user.as_extra.items())
    found = Impersonation(name, groups, user.as_uid, extra)
    for header, value in found.headers():
        if _UNSENDABLE.search(value) or not header.isascii() or not header:
            raise NoClusterError(f"{where}: {header} cannot be sent: it has a control character", hint="correct it")
    return found


def user_of(
    name: str,
    user: tuple[UserEntry, KubeFile],
    cluster: tuple[ClusterEntry, KubeFile],
    server: str,
    login: tuple[str, str] | None,
) -> User:
    """Who we are. `login`: user and password of the server's URL; as in Go they come before everything else."""
    entry, file = user
    folder = file.path.parent
    where = f"{file.path}: user {printable(repr(name), 100)}"
    _check_methods(entry, where)
    certificate = pem_source(
        "client-certificate", entry.client_certificate, entry.client_certificate_data, folder, where
    )
    key = pem_source("client-key", entry.client_key, entry.client_key_data, folder, where)
    for secret in (entry.token, entry.password):
        remember_secret(secret)
    if entry.token and _UNSENDABLE.search(entry.token):
        raise NoClusterError(
            f"{where}: token has a line break or another control character in it",
            hint="write it on one line, without base64's line breaks",
        )
    basic = (entry.username, entry.password) if entry.username or entry.password else None
    provider, oidc = entry.auth_provider, None
    if provider is not None:
        oidc = _oidc(provider, where, file.path, name)
    found = User(
        name=name,
        token=entry.token,
        token_file=folder / entry.token_file if entry.token_file else None,
        basic=basic,
        certificate=certificate,
        key=key,
        plugin=_plugin(entry.exec, where, folder, cluster, server) if entry.exec is not None else None,
        oidc=oidc,
    )
    if login is not None:
        return User(name, basic=login, certificate=certificate, key=key)
    if found.token or found.token_file or basic or certificate or found.plugin or oidc:
        return found
    raise NoClusterError(f"{where} has no credentials", hint="log in again; kubectl would ask for a user name here")


def _check_methods(entry: UserEntry, where: str) -> None:
    """client-go's validateAuthInfo."""
    problem = ""
    if entry.token and (entry.username or entry.password):
        problem = "has a token and a user name or password, two ways to log in"
    elif entry.client_certificate and entry.client_certificate_data:
        problem = "has client-certificate and client-certificate-data"
    elif entry.client_key and entry.client_key_data:
        problem = "has client-key and client-key-data"
    elif (entry.client_certificate or entry.client_certificate_data) and not (
        entry.client_key or entry.client_key_data
    ):
        problem = "has a client certificate without client-key or client-key-data"
    elif (entry.client_key or entry.client_key_data) and not (
        entry.client_certificate or entry.client_certificate_data
    ):
        problem = "has a client key without client-certificate or client-certificate-data"
    elif entry.exec is not None and entry.auth_provider is not None:
        problem = "has exec and auth-provider"
    if problem:
        raise NoClusterError(f"{where} {problem}", hint="remove one" if " and " in problem else "correct it")


def _plugin(
    entry: ExecEntry, where: str, folder: Path, cluster: tuple[ClusterEntry, KubeFile], server: str
) -> ExecPlugin:
    mode = entry.interactiveMode or ("IfAvailable" if entry.apiVersion.endswith("/v1beta1") else "")
    problem = ""
    if not entry.command:
        problem = "exec has no command"
    elif entry.apiVersion not in EXEC_VERSIONS:
        shown = printable(repr(entry.apiVersion), 80)
        problem = f"exec has the apiVersion {shown}" if entry.apiVersion else "exec has no apiVersion"
    elif not mode:
        problem = "exec has no interactiveMode"
    elif mode not in ("Never", "IfAvailable", "Always"):
        problem = f"exec has the interactiveMode {printable(repr(mode), 40)}"
    elif any(not item.name or "=" in item.name or "\x00" in item.name + item.value for item in entry.env):
        problem = "exec has an env entry without a usable name"
    elif any("\x00" in text for text in (entry.command, *entry.args)):
        problem = "exec has a NUL character in its command or args"
    if problem:
        mends = f"apiVersion: {EXEC_VERSIONS[0]} (or v1beta1), interactiveMode: Never, IfAvailable or Always"
        raise NoClusterError(f"{where}: {problem}", hint=mends)
    command = entry.command
    if "/" in command and not Path(command).is_absolute():
        command = str(folder.absolute() / command)
    for item in entry.env:
        if re.search("token|secret|passw|key", item.name, re.IGNORECASE):
            remember_secret(item.value)
    return ExecPlugin(
        command,
        tuple(entry.args),
        {item.name: item.value for item in entry.env},
        entry.apiVersion,
        entry.installHint,
        mode,
        _cluster_info(cluster, server) if entry.provideClusterInfo else None,
    )


def _cluster_info(cluster: tuple[ClusterEntry, KubeFile], server: str) -> Mapping[str, Any]:
    """All that the plugin is told about the cluster (client-go's ConfigToExecCluster)."""
    entry, file = cluster
    info: dict[str, Any] = {"server": server}
    authority = pem_source("certificate-authority", entry.ca, entry.ca_data, file.path.parent, str(file.path))
    if entry.tls_server_name:
        info["tls-server-name"] = entry.tls_server_name
    if entry.insecure:
        info["insecure-skip-tls-verify"] = True
    if authority is not None:
        info["certificate-authority-data"] = base64.b64encode(pem_bytes(authority, "")).decode()
    if entry.proxy:
        info["proxy-url"] = entry.proxy
    if entry.disable_compression:
        info["disable-compression"] = True
    for item in entry.extensions:
        if item.name == _CLUSTER_EXTENSION:
            info["config"] = item.extension
    return info


def _oidc(provider: ProviderEntry, where: str, file: Path, user: str) -> Oidc:
    if provider.name != "oidc":
        raise NoClusterError(
            f"{where}: the auth provider {printable(repr(provider.name), 40)} is no longer supported by Kubernetes",
            hint="use its login plugin (exec) instead",
        )
    config = provider.config
    for field in ("client-id", "idp-issuer-url"):
        if not config.get(field):
            raise NoClusterError(f"{where}: auth-provider has no {field}", hint="add it, or log in again")
    issuer = config["idp-issuer-url"]
    if not issuer.startswith("https://"):
        raise NoClusterError(
            f"{where}: idp-issuer-url is no https URL; tokens are renewed over verified TLS only", hint="correct it"
        )
    known = {
        "client-id", "client-secret", "idp-issuer-url", "id-token", "refresh-token", "extra-scopes",
        "idp-certificate-authority", "idp-certificate-authority-data", "access-token", "expires-in", "expires-on",
    }  # fmt: skip
    if strange := sorted(set(config) - known):
        fields = printable(", ".join(strange), 200)
        raise NoClusterError(f"{where}: auth-provider has fields that are not understood: {fields}", hint="remove them")
    for field in ("client-secret", "id-token", "refresh-token"):
        remember_secret(config.get(field))
    ca: PemSource | None = pem_source(
        "idp-certificate-authority", config.get("idp-certificate-authority", ""),
        config.get("idp-certificate-authority-data", ""), Path(os.curdir), where,
    )  # fmt: skip
    return Oidc(
        issuer,
        config["client-id"],
        config.get("client-secret", ""),
        config.get("id-token", ""),
        config.get("refresh-token", ""),
        ca,
        file,
        user,
    )
