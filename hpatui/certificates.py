"""Certificates and keys that are in no file: Python reads a certificate chain from files only."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path


class EncryptedKeyError(Exception):
    """OpenSSL asked for a password."""


def load_chain(context: ssl.SSLContext, text: bytes) -> None:
    """Our own certificate and its key from PEM text, by way of a file in memory, or of one that only we can read.

    EncryptedKeyError, OSError, ssl.SSLError or ValueError where it cannot be used. A password is never asked for: OpenSSL
    would draw its prompt over the screen.
    """
    _through_a_file(text, lambda path: context.load_cert_chain(path, password=_no_password))


def _no_password() -> str:
    raise EncryptedKeyError


def trust(context: ssl.SSLContext, certificates: list[bytes]) -> int:
    """Trust these (PEM), and say how many could be read; as in Go, what cannot be read is left out."""
    trusted = 0
    for one in certificates:
        try:
            context.load_verify_locations(cadata=one.decode("ascii"))
            trusted += 1
        except (ssl.SSLError, ValueError):
            continue
    return trusted


def as_go_checks(context: ssl.SSLContext) -> None:
    """Check as Go does: an intermediate authority, or the server's own certificate, is trust enough; names stand in
    subjectAltName only. Clusters' own certificates lack what the strict mode of Python 3.13 asks for; kubectl does not ask.
    """
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False


def _through_a_file(text: bytes, load: Callable[[str], None]) -> None:
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("hpatui", os.MFD_CLOEXEC)
        try:
            os.write(handle, text)
            load(f"/proc/self/fd/{handle}")
            return
        except FileNotFoundError:
            pass  # no /proc here
        finally:
            os.close(handle)
    folder = Path(tempfile.mkdtemp(prefix="hpatui-"))
    path = folder / "client.pem"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        load(str(path))
    finally:
        path.unlink(missing_ok=True)
        folder.rmdir()
