"""What a real Prometheus tells of a trace, compared with the trace itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hpatui.model import Hpa, Kind, Listed, Pod, PodUsage, Upserted
from hpatui.session.chronicle import chronicle
from hpatui.session.prometheus import Wish, filled
from hpatui.session.recording import OpenRecording
from hpatui.settings import Settings
from tests.contract.prometheus.conftest import Told

pytestmark = pytest.mark.usefixtures("state")


def asked(url: str, step: float = 5.0, **more: object) -> OpenRecording:
    """What it tells, of all namespaces."""
    settings = replace(Settings(), prometheus=url, prometheus_step=step, all_namespaces=True, **more)  # type: ignore[arg-type]
    return filled(settings, None, Wish())


def hpas_of(recording: OpenRecording) -> dict[float, Hpa]:
    """The HPA at the moments at which it changed."""
    found = {}
    for seen in recording.facts():
        what = seen.what
        items = what.items if isinstance(what, Listed) else (what.item,) if isinstance(what, Upserted) else ()
        for item in items:
            if isinstance(item, Hpa):
                found[seen.time] = item
    return found


@pytest.mark.parametrize("step", [5.0, 30.0])
def test_sizes_are_those_of_the_trace_at_each_step(walkthrough: Told, step: float) -> None:
    recording = asked(walkthrough.url, step)
    try:
        hpas = hpas_of(recording)
        compared = 0
        for moment, sizes in walkthrough.sizes.items():
            if moment % step:
                continue
            known = [time for time in hpas if time <= moment]
            assert known, moment
            hpa = hpas[max(known)]
            assert (hpa.current_replicas, hpa.desired_replicas) == sizes, moment
            compared += 1
        assert compared >= 230 / step - 1
        assert recording.meta.source == f"from Prometheus, every {step:g} s"
    finally:
        recording.close()


def test_usage_is_that_of_the_trace_within_a_step(walkthrough: Told) -> None:
    recording = asked(walkthrough.url)
    compared = 0
    try:
        for seen in recording.facts():
            if not isinstance(seen.what, Listed) or seen.what.kind is not Kind.POD_USAGE:
                continue
            for usage in seen.what.items:
                assert isinstance(usage, PodUsage)
                # A counter tells the mean since the sample before.
                true = walkthrough.usage[usage.time].get(usage.key.name)
                if true is not None and usage.time - 5 in walkthrough.usage:
                    assert usage.cpu == pytest.approx(true[0], abs=1.0)
                    assert usage.memory == true[1]
                    compared += 1
    finally:
        recording.close()
    assert compared > 50


def test_rescales_are_those_of_the_trace_to_the_step(walkthrough: Told) -> None:
    true = chronicle(walkthrough.facts, walkthrough.key, walkthrough.facts[0].time, walkthrough.facts[-1].time)
    recording = asked(walkthrough.url)
    try:
        meta = recording.meta
        told = chronicle(recording.facts(None, None, walkthrough.key), walkthrough.key, meta.first, meta.last)
        assert [(r.from_size, r.to_size) for r in told.rescales] == [(r.from_size, r.to_size) for r in true.rescales]
        for one, other in zip(told.rescales, true.rescales, strict=True):
            assert 0 <= one.time - other.time <= 5.0
        assert not told.writes
        assert [one.what for one in told.outages] == ["metrics"]
        assert len(recording.rescales(walkthrough.key)) == len(true.rescales)
    finally:
        recording.close()


def test_what_is_not_told_is_said_and_not_made_up(walkthrough: Told) -> None:
    recording = asked(walkthrough.url)
    try:
        missing = " ".join(recording.meta.missing)
        assert all(words in missing for words in ("messages", "events", "behavior", "who wrote", "version"))
        hpa = max(hpas_of(recording).items())[1]
        assert all((c.reason, c.message, c.last_transition_time) == ("", "", None) for c in hpa.conditions)
        assert (hpa.uid, hpa.created) == ("", None)
        pods = [
            item
            for seen in recording.facts()
            if isinstance(seen.what, Listed | Upserted)
            for item in (seen.what.items if isinstance(seen.what, Listed) else (seen.what.item,))
            if isinstance(item, Pod)
        ]
        assert pods
        assert all(pod.cpu_request == 100.0 and set(pod.labels) == {"from-prometheus/target"} for pod in pods)
    finally:
        recording.close()


def test_nothing_stays_on_the_disk(walkthrough: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    recording = asked(walkthrough.url)
    try:
        assert recording.hpas() == [walkthrough.key]
        assert list(tmp_path.glob("hpatui-prometheus*")) == []
    finally:
        recording.close()
