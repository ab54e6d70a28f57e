"""The sentences of all scenarios, as they were read and approved. HPATUI_UPDATE_GALLERY=1 writes them anew."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.doctor.gallery import PLAYS, page

FOLDER = Path(__file__).parents[2] / "data" / "sentences"


@pytest.fixture(autouse=True)
def same_every_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sentences show local times and pods' names, and syncs are spread by uid: all of them are fixed here."""
    chance = random.Random(1)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=chance.getrandbits(128), version=4))
    random.seed(1)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("scenario", PLAYS)
async def test_the_sentences_are_the_approved_ones(scenario: str) -> None:
    said = await page(scenario)
    path = FOLDER / f"{scenario}.md"
    if os.environ.get("HPATUI_UPDATE_GALLERY"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
    assert said == path.read_text()
