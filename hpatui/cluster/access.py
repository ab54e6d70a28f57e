"""What a kubeconfig says about one context, complete and typed: everything that a connection needs, and nothing unread.

kubeconfig -> `Access` -> wire: each field of the file is one here, or was refused by its name (`kubeconfig.py`). Secrets
are left out of every representation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hpatui.text import printable

Headers = tuple[tuple[str, str], ...]
# What may stand in a header's name (RFC 9110, token) without %, which escapes the rest.
_TOKEN = frozenset("!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Impersonation:
    """As whom requests act (`as`, `as-groups`, `as-uid`, `as-user-extra`); an empty user: as nobody else."""

    user: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def headers(self) -> Headers:
        """As client-go sends them: a line for each group and each value of an extra."""
        if not self.user:
            return ()
        found = [("Impersonate-User", self.user)]
        if self.uid:
            found.append(("Impersonate-Uid", self.uid))
        found += [("Impersonate-Group", group) for group in self.groups]
        for key, values in self.extra:
            found += [(f"Impersonate-Extra-{_escaped(key)}", value) for value in values]
        return tuple(found)

    def text(self) -> str:
        """For people: `jane (groups ops, dev)`; empty where nobody is impersonated."""
        if not self.user:
            return ""
        groups = f" (groups {', '.join(self.groups)})" if self.groups else ""
        return printable(self.user + groups, 200)


def _escaped(key: str) -> str:
    """client-go's headerKeyEscape: what is no token character is percent-encoded, byte by byte."""
    return "".join(
        char if char.lower() in _TOKEN else "".join(f"%{byte:02X}" for byte in char.encode()) for char in key
    )


@dataclass(frozen=True, slots=True)
class PemSource:
    """PEM as text of the file (`data`) or in a file (`path`); `name`: the field that it came from."""

    name: str
    data: bytes | None = field(default=None, repr=False)
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A login plugin (exec); `command` is resolved. `cluster`: what it is told where `provideClusterInfo` asks for it."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    api_version: str
    install_hint: str
    interactive: str  # Never, IfAvailable, Always
    cluster: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Oidc:
    """The auth provider `oidc`. `file` and `user`: where rotated tokens are written back."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    ca: PemSource | None = None
    file: Path | None = None
    user: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """Who we are. At most one of token and basic; kubectl's order of precedence is in `auth.Credentials`."""

    name: str = ""
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    basic: tuple[str, str] | None = field(default=None, repr=False)
    certificate: PemSource | None = None
    key: PemSource | None = None
    plugin: ExecPlugin | None = None
    oidc: Oidc | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One context. `server`: scheme, host, port and path, without user and password. `origin`: the files, for messages.

    `may_identify`: whether credentials go to this server; like kubectl never over plain http.
    """

    context: str
    server: str
    namespace: str = "default"
    origin: str = "the kubeconfig"
    cluster: str = ""
    ca: PemSource | None = None
    tls_server_name: str | None = None
    verify: bool = True
    proxy: str | None = field(default=None, repr=False)
    compress: bool = True
    user: User = field(default_factory=User)
    acting_as: Impersonation = field(default_factory=Impersonation)
    may_identify: bool = True

    @property
    def tls(self) -> bool:
        """Whether the server is spoken to by TLS."""
        return self.server.startswith("https://")
