"""Settings are layered, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.settings import Settings, load_settings, state_dir


def test_layers(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('theme = "light"\nload_rate = 10\ncontext = "file"\n')
    settings = load_settings(
        {"context": "flag", "namespace": None, "run": print},
        environ={"HPATUI_CONTEXT": "env", "HPATUI_LOAD_RATE": "20", "HPATUI_ASCII": "1"},
        config_path=config,
    )
    assert settings.theme == "light"
    assert settings.load_rate == 20
    assert settings.context == "flag"
    assert settings.namespace is None
    assert settings.ascii is True


def test_defaults_without_any_source(tmp_path: Path) -> None:
    assert load_settings({}, environ={}, config_path=tmp_path / "none.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "unknown setting 'colour'"),
        ("load_rate = 'fast'", "load_rate is 'fast'"),
        ("ascii = 1", "ascii is 1"),
        ("theme = true", "theme is True"),
        ("= broken", "config.toml"),
    ],
)
def test_a_broken_config_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_settings({}, environ={}, config_path=config)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_variable_is_named() -> None:
    with pytest.raises(UsageError, match="HPATUI_TOLERANCE is 'much'"):
        load_settings({}, environ={"HPATUI_TOLERANCE": "much", "HOME": "/nowhere"})


def test_a_named_config_file_must_exist() -> None:
    with pytest.raises(UsageError, match="HPATUI_CONFIG"):
        load_settings({}, environ={"HPATUI_CONFIG": "/nowhere/at/all.toml"})


def test_state_dir() -> None:
    assert state_dir(Settings(), {"XDG_STATE_HOME": "/x"}) == Path("/x/hpatui")
    assert state_dir(Settings(state_dir="/y"), {"XDG_STATE_HOME": "/x"}) == Path("/y")
