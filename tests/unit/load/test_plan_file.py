"""Plans in TOML and recorded traffic: what they mean, and where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.load.plan import KEPT, LoadPlan, RequestSpec, Stage
from hpatui.load.plan_file import TlsOptions, read_plan, read_trace

_WHOLE = """
timeout = "5s"
connections = "kept"
seed = 7
stages = ["50/s for 1m"]

[[stage]]
rate = 50
to = 400
over = "2m"
[[stage]]
rate = 400
until = "replicas>=3"
max = "10m"
name = "hold"

[[request]]
path = "cart"
weight = 3
[[request]]
method = "post"
path = "order/{{id}}"
headers = { Content-Type = "application/json" }
body_file = "order.json"
expect = [201]

[tls]
ca = "ca.pem"
insecure = true
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return path


def test_a_whole_plan(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_bytes(b"{}")
    plan, tls = read_plan(_write(tmp_path, _WHOLE), max_rate=500)
    assert plan == LoadPlan(
        stages=(Stage(50, 50, 60), Stage(50, 400, 120), Stage(400, 400, 600, until="replicas>=3", name="hold")),
        requests=(
            RequestSpec("GET", "cart", weight=3.0),
            RequestSpec("POST", "order/{{id}}", {"Content-Type": "application/json"}, b"{}", 1.0, (201,)),
        ),
        timeout=5,
        connection_age=KEPT,
        max_rate=500,
        seed=7,
    )
    assert tls == TlsOptions(ca="ca.pem", insecure=True)


def test_a_closed_plan_needs_no_stages(tmp_path: Path) -> None:
    plan, _ = read_plan(_write(tmp_path, "concurrency = 8\n"), max_rate=200)
    assert (plan.model, plan.concurrency) == ("closed", 8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timeout = 'soon'\n", r"plan.toml:1: timeout is 'soon'"),
        ("\n\nrat = 5\n", r"plan.toml:3: rat is no known field"),
        (
            "[[stage]]\nrate = 5\n[[stage]]\n\nrate = 'x'\n",
            r"plan.toml:5: \[\[stage\]\] 2: rate is 'x'; it takes a number",
        ),
        ("[[stage]]\nto = 5\n", r"plan.toml:1: \[\[stage\]\] 1: rate is missing"),
        ("[[stage]]\nrate = 5\nuntil = 'tired'\n", r"plan.toml:3: \[\[stage\]\] 1: until is 'tired'"),
        ("[[stage]]\nrate = 5\nshape = 'square'\n", r"plan.toml:3: .*shape is 'square'; steady, ramp"),
        ("[[request]]\nweight = 0\n", r"plan.toml:2: \[\[request\]\] 1: weight is 0"),
        ("[[request]]\nbody_file = 'none'\n", r"plan.toml:2: .*body_file cannot be read"),
        ("stages = ['fast']\n", r"plan.toml:1: stages the stage 'fast' cannot be read"),
        ("stage = 5\n", r"plan.toml:1: stage is 5; it takes a list"),
        ("seed = true\n", r"plan.toml:1: seed is True; it takes a whole number"),
        ("arrivals = 'odd'\n", r"plan.toml:1: arrivals is 'odd'; even, poisson"),
        ("rate =\n", r"plan.toml: .*line 1"),
        ("stages = ['900/s for 1m']\n", r"plan.toml: 900 requests/s is more than the limit of 200"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_plan(_write(tmp_path, text), max_rate=200)


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*nowhere.toml: No such file"):
        read_plan(tmp_path / "nowhere.toml", max_rate=200)


def test_a_trace_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("seconds,rate\n0,10\n5,20\n# quiet\n7.5,0\n")
    assert read_trace(path) == (Stage(10, 10, 5.0), Stage(20, 20, 2.5), Stage(0, 0, 1.0))


def test_an_access_log_is_counted_per_second(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    line = '10.0.0.1 - - [10/Oct/2025:13:55:{:02} +0000] "GET / HTTP/1.1" 200 2\n'
    path.write_text("".join(line.format(second) for second in (36, 36, 37, 37, 40)))
    assert read_trace(path) == (Stage(2, 2, 2.0), Stage(0, 0, 2.0), Stage(1, 1, 1.0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,10\nx,20\n", r":2: 'x,20' is no `seconds,rate`"),
        ("0,10\n0,20\n", ":2: times must grow"),
        ("", "holds no traffic"),
    ],
)
def test_a_broken_trace_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_trace(path)
