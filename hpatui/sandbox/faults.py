"""`hpatui sandbox fault ...`: asks a running sandbox to break something (see fault_state, which does it).

GET    /sandbox/v1/faults           {"faults": [{"name", "seconds_left"}]}
POST   /sandbox/v1/faults           {"fault", "target", "seconds", "delay"} -> {"message"}
DELETE /sandbox/v1/faults[/NAME]    ends one, or all
GET    /sandbox/v1/clock            {"time", "speed"}: the cluster's clock, epoch seconds
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hpatui.errors import SandboxError, UsageError
from hpatui.text import printable

PATH, CLOCK = "/sandbox/v1/faults", "/sandbox/v1/clock"
_API_DOWN_FOR = 10.0  # seconds, where none are given: nobody could end it over an API that is down
_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True, repr=False)
class Reach:
    """A sandbox's server, its token and what to trust."""

    server: str
    token: str
    trust: ssl.SSLContext


def run_fault(args: argparse.Namespace) -> int:
    """The command: one request to the sandbox that the kubeconfig names, one line about what it did."""
    reach = _connection(args.kubeconfig)
    if args.fault == "list":
        faults = _request(reach, "GET", PATH)["faults"]
        for fault in faults:
            left = fault["seconds_left"]
            _say(fault["name"] + (f"  {left:.0f} s left" if left is not None else ""))
        if not faults:
            _say("no faults")
        return 0
    if args.fault == "clear":
        path = f"{PATH}/{args.target}" if args.target else PATH
        ended = _request(reach, "DELETE", path)["ended"]
        _say("ended: " + (", ".join(ended) or "nothing"))
        return 0
    body = {"fault": args.fault, "target": getattr(args, "target", ""), "seconds": args.seconds}
    if args.fault in ("api-slow", "slow-start"):
        body["delay"] = args.delay
    _say(_request(reach, "POST", PATH, body)["message"])
    return 0


def _say(text: str) -> None:
    print(printable(text, 500))  # noqa: T201  # the command's output


def _connection(kubeconfig: str | None) -> Reach:
    """How to reach the server of the current context."""
    path = Path(kubeconfig or os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or Path.home() / ".kube/config")
    try:
        config = yaml.safe_load(path.read_text())
        context = next(e["context"] for e in config["contexts"] if e["name"] == config["current-context"])
        cluster = next(e["cluster"] for e in config["clusters"] if e["name"] == context["cluster"])
        user = next(e["user"] for e in config["users"] if e["name"] == context["user"])
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot read {path}: {reason}", hint="give the sandbox's file with --kubeconfig") from error
    except (yaml.YAMLError, KeyError, TypeError, StopIteration, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no kubeconfig with a current context") from error
    server = str(cluster.get("server", ""))
    if not server.startswith("https://127.0.0.1:"):
        raise UsageError(
            f"{server} is no sandbox", hint="faults are for sandboxes only; give its file with --kubeconfig"
        )
    try:
        pem = base64.b64decode(str(cluster.get("certificate-authority-data", ""))).decode("ascii")
        trust = ssl.create_default_context(cadata=pem)
    except (ValueError, ssl.SSLError) as error:
        raise UsageError(f"{path} has no certificate-authority-data of a sandbox") from error
    return Reach(server, str(user.get("token", "")), trust)


def _request(reach: Reach, method: str, path: str, body: object = None) -> dict[str, Any]:
    request = urllib.request.Request(reach.server + path, method=method)
    request.add_header("Authorization", f"Bearer {reach.token}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    # Never through a proxy: it is loopback.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=reach.trust)
    )
    try:
        with opener.open(request, timeout=_TIMEOUT) as answer:
            result: dict[str, Any] = json.loads(answer.read())
            return result
    except urllib.error.HTTPError as error:
        text = error.read(4096).decode(errors="replace")
        try:
            message = json.loads(text)["message"]
        except (ValueError, KeyError, TypeError):
            message = f"the sandbox answered {error.code}"
        raise SandboxError(printable(str(message), 500)) from error
    except (OSError, ValueError) as error:
        raise SandboxError(f"no sandbox answers at {reach.server}", hint="is it running?") from error
