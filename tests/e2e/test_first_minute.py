"""The newcomer's path: start, help, every key once in every pane, quit; and every value of every flag starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.settings import CHOICES
from hpatui.ui.keys import KEYS
from tests.terminal.driver import HPATUI, Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(150)]

_SENT = {
    "plus,equals_sign": "+", "minus": "-", "slash": "/", "exclamation_mark": "!", "enter": "\r", "escape": "\x1b",
    "tab": "\t", "space": " ", "left": "\x1b[D", "right": "\x1b[C", "comma": ",", "full_stop": ".",
    "question_mark": "?", "ctrl+l": "\x0c",
}  # fmt: skip


@pytest.mark.parametrize(("cols", "rows"), [(80, 24), (120, 36)])
def test_every_key_once_in_every_pane(cols: int, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # what x would save
    env = {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with Terminal([*HPATUI, "demo"], rows=rows, cols=cols, env=env) as terminal:
        terminal.wait_for("php-apache-hpa", 45)
        terminal.send("?")
        terminal.wait_for("Start or stop the load", 10)
        terminal.send("\x1b")
        terminal.pump(0.3)
        for pane in "1234567":
            for entry in KEYS:
                if entry.action == "quit":
                    continue
                terminal.send(pane)
                terminal.send(_SENT.get(entry.key, entry.key))
                terminal.pump(0.06)
                if entry.action != "step_back":
                    terminal.send("\x1b")
                    terminal.pump(0.06)
                assert terminal.child.isalive(), f"{entry.key} in pane {pane}:\n{terminal.text}"
        for _ in range(4):
            terminal.send("\x1b")
            terminal.pump(0.5)
        terminal.send("q")
        assert terminal.wait_end(10) == 0, terminal.text
    log = tmp_path / "hpatui" / "hpatui.log"
    assert not log.exists() or log.read_text() == ""


_FLAGS = (
    ("--theme", "dark", "--load-via", "proxy", "--observe", "focus"),
    ("--theme", "light", "--load-via", "port-forward", "--bell", "--observe", "view"),
    ("--theme", "ansi", "--load-via", "cluster", "--read-only", "--observe", "all"),
    ("--theme", "high-contrast", "--ascii", "--low-bandwidth", "--load-rate", "10", "--max-rate", "20"),
)


@pytest.mark.parametrize("flags", _FLAGS, ids=" ".join)
def test_every_value_of_every_flag_starts(kubeconfig: str, flags: tuple[str, ...]) -> None:
    with Terminal([*HPATUI, "--kubeconfig", kubeconfig, *flags]) as terminal:
        terminal.wait_for("ValidMetricFound", 40)
        terminal.send("q")
        assert terminal.wait_end(10) == 0


def test_no_value_was_forgotten() -> None:
    words = {word for flags in _FLAGS for word in flags}
    assert {value for values in CHOICES.values() for value in values} <= words
