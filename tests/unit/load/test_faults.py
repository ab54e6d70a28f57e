"""What went wrong, and whose fault it is."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from hpatui.load.faults import FILES, MEMORY, OWN, PORTS, advice, kind_of
from hpatui.load.policy import ForbiddenAddress


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (OSError(errno.EMFILE, "x"), FILES),
        (OSError(errno.ENFILE, "x"), FILES),
        (OSError(errno.EADDRNOTAVAIL, "x"), PORTS),
        (OSError(errno.ENOBUFS, "x"), MEMORY),
        (OSError(errno.ECONNREFUSED, "x"), "refused"),
        (OSError(errno.ECONNRESET, "x"), "reset"),
        (OSError(errno.ENETUNREACH, "x"), "unreachable"),
        (OSError(errno.EHOSTUNREACH, "x"), "unreachable"),
        (OSError(errno.ETIMEDOUT, "x"), "connect timeout"),
        (OSError(errno.EPERM, "x"), "connect"),
        (socket.gaierror(-2, "x"), "dns"),
        (ForbiddenAddress("x"), "forbidden address"),
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert"), "tls: client certificate asked for"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "tls: the target speaks no TLS"),
        (ssl.SSLError(1, "whatever"), "tls"),
    ],
)
def test_kinds(problem: OSError, kind: str) -> None:
    assert kind_of(problem) == kind
    assert (kind in OWN) == (kind in (FILES, PORTS, MEMORY))


def test_each_fault_of_ours_has_an_advice() -> None:
    assert {bool(advice(kind)) for kind in OWN} == {True}
    assert "ulimit -Hn" in advice(FILES)
