"""What is sent: each request of a plan as the bytes of HTTP/1.1 or the headers of HTTP/2, and how TLS is checked.

httpx decides about the form.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx

from hpatui.certificates import EncryptedKeyError, as_go_checks, load_chain, trust
from hpatui.errors import LoadError
from hpatui.load.plan import RequestSpec
from hpatui.load.target import USER_AGENT, Target

ID = "{{id}}"  # in a path, a header or a body: the number of the request
_TOKEN = "{{hpa-id}}"  # as long as the number that replaces it, so that Content-Length stays true
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))  # RFC 9110, 9.2.2
_PER_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)  # RFC 9113, 8.2.2

_IDENTITY = ("authorization", "impersonate-")  # beginnings of names: headers by which an API server knows who asks


@dataclass(frozen=True, slots=True)
class Template:
    """A request that is sent often. `data`: as HTTP/1.1; `headers` and `body`: as HTTP/2. `numbered`: it has a place for its
    number. `again`: it may be sent a second time where the first did not arrive.
    """

    data: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    numbered: bool
    again: bool
    bodiless: bool


def joined(url: str, path: str) -> str:
    """A path (with a query, perhaps) behind the target's own path; the target's query goes with each request."""
    if not path:
        return url
    parts = urlsplit(url)
    more, _, query = path.partition("?")
    whole = parts.path.rstrip("/") + "/" + more.lstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, whole, "&".join(q for q in (parts.query, query) if q), ""))


def http_request(target: Target, spec: RequestSpec) -> httpx.Request:
    """A request of the plan, aimed at the target. LoadError where it cannot be built.

    A header of the plan replaces the default of that name, in whatever case it is written; a name that the plan gives
    several times is sent several times. But who we are at an API server, and as whom we act there, no plan says.
    """
    own = [(name, value.replace(ID, _TOKEN)) for name, value in spec.pairs]
    named = {name.lower() for name, _ in own}
    if target.kind == "proxy" and (ours := sorted(name for name in named if name.startswith(_IDENTITY))):
        raise LoadError(
            f"the header {ours[0]} would go to the API server, which takes it for itself", hint="use --via port-forward"
        )
    defaults = [("User-Agent", USER_AGENT), ("Accept", "*/*"), *target.pairs]
    pairs = [(name, value) for name, value in defaults if name.lower() not in named] + own
    body = spec.body.replace(ID.encode(), _TOKEN.encode())
    try:
        headers = [_encoded(name, value) for name, value in pairs]
        url = joined(target.url, spec.path.replace(ID, _TOKEN))
        return httpx.Request(spec.method, url, headers=headers, content=body or None)
    except (httpx.InvalidURL, ValueError) as error:
        raise LoadError(f"the request cannot be built: {error}") from error


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as bytes: the name a token of ASCII, the value UTF-8. ValueError where it would break the request."""
    if not name or not name.isascii() or any(sign <= " " or sign in '()<>@,;:\\"/[]?={}\x7f' for sign in name):
        raise ValueError(f"{name!r} is no name of a header")
    if any(sign in value for sign in "\r\n\0"):
        raise ValueError(f"the header {name} has a line break in its value")
    return name.encode("ascii"), value.strip().encode("utf-8")


def template_of(target: Target, spec: RequestSpec) -> Template:
    """A request of the plan, ready to be sent; see `numbered`. LoadError where it cannot be built."""
    request = http_request(target, spec)
    path = request.url.raw_path.replace(b"%7B%7Bhpa-id%7D%7D", _TOKEN.encode())
    lines = [request.method.encode() + b" " + path + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in request.headers.raw]
    data = b"\r\n".join(lines) + b"\r\n\r\n" + request.content
    host = request.headers.get("host", "").encode()
    pseudo = [
        (b":method", request.method.encode()),
        (b":authority", host),
        (b":scheme", request.url.raw_scheme),
        (b":path", path),
    ]
    own = [(name.lower(), value) for name, value in request.headers.raw]
    headers = pseudo + [(name, value) for name, value in own if name != b"host" and name not in _PER_CONNECTION]
    method = request.method
    return Template(
        data, headers, request.content, _TOKEN.encode() in data, again=method in IDEMPOTENT, bodiless=method == "HEAD"
    )


def numbered_text(template: bytes, number: int) -> bytes:
    """A prebuilt request (or a part of one) with its number put in, as ten digits."""
    return template.replace(_TOKEN.encode(), b"%010d" % number)


def tls_context(target: Target, *, http2: bool = False) -> ssl.SSLContext:
    """How to check the target's certificate, and with which of our own. LoadError where a file cannot be used."""
    try:
        context = _api_server(target) if target.kind == "proxy" else ssl.create_default_context(cafile=target.ca_file)
        if target.client_pem is not None:
            load_chain(context, target.client_pem.encode())
        elif target.client_cert is not None:
            context.load_cert_chain(target.client_cert, target.client_key)
    except EncryptedKeyError:
        raise LoadError("the client key is encrypted", hint="decrypt it: openssl pkey -in KEY -out NEW") from None
    except (OSError, ssl.SSLError) as error:
        raise LoadError(f"the TLS files cannot be used: {error}") from error
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if http2:
        context.set_alpn_protocols(["h2"])
    return context


def _api_server(target: Target) -> ssl.SSLContext:
    """Trust as the connection that watches has it: the kubeconfig's authorities, or the system's. Never SSLKEYLOGFILE: what
    goes over this way holds our token.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    as_go_checks(context)
    if target.authorities is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        trust(context, [one.encode("ascii", "replace") for one in target.authorities])
    return context
