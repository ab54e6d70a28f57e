"""Requests to a Prometheus over HTTP; the only module of the room that knows the client library.

No redirect is followed, so that credentials go nowhere else, and no answer is read beyond its limit.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from hpatui import __version__
from hpatui.certificates import EncryptedKeyError, as_go_checks, load_chain, trust
from hpatui.errors import PrometheusError
from hpatui.masking import masked
from hpatui.prometheus.where import Where
from hpatui.text import printable

CONNECT_TIMEOUT = 10.0
TIMEOUT = 60.0  # seconds for one answer; the server is told the same
MOST_BYTES = 64 * 2**20  # of one answer, unpacked


class TooMuchError(PrometheusError):
    """An answer was too large, or took the server too long: a shorter time, or fewer series, may do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, whatever its status is. `location` is where a redirect leads."""

    status: int
    body: bytes
    content_type: str = ""
    location: str = ""


class Door(Protocol):
    """A way to a Prometheus. `host` is for people."""

    @property
    def host(self) -> str: ...

    async def get(self, path: str, params: Mapping[str, str]) -> Answer:
        """GET below its address. PrometheusError (or ClusterError) where nothing came, TooMuchError where too much did."""

    async def close(self) -> None:
        """Let go of it; idempotent."""


class HttpDoor:
    """A Prometheus by its URL."""

    def __init__(self, where: Where) -> None:
        """PrometheusError where a certificate cannot be used."""
        self.host = where.host
        self._base = where.url
        headers = {"Accept": "application/json", "User-Agent": f"hpatui/{__version__}"}
        if where.who.token:
            headers["Authorization"] = f"Bearer {where.who.token}"
        if where.org_id:
            headers["X-Scope-OrgID"] = where.org_id
        auth = httpx.BasicAuth(where.who.user, where.who.password) if where.who.user else None
        self._client = httpx.AsyncClient(
            headers=headers, auth=auth, follow_redirects=False, timeout=httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
            verify=_tls(where) if where.url.startswith("https:") else False,
            limits=httpx.Limits(max_connections=4),
        )  # fmt: skip

    async def get(self, path: str, params: Mapping[str, str]) -> Answer:
        try:
            async with self._client.stream("GET", self._base + path, params=params) as response:
                body = bytearray()
                async for part in response.aiter_bytes(65536):
                    body += part
                    if len(body) > MOST_BYTES:
                        raise too_large()
                headers = response.headers
                return Answer(
                    response.status_code, bytes(body), headers.get("content-type", ""), headers.get("location", "")
                )
        except httpx.TimeoutException as error:
            if isinstance(error, httpx.ReadTimeout):
                raise TooMuchError(
                    f"Prometheus at {self.host} did not answer within {TIMEOUT:g} s",
                    hint="ask for a shorter time (--since) or for one namespace (-n)",
                ) from None
            raise self._unreachable("no answer") from None
        except httpx.HTTPError as error:
            raise self._translated(error) from None

    async def close(self) -> None:
        await self._client.aclose()

    def _translated(self, error: httpx.HTTPError) -> PrometheusError:
        found: BaseException | None = error
        while found is not None:
            if isinstance(found, ssl.SSLCertVerificationError):
                return PrometheusError(
                    f"the certificate of {self.host} is not to be trusted: {printable(found.verify_message, 200)}",
                    hint="set prometheus_ca_file to the file of its authority, or prometheus_insecure",
                )
            if isinstance(found, ssl.SSLError):
                reason = str(found.reason or found).replace("_", " ").lower()
                return PrometheusError(
                    f"TLS with Prometheus at {self.host} failed: {printable(reason, 200)}",
                    hint="is it https, and does it want a certificate of ours (prometheus_cert_file)?",
                )
            found = found.__cause__ or found.__context__
        return self._unreachable(printable(masked(str(error)), 200) or type(error).__name__)

    def _unreachable(self, why: str) -> PrometheusError:
        return PrometheusError(
            f"Prometheus at {self.host} cannot be reached: {why}", hint="check its address, and the way to it"
        )


def too_large() -> TooMuchError:
    """The error of an answer beyond the limit."""
    return TooMuchError(
        f"Prometheus has too much for one answer (more than {MOST_BYTES >> 20} MB)",
        hint="ask for one namespace (-n) or a longer prometheus_step",
    )


def _tls(where: Where) -> ssl.SSLContext:
    """Whom to trust, and our own certificate. Never SSLKEYLOGFILE, which Python's default context obeys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    as_go_checks(context)
    if where.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif where.ca_file:
        text = _read(where.ca_file, "prometheus_ca_file")
        marker = b"-----END CERTIFICATE-----"
        parts = [part[part.find(b"-----BEGIN CERTIFICATE-----") :] + marker for part in text.split(marker)[:-1]]
        if not trust(context, parts):
            raise PrometheusError(
                f"prometheus_ca_file ({printable(where.ca_file, 200)}) holds no certificate that can be read",
                hint="write it as PEM",
            )
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if where.cert_file:
        text = _read(where.cert_file, "prometheus_cert_file")
        if where.key_file:
            text += b"\n" + _read(where.key_file, "prometheus_key_file")
        try:
            load_chain(context, text)
        except EncryptedKeyError:
            raise PrometheusError("the key of prometheus_cert_file is encrypted", hint="decrypt it") from None
        except (OSError, ssl.SSLError, ValueError) as error:
            reason = str(getattr(error, "reason", None) or "it holds no certificate with its key")
            raise PrometheusError(
                f"prometheus_cert_file cannot be used: {printable(reason.replace('_', ' ').lower(), 200)}",
                hint="write certificate and key as PEM",
            ) from None
    return context


def _read(file: str, setting: str) -> bytes:
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise PrometheusError(
            f"cannot read {setting} ({printable(file, 200)}): {error.strerror or error}", hint="correct the path"
        ) from None
