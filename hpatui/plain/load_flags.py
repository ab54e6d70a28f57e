"""What of the flags of `hpatui load` goes with what: one table. Nothing is ignored silently."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from hpatui.errors import UsageError
from hpatui.load.target import looks_like_url


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `flag` was given (or is so), none of `others` may be; `why` is the hint."""

    flag: str
    others: tuple[str, ...]
    why: str


_REQUEST = ("method", "header", "body", "timeout", "connections", "http2")
_RATES = ("rate", "shape", "stages", "trace", "arrivals")
_CLUSTER_ONLY = ("engine", "print_manifest")
_TLS = ("insecure", "ca", "cert", "key", "server_name")
_CONTROLLER = ("sync_period", "downscale_stabilization", "cpu_initialization", "initial_readiness_delay", "tolerance")

RULES = (
    Rule("json", ("csv",), "give one of them"),
    Rule("plan", ("rate", "concurrency", "stages", "trace", "shape"), "both say what to send: give one of them"),
    Rule("plan", ("method", "body"), "write [[request]] in the plan"),
    Rule("trace", ("rate", "shape", "stages", "concurrency"), "the trace says the rates"),
    Rule("stages", ("rate", "shape", "concurrency"), "the stages say the rates"),
    Rule("concurrency", _RATES, "--concurrency is the closed model and has no rates"),
    Rule("find_capacity", ("concurrency", "stages", "trace", "shape"), "--find-capacity orders the rates itself"),
    Rule("via cluster", ("ca", "cert", "key", "server_name", "find_capacity", "trace", "http2", "seed", "max_in_flight",
                         "max_body", "no_breaker"), "use --via port-forward or a URL"),
    Rule("engine busybox", (*_REQUEST, *_RATES, "concurrency", "plan", "insecure", "csv", "hdr_log", "max_p95",
                            "max_errors"), "its loops only fetch the target, and count nothing"),
    Rule("print_manifest", ("json", "csv", "hdr_log", "max_p95", "max_errors"), "nothing is sent"),
    Rule("no --via cluster", _CLUSTER_ONLY, "add --via cluster"),
    Rule("no --find-capacity", ("peak",), "add --find-capacity"),
    Rule("no --cert", ("key",), "add --cert"),
    Rule("a URL as TARGET", ("namespace",), "a namespace is for an HPA or svc/NAME"),
    Rule("no URL as TARGET", ("allow_host",), "--yes confirms load on a cluster"),
    Rule("an http URL", _TLS, "TLS needs https"),
    Rule("hpatui load", ("hpa", "all_namespaces", *_CONTROLLER), "TARGET names the HPA; the rest is for other commands"),
)  # fmt: skip


def check_flags(args: argparse.Namespace) -> None:
    """UsageError, one line, for the first two that do not go together."""
    for rule in RULES:
        if not _holds(args, rule.flag):
            continue
        for other in rule.others:
            if given(args, other):
                flag = rule.flag if " " in rule.flag else f"--{_dashed(rule.flag)}"
                if rule.flag == "via cluster":
                    flag = "--via cluster"
                elif rule.flag == "engine busybox":
                    flag = "--via cluster --engine busybox"
                raise UsageError(f"--{_dashed(other)} does not go with {flag}", hint=rule.why)


def given(args: argparse.Namespace, name: str) -> bool:
    """Whether a flag was given."""
    value = getattr(args, name, None)
    return value is not None and value is not False and value != []


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _holds(args: argparse.Namespace, flag: str) -> bool:
    url = looks_like_url(args.target)
    match flag:
        case "via cluster":
            return bool(args.via == "cluster")
        case "engine busybox":
            return bool(args.engine == "busybox")
        case "no --via cluster":
            return bool(args.via != "cluster")
        case "no --find-capacity":
            return not args.find_capacity
        case "no --cert":
            return args.cert is None and not args.plan
        case "a URL as TARGET":
            return url
        case "no URL as TARGET":
            return not url
        case "an http URL":
            return url and not args.target.lower().startswith("https:")
        case "hpatui load":
            return True
    return given(args, flag)
