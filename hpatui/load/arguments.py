"""The flags of `hpatui load`. Imports nothing heavy: the command line is built from it."""

from __future__ import annotations

import argparse

NUMBERS = """what the numbers mean:
  requests         begun: sent, or a connection for them failed
  ordered/s        what the plan ordered, over the seconds in which it sent; the wait for the last answers is apart
  achieved/s       what was begun, over the same seconds
  errors           no answer (refused, timeout, reset, tls: ...), or a status that is none of 200 to 399 (plan: expect).
                   A connection that the target does not give is its error: "connect timeout", "tls timeout"
  unserved         what hpatui did not begin, and why: more than --max-in-flight under way, the circuit breaker, the limit
                   of the rate, or this machine (started late, out of open files or ports)
  response time    from the planned start of a request to the end of its answer, connecting included
    of the answers all that were answered, whatever the status
    of all planned what failed or was unserved counts as slower than any answer; a time-out took at least the time-out:
                   "p95 >= 2000". --max-p95 judges this one
  service time     from the moment at which the request was written (JSON: service_time_ms)
  late start       how long after its planned start this machine began a request; the target has no part in it
  connecting       the look-up of the name, TCP and TLS, each for itself
  sent again       an idle connection had been closed by the target; a GET (HEAD, PUT, DELETE) is repeated once
  GENERATOR LIMITED  seconds in which this machine was the bottleneck, and why
--max-rate, --max-in-flight and the limits of a way in hold for all workers together, in the open and the closed model.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add target, plan, limits and output flags."""
    parser.epilog, parser.formatter_class = NUMBERS, argparse.RawDescriptionHelpFormatter
    _add_plan(parser)
    _add_way(parser)
    _add_limits(parser)
    _add_output(parser)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("target", metavar="TARGET", help="a URL, [NS/]NAME of an HPA, or svc/[NS/]NAME[:PORT]")
    add(
        "--rate",
        type=float,
        metavar="R",
        help="requests per second, independent of answers (open model; default 50)",
    )
    add("--concurrency", type=int, metavar="N", help="connections that send as fast as answered (closed model)")
    add("--duration", metavar="30s", help="how long (default: until interrupted)")
    add("--shape", metavar="S", help="steady (default), ramp, steps, spike, sine, sawtooth")
    add("--stages", metavar="TEXT", help="stages as text: '50/s for 1m; 50->400/s over 2m'")
    add("--plan", metavar="FILE", help="a plan in TOML: stages, requests, TLS (see the README)")
    add("--trace", metavar="FILE", help="recorded traffic: a CSV of `seconds,rate`, or an access log")
    add("--method", metavar="M", help="request method (GET)")
    add("--header", action="append", default=[], metavar="'K: V'", help="a request header; may be repeated")
    add("--body", metavar="TEXT|@FILE", help="request body")
    add("--timeout", metavar="10s", help="per request (10s)")
    add("--connections", metavar="P", help="renewed (each 5 s; default), kept, single (one a request), or an age: 8s")
    add("--max-in-flight", type=int, metavar="N", help="never more requests under way at once; more are unserved (512)")
    add("--max-body", metavar="SIZE", help="an answer with a larger body is an error, e.g. 1MB (default: none is)")
    add("--arrivals", choices=("even", "poisson"), help="spacing of requests in the open model (even)")
    add("--seed", type=int, metavar="N", help="makes random choices repeatable: poisson arrivals, weights, renewal")
    add("--http2", action="store_true", help="HTTP/2")


def _add_way(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--insecure", action="store_true", help="do not check TLS certificates")
    add("--ca", metavar="FILE", help="certificate authority of the target")
    add("--cert", metavar="FILE", help="client certificate")
    add("--key", metavar="FILE", help="its key")
    add("--server-name", metavar="NAME", help="the name that the target's certificate must have")
    add(
        "--via",
        choices=("auto", "url", "proxy", "port-forward", "cluster"),
        default="auto",
        help="the way to the target",
    )
    add("--engine", choices=("locust", "busybox"), help="with --via cluster: what sends there (locust)")
    add("--print-manifest", action="store_true", help="with --via cluster: print what would be created, create nothing")
    add("--workers", type=int, default=1, metavar="N", help="processes that share the load, one a core, or pods (1)")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--max-rate",
        type=float,
        default=200.0,
        metavar="R",
        help="never more requests (and connects) per second than this (200)",
    )
    add("--allow-host", action="append", default=[], metavar="HOST", help="a host outside this machine that may be hit")
    add(
        "--max-p95",
        metavar="250ms",
        help="exit code 1 when the 95th percentile of response time, of all planned, is above",
    )
    add("--max-errors", metavar="1%", help="exit code 1 when more requests fail or stay unserved")
    add("--no-breaker", action="store_true", help="go on at full rate even when everything fails")
    add("--find-capacity", action="store_true", help="raise the rate in steps (--duration each) until the target bends")
    add("--peak", type=float, metavar="R", help="with --find-capacity: say the replicas that this rate would need")


def _add_output(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--json", action="store_true", help="print the result as JSON")
    add("--csv", action="store_true", help="print one line a second as CSV")
    add("--hdr-log", metavar="FILE", help="append the response times in HdrHistogram's log format")
    add("--yes", action="store_true", help="do not ask before load on a cluster that is not the sandbox")
