"""Outputs that a quiet sandbox does not print quickly are as their schemas say: lines of changes, the search for capacity."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from hpatui.load.capacity import Search, Step
from hpatui.model import Kind, Listed, LoadSample, LoadState, LoadView, Seen, SourceState, SourceStatus, StatusChanged
from hpatui.plain.changes import ChangesPrinter
from hpatui.plain.load_capacity import _json
from hpatui.state.store import Store
from tests.factories import NOW, hpa
from tests.schemas import check


def test_each_kind_of_line() -> None:
    out = io.StringIO()
    printer, store = ChangesPrinter(out), Store(context="test", namespace="shop", now=NOW)
    store.take(Seen(NOW, Listed(Kind.HPA, (hpa("a", "shop"),))))
    store.take(Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))))
    snapshot = store.snapshot(NOW)
    printer(snapshot)
    sample = LoadSample(1.0, 5.0, 5, 4, 1, 0, 2, 1.0, 2.0, None)
    printer(replace(snapshot, load=LoadView(LoadState.RUNNING, "somewhere", rate=5.0, last=sample)))
    printer(replace(snapshot, rows=()))
    printer.beat(snapshot, 12.0)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {line["type"] for line in lines} == {"status", "hpa", "load", "deleted", "heartbeat"}
    for line in lines:
        check("watch-changes", line)


def test_the_search_for_capacity() -> None:
    search = Search(10.0, 15.0)
    while search.rate is not None:
        search.take(
            Step(search.rate, search.rate, 20.0, 0.0, pods=2, used=0.5, ratios={"cpu": search.rate / 30}, most=9)
        )
    check("load-capacity", json.loads(json.dumps(_json(search.result(), search.steps, 100.0, "complete"))))
