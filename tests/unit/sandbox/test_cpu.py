"""A container's CPU: quick when alone, the quota's rate when saturated, never more than the quota in the long run."""

from __future__ import annotations

import pytest

from hpatui.sandbox.cpu import VirtualCpu


def test_a_lone_request_runs_at_full_speed() -> None:
    cpu = VirtualCpu(rate=0.1, backlog=100)
    assert cpu.admit(10.0, 0.004) == pytest.approx(10.004)


def test_a_saturated_container_serves_at_its_quota() -> None:
    cpu = VirtualCpu(rate=0.1, backlog=1000)
    finishes = [cpu.admit(0.0, 0.004) for _ in range(500)]
    # 500 requests of 4 ms are 2 CPU seconds: 20 s at a tenth of a core, less the first period's quota.
    assert finishes[-1] == pytest.approx(20.0, abs=0.2)
    assert cpu.used(10.0) == pytest.approx(1.0, abs=0.02)
    assert cpu.used(30.0) == pytest.approx(2.0)


def test_answers_come_in_order() -> None:
    cpu = VirtualCpu(rate=0.5, backlog=100)
    finishes = [cpu.admit(now / 100, 0.01) or 0.0 for now in range(50)]
    assert finishes == sorted(finishes)


def test_a_full_queue_refuses_and_counts() -> None:
    cpu = VirtualCpu(rate=0.1, backlog=3)
    assert [cpu.admit(0.0, 0.1) is None for _ in range(5)] == [False, False, False, True, True]
    assert (cpu.served, cpu.refused, cpu.in_flight(0.0)) == (3, 2, 3)
    assert cpu.admit(100.0, 0.1) is not None
    assert cpu.in_flight(200.0) == 0


def test_used_never_goes_back() -> None:
    cpu = VirtualCpu(rate=0.25, backlog=10_000)
    before = 0.0
    for step in range(1000):
        now = step * 0.01
        if step % 3 == 0:
            cpu.admit(now, 0.02 if step < 500 else 0.001)
        used = cpu.used(now)
        assert used >= before - 1e-9
        before = used


def test_more_than_one_core_serves_faster() -> None:
    one, two = VirtualCpu(1.0, 10_000), VirtualCpu(2.0, 10_000)
    slow = [one.admit(0.0, 0.01) or 0.0 for _ in range(1000)][-1]
    fast = [two.admit(0.0, 0.01) or 0.0 for _ in range(1000)][-1]
    assert slow == pytest.approx(2 * fast, rel=0.05)


def test_requests_without_cost_are_answered_at_once() -> None:
    cpu = VirtualCpu(rate=0.1, backlog=10)
    assert all(cpu.admit(1.0, 0.0) == 1.0 for _ in range(100))
    assert cpu.used(1.0) == 0.0
