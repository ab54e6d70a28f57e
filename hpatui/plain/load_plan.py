"""The flags of `hpatui load` -> a plan, the TLS files and the thresholds."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path

from hpatui.errors import UsageError
from hpatui.load.plan import LoadPlan, RequestSpec, Stage, connection_age, parse_duration, parse_stages, shaped
from hpatui.load.plan_file import TlsOptions, read_plan, read_trace


def plan_of(args: argparse.Namespace) -> tuple[LoadPlan, TlsOptions]:
    """The flags (and the file of --plan) as a plan. UsageError names what cannot be used."""
    flags = TlsOptions(args.ca, args.cert, args.key, args.server_name, args.insecure)
    if args.plan:
        for name in ("rate", "concurrency", "stages", "trace"):
            if getattr(args, name) is not None:
                raise UsageError(f"--plan and --{name} both say what to send", hint="give one of them")
        plan, tls = read_plan(Path(args.plan), args.max_rate)
        if args.duration:
            plan = replace(plan, duration=parse_duration(args.duration))
        if args.seed is not None:
            plan = replace(plan, seed=args.seed)
        plan = _limited(plan, args)
        own = {key: value for key in ("ca", "cert", "key", "server_name", "insecure") if (value := getattr(flags, key))}
        return plan, replace(tls, **own)
    plan = _limited(_from_flags(args), args)
    plan.check()
    return plan, flags


def _limited(plan: LoadPlan, args: argparse.Namespace) -> LoadPlan:
    """The plan within --max-in-flight and --max-body."""
    if args.max_in_flight is not None:
        plan = replace(plan, max_in_flight=args.max_in_flight)
    if args.max_body is not None:
        plan = replace(plan, max_body=_size(args.max_body))
    plan.check()
    return plan


def _size(text: str) -> int:
    """`500`, `10k`, `1MiB` -> bytes. UsageError where it is none."""
    match = re.fullmatch(r"(\d+)\s*(?:([kmg])(i?)b?|b)?", text.strip().lower())
    if match is None:
        raise UsageError(f"{text!r} is no size", hint="write 500, 64KiB or 1MiB")
    base = 1024 if match[3] else 1000
    return int(match[1]) * int(base ** ("kmg".index(match[2]) + 1 if match[2] else 0))


def _from_flags(args: argparse.Namespace) -> LoadPlan:
    duration = parse_duration(args.duration) if args.duration else None
    if args.concurrency is not None and (args.rate is not None or args.stages):
        raise UsageError("--concurrency is the closed model and --rate the open one", hint="give one of them")
    if args.trace:
        stages: tuple[Stage, ...] = read_trace(Path(args.trace))
    elif args.stages:
        stages = parse_stages(args.stages)
    else:
        stages = shaped(args.shape, 50.0 if args.rate is None else args.rate, duration)
    return LoadPlan(
        model="closed" if args.concurrency is not None else "open",
        stages=stages,
        concurrency=args.concurrency or 32,
        duration=duration,
        requests=(RequestSpec(args.method.upper(), "", _headers(args.header), _body(args.body)),),
        timeout=parse_duration(args.timeout),
        connection_age=connection_age(args.connections),
        max_rate=args.max_rate,
        arrivals=args.arrivals,
        seed=args.seed,
        http2=args.http2,
        breaker=not args.no_breaker,
    )


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """Each line a header; a name may come several times."""
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or "\n" in line or "\r" in line:
            raise UsageError(f"{line!r} is no header", hint="write 'Name: value'")
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
    """`250ms` -> milliseconds."""
    return None if text is None else parse_duration(text) * 1000.0


def limit_share(text: str | None) -> float | None:
    """`1%` or `0.01` -> a share. UsageError where it is none."""
    if text is None:
        return None
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        raise UsageError(f"{text!r} is no share", hint="write 1% or 0.01") from None
    return value / 100.0 if text.endswith("%") else value
