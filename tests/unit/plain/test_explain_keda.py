"""`hpatui explain` of an HPA that KEDA made: what its ScaledObject says, where it may be read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from hpatui.api.explaining import with_scaled_object
from hpatui.autoscaler.explanation import ExplainLine, Explanation, Tone
from hpatui.autoscaler.keda import LABEL
from hpatui.errors import ForbiddenError, HpatuiError
from hpatui.model import Key
from tests.ui.fakes import FakeSession
from tests.unit.state.test_observer import make_hpa

CRON = {
    "type": "cron",
    "metadata": {"start": "0 8 * * *", "end": "0 18 * * *", "timezone": "UTC", "desiredReplicas": "5"},
}
PLAIN: dict[str, Any] = {"spec": {"cooldownPeriod": 120, "triggers": [{"type": "rabbitmq"}, CRON]}}
PAUSED = {**PLAIN, "metadata": {"annotations": {"autoscaling.keda.sh/paused": "true"}}}


class Session(FakeSession):
    """Answers with one text, or with an error."""

    answer: str | HpatuiError = ""
    asked: tuple[str, Key] | None = None

    async def object_yaml(self, kind: str, key: Key) -> str:
        self.asked = (kind, key)
        if isinstance(self.answer, HpatuiError):
            raise self.answer
        return self.answer


async def _lines(answer: str | HpatuiError, labels: dict[str, str]) -> tuple[Session, list[tuple[str, Tone]]]:
    session = Session()
    session.answer = answer
    hpa = replace(make_hpa(), labels=labels)
    detail = cast(Any, SimpleNamespace(row=SimpleNamespace(hpa=hpa)))
    lines = (ExplainLine("KEDA", "made by KEDA", Tone.PLAIN), ExplainLine("result", "2 replicas stay", Tone.GOOD))
    told = await with_scaled_object(session, detail, Explanation(headline="x", lines=lines))
    assert told.lines[0] == lines[0] and told.lines[-1] == lines[-1]
    return session, [(line.text, line.tone) for line in told.lines[1:-1]]


async def test_cooldown_and_cron_windows_stand_behind_its_line() -> None:
    session, lines = await _lines(yaml.safe_dump(PLAIN), {LABEL: "orders"})
    assert session.asked == ("ScaledObject", Key("shop", "orders"))
    assert [text for text, _ in lines] == [
        "it goes to 0 when no trigger was active for 120 s (cooldownPeriod), apart from the HPA's window",
        "trigger 1 (cron) asks for 5 replicas from 0 8 * * * to 0 18 * * * (UTC)",
    ]


async def test_a_pause_is_a_warning() -> None:
    _, lines = await _lines(yaml.safe_dump(PAUSED), {LABEL: "orders"})
    assert lines[0] == ("it is paused (annotation autoscaling.keda.sh/paused: true)", Tone.WARN)


@pytest.mark.parametrize("answer", [ForbiddenError("no"), "a: [", "", "- 1", "text"])
async def test_where_it_cannot_be_read_that_is_said_and_nothing_breaks(answer: str | HpatuiError) -> None:
    _, lines = await _lines(answer, {LABEL: "orders"})
    assert [text for text, _ in lines] == [
        "the ScaledObject could not be read, so its pause, cooldown and cron windows are not known"
    ]


async def test_another_hpa_is_not_asked_about() -> None:
    session, lines = await _lines("", {"app": "web"})
    assert (session.asked, lines) == (None, [])
