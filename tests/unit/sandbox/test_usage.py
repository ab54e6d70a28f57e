"""Usage by windows: what the metrics server would have sampled."""

from __future__ import annotations

import pytest

from hpatui.sandbox.dataplane.messages import PodUsage
from hpatui.sandbox.pod_run import PodRun
from hpatui.sandbox.usage import Usage
from hpatui.sandbox.workload import PROFILES, Profile

_START = 1_700_000_000.0 // 15 * 15  # a window's edge, of 3 s as of 15 s


def _usage(resolution: float = 3.0, speed: float = 1.0, replicas: int = 1) -> Usage:
    return Usage(resolution, interval=0.5 * speed, speed=speed, replicas=lambda run: replicas)


def _run(profile: Profile = PROFILES["web"], started: float = _START) -> PodRun:
    return PodRun(("ns", "pod"), "uid", "node", "owner", profile, "ready", started=started)


def _feed(usage: Usage, run: PodRun, rate: float, seconds: float, *, served: float = 0.0, speed: float = 1.0) -> None:
    """Readings every half second of a pod that uses `rate` cores from its start on."""
    for half in range(int(seconds * 2) + 1):
        real = half / 2
        reading = PodUsage(real * rate, int(real * served), 0, 0)
        usage.take(run, run.started + real * speed, reading)


def test_a_steady_load_is_its_rate() -> None:
    usage, run = _usage(), _run()
    _feed(usage, run, 0.08, 30.0)
    sample = usage.sample(run, _START + 30.0)
    assert sample is not None
    assert sample.cpu == pytest.approx(0.08 + run.profile.idle_cpu)
    assert (sample.end, sample.window) == (_START + 27.0, 3.0)


def test_a_window_appears_when_all_its_readings_are_in() -> None:
    usage, run = _usage(), _run()
    _feed(usage, run, 0.08, 30.0)
    at_edge, later = usage.sample(run, _START + 18.5), usage.sample(run, _START + 18.7)
    assert at_edge is not None and later is not None
    assert (at_edge.end - _START, later.end - _START) == (15.0, 18.0)


def test_a_sample_does_not_change_once_it_is_there() -> None:
    usage, run = _usage(), _run()
    _feed(usage, run, 0.08, 10.0)
    first = usage.sample(run, _START + 9.7)
    usage.take(run, _START + 10.4, PodUsage(3.0, 0, 0, 0))
    assert usage.sample(run, _START + 9.7) == first


def test_a_new_pod_has_no_sample_at_first_and_then_a_short_one() -> None:
    usage, run = _usage(), _run(started=_START + 1.5)
    assert usage.sample(run, _START + 2.0) is None
    sample = usage.sample(run, _START + 3.7)
    assert sample is not None
    assert sample.window == pytest.approx(1.5)


def test_load_after_a_long_silence_is_not_spread_over_it() -> None:
    usage, run = _usage(), _run()
    began = _START + 600.0
    for half in range(1, 13):
        usage.take(run, began + half / 2, PodUsage(half / 2 * 0.1, 0, 0, 0))
    quiet, busy = usage.sample(run, began + 0.7), usage.sample(run, began + 6.7)
    assert quiet is not None and busy is not None
    assert quiet.cpu == pytest.approx(run.profile.idle_cpu)
    assert busy.cpu == pytest.approx(0.1 + run.profile.idle_cpu)


def test_a_faster_clock_keeps_the_rate() -> None:
    usage, run = _usage(speed=10.0), _run()
    _feed(usage, run, 0.05, 6.0, speed=10.0)
    sample = usage.sample(run, _START + 66.0)
    assert sample is not None
    assert sample.cpu == pytest.approx(0.05 + run.profile.idle_cpu)


def test_held_memory_comes_back_and_leaked_memory_does_not() -> None:
    held, leaky = _run(PROFILES["memory"]), _run(PROFILES["leaky"])
    usage = _usage()
    _feed(usage, held, 0.01, 60.0, served=10.0)
    full, later = usage.memory(held, _START + 60.0), usage.memory(held, _START + 600.0)
    assert full > later + 50 * 2**20
    assert later == pytest.approx(held.profile.memory, rel=0.05)
    usage = _usage()
    _feed(usage, leaky, 0.01, 60.0, served=10.0)
    assert usage.memory(leaky, _START + 600.0) > usage.memory(leaky, _START + 60.0) > leaky.profile.memory


def test_replicas_share_a_wave() -> None:
    run = _run(PROFILES["synthetic"])
    run.profile = Profile("synthetic", serves=False, wave="0.3,0.3,60", idle_cpu=0.0)
    sample = _usage(replicas=3).sample(run, _START + 30.0)
    assert sample is not None
    assert sample.cpu == pytest.approx(0.1)


def test_a_pod_that_does_not_run_has_no_sample() -> None:
    usage, run = _usage(), _run()
    run.stage = "backoff"
    assert usage.sample(run, _START + 60.0) is None
