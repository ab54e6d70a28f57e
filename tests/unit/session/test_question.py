"""The question before load: the rate that will really be sent, and never a target that is not known yet."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hpatui.clock import SystemClock
from hpatui.errors import LoadError
from hpatui.model import (
    Kind,
    Listed,
    Seen,
)
from hpatui.session.load import LoadControl
from hpatui.settings import Settings
from hpatui.state.store import Store
from tests.factories import NOW, hpa


class _Owner:
    """A session whose connection stands, with an HPA selected or not yet. Nothing is sent in these tests."""

    def __init__(self, settings: Settings, *, selected: bool, server: str, sandbox: bool = False) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.store = Store(context="prod", namespace=None, now=NOW)
        self.store.take(Seen(NOW, Listed(Kind.HPA, (hpa(),))))
        if selected:
            self.store.focus(self.store.keys()[0], NOW)
        host = server.removeprefix("https://")
        self.connection = SimpleNamespace(context="prod", server=server, host=host, sandbox=sandbox)

    def changed(self) -> None:
        """Nobody listens."""


def _control(settings: Settings, *, selected: bool = True, server: str = "https://10.0.0.1:6443") -> LoadControl:
    return LoadControl(_Owner(settings, selected=selected, server=server))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(load_rate=50.0), "Send 20 requests/s to "),
        (Settings(load_rate=10.0), "Send 10 requests/s to "),
        (Settings(load_rate=50.0, max_rate=15.0), "Send 15 requests/s to "),
        (Settings(load_rate=300.0, max_rate=500.0, load_via="port-forward"), "Send 100 requests/s to "),
        (Settings(load_rate=50.0, load_via="cluster"), "Send 50 requests/s to "),
        (Settings(load_rate=50.0, load_url="http://127.0.0.1:1/"), "Send 50 requests/s to "),
        (Settings(load_plan="week.toml", max_rate=200.0), "Send what week.toml says (at most 20/s) to "),
    ],
)
def test_the_rate_is_the_one_that_will_be_sent(settings: Settings, words: str) -> None:
    question = _control(settings).question()
    assert question is not None
    assert question.startswith(words)


async def test_a_shape_is_named_with_its_peak() -> None:
    load = _control(Settings(load_rate=50.0))
    await load.set_shape("ramp")
    assert (load.question() or "").startswith("Send at most 20 requests/s, as ramp to ")


async def test_before_an_hpa_is_known_nothing_is_asked_and_nothing_starts() -> None:
    load = _control(Settings(), selected=False)
    assert load.question() is None
    with pytest.raises(LoadError, match="no HPA is selected"):
        await load.start(confirmed=True)
