"""Where the Prometheus is and who asks it: the settings, checked. Secrets come from files or from the environment only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hpatui.errors import PrometheusError, UsageError
from hpatui.masking import masked, remember_secret
from hpatui.settings import Settings
from hpatui.text import printable

IN_CLUSTER = "cluster"  # look for its Service
PASSWORD_VARIABLE, TOKEN_VARIABLE = "HPATUI_PROMETHEUS_PASSWORD", "HPATUI_PROMETHEUS_TOKEN"
STEPS = (1.0, 3600.0)  # seconds between samples that may be asked for
_BIGGEST = 65536  # bytes of a file with a secret
_SERVICE = re.compile(r"svc/(?:([a-z0-9.-]+)/)?([a-z0-9.-]+)(?::([a-z0-9-]+))?")
_MATCH = re.compile(r'\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"\s*')


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks. A token, or a user with a password, or nobody."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def named(self) -> bool:
        """Whether anything is sent that says who asks."""
        return bool(self.user or self.token)


@dataclass(frozen=True, slots=True)
class Service:
    """A Service that is reached through the API server's service proxy; empty: to be found."""

    namespace: str = ""
    name: str = ""
    port: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """`url` without a slash at its end, or `service`. `match` are label matchers that every series must meet; `step` is the
    time between samples in seconds.
    """

    url: str = ""
    service: Service | None = None
    who: Who = field(default_factory=Who)
    org_id: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure: bool = False
    match: str = ""
    step: float = 30.0

    @property
    def host(self) -> str:
        """For people."""
        return printable(urlsplit(self.url).netloc, 100) if self.url else "the cluster's Service"


def where_of(settings: Settings, environ: Mapping[str, str]) -> Where:
    """What the settings say. UsageError where they make no sense together; PrometheusError where a file cannot be read."""
    text = (settings.prometheus or "").strip()
    service = _service(text)
    url = "" if service is not None else _url(text)
    step = settings.prometheus_step
    if not STEPS[0] <= step <= STEPS[1]:
        raise UsageError(f"prometheus_step is {step:g}", hint="it takes 1 to 3600 seconds")
    if settings.prometheus_key_file and not settings.prometheus_cert_file:
        raise UsageError("prometheus_key_file is set without prometheus_cert_file", hint="set both")
    org_id = settings.prometheus_org_id or ""
    if any(not 32 < ord(char) < 127 for char in org_id):
        raise UsageError("prometheus_org_id has a character that no header may have", hint="correct it")
    return Where(
        url,
        service,
        _who(settings, environ),
        org_id,
        settings.prometheus_ca_file or "",
        settings.prometheus_cert_file or "",
        settings.prometheus_key_file or "",
        settings.prometheus_insecure,
        _match(settings.prometheus_match or ""),
        step,
    )


def _service(text: str) -> Service | None:
    if text == IN_CLUSTER:
        return Service()
    found = _SERVICE.fullmatch(text)
    if found is None:
        if text.startswith("svc/"):
            raise UsageError(f"{printable(text, 80)!r} is no Service", hint="write svc/NAMESPACE/NAME:PORT")
        return None
    return Service(found.group(1) or "", found.group(2), found.group(3) or "")


def _url(text: str) -> str:
    hint = "write http://HOST:PORT or https://HOST/PREFIX"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError("the address of the Prometheus is none", hint=hint) from None
    if "@" in parts.netloc:
        remember_secret(parts.password)
        raise UsageError(
            "the address of the Prometheus holds a user or a password, which others can read there",
            hint=f"set prometheus_user, and the password in {PASSWORD_VARIABLE} or prometheus_password_file",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"\s", text):
        raise UsageError(f"{printable(masked(text), 80)!r} is no address of a Prometheus", hint=hint)
    if parts.query or parts.fragment:
        raise UsageError("the address of the Prometheus has a query or a fragment", hint=hint)
    path = re.sub(r"/(api/v1(/(query|query_range))?|graph)?/*$", "", parts.path)  # as copied from a browser
    return f"{parts.scheme}://{parts.netloc}{path}"


def _match(text: str) -> str:
    """Label matchers, as `cluster="prod",team=~"a|b"`, with a comma at the end of what is there."""
    text = text.strip().removeprefix("{").removesuffix("}").strip().rstrip(",")
    rest = text
    while rest:
        found = _MATCH.match(rest)
        if found is None or (rest[found.end() :] and rest[found.end()] != ","):
            raise UsageError(
                f"prometheus_match is {printable(text, 80)!r}", hint='write label matchers, as cluster="prod"'
            )
        rest = rest[found.end() + 1 :]
    return text


def _who(settings: Settings, environ: Mapping[str, str]) -> Who:
    token = _secret(environ, TOKEN_VARIABLE, settings.prometheus_token_file, "prometheus_token_file")
    password = _secret(environ, PASSWORD_VARIABLE, settings.prometheus_password_file, "prometheus_password_file")
    user = settings.prometheus_user or ""
    if token and user:
        raise UsageError("both a token and a user are set for the Prometheus", hint="leave one of them away")
    if password and not user:
        raise UsageError("there is a password for the Prometheus and no user", hint="set prometheus_user")
    if ":" in user or not user.isprintable():
        raise UsageError("prometheus_user has a character that basic auth does not allow", hint="correct it")
    return Who(user, password, token)


def _secret(environ: Mapping[str, str], variable: str, file: str | None, setting: str) -> str:
    value, place = environ.get(variable, "").strip(), variable
    if not value and file:
        path, place = Path(file).expanduser(), f"{setting} ({printable(file, 200)})"
        try:
            with path.open("rb") as stream:
                data = stream.read(_BIGGEST + 1)
            value = data.decode().strip() if len(data) <= _BIGGEST else "\n"
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise PrometheusError(f"cannot read {place}: {why}", hint="correct the path, or make it readable") from None
        if not value:
            raise PrometheusError(f"{place} is empty", hint="write the secret on one line")
    remember_secret(value)
    if any(ord(char) < 32 or ord(char) == 127 for char in value) or (
        variable == TOKEN_VARIABLE and not value.isascii()
    ):
        raise PrometheusError(
            f"{place} holds a line break or another character that no header may have", hint="write it on one line"
        )
    return value
