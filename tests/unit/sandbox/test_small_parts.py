"""Options, kubeconfig, clock, selectors, quantities as text."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from hpatui.clock import ManualClock
from hpatui.errors import SandboxError, UsageError
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.controllers.inputs import selector_text
from hpatui.sandbox.controllers.objects import scaled_value
from hpatui.sandbox.kubeconfig import write_kubeconfig
from hpatui.sandbox.metrics import cpu_text, memory_text, milli_text, window_text
from hpatui.sandbox.options import KUBERNETES, QUICK, SandboxOptions, add_fault_arguments
from hpatui.sandbox.warp import WarpClock


@pytest.mark.parametrize(
    "options",
    [
        SandboxOptions(scenario="nonsense"),
        SandboxOptions(fleet=-1),
        SandboxOptions(speed=0.0),
        SandboxOptions(speed=1e6),
    ],
)
def test_options_that_cannot_be_used(options: SandboxOptions) -> None:
    with pytest.raises(UsageError):
        options.check()


def test_timings() -> None:
    assert SandboxOptions().timings is QUICK
    assert SandboxOptions(kube_timings=True).timings is KUBERNETES
    assert SandboxOptions(fleet=5000).timings.sync_period == 20.0
    assert SandboxOptions(fleet=5000, kube_timings=True).timings.downscale_stabilization == 300.0


def test_fault_arguments() -> None:
    parser = argparse.ArgumentParser()
    add_fault_arguments(parser)
    args = parser.parse_args(["pod-crash", "ns/web", "--for", "3"])
    assert (args.fault, args.target, args.seconds) == ("pod-crash", "ns/web", 3.0)
    args = parser.parse_args(["--kubeconfig", "f", "clear"])
    assert (args.fault, args.target, args.kubeconfig) == ("clear", None, "f")


def test_the_kubeconfig_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old")
    path.chmod(0o644)
    write_kubeconfig(path, "http://127.0.0.1:1", "secret", "shop")
    assert path.stat().st_mode & 0o777 == 0o600
    config = yaml.safe_load(path.read_text())
    assert config["current-context"] == config["contexts"][0]["name"]
    assert config["contexts"][0]["context"]["namespace"] == "shop"
    assert [entry.name for entry in tmp_path.iterdir()] == ["config"]


def test_a_kubeconfig_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot write"):
        write_kubeconfig(tmp_path / "none" / "config", "u", "t", "n")


def test_the_clock_is_wound_and_then_runs_faster() -> None:
    base = ManualClock(1000.0)
    clock = WarpClock(100.0, 10.0, base)
    base.advance(5.0)
    assert clock.time() == 900.0
    clock.advance(60.0)
    assert clock.time() == 960.0
    clock.advance(60.0)
    assert clock.time() == 1000.0
    clock.go()
    assert clock.time() == 1005.0
    base.advance(2.0)
    assert clock.time() == 1025.0
    before = clock.monotonic()
    base.advance(1.0)
    assert clock.monotonic() - before == pytest.approx(10.0)


def test_quantities_as_the_metrics_server_writes_them() -> None:
    assert [cpu_text(value) for value in (0.0, 0.001, 1.5)] == ["0", "1000000n", "1500000000n"]
    assert memory_text(21576 * 1024.0) == "21576Ki"
    assert [milli_text(value) for value in (3.0, 0.5, 12.3456)] == ["3", "500m", "12346m"]
    assert [window_text(value) for value in (3.0, 14.8534)] == ["3s", "14.853s"]


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        (None, {"a": "1"}, False),
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, None, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, {"a": "2"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
    ],
)
def test_selectors(selector: dict[str, object] | None, labels: dict[str, str] | None, expected: bool) -> None:
    assert matches(selector, labels) is expected


def test_a_selector_as_text() -> None:
    terms = [{"key": "tier", "operator": "In", "values": ["b", "a"]}, {"key": "old", "operator": "DoesNotExist"}]
    assert selector_text({"matchLabels": {"app": "web"}, "matchExpressions": terms}) == "app=web,!old,tier in (a,b)"
    assert selector_text(None) == ""


def test_percentages_of_pods() -> None:
    assert scaled_value("25%", 5, up=True, default="1") == 2
    assert scaled_value("25%", 5, up=False, default="1") == 1
    assert scaled_value(3, 5, up=False, default="1") == 3
    assert scaled_value(None, 8, up=True, default="25%") == 2
