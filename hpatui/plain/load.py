"""`hpatui load`: load without a screen, for scripts: a live line on a terminal, the result as text or JSON.

Exit code 1 when a threshold (--max-p95, --max-errors) is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from hpatui.clock import SystemClock
from hpatui.errors import LoadError, UsageError
from hpatui.load.plan import LoadPlan, RequestSpec, Stage, parse_duration, parse_stages, shaped
from hpatui.load.run import Finished, LoadRun, Sampled
from hpatui.load.target import PROXY_MAX_RATE, Target, check_host, url_target
from hpatui.model import LoadSample
from hpatui.session.port import parse_hpa_name
from hpatui.settings import Settings


def load(args: argparse.Namespace, settings: Settings) -> int:
    """Run `hpatui load`; returns the exit code."""
    plan = plan_of(args)
    plan.check()
    limits = (_limit_ms(args.max_p95), _limit_share(args.max_errors))
    return asyncio.run(_run(args, settings, plan, limits))


def plan_of(args: argparse.Namespace) -> LoadPlan:
    """The flags as a plan. UsageError names what cannot be used."""
    duration = parse_duration(args.duration) if args.duration else None
    if args.concurrency is not None and (args.rate is not None or args.stages):
        raise UsageError("--concurrency is the closed model and --rate the open one", hint="give one of them")
    if args.stages:
        stages: tuple[Stage, ...] = parse_stages(args.stages)
    else:
        stages = shaped(args.shape, 50.0 if args.rate is None else args.rate, duration)
    return LoadPlan(
        model="closed" if args.concurrency is not None else "open",
        stages=stages,
        concurrency=args.concurrency or 32,
        duration=duration,
        requests=(RequestSpec(args.method.upper(), "", _headers(args.header), _body(args.body)),),
        timeout=parse_duration(args.timeout),
        connection_age={"renewed": 5.0, "kept": float("1e9"), "single": 0.0}[args.connections],
        max_rate=args.max_rate,
        arrivals=args.arrivals,
        http2=args.http2,
        breaker=not args.no_breaker,
    )


def _headers(lines: list[str]) -> dict[str, str]:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or "\n" in line or "\r" in line:
            raise UsageError(f"{line!r} is no header", hint="write 'Name: value'")
        headers[name.strip()] = value.strip()
    return headers


def _body(text: str | None) -> bytes:
    if not text:
        return b""
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the body {text[1:]}: {error.strerror}") from error


def _limit_ms(text: str | None) -> float | None:
    return None if text is None else parse_duration(text) * 1000.0


def _limit_share(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        raise UsageError(f"{text!r} is no share", hint="write 1% or 0.01") from None
    return value / 100.0 if text.endswith("%") else value


async def _run(
    args: argparse.Namespace, settings: Settings, plan: LoadPlan, limits: tuple[float | None, float | None]
) -> int:
    target = await _target(args, settings)
    if target.cap is not None and any(max(stage.start, stage.end) > target.cap for stage in plan.stages):
        print(f"hpatui: the API server's proxy carries this load: limited to {target.cap:g}/s", file=sys.stderr)
    process = LoadRun()
    await process.start(plan, target, args.workers)
    loop = asyncio.get_running_loop()
    interrupted = False

    def finish() -> None:
        nonlocal interrupted
        interrupted = True
        process.finish()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, finish)
    samples: list[LoadSample] = []  # one a second; the newest hour
    ended: Finished | None = None
    live = sys.stderr.isatty() and not args.json
    try:
        async for report in process.reports():
            if isinstance(report, Sampled):
                samples.append(report.sample)
                del samples[:-3600]
                if live:
                    sys.stderr.write(f"\r\x1b[K{_line(report.sample)}")
                    sys.stderr.flush()
            else:
                ended = report
    finally:
        await process.stop()
    if live:
        sys.stderr.write("\r\x1b[K")
    if ended is None or ended.error:
        raise LoadError((ended.error if ended else "") or "the load ended without a result")
    result = result_json(ended, samples, plan)
    print(json.dumps(result) if args.json else result_text(result))
    missed = _missed(result, limits)
    for text in missed:
        print(f"hpatui: {text}", file=sys.stderr)
    return 1 if missed else 130 if interrupted and plan.duration is not None else 0


async def _target(args: argparse.Namespace, settings: Settings) -> Target:
    text: str = args.target
    if text.startswith(("http://", "https://")):
        target = url_target(text, verify=not args.insecure)
        check_host(target, allowed=tuple(args.allow_host))
        return target
    from hpatui.cluster.connect import connect
    from hpatui.cluster.source import ClusterSource
    from hpatui.cluster.target import find_route, route_of_service

    connection = await connect(settings, SystemClock())
    try:
        if not connection.sandbox and not args.yes:
            raise LoadError(
                f"that is load on context {connection.context} ({connection.host})", hint="say --yes if you mean it"
            )
        if text.startswith("svc/"):
            name, _, port = text.removeprefix("svc/").partition(":")
            key = parse_hpa_name(name)
            namespace = key.namespace or settings.namespace or connection.namespace
            route = await route_of_service(connection, namespace, key.name, int(port) if port.isdecimal() else None)
        else:
            key = parse_hpa_name(text)
            namespace = key.namespace or settings.namespace or connection.namespace
            from hpatui.cluster.decode import decode_hpa
            from hpatui.model import Key

            source = ClusterSource(connection, SystemClock(), namespace)
            hpa = decode_hpa(await source.get_object("HorizontalPodAutoscaler", Key(namespace, key.name)))
            if hpa is None:
                raise LoadError(f"there is no HPA {text}")
            route = await find_route(connection, hpa)
        return Target(
            url=route.proxy_url, text=route.text, kind="proxy", headers=route.headers, ca_file=route.ca_file,
            ca_data=route.ca_data, verify=route.verify, cap=None if connection.sandbox else PROXY_MAX_RATE,
        )  # fmt: skip
    finally:
        await connection.close()


# Results --------------------------------------------------------------------------------------------------------------


def result_json(ended: Finished, samples: list[LoadSample], plan: LoadPlan) -> dict[str, Any]:
    """The result as the JSON object that scripts rely on."""
    totals = ended.totals
    return {
        "requests": totals.requests,
        "errors": totals.failed,
        "unserved": totals.unserved,
        "duration_s": round(totals.duration, 3),
        "offered_rate": round(totals.offered_rate, 3),
        "achieved_rate": round(totals.achieved_rate, 3),
        "in_flight_max": totals.in_flight_max,
        "bytes": totals.bytes,
        "status": dict(totals.statuses),
        "error_kinds": dict(totals.errors),
        **ended.summary,
        "stages": [stage.text() for stage in plan.stages],
        "per_second": [
            {"time": round(s.time, 3), "offered": s.offered, "sent": s.sent, "ok": s.ok, "failed": s.failed,
             "unserved": s.unserved, "p50": s.p50, "p95": s.p95, "p99": s.p99}
            for s in samples
        ],
    }  # fmt: skip


def result_text(result: dict[str, Any]) -> str:
    """The result for a person."""
    latency = result["latency_ms"]
    shown = "  ".join(
        f"{name} {latency[name]:.1f}" for name in ("p50", "p90", "p95", "p99", "max") if latency.get(name)
    )
    kinds = ", ".join(f"{kind} {count}" for kind, count in result["error_kinds"].items())
    return "\n".join(
        [
            f"{result['requests']} requests in {result['duration_s']:.1f} s: {result['achieved_rate']:.1f}/s achieved, "
            f"{result['offered_rate']:.1f}/s ordered",
            f"{result['errors']} errors" + (f" ({kinds})" if kinds else "") + f", {result['unserved']} unserved",
            f"response time ms: {shown or 'no answers'}",
        ]
    )


def _line(sample: LoadSample) -> str:
    p95 = f"{sample.p95:.0f}" if sample.p95 is not None else "-"
    limited = "  GENERATOR LIMITED" if sample.generator_limited else ""
    return f"{sample.sent}/s  {sample.ok} ok  {sample.failed} failed  {sample.unserved} unserved  p95 {p95} ms{limited}"


def _missed(result: dict[str, Any], limits: tuple[float | None, float | None]) -> list[str]:
    most_p95, most_errors = limits
    missed: list[str] = []
    p95 = result["latency_ms"].get("p95")
    if most_p95 is not None and (p95 is None or p95 > most_p95):
        missed.append(f"p95 is {'unknown' if p95 is None else f'{p95:.1f} ms'}, more than {most_p95:g} ms")
    wanted = result["requests"] + result["unserved"]
    share = (result["errors"] + result["unserved"]) / wanted if wanted else 1.0
    if most_errors is not None and share > most_errors:
        missed.append(f"{100 * share:.2f} % failed or stayed unserved, more than {100 * most_errors:g} %")
    return missed
