"""The flags of `hpatui load` -> a plan, the TLS files and the thresholds."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hpatui.errors import UsageError
from hpatui.load.plan import (
    DEFAULT_CONCURRENCY,
    LoadPlan,
    RequestSpec,
    Stage,
    connection_age,
    parse_bytes,
    parse_duration,
    parse_stages,
    shaped,
)
from hpatui.load.plan_file import TlsOptions, header_problem, read_plan, read_trace
from hpatui.plain.load_flags import check_flags
from hpatui.text import printable


def plan_of(args: argparse.Namespace) -> tuple[LoadPlan, TlsOptions]:
    """The flags (and the file of --plan) as a plan. UsageError names what cannot be used."""
    check_flags(args)
    tls = TlsOptions(args.ca, args.cert, args.key, args.server_name, args.insecure)
    if args.plan is not None:
        plan, own = read_plan(Path(args.plan), args.max_rate)
        if args.find_capacity and (plan.stages != LoadPlan().stages or plan.model == "closed"):
            raise UsageError("--find-capacity orders the rates itself", hint="give it a plan of [[request]] alone")
        tls = replace(own, **{item.name: value for item in fields(tls) if (value := getattr(tls, item.name))})
    else:
        plan = _from_flags(args)
    plan = _with_flags(args, plan)
    plan.check()
    if args.peak is not None and not 0 < args.peak < 1e9:
        raise UsageError(f"a peak of {args.peak:g} requests/s is none", hint="give a rate above 0")
    return plan, tls


def _from_flags(args: argparse.Namespace) -> LoadPlan:
    duration = _duration(args.duration)
    if args.trace is not None:
        stages: tuple[Stage, ...] = read_trace(Path(args.trace))
    elif args.stages is not None:
        stages = parse_stages(args.stages)
    else:
        rate = 50.0 if args.rate is None else args.rate
        stages = shaped(args.shape or "steady", min(rate, 10.0) if args.find_capacity else rate, duration)
    request = RequestSpec(_method(args.method or "GET"), "", (), _body(args.body))
    return LoadPlan(
        model="closed" if args.concurrency is not None else "open",
        stages=stages,
        concurrency=DEFAULT_CONCURRENCY if args.concurrency is None else args.concurrency,
        requests=(request,),
        max_rate=args.max_rate,
    )


def _with_flags(args: argparse.Namespace, plan: LoadPlan) -> LoadPlan:
    """The plan with what the flags say besides; they go before what its file says."""
    headers = _headers(args.header)
    if headers:
        requests = tuple(replace(spec, headers=(*spec.pairs, *headers)) for spec in plan.requests)
        plan = replace(plan, requests=requests)
    changes: dict[str, Any] = {
        "duration": _duration(args.duration),
        "timeout": _duration(args.timeout),
        "connection_age": None if args.connections is None else connection_age(args.connections),
        "max_in_flight": args.max_in_flight,
        "max_body": None if args.max_body is None else parse_bytes(args.max_body),
        "arrivals": args.arrivals,
        "seed": args.seed,
        "http2": args.http2 or None,
        "breaker": False if args.no_breaker else None,
    }
    return replace(plan, **{name: value for name, value in changes.items() if value is not None})


def _duration(text: str | None) -> float | None:
    return None if text is None else parse_duration(text)


def _method(text: str) -> str:
    if not text.isascii() or not text.replace("-", "").isalnum():
        raise UsageError(f"{text!r} is no request method", hint="write GET, POST, ...")
    return text.upper()


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UsageError(f"{printable(line, 40)!r} is no header", hint="write 'Name: value'")
        if problem := header_problem(name.strip(), value.strip()):
            raise UsageError(problem, hint="write 'Name: value'")
        headers.append((name.strip(), value.strip()))
    return tuple(headers)


def _body(text: str | None) -> bytes:
    if not text:
        return b""
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the body {text[1:]}: {error.strerror}") from error


def limit_ms(text: str | None) -> float | None:
    """`250ms` -> milliseconds. UsageError where it is none, or says no unit."""
    if text is None:
        return None
    if text.strip().replace(".", "", 1).isdigit():
        raise UsageError(f"--max-p95 {text} says no unit", hint=f"write {text}ms or {text}s")
    return parse_duration(text) * 1000.0


def limit_share(text: str | None) -> float | None:
    """`1%` or `0.01` -> a share. UsageError where it is none, or could be meant otherwise."""
    if text is None:
        return None
    try:
        value = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        raise UsageError(f"{text!r} is no share", hint="write 1% or 0.01") from None
    if not text.endswith("%") and value >= 1:
        raise UsageError(f"--max-errors {text} says no unit", hint=f"write {text}% or a share below 1")
    if not 0 <= value <= 1:
        raise UsageError(f"{text!r} is no share", hint="0% to 100%")
    return value
