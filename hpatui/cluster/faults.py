"""What goes wrong between us and the API server, as hpatui's errors: one sentence with host, cause and mend.

The only module that names the exceptions of the wire. Whatever else a library raises comes out here too, masked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from hpatui.cluster.access import Access
from hpatui.cluster.address import host_of, without_login
from hpatui.cluster.auth import ClientCertificate
from hpatui.cluster.pem import ends
from hpatui.cluster.wire import aiohttp
from hpatui.errors import (
    AuthError,
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    HpatuiError,
    NotServedError,
    ServerBusyError,
    TrustError,
    UnreachableError,
)
from hpatui.masking import masked
from hpatui.text import printable

_NAMELESS = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
_ALERT = re.compile(
    r"ALERT_((?:BAD_|UNKNOWN_)?(?:CERTIFICATE|CA)\w*|CERTIFICATE_\w+|ACCESS_DENIED)|CERTIFICATE_REQUIRED"
)


def translated(
    error: BaseException, access: Access, proxy: str | None, certificate: ClientCertificate | None
) -> ClusterError:
    """The error for what a library raised on the way to `access.server`, by `proxy` if there is one."""
    host = host_of(access.server)
    if isinstance(error, ClusterError):
        return error
    if isinstance(error, HpatuiError):
        return ClusterError(error.message, hint=error.hint)
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ServerTimeoutError):
        return UnreachableError(f"{host} does not answer", hint="check the network or VPN")
    if proxy is not None and (found := _of_proxy(error, host_of(proxy), host)) is not None:
        return found
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return _of_tls(error, access, host, certificate)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _of_connecting(error, host)
    return _of_answer(error, host, certificate)


def _of_connecting(error: aiohttp.ClientConnectorError, host: str) -> ClusterError:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        cause = error.os_error
        code = cause.errno if isinstance(cause, OSError) else None
        while code is None and cause is not None:
            cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
            code = getattr(cause, "errno", None)
        words = f"the name {host} cannot be resolved"
        if code in _NAMELESS:
            return TrustError(words, hint="check the server's name in the kubeconfig, the network or VPN")
        return UnreachableError(words, hint="check the network or VPN")
    reason = _reason(error)
    return UnreachableError(f"cannot connect to {host}: {reason}", hint="is the cluster running, and is the VPN up?")


def _of_answer(error: BaseException, host: str, certificate: ClientCertificate | None) -> ClusterError:
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return UnreachableError(f"{host} does not answer", hint="check the network or VPN")
    if isinstance(error, aiohttp.ClientPayloadError):
        return UnreachableError(f"the connection to {host} broke in the middle of an answer")
    if isinstance(error, aiohttp.ClientResponseError):
        return UnreachableError(f"{host} does not speak HTTP as an API server does", hint="check the server's address")
    if isinstance(error, UnicodeError | ValueError | TypeError) and not isinstance(error, aiohttp.ClientError):
        return TrustError(
            f"{host} cannot be connected to: {_printed(error)}", hint="check the server in the kubeconfig"
        )
    reason = f"the connection to {host} broke: {_printed(error)}"
    if expired := expired_since(certificate):
        return AuthError(f"{reason}; {expired}", hint="log in again")
    return UnreachableError(reason)


def _reason(error: aiohttp.ClientConnectorError) -> str:
    """The system's own words (`Connection refused`), where it said a number."""
    number = getattr(error.os_error, "errno", None)
    return os.strerror(number) if number else _printed(error.strerror or error)


def _printed(error: object) -> str:
    return printable(masked(str(error)) or type(error).__name__, 200)


def _of_proxy(error: BaseException, proxy: str, host: str) -> ClusterError | None:
    """The error where it was the proxy that failed."""
    hint = "check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return UnreachableError(f"cannot connect to the proxy {proxy}: {_reason(error)}", hint=hint)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        words = f"the proxy {proxy} answered {error.status} {printable(error.message, 100)} for {host}"
        if error.status == 407:
            return AuthError(f"the proxy {proxy} wants another user and password (407)", hint=hint)
        return UnreachableError(words, hint=hint)
    if type(error).__module__.startswith(("python_socks", "aiohttp_socks")):
        return UnreachableError(f"the proxy {proxy} does not lead to {host}: {_printed(error)}", hint=hint)
    return None


def _of_tls(error: BaseException, access: Access, host: str, certificate: ClientCertificate | None) -> ClusterError:
    reason = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    name = str(getattr(reason, "reason", "") or "")
    text = _printed(getattr(reason, "verify_message", "") or reason)
    if "WRONG_VERSION_NUMBER" in name or "RECORD_LAYER_FAILURE" in name or "HTTP_REQUEST" in name:
        return TrustError(f"{host} does not speak TLS", hint="is the server's address http:// rather than https://?")
    if _ALERT.search(name.upper()) or _ALERT.search(text.upper().replace(" ", "_")):
        why = expired_since(certificate) or (
            "it does not accept the client certificate" if certificate else "it asks for a client certificate"
        )
        return AuthError(f"TLS to {host} failed: {why}", hint="log in again, or choose another context")
    hint = "check certificate-authority in the kubeconfig and the clock"
    lower = text.lower()
    if "expired" in lower:
        hint = "the server's certificate has ended (or this clock is wrong): it has to be renewed on the server"
    elif "not valid for" in lower or "mismatch" in lower:
        hint = "check the server's name, or set tls-server-name in the kubeconfig"
    elif access.ca is not None:
        hint = f"check {access.ca.name} of context {printable(repr(access.context), 100)}"
    if "eof" in lower or "reset" in lower:
        return UnreachableError(f"TLS to {host} failed: {text}", hint="check the network, the proxy or VPN")
    return TrustError(f"TLS to {host} failed: {text}", hint=hint)


def expired_since(certificate: ClientCertificate | None) -> str:
    """`your client certificate expired on DATE`, where that is so; else empty."""
    end = ends(certificate.cert_pem) if certificate is not None else None
    if end is None or end > datetime.now(UTC):  # the server judges by real time, whatever clock a test steps
        return ""
    return f"your client certificate expired on {end:%Y-%m-%d %H:%M} UTC"


def refused(
    status: int, headers: Mapping[str, str], body: bytes, access: Access, path: str,
    certificate: ClientCertificate | None = None,
) -> ClusterError:  # fmt: skip
    """The error for an HTTP status; the server's own message says why."""
    host = host_of(access.server)
    message = ""
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        message = printable(masked(str(json.loads(body).get("message") or "")), 500)
    if not message:
        html = b"<" in body[:200] or "html" in headers.get("Content-Type", "")
        message = (
            "a page, not an API server's answer"
            if html
            else printable(masked(body[:200].decode("utf-8", "replace").strip()), 200)
        )
    pause: float | None = None
    with contextlib.suppress(ValueError):
        pause = max(0.0, min(float(headers.get("Retry-After", "")), 600.0))
    if 300 <= status < 400:
        place = without_login(re.split(r"[?#]", headers.get("Location", ""))[0])  # a query may hold a token
        return ClusterError(
            f"{host} answered {status} and points to {place or 'nowhere'}", hint="correct the server's address"
        )
    if status == 401:
        return _unauthorized(host, access, certificate)
    if status == 403:
        return ForbiddenError(message or f"{path} is forbidden")
    if status in (404, 405, 406):
        told = f"{host} answered {status}: {message}" if message.startswith("a page") else message
        return NotServedError(told or f"{path} is not served")
    if status == 409:
        return ConflictError(message or f"{path} changed meanwhile", causes=_causes(body))
    if status == 410:
        return GoneError(message or "the resourceVersion is too old")
    if status in (408, 429) or status >= 500:
        return ServerBusyError(f"{host} answered {status}: {message}", retry_after=pause)
    return ClusterError(f"{host} answered {status}: {message}")


def _causes(body: bytes) -> list[tuple[str, str]]:
    """(field, message) of each cause of a refusal."""
    with contextlib.suppress(ValueError, AttributeError, TypeError, KeyError, RecursionError):
        causes = json.loads(body)["details"]["causes"]
        return [(printable(str(c.get("field", "")), 300), printable(str(c.get("message", "")), 300)) for c in causes]
    return []


def _unauthorized(host: str, access: Access, certificate: ClientCertificate | None) -> ClusterError:
    if expired := expired_since(certificate):
        return AuthError(f"{host} does not accept the credentials: {expired}", hint="log in again")
    if not access.may_identify:
        return AuthError(
            f"{host} wants credentials, and like kubectl hpatui sends none over plain http",
            hint="use https in the kubeconfig",
        )
    words = f"{host} does not accept the credentials of context {printable(repr(access.context), 100)}"
    return AuthError(words, hint="log in again, or choose another context")


def location(response_headers: Mapping[str, str], url: str) -> str | None:
    """Where a redirect leads, if that is the same scheme, host and port; else None."""
    from urllib.parse import urljoin

    target = urljoin(url, response_headers.get("Location", ""))
    before, after = urlsplit(url), urlsplit(target)
    same = (before.scheme, before.netloc.lower()) == (after.scheme, after.netloc.lower())
    return target if same and target != url and target.isprintable() else None
