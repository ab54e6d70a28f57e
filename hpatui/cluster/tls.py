"""TLS to an API server: whom to trust, under which name, and our own certificate.

Built on `ssl` alone: the client library does the same, but importing it takes longer than listing 1,000 HPAs.
"""

from __future__ import annotations

import ssl
from typing import Any

from hpatui.certificates import EncryptedKeyError, as_go_checks, load_chain, trust
from hpatui.cluster.access import Access, PemSource
from hpatui.cluster.auth import ClientCertificate
from hpatui.cluster.pem import certificates, is_der, is_encrypted, pem_bytes
from hpatui.errors import AuthError, NoClusterError
from hpatui.masking import masked
from hpatui.text import printable


class _Context(ssl.SSLContext):
    """A context that may know the server by another name (`tls-server-name`): it is both asked for and checked."""

    server_name: str | None = None

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = False, server_hostname: Any = None,
                 session: Any = None) -> ssl.SSLObject:  # fmt: skip
        """For asyncio, whatever library opens the connection, proxies included."""
        return super().wrap_bio(incoming, outgoing, server_side, self.server_name or server_hostname, session)


def tls_context(access: Access, certificate: ClientCertificate | None) -> ssl.SSLContext | None:
    """How to talk TLS to the server; None for plain http. NoClusterError or AuthError where a file cannot be used."""
    if not access.tls:
        return None
    context = trusting(access.ca, access.context)
    context.server_name = access.tls_server_name
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _load_certificate(context, certificate, access.context)
    return context


def trusting(authority: PemSource | None, name: str) -> _Context:
    """A context that trusts these authorities, and where there are none the system's. Never SSLKEYLOGFILE."""
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    as_go_checks(context)
    if authority is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    text = pem_bytes(authority, name)
    if not trust(context, certificates(text)):
        where = f" ({printable(str(authority.path), 200)})" if authority.path is not None else ""
        form = "is in DER form" if is_der(text) else "holds no certificate that can be read"
        raise NoClusterError(
            f"{authority.name} of context {printable(repr(name), 100)}{where} {form}",
            hint="write it as PEM: openssl x509 -inform der -in FILE" if is_der(text) else "correct the kubeconfig",
        )
    return context


def _load_certificate(context: ssl.SSLContext, certificate: ClientCertificate, name: str) -> None:
    shown = printable(repr(name), 100)
    if is_encrypted(certificate.key_pem):
        raise AuthError(
            f"the client key of context {shown} is encrypted", hint="decrypt it: openssl pkey -in KEY -out NEW"
        )
    try:
        load_chain(context, certificate.cert_pem + b"\n" + certificate.key_pem)
    except EncryptedKeyError:
        raise AuthError(f"the client key of context {shown} is encrypted", hint="decrypt it") from None
    except (OSError, ssl.SSLError, ValueError) as error:
        words = printable(masked(_reason(error)), 200)
        raise AuthError(
            f"{certificate.name} of context {shown} cannot be used: {words}", hint="correct it, or log in again"
        ) from error


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    words = {
        "KEY_VALUES_MISMATCH": "the key belongs to another certificate",
        "NO_START_LINE": "no PEM in it",
        "EE_KEY_TOO_SMALL": "its key is too short to be safe",
    }
    return words.get(str(reason), str(reason or error).replace("_", " ").lower())
