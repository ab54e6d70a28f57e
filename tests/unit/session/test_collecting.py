"""Facts of a recording are learned from directly, as well as from syncs that were decided again."""

from __future__ import annotations

import pytest

from hpatui.autoscaler.config import config_of
from hpatui.model import Key, Kind, Scale, Seen, Upserted
from hpatui.session.collecting import Collector
from hpatui.tune.learn import TooLittle, learn
from tests.unit.record.facts import SMALL, facts_of


def _collected(name: str, least: float = 0.0) -> tuple[Collector, list[Seen]]:
    path = next(p for p in SMALL if p.name.startswith(name))
    facts, flags, key = facts_of(path)
    collector = Collector(key, flags, config_of(flags).rules)
    kept = [seen for seen in facts if not least or seen.time <= facts[0].time + least]
    for seen in kept:
        collector.take(seen)
    return collector, kept


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name.split(".")[0])
def test_the_recorded_run_comes_out_of_what_was_learned(path: object) -> None:
    collector, facts = _collected(path.name)  # type: ignore[attr-defined]
    assert collector.parsed is not None
    found = learn(collector.parsed, collector.observed(facts[-1].time), collector._flags)
    assert found.fit.near >= 0.95
    assert found.fit.error < 0.2
    assert found.fit.in_time >= 0.9 * found.fit.rescales


def test_a_change_that_the_hpa_did_not_make_is_told_from_its_own() -> None:
    collector, facts = _collected("a-walkthrough")
    assert collector.observed(facts[-1].time).foreign == ()
    collector, facts = _collected("a-walkthrough")
    late = facts[-1].time + 60.0
    scale = Scale("Deployment", Key(collector.key.namespace, "php-apache"), 7, 7, "app=php-apache")
    collector.take(Seen(late, Upserted(Kind.SCALE, scale, str(collector.key))))
    assert collector.observed(late + 1.0).foreign == ((late, 7),)


def test_too_little_says_what_it_takes() -> None:
    collector, facts = _collected("a-walkthrough", least=30.0)
    assert collector.parsed is not None
    with pytest.raises(TooLittle) as caught:
        learn(collector.parsed, collector.observed(facts[-1].time), collector._flags)
    assert "record at least 8" in str(caught.value.hint)
