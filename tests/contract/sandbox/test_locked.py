"""Nobody without the token gets anything out of a sandbox or into it (issue "Nothing escapes", point 1)."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request

import pytest

from .conftest import Client

PATHS = (
    "/", "/version", "/api", "/apis", "/healthz", "/livez/ping", "/livezz", "/livez/../version", "//livez", "/openapi/v2",
    "/openapi/v3", "/metrics", "/api/v1/secrets", "/api/v1/namespaces", "/apis/metrics.k8s.io/v1beta1/pods",
    "/apis/autoscaling/v2/horizontalpodautoscalers?watch=1", "/sandbox/v1/faults", "/no/such/path",
    "/api/v1/namespaces/heyongjia/services/php-apache/proxy/",
)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_path_needs_the_token(walkthrough: Client, method: str) -> None:
    for path in PATHS:
        for token in ("", "wrong", walkthrough.token[:-1], walkthrough.token + "x", walkthrough.token.swapcase()):
            code, body = walkthrough.request(method, path, {} if method in ("POST", "PUT") else None, token=token)
            assert code == 401, (path, token, body)


def test_health_is_told_to_anybody_and_nothing_else(walkthrough: Client) -> None:
    for path in ("/livez", "/readyz"):
        assert walkthrough.request("GET", path, token="") == (200, "ok")
        assert walkthrough.request("POST", path, {}, token="")[0] == 401


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("rebound.example", None), ("127.0.0.1.example", None), ("rebound.example:{port}", None), ("127.0.0.2:{port}", None),
        ("localhost.example:{port}", None), ("127.0.0.1:{port}", "http://pages.example"), ("127.0.0.1:{port}", "null"),
        ("127.0.0.1:{port}", "http://127.0.0.1:1"), ("localhost:{port}", "http://127.0.0.1:{port}"), ("", None),
    ],
)  # fmt: skip
def test_another_name_or_origin_is_refused_even_with_the_token(
    walkthrough: Client, host: str, origin: str | None
) -> None:
    port = walkthrough.handle.url.rpartition(":")[2]
    headers = {"Authorization": f"Bearer {walkthrough.token}", "Host": host.format(port=port)}
    if origin is not None:
        headers["Origin"] = origin.format(port=port)
    for path in ("/api/v1/secrets", "/livez"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(walkthrough.handle.url + path, headers=headers), timeout=20)
        assert refused.value.code in (400, 403)


def test_the_certificate_is_for_this_address_and_kubectl_trusts_it(walkthrough: Client) -> None:
    assert "https://127.0.0.1:" in walkthrough.handle.kubeconfig_path.read_text()
    assert "php-apache-hpa" in walkthrough.kubectl("get", "hpa")
    port = int(walkthrough.handle.url.rpartition(":")[2])
    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, ssl=True), 20))


def test_a_silent_client_keeps_nobody_out(walkthrough: Client) -> None:
    async def crowd() -> None:
        port = int(walkthrough.handle.url.rpartition(":")[2])
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        assert (await asyncio.to_thread(walkthrough.request, "GET", "/version"))[0] == 200
        for _, writer in silent:
            writer.close()

    asyncio.run(crowd())
