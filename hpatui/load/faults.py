"""What went wrong, in words that say whose fault it is.

A fault of the target (refused, timeout, tls: ...) is an error. What this machine could not begin (`OWN`) is unserved, and
the run says GENERATOR LIMITED.
"""

from __future__ import annotations

import errno
import resource
import socket
import ssl

from hpatui.load.policy import ForbiddenAddress

FILES, PORTS, LATE, MEMORY = "out of open files", "out of local ports", "started late", "out of memory"
BUSY = "its core was busy"
OWN = frozenset((FILES, PORTS, LATE, MEMORY))  # faults of this machine
IN_FLIGHT, BREAKER, LIMIT = "in-flight limit", "circuit breaker", "rate limit"  # limits of ours that held requests back

_OWN_ERRNO = {
    errno.EMFILE: FILES,
    errno.ENFILE: FILES,
    errno.EADDRNOTAVAIL: PORTS,
    errno.ENOBUFS: MEMORY,
    errno.ENOMEM: MEMORY,
}
_UNREACHABLE = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN))
# X509_V_ERR_* of OpenSSL's x509_vfy.h
_CERTIFICATE = {
    9: "tls: certificate not yet valid",
    10: "tls: certificate expired",
    18: "tls: self-signed certificate",
    19: "tls: unknown authority (self-signed in its chain)",
    20: "tls: unknown authority",
    21: "tls: unknown authority",
    23: "tls: certificate revoked",
    62: "tls: wrong name in the certificate",
    64: "tls: wrong address in the certificate",
}
_REASONS = (
    ("CERTIFICATE_REQUIRED", "tls: client certificate asked for"),
    ("HANDSHAKE_FAILURE", "tls: handshake refused"),
    ("BAD_CERTIFICATE", "tls: client certificate refused"),
    ("UNKNOWN_CA", "tls: client certificate refused"),
    ("WRONG_VERSION_NUMBER", "tls: the target speaks no TLS"),
    ("RECORD_LAYER_FAILURE", "tls: the target speaks no TLS"),
    ("PROTOCOL_VERSION", "tls: no version in common"),
    ("UNSUPPORTED_PROTOCOL", "tls: no version in common"),
)


def tls_kind(problem: ssl.SSLError) -> str:
    """Why TLS failed."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(problem.verify_code, "tls: certificate not accepted")
    text = f"{getattr(problem, 'reason', '')} {problem}".upper().replace(" ", "_")
    return next((kind for part, kind in _REASONS if part in text), "tls")


def kind_of(problem: BaseException) -> str:
    """The kind of a failure to connect, other than a time-out."""
    if isinstance(problem, ssl.SSLError):
        return tls_kind(problem)
    if isinstance(problem, ForbiddenAddress):
        return "forbidden address"
    if isinstance(problem, socket.gaierror):
        return "dns"
    if isinstance(problem, ConnectionRefusedError):
        return "refused"
    if isinstance(problem, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return "reset"
    if isinstance(problem, TimeoutError):
        return "connect timeout"
    if isinstance(problem, OSError):
        number = problem.errno or 0
        return _OWN_ERRNO.get(number) or ("unreachable" if number in _UNREACHABLE else "connect")
    return "connect"


def raise_file_limit() -> int:
    """Use as many open files as the system allows; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65536)
    if wanted > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft
    return wanted


def advice(kind: str) -> str:
    """What to do about a fault of this machine."""
    if kind == FILES:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return f"the hard limit of open files is {hard} (ulimit -Hn): raise it, or send less"
    if kind == PORTS:
        return "keep connections (--connections kept), or use several addresses: ports rest for a minute after use"
    if kind == MEMORY:
        return "send less at once"
    return "send less, share the load (--workers), or use a faster machine"
