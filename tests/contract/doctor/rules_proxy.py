"""A proxy on loopback before a sandbox that hides API versions or changes objects on their way: what a client sees of other
clusters. It ends TLS with a certificate of its own, and speaks plain HTTP to the sandbox.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from hpatui.sandbox.certificate import make_certificate

Object = dict[str, Any]
_HOP = ("content-length", "transfer-encoding", "connection")


def _as_it_is(obj: Object) -> Object:
    return obj


@dataclass(frozen=True, slots=True)
class Rules:
    """`hidden`: versions of the group autoscaling that are not served. `change`: what becomes of each HPA."""

    hidden: tuple[str, ...] = ()
    change: Callable[[Object], Object] = _as_it_is

    def hides(self, path: str) -> bool:
        """Whether a path is of a hidden version."""
        return any(f"{path}/".startswith(f"/apis/autoscaling/{version}/") for version in self.hidden)

    def changed(self, obj: Object) -> Object:
        """An answer as this cluster would give it: discovery, a list, one object."""
        groups = obj.get("groups", []) if obj.get("kind") == "APIGroupList" else [obj]
        for group in groups if obj.get("kind") in ("APIGroupList", "APIGroup") else ():
            if group.get("name") == "autoscaling":
                group["versions"] = [v for v in group["versions"] if v["version"] not in self.hidden]
                group["preferredVersion"] = group["versions"][0]
        if isinstance(obj.get("items"), list):
            return {**obj, "items": [self._one(item) for item in obj["items"]]}
        return self._one(obj)

    def _one(self, obj: Object) -> Object:
        return self.change(obj) if "scaleTargetRef" in (obj.get("spec") or {}) else obj


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rules: Rules
    port: int

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        """Ask the sandbox and pass on what the rules leave."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        if self.rules.hides(urlsplit(self.path).path):
            self._answer(404, [("Content-Type", "text/plain")], b"404 page not found\n")
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept-encoding")}
        if "protobuf" in headers.get("Accept", "") or "apidiscovery" in headers.get("Accept", ""):
            headers["Accept"] = "application/json"
        try:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP]
            if "watch=" in self.path and answer.status == 200:
                self._stream(answer, kept)
            else:
                self._answer(answer.status, kept, self._rewritten(answer.read()))
        finally:
            upstream.close()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _rewritten(self, data: bytes) -> bytes:
        try:
            obj = json.loads(data)
        except ValueError:
            return data
        return json.dumps(self.rules.changed(obj)).encode() if isinstance(obj, dict) else data

    def _answer(self, code: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response(code)
        for name, value in (*headers, ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, answer: http.client.HTTPResponse, headers: list[tuple[str, str]]) -> None:
        self.send_response(answer.status)
        for name, value in (*headers, ("Transfer-Encoding", "chunked")):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError, http.client.HTTPException):
            while line := answer.readline():
                event = json.loads(line)
                if event.get("type") not in ("BOOKMARK", "ERROR"):
                    event["object"] = self.rules.changed(event["object"])
                line = json.dumps(event).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""


@contextlib.contextmanager
def behind(kubeconfig: Path, rules: Rules) -> Iterator[Path]:
    """A kubeconfig that leads through the proxy to the sandbox of `kubeconfig`, while the block runs."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    handler = type("Handler", (_Handler,), {"rules": rules, "port": urlsplit(cluster["server"]).port})
    context, authority = make_certificate()
    server = _Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    cluster["server"] = f"https://127.0.0.1:{server.server_address[1]}"
    cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    path = kubeconfig.with_name(f"behind-{server.server_address[1]}")
    path.write_text(yaml.safe_dump(config))
    try:
        yield path
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
