"""What is sent: each request of a plan as the bytes of HTTP/1.1, and how TLS is checked. httpx decides about the form."""

from __future__ import annotations

import ssl

import httpx

from hpatui.errors import LoadError
from hpatui.load.plan import RequestSpec
from hpatui.load.target import USER_AGENT, Target

ID = "{{id}}"  # in a path, a header or a body: the number of the request
_TOKEN = "{{hpa-id}}"  # as long as the number that replaces it, so that Content-Length stays true


def http_request(target: Target, spec: RequestSpec) -> httpx.Request:
    """A request of the plan, aimed at the target. LoadError where it cannot be built."""
    path = spec.path.replace(ID, _TOKEN)
    url = target.url.rstrip("/") + "/" + path.lstrip("/") if path else target.url
    own = {name: value.replace(ID, _TOKEN) for name, value in spec.headers.items()}
    body = spec.body.replace(ID.encode(), _TOKEN.encode())
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **target.headers, **own}
    try:
        return httpx.Request(spec.method, url, headers=headers, content=body or None)
    except (httpx.InvalidURL, ValueError) as error:
        raise LoadError(f"the request cannot be built: {error}") from error


def prebuilt(target: Target, spec: RequestSpec) -> bytes:
    """The request as the bytes that go over the wire; see `numbered`."""
    request = http_request(target, spec)
    path = request.url.raw_path.replace(b"%7B%7Bhpa-id%7D%7D", _TOKEN.encode())
    lines = [request.method.encode() + b" " + path + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n" + request.content


def has_number(template: bytes) -> bool:
    """Whether a prebuilt request has a place for its number."""
    return _TOKEN.encode() in template


def numbered(template: bytes, number: int) -> bytes:
    """A prebuilt request with its number put in, as ten digits."""
    return template.replace(_TOKEN.encode(), b"%010d" % number)


def tls_context(target: Target, *, http2: bool = False) -> ssl.SSLContext:
    """How to check the target's certificate, and with which of our own. LoadError where a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=target.ca_file, cadata=target.ca_data)
        if target.client_cert is not None:
            context.load_cert_chain(target.client_cert, target.client_key)
    except (OSError, ssl.SSLError) as error:
        raise LoadError(f"the TLS files cannot be used: {error}") from error
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if http2:
        context.set_alpn_protocols(["h2", "http/1.1"])
    return context
