"""PEM and what is read from it: fields of a kubeconfig with their `-data` twins, certificates in a text, when one ends."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from pathlib import Path

from hpatui.cluster.access import PemSource
from hpatui.errors import NoClusterError
from hpatui.text import printable

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\s*?\r?\n(.*?)-----END CERTIFICATE-----", re.DOTALL)
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:\s*4,\s*ENCRYPTED", re.MULTILINE)


def decode_base64(text: str, name: str) -> bytes:
    """The bytes of a `-data` field; NoClusterError, without its content, where it is not base64 (as Go: strict)."""
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", text).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise NoClusterError(f"{name} is no base64", hint="correct it, or name a file instead") from None


def pem_source(name: str, path: str, data: str, folder: Path, where: str) -> PemSource | None:
    """The PEM of a field and its `-data` twin; None where neither is set."""
    if data:
        return PemSource(f"{name}-data", decode_base64(data, f"{where}: {name}-data"))
    return PemSource(name, path=folder / path) if path else None


def pem_bytes(source: PemSource, context: str) -> bytes:
    """The content. NoClusterError names the field and the file that cannot be read."""
    if source.data is not None:
        return source.data
    assert source.path is not None
    try:
        return source.path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no usable path"
        raise NoClusterError(
            f"{source.name} of context {printable(repr(context), 100)}: cannot read "
            f"{printable(str(source.path), 300)}: {reason}", hint="correct the path, or log in again"
        ) from error  # fmt: skip


def certificates(text: bytes) -> list[bytes]:
    """The certificates of a text, each as PEM; whatever stands between them (comments in any encoding) is left out."""
    found = []
    for match in _BLOCK.finditer(text):
        body = match.group(1)
        if b":" in body:  # a block with headers, which Go leaves out as well
            continue
        found.append(b"-----BEGIN CERTIFICATE-----\n" + body.strip() + b"\n-----END CERTIFICATE-----\n")
    return found


def is_encrypted(key: bytes) -> bool:
    """Whether a private key needs a password."""
    return _ENCRYPTED.search(key) is not None


def is_der(text: bytes) -> bool:
    """Whether it looks like a certificate in DER (binary) form."""
    return text[:1] == b"\x30" and b"-----BEGIN" not in text


def ends(certificate: bytes) -> datetime | None:
    """When the first certificate of a PEM text ends (notAfter of X.509, RFC 5280 4.1.2.5); None where it cannot be read."""
    found = certificates(certificate)
    if not found:
        return None
    try:
        der = base64.b64decode(b"".join(found[0].splitlines()[1:-1]))
        return _not_after(der)
    except (ValueError, IndexError, binascii.Error):
        return None


def _not_after(der: bytes) -> datetime:
    body, _ = _value(der, 0)  # Certificate
    tbs, _ = _value(body, 0)
    place = 0
    if tbs[0] == 0xA0:  # version
        _, place = _value(tbs, 0)
    for _ in range(3):  # serial number, algorithm, issuer
        _, place = _value(tbs, place)
    validity, _ = _value(tbs, place)
    _, place = _value(validity, 0)
    text, _ = _value(validity, place)
    form = "%y%m%d%H%M%SZ" if validity[place] == 0x17 else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)


def _value(der: bytes, place: int) -> tuple[bytes, int]:
    """The content of the element at `place`, and where the next begins."""
    length, start = der[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + length > len(der):
        raise ValueError("cut off")
    return der[start : start + length], start + length
