"""Where load goes: the target as the engine gets it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from hpatui import __version__
from hpatui.errors import UsageError
from hpatui.load.policy import Policy, address_of

FORWARD_MAX_RATE = 100.0  # port-forwards cost the API server less, but not nothing
USER_AGENT = f"hpatui/{__version__}"
PROXY_MAX_RATE = 20.0  # through the API server of a real cluster nothing protects the control plane


@dataclass(frozen=True, slots=True)
class Target:
    """A URL to send to. `headers` may hold a token: they go to the engine over a pipe, into no argument, log or text.

    `kind`: url, proxy (the API server's service proxy) or forward (port-forwards to pods). `cap`: the most requests/s that
    this way may take (None: no cap). `client_cert` and `client_key` are files, `client_pem` is the text of both. By the
    service proxy `authorities` (PEM) are trusted, and nobody else. `routes` (host, port, name of the pod): connections go
    there in turn instead of to the URL's host. `policy`: what each connection is judged by.
    """

    url: str
    text: str
    kind: str = "url"
    headers: Mapping[str, str] | tuple[tuple[str, str], ...] = field(default_factory=dict, repr=False)
    ca_file: str | None = None
    authorities: tuple[str, ...] | None = None
    verify: bool = True
    server_name: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    client_pem: str | None = field(default=None, repr=False)
    routes: tuple[tuple[str, int, str], ...] = ()
    cap: float | None = None
    sandbox: bool = False
    policy: Policy = field(default_factory=Policy)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The headers in their order; a name may come several times."""
        return list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)


def url_target(url: str, *, text: str = "", verify: bool = True) -> Target:
    """A target from a URL that the user gave; a user and password in it become a header (RFC 7617) and are shown nowhere.
    UsageError where it is none.
    """
    parts = urlsplit(url if "//" in url else f"http://{url}")
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.scheme not in ("http", "https") or not parts.hostname or not shown.isprintable() or " " in shown:
        raise UsageError(f"{shown!r} is no http or https URL", hint="write http://host:port/path")
    try:
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{shown!r} has no valid port") from error
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Target(shown, text or shown, headers=headers, verify=verify)


def looks_like_url(text: str) -> bool:
    """Whether a TARGET is a URL, with or without its scheme: no HPA's name holds a colon, no namespace a dot."""
    if text.startswith("svc/"):
        return False
    host, slash, _ = text.partition("/")
    return ":" in text or address_of(host) is not None or (bool(slash) and "." in host)
