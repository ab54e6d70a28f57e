"""TLS to an API server: whom to trust, and our own certificate.

Built on `ssl` alone: the client library does the same, but importing it takes longer than listing 1,000 HPAs.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from hpatui.cluster.auth import ClientCertificate
from hpatui.cluster.kubeconfig import ClusterAccess
from hpatui.errors import AuthError, NoClusterError


def tls_context(access: ClusterAccess, certificate: ClientCertificate | None) -> ssl.SSLContext | None:
    """How to talk TLS to the server; None for plain http. NoClusterError or AuthError where a file cannot be used."""
    if not access.server.startswith("https://"):
        return None
    try:
        context = ssl.create_default_context(cafile=access.ca_file, cadata=access.ca_data)
    except (OSError, ssl.SSLError) as error:
        raise NoClusterError(
            f"cannot use the certificate authority of context {access.context!r}: {error}",
            hint="correct the kubeconfig",
        ) from error
    # Many clusters' own certificates lack what the strict mode of Python 3.13 asks for; kubectl does not ask either.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _load_certificate(context, certificate)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Python reads certificates from files only: PEM texts go through one that only we can read and that is gone at once."""
    try:
        if certificate.cert_pem is None:
            context.load_cert_chain(certificate.cert_file or "", certificate.key_file or None)
            return
        folder = Path(tempfile.mkdtemp(prefix="hpatui-"))
        path = folder / "client.pem"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(certificate.cert_pem + b"\n" + (certificate.key_pem or b""))
            context.load_cert_chain(path)
        finally:
            path.unlink(missing_ok=True)
            folder.rmdir()
    except (OSError, ssl.SSLError) as error:
        raise AuthError(f"the client certificate cannot be used: {error}", hint="correct the kubeconfig") from error
