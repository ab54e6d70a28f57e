"""A real Prometheus with what a trace would have given it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hpatui.model import Key, Seen
from tests.promdata import INSTALLED, WHY, Scraper, prometheus, scraped
from tests.unit.record.facts import TRACES, facts_of

EVERY = 5.0  # seconds between scrapes: a trace's controller looks each 5 s


@dataclass
class Told:
    """A server, and what is true of the HPA at each scrape: (current, wanted), each pod's millicores and bytes."""

    url: str
    key: Key
    facts: list[Seen]
    sizes: dict[float, tuple[int, int]] = field(default_factory=dict)
    usage: dict[float, dict[str, tuple[float, float]]] = field(default_factory=dict)


@pytest.fixture(scope="package")
def walkthrough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The walkthrough's trace."""
    if not INSTALLED:
        pytest.skip(WHY)
    facts, _, key = facts_of(TRACES / "a-walkthrough.jsonl.gz")
    scraper, told = Scraper(), Told("", key, facts)
    for moment, one in scraped(facts, EVERY, scraper):
        hpa = one.hpas.get(key)
        if hpa is not None:
            told.sizes[moment] = (hpa.current_replicas, hpa.desired_replicas)
        told.usage[moment] = {k.name: (u.cpu, u.memory) for k, u in one.usages.items() if k in one.pods}
    with prometheus(tmp_path_factory.mktemp("prometheus"), scraper.series.text()) as url:
        told.url = url
        yield told


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, and no settings of somebody's."""
    monkeypatch.setenv("HPATUI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for name in ("HPATUI_PROMETHEUS_PASSWORD", "HPATUI_PROMETHEUS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
