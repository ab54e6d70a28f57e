"""TLS: what is checked, what is counted, and what a stalled server does to the two latencies."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hpatui.load.target import Target
from tests.contract.load.servers import OK, answer_all, plan_of, run_of, serving

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """server.pem and client.pem with their keys, each its own authority."""
    path = tmp_path_factory.mktemp("tls")
    for name, subject in (("server", "app.test"), ("client", "someone")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}",
             "-addext", f"subjectAltName=DNS:{subject}", "-keyout", str(path / f"{name}.key"),
             "-out", str(path / f"{name}.pem")], check=True, capture_output=True,
        )  # fmt: skip
    _expired(path)
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app.test",
             "-keyout", path / "leaf.key", "-out", path / "leaf.csr")  # fmt: skip
    _openssl("x509", "-req", "-in", path / "leaf.csr", "-CA", path / "client.pem", "-CAkey", path / "client.key",
             "-CAcreateserial", "-days", "2", "-out", path / "leaf.pem")  # fmt: skip
    return path


def _expired(path: Path) -> None:
    """A certificate that was good yesterday; openssl's command makes none."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("app.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (path / "expired.pem").write_bytes(built.public_bytes(Encoding.PEM))
    (path / "expired.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def _server(folder: Path, *, client: bool = False, name: str = "server") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "client.pem")
    return context


@pytest.mark.parametrize(
    ("how", "kinds"),
    [
        ({}, {"tls: self-signed certificate"}),
        ({"verify": False}, set()),
        ({"ca_file": "server.pem", "server_name": "app.test"}, set()),
        ({"ca_file": "server.pem", "server_name": "other.test"}, {"tls: wrong name in the certificate"}),
        ({"ca_file": "server.pem"}, {"tls: wrong address in the certificate"}),  # 127.0.0.1 is not in the certificate
    ],
    ids=["unknown-authority", "insecure", "checked", "wrong-name", "address"],
)
async def test_the_certificate_is_checked(folder: Path, how: dict[str, object], kinds: set[str]) -> None:
    ca = str(folder / str(how["ca_file"])) if "ca_file" in how else None
    async with serving(answer_all, tls=_server(folder)) as target:
        aimed: Target = replace(target, **{**how, "ca_file": ca})  # type: ignore[arg-type]  # fields of several types
        _, ended = await run_of(plan_of(10, 1, breaker=False), aimed)
    assert set(ended.totals.errors) == kinds
    assert ended.totals.ok + ended.totals.failed == ended.totals.requests > 0


@pytest.mark.parametrize(
    ("name", "authority", "kind"),
    [
        ("expired", "expired.pem", "tls: certificate expired"),
        ("leaf", None, "tls: unknown authority"),
        ("server", None, "tls: self-signed certificate"),
    ],
)
@pytest.mark.parametrize("http2", [False, True])
async def test_why_a_certificate_is_not_accepted(
    folder: Path, name: str, authority: str | None, kind: str, http2: bool
) -> None:
    async with serving(answer_all, tls=_server(folder, name=name)) as target:
        ca = None if authority is None else str(folder / authority)
        aimed = replace(target, ca_file=ca, server_name="app.test")
        _, ended = await run_of(plan_of(10, 0.5, breaker=False, http2=http2), aimed)
    assert ended.totals.errors == {kind: 5}


async def test_http2_over_tls_needs_a_server_that_speaks_it(folder: Path) -> None:
    async with serving(answer_all, tls=_server(folder)) as target:
        _, ended = await run_of(plan_of(10, 0.5, breaker=False, http2=True), replace(target, verify=False))
    assert ended.totals.errors == {"the target speaks no HTTP/2": 5}


async def test_a_client_certificate_is_shown(folder: Path) -> None:
    async with serving(answer_all, tls=_server(folder, client=True)) as target:
        bare = replace(target, verify=False)
        _, without = await run_of(plan_of(10, 1, breaker=False), bare)
        known = replace(bare, client_cert=str(folder / "client.pem"), client_key=str(folder / "client.key"))
        _, ended = await run_of(plan_of(10, 1), known)
    assert without.totals.ok == 0
    assert set(without.totals.errors) == {"reset"}  # asyncio's server closes without a word; see below
    assert (ended.totals.ok, ended.totals.failed) == (10, 0)


async def test_a_server_that_asks_for_a_client_certificate_is_understood(folder: Path, unused_tcp_port: int) -> None:
    """OpenSSL's own server sends the alert, in TLS 1.3 after the handshake."""
    where = f"127.0.0.1:{unused_tcp_port}"
    keys = ("-cert", folder / "server.pem", "-key", folder / "server.key")
    command = ["openssl", "s_server", "-accept", where, *map(str, keys), "-Verify", "1", "-verify_return_error", "-www"]
    server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        target = Target(f"https://{where}/", "test", verify=False)
        _, ended = await run_of(plan_of(10, 0.5, breaker=False), target)
    finally:
        server.kill()
        await server.wait()
    assert ended.totals.errors == {"tls: client certificate asked for": 5}


async def test_plain_http_where_tls_was_expected_is_a_tls_error(folder: Path) -> None:
    async with serving(answer_all) as target:
        wrong = replace(target, url=target.url.replace("http:", "https:"), verify=False)
        _, ended = await run_of(plan_of(10, 1, breaker=False, timeout=2.0), wrong)
    assert ended.totals.ok == 0
    assert set(ended.totals.errors) <= {"tls: the target speaks no TLS", "reset", "tls timeout"}


async def test_a_stalled_server_raises_response_time_not_service_time(folder: Path) -> None:
    """It stands still for 0.7 s, so nobody can connect: that is in the response time, which counts from the plan.

    A request goes out once there is a connection, and is answered at once: the service time shows nothing.
    """
    served = 0

    async def stalls_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            served += 1
            if served == 20:
                await writer.drain()
                time.sleep(0.7)  # the whole server stands still

    async with serving(stalls_once, tls=_server(folder)) as target:
        plan = plan_of(40, 3, connection_age=0.0)
        _, ended = await run_of(plan, replace(target, verify=False))
    response, service = ended.summary["latency_ms"]["p90"], ended.summary["service_time_ms"]["p90"]
    assert ended.totals.ok >= 90
    assert response is not None and service is not None
    assert response >= 300
    assert service < response / 3
