"""Plans in TOML and recorded traffic: what they mean, and where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.load.plan import KEPT, LoadPlan, RequestSpec, Stage
from hpatui.load.plan_file import TlsOptions, read_plan

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
    assert tls == TlsOptions(ca=str(tmp_path / "ca.pem"), insecure=True)  # relative to the plan


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


_STAGE = "[[stage]]\nrate = 5\nfor = '1s'\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"plan.toml is empty"),
        ("# nothing\n", r"plan.toml is empty"),
        ("[[stage]]\nrate = nan\n", r":2: .*rate is nan"),
        ("[[stage]]\nrate = 5\nto = inf\nfor = '1s'\n", r":3: .*to is inf"),
        ("[[stage]]\nrate = -1\n", r":2: .*rate is -1; 0 or more"),
        ("[[stage]]\nrate = 5\nfor = '0s'\n", r":3: .*for is '0s'"),
        ("[[stage]]\nrate = 5\nfor = nan\n", r":3: .*for is nan"),
        ("[[stage]]\nrate = 5\nfor = '1s'\nover = '1s'\n", r":4: .*over stands beside for"),
        ("[[stage]]\nrate = 5\nuntil = 'min'\nfor = '1s'\nmax = '1s'\n", r":5: .*max stands beside for"),
        ("[[stage]]\nrate = 5\nmax = '1s'\n", r":3: .*max is the most that `until`"),
        ("[[stage]]\nrate = 5\n[[stage]]\nrate = 20\nfor = '1s'\n", r":2: \[\[stage\]\] 1: rate has no end"),
        ("stages = ['5/s', '9/s for 1m']\n", r"plan.toml: the stage '5/s' has no end"),
        ("[[stage]]\nrate = 5\nshape = 'sine'\nevery = '0s'\n", r":4: .*every is '0s'"),
        ("[[stage]]\nrate = 5\nevery = '1m'\n", r":3: .*every is the period"),
        ("[[stage]]\nrate = 5\nto = 9\n", r":3: .*to needs to know in which time"),
        ("stages = ['sine 1->5/s every 0s']\n", r"period of 0"),
        ("stages = [5]\n", r":1: stages holds 5; it takes a text"),
        (_STAGE + "[[request]]\nexpect = ['200']\n", r":5: \[\[request\]\] 1: expect holds '200'"),
        (_STAGE + "[[request]]\nexpect = [200, 1000]\n", r":5: .*expect holds 1000; at most 599"),
        (_STAGE + "[[request]]\nweight = nan\n", r":5: .*weight is nan"),
        (_STAGE + "[[request]]\nmethod = 'GET /x'\n", r":5: .*method is"),
        (_STAGE + '[[request]]\npath = "a\\nb"\n', r":5: .*path is"),
        (_STAGE + "[[request]]\nbody = 'x'\nbody_file = 'y'\n", r":6: .*body_file stands beside body"),
        (_STAGE + '[[request]]\nheaders = { A = "x\\r\\nB: y" }\n', r":5: .*headers the value of A holds a line break"),
        (_STAGE + "[[request]]\n[request.headers]\n'A b' = 'x'\n", r":5: .*headers 'A b' is no name"),
        (_STAGE + "[[request]]\nheaders = { A = [1] }\n", r":5: .*headers has a value of the wrong kind"),
        ("timeout = '0s'\n" + _STAGE, r":1: timeout is '0s'"),
        ("timeout = true\n" + _STAGE, r":1: timeout is True"),
        ("duration = '0s'\n" + _STAGE, r":1: duration is '0s'"),
        ("max_connections = 0\n" + _STAGE, r":1: max_connections is 0; 1 or more"),
        ("max_in_flight = 0\n" + _STAGE, r":1: max_in_flight is 0; 1 or more"),
        ("max_body = 'much'\n" + _STAGE, r":1: max_body is 'much'"),
        ("connections = 50\n" + _STAGE, r":1: connections is 50; .*max-in-flight"),
        ("concurrency = 0\n", r":1: concurrency is 0; 1 or more"),
        ("concurrency = 2\n" + _STAGE, r":2: .*stage does not go with concurrency"),
        ("concurrency = 2\nstages = ['5/s']\n", r":2: stages does not go with concurrency"),
        ("model = 'open'\nconcurrency = 2\n" + _STAGE, r":2: concurrency is of the closed model"),
        ("[tls]\nkey = 'k'\n", r":2: key is the key of a cert"),
        ("[tls]\ncaa = 'k'\n", r":2: caa is no known field; known: ca, cert"),
        ("tls = 5\n", r":1: tls is 5; it takes a table"),
        ("stage = [5]\n", r":1: stage is no list of tables"),
    ],
)
def test_every_value_is_checked_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        read_plan(_write(tmp_path, text), max_rate=200)
    assert "\n" not in str(caught.value)


def test_a_value_of_a_header_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_plan(_write(tmp_path, _STAGE + '[[request]]\nheaders = { Authorization = "s3cret\\n" }\n'), max_rate=200)
    assert "s3cret" not in str(caught.value)


def test_a_header_may_have_several_values(tmp_path: Path) -> None:
    plan, _ = read_plan(_write(tmp_path, _STAGE + "[[request]]\nheaders = { A = ['x', 'y'], B = 5 }\n"), max_rate=200)
    assert plan.requests[0].pairs == [("A", "x"), ("A", "y"), ("B", "5")]


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*nowhere.toml: No such file"):
        read_plan(tmp_path / "nowhere.toml", max_rate=200)
