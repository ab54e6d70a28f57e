"""`hpatui sandbox fault ...`: asks a running sandbox to break something (see fault_state, which does it).

GET    /sandbox/v1/faults           {"faults": [{"name", "seconds_left"}]}
POST   /sandbox/v1/faults           {"fault", "target", "seconds", "delay"} -> {"message"}
DELETE /sandbox/v1/faults[/NAME]    ends one, or all
"""

from __future__ import annotations

import argparse
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from hpatui.errors import SandboxError, UsageError
from hpatui.text import printable

PATH = "/sandbox/v1/faults"
_API_DOWN_FOR = 10.0  # seconds, where none are given: nobody could end it over an API that is down
_TIMEOUT = 15.0


def run_fault(args: argparse.Namespace) -> int:
    """The command: one request to the sandbox that the kubeconfig names, one line about what it did."""
    server, token = _connection(args.kubeconfig)
    if args.fault == "list":
        faults = _request(server, token, "GET", PATH)["faults"]
        for fault in faults:
            left = fault["seconds_left"]
            _say(fault["name"] + (f"  {left:.0f} s left" if left is not None else ""))
        if not faults:
            _say("no faults")
        return 0
    if args.fault == "clear":
        path = f"{PATH}/{args.target}" if args.target else PATH
        ended = _request(server, token, "DELETE", path)["ended"]
        _say("ended: " + (", ".join(ended) or "nothing"))
        return 0
    body = {"fault": args.fault, "target": getattr(args, "target", ""), "seconds": args.seconds}
    if args.fault == "api-slow":
        body["delay"] = args.delay
    _say(_request(server, token, "POST", PATH, body)["message"])
    return 0


def _say(text: str) -> None:
    print(printable(text, 500))  # noqa: T201  # the command's output


def _connection(kubeconfig: str | None) -> tuple[str, str]:
    """Server and token of the current context."""
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
    if not server.startswith("http://127.0.0.1:"):
        raise UsageError(
            f"{server} is no sandbox", hint="faults are for sandboxes only; give its file with --kubeconfig"
        )
    return server, str(user.get("token", ""))


def _request(server: str, token: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    request = urllib.request.Request(server + path, method=method)
    request.add_header("Authorization", f"Bearer {token}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy: it is loopback
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
        raise SandboxError(f"no sandbox answers at {server}", hint="is it running?") from error
