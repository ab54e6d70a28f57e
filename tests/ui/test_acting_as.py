"""The header says as whom one acts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.text import Text

from hpatui.state.store import Store
from hpatui.ui.screens.main import MainScreen
from tests.factories import NOW


@pytest.mark.parametrize("width", [80, 200])
def test_the_header_says_as_whom_one_acts(width: int) -> None:
    store = Store(context="", namespace="shop", now=NOW)
    screen = cast(Any, SimpleNamespace(size=SimpleNamespace(width=width), _before_contact=lambda: "", _past=None))
    for acting_as, shown in (("", False), ("jane", True), ("jane (groups ops, dev)", True)):
        store.connecting("prod", acting_as)
        text = Text()
        MainScreen._head_of(screen, store.snapshot(NOW), text)
        assert ("  as jane" in text.plain) is shown
        assert "ctx prod" in text.plain


@pytest.mark.parametrize(("width", "shown"), [(200, True), (40, False)])
def test_the_header_names_the_rules_where_there_is_room(width: int, shown: bool) -> None:
    store = Store(context="", namespace="shop", now=NOW)
    screen = cast(Any, SimpleNamespace(size=SimpleNamespace(width=width), _before_contact=lambda: "", _past=None))
    store.connecting("prod", "")
    text = Text()
    snapshot = replace(store.snapshot(NOW), rules="rules of 1.32, as given (server 1.33.5)", server_version="v1.33.5")
    MainScreen._head_of(screen, snapshot, text)
    assert text.plain.endswith("v1.33.5  rules of 1.32, as given") is shown
    assert text.cell_len <= width
