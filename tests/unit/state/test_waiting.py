"""An explanation waits a moment for the other side of a change of size: a moment, and never without the target."""

from __future__ import annotations

from hpatui.state.facts import Facts
from hpatui.state.observer import Observer
from tests.factories import NOW
from tests.unit.state.test_observer import FLAGS, KEY, LIVE, make_hpa, make_pods, make_usages, make_workload


def _facts(size: int, cpu: int, now: float) -> Facts:
    return Facts(now, make_workload(size), make_pods(size), make_usages(cpu, now, size), LIVE)


def _headline(observer: Observer, now: float) -> str:
    explanation = observer.explanation(now)
    assert explanation is not None
    return explanation.headline


def test_what_the_status_alone_tells_never_stays_while_a_size_changes() -> None:
    """The first facts of an HPA that somebody fights come in the middle of a change of size."""
    observer = Observer(KEY, FLAGS)
    observer.hpa_changed(make_hpa(), NOW)
    assert "not known here" in _headline(observer, NOW)
    observer.facts(Facts(NOW, make_workload(4), {}, {}, LIVE))
    observer.facts(_facts(2, 50, NOW + 0.1))
    assert "not known here" not in _headline(observer, NOW + 0.1)


def test_a_change_of_size_is_waited_for_a_moment() -> None:
    observer = Observer(KEY, FLAGS)
    observer.hpa_changed(make_hpa(), NOW)
    observer.facts(_facts(2, 50, NOW))
    before = _headline(observer, NOW)
    observer.facts(_facts(4, 100, NOW + 0.2))
    assert _headline(observer, NOW + 0.2) == before, "half of a rescale is no news"
    assert _headline(observer, NOW + 1.3) != before


def test_a_size_that_changes_all_the_time_does_not_stop_the_explanation() -> None:
    observer = Observer(KEY, FLAGS)
    observer.hpa_changed(make_hpa(), NOW)
    observer.facts(_facts(2, 50, NOW))
    before, said = _headline(observer, NOW), set()
    for step in range(1, 20):
        now = NOW + step * 0.3
        observer.facts(_facts(4 if step % 2 else 2, 100, now))
        said.add(_headline(observer, now))
    assert said - {before}
