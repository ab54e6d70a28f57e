"""No flag of `hpatui load` is ignored: it works together with the others, or is refused in a line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from hpatui.cli import build_parser
from hpatui.errors import UsageError
from hpatui.load.plan import LoadPlan
from hpatui.plain.load_flags import RULES, check_flags
from hpatui.plain.load_plan import limit_ms, limit_share, plan_of

_VALUES = {
    "rate": "5", "concurrency": "2", "stages": "5/s for 1s", "trace": "t.csv", "shape": "sine", "plan": "p.toml",
    "method": "POST", "header": "A: b", "body": "x", "timeout": "1s", "connections": "kept", "arrivals": "poisson",
    "seed": "1", "ca": "f", "cert": "f", "key": "f", "server_name": "x", "engine": "locust", "max_in_flight": "5",
    "max_body": "1MB", "csv": None, "json": None, "hdr_log": "f", "max_p95": "1s", "max_errors": "1%", "peak": "5",
    "find_capacity": None, "http2": None, "insecure": None, "no_breaker": None, "print_manifest": None,
    "allow_host": "x", "namespace": "x", "hpa": "x", "all_namespaces": None, "sync_period": "15s",
    "downscale_stabilization": "5s", "cpu_initialization": "5s", "initial_readiness_delay": "5s", "tolerance": "0.1",
}  # fmt: skip
_MODES = {
    "via cluster": ["web", "--via", "cluster"],
    "engine busybox": ["web", "--via", "cluster", "--engine", "busybox"],
    "no URL as TARGET": ["web"],
    "print_manifest": ["web", "--via", "cluster", "--print-manifest"],
}
_URL = "http://127.0.0.1:1/"


def _flag(name: str) -> list[str]:
    value = _VALUES[name]
    return [f"--{name.replace('_', '-')}", *([] if value is None else [value])]


def _parsed(words: list[str]) -> argparse.Namespace:
    return build_parser(["load", *words]).parse_args(["load", *words])


@pytest.mark.parametrize(("first", "second"), [(rule.flag, other) for rule in RULES for other in rule.others])
def test_what_does_not_go_together_is_refused_in_a_line(first: str, second: str) -> None:
    words = _MODES.get(first, [_URL])
    words = [*words, *(_flag(first) if first in _VALUES and first not in _MODES else []), *_flag(second)]
    with pytest.raises(UsageError, match=f"--{second.replace('_', '-')}") as caught:
        check_flags(_parsed(words))
    assert "\n" not in str(caught.value) and caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        [], ["--duration", ""], ["--timeout", ""], ["--stages", ""], ["--concurrency", "0"], ["--max-rate", "nan"],
        ["--max-rate", "inf"], ["--rate", "nan"], ["--rate", "inf"], ["--connections", "50"], ["--connections", ""],
        ["--stages", "5/s; 9/s for 1s"], ["--stages", "sine 1->5/s every 0s"], ["--stages", "5/s for 0s"],
        ["--duration", "0s"], ["--duration", "9" * 400], ["--find-capacity", "--peak", "nan"], ["--max-body", "0"],
        ["--header", "A b: c"], ["--header", "A: b\r\nC: d"], ["--method", "GET /"], ["--max-in-flight", "0"],
    ],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(words: list[str]) -> None:
    args = _parsed([_URL, *words])
    if not words:
        assert plan_of(args)[0] == LoadPlan(requests=plan_of(args)[0].requests)
        return
    with pytest.raises(UsageError) as caught:
        plan_of(args)
    assert "\n" not in str(caught.value)


def test_flags_go_before_what_a_plan_says(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        "timeout = '5s'\narrivals = 'even'\n[[stage]]\nrate = 5\nfor = '1s'\n[[request]]\nheaders = { A = 'x' }\n"
    )
    words = ["--timeout", "2s", "--connections", "kept", "--http2", "--arrivals", "poisson", "--header", "B: y",
             "--duration", "9s", "--max-in-flight", "7", "--max-body", "1KiB", "--no-breaker"]  # fmt: skip
    plan, _ = plan_of(_parsed([_URL, "--plan", str(path), *words]))
    assert (plan.timeout, plan.http2, plan.arrivals, plan.duration) == (2.0, True, "poisson", 9.0)
    assert (plan.max_in_flight, plan.max_body, plan.breaker) == (7, 1024, False)
    assert plan.requests[0].pairs == [("A", "x"), ("B", "y")]


@pytest.mark.parametrize("text", ["250", "0.5", "fast", ""])
def test_a_latency_without_its_unit_is_asked_about(text: str) -> None:
    with pytest.raises(UsageError):
        limit_ms(text)


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("0.05", 0.05), ("0", 0.0), ("100%", 1.0)])
def test_a_share(text: str, value: float) -> None:
    assert limit_share(text) == value


@pytest.mark.parametrize("text", ["5", "1", "101%", "-1%", "nan", "nan%", "few"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError):
        limit_share(text)
