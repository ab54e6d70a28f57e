"""The doctor on the sandbox's scenarios: exactly that cause is named, and a healthy one is silent."""

from __future__ import annotations

import pytest

from hpatui.doctor.report import Report
from tests.contract.doctor.sandbox_look import SandboxLook


def found(report: Report) -> set[str]:
    """The ids of all findings."""
    return {check.id for check in report.findings}


async def test_the_walkthrough_is_healthy_idle_and_under_a_load_that_it_can_carry() -> None:
    look = SandboxLook("walkthrough")
    assert found(await look.report()) == set()
    look.load(0.05, 30)
    assert found(await look.report()) == set()


@pytest.mark.parametrize(
    ("scenario", "cores", "seconds", "ids"),
    [
        ("no-metrics", 0.0, 5, {"metrics-api"}),
        ("crash-loop", 0.0, 5, {"metrics-server"}),
        ("missing-requests", 0.02, 5, {"requests"}),
        ("ambiguous", 0.0, 5, {"selector"}),
        ("target-missing", 0.0, 5, {"target", "disabled"}),
        ("at-max", 0.5, 60, {"at-max"}),
        ("rate-limited", 0.9, 30, {"rate-limited"}),
        ("unschedulable", 0.8, 60, {"unschedulable"}),
        ("quota", 0.5, 60, {"quota"}),
        ("broken-image", 0.3, 60, {"not-ready"}),
        ("queue", 0.0, 5, set()),
        ("stale-metrics", 0.0, 1, {"metrics-fresh"}),
        ("unknown-metric", 0.0, 1, {"metrics"}),
        ("no-adapter", 0.0, 1, {"external-metrics-api"}),
        ("no-controller", 0.0, 1, {"controller"}),
        ("second-writer", 0.0, 1, {"second-writer"}),
        ("high-floor", 0.0, 1, {"at-min"}),
        ("rollout", 0.0, 1, {"rollout"}),
    ],
)
async def test_exactly_that_cause(scenario: str, cores: float, seconds: float, ids: set[str]) -> None:
    look = SandboxLook(scenario)
    quota = 0.4 if scenario == "unschedulable" else 0.1
    look.load(cores, seconds, quota=quota)
    report = await look.report()
    assert found(report) == ids, [(c.id, c.about, c.reason) for c in report.findings]


async def test_held_by_the_window() -> None:
    look = SandboxLook("held-down")
    look.load(0.3, 30)
    look.load(0.004, 30)
    assert found(await look.report()) == {"held"}


async def test_up_and_down() -> None:
    look = SandboxLook("flapping")
    for _ in range(4):
        look.load(0.12, 20)
        look.load(0.03, 20)
    assert found(await look.report()) == {"flapping"}


async def test_new_pods_without_traffic() -> None:
    look = SandboxLook("at-max")
    names: list[str] = []

    def first_only(name: str, count: int) -> float:
        if not names:
            names.append(name)
        return 1.0 if name == names[0] else 0.0

    look.load(0.09, 150, share=first_only)
    assert found(await look.report()) == {"no-traffic"}
