"""Rows about whom we trust."""

from __future__ import annotations

import base64
from typing import Any

from tests.contract.access.rows import Row, bad, good
from tests.contract.access.world import World


def _ca(name: str) -> dict[str, Any]:
    return {"cluster": lambda w: {"certificate-authority": w.file(name)}}


def _data(name: str) -> dict[str, Any]:
    def made(world: World) -> dict[str, str]:
        with open(world.file(name), "rb") as file:  # noqa: PTH123
            return {"certificate-authority-data": base64.b64encode(file.read()).decode()}

    return {"cluster": made}


TLS: tuple[Row, ...] = (
    good("authority as data", **_data("ca.pem")),
    good("authority as data with line breaks", cluster=lambda w: {"certificate-authority-data": "\n".join(
        _data("ca.pem")["cluster"](w)["certificate-authority-data"][i : i + 40] for i in range(0, 4000, 40))}),
    good("a comment in UTF-8", **_data("commented.pem")),
    good("a comment in Latin-1", **_data("latin.pem")),
    good("a comment in the file", **_ca("commented.pem")),
    good("one broken certificate beside a good one", **_ca("one-broken.pem")),
    good("an intermediate authority is enough", server="middle", **_ca("middle.pem")),
    good("the root for a chain", server="middle"),
    good("the server's own certificate is enough", **_ca("leaf.pem")),
    good("not verified", cluster=lambda _w: {"insecure-skip-tls-verify": True}),
    good("another name, not verified", server="named", cluster=lambda _w: {"insecure-skip-tls-verify": True}),
    good("tls-server-name", server="named", cluster=lambda _w: {"tls-server-name": "inner.name.test"}),
    good("an unwritable SSLKEYLOGFILE", env=lambda _w: {"SSLKEYLOGFILE": "/nowhere/at/all"}),
    bad("another authority", "TLS to .* failed: .*(unable to get|unknown|self)", **_ca("other.pem")),
    bad("the system's authorities", "TLS to .* failed", cluster=lambda _w: {"certificate-authority": "-"}),
    good("the system's authorities by SSL_CERT_FILE", cluster=lambda _w: {"certificate-authority": "-"},
         env=lambda w: {"SSL_CERT_FILE": w.file("ca.pem")}),
    bad("tls-server-name that it has not", "not valid for|mismatch", cluster=lambda _w: {"tls-server-name": "zzz.test"}),
    bad("a name that it has not", "not valid for|mismatch", server="named"),
    bad("a server's certificate that has ended", "expired", server="expired"),
    bad("authority and data", "has certificate-authority and certificate-authority-data", cluster=lambda w: {
        "certificate-authority": w.file("ca.pem"), **_data("ca.pem")["cluster"](w)}),
    bad("authority, not verified", "insecure-skip-tls-verify", cluster=lambda w: {
        "certificate-authority": w.file("ca.pem"), "insecure-skip-tls-verify": True}),
    bad("authority that is not there", "certificate-authority of context 'x': cannot read .*nowhere",
        cluster=lambda _w: {"certificate-authority": "nowhere"}),
    bad("authority that is a folder", "cannot read", cluster=lambda w: {"certificate-authority": str(w.folder)}),
    bad("garbage as authority", "holds no certificate", **_ca("garbage.pem")),
    bad("garbage as data", "certificate-authority-data of context 'x' holds no certificate", **_data("garbage.pem")),
    bad("data that is no base64", "certificate-authority-data is no base64", cluster=lambda _w: {"certificate-authority-data": "%%"}),
    bad("data with a space", "is no base64", cluster=lambda _w: {"certificate-authority-data": "QUJD QUJD"}),
    bad("only broken certificates", "holds no certificate", **_ca("all-broken.pem")),
    bad("DER", "is in DER form", **_ca("ca.der")),
    bad("DER as data", "is in DER form", **_data("ca.der")),
    bad("https to a plain server", "does not speak TLS", cluster=lambda w: {"server": f"https://127.0.0.1:{w.ports['plain']}"}),
    bad("http to a TLS server", "400|HTTP|broke", cluster=lambda w: {"server": f"http://127.0.0.1:{w.ports['tls']}"}),
)  # fmt: skip
