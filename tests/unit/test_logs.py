"""The log file: what is written, what never is, and what happens where it cannot be written."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpatui import logs, masking
from hpatui.masking import masked, remember_secret


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets that other tests had the program remember are words here."""
    monkeypatch.setattr(masking, "_known", {})


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "state" / "hpatui.log"
    logs.start(path)
    yield path
    logs.start(None)


def fail(text: str) -> Exception:
    try:
        secret_local = "local-value-hunter2"
        raise ValueError(text + secret_local[:0])
    except ValueError as error:
        return error


def test_a_failure_is_one_line_for_the_user_and_a_traceback_in_the_file(log: Path) -> None:
    line = logs.failure("watching HPAs", fail("odd"))
    assert line == f"watching HPAs: unexpected ValueError; see {log}"
    text = log.read_text()
    assert "in fail" in text and "ValueError: odd" in text
    assert "local-value-hunter2" not in text.replace('secret_local = "local-value-hunter2"', "")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_secrets_and_escapes_never_reach_the_file(log: Path) -> None:
    remember_secret("s3cr3t-of-the-team")
    logs.failure("login", fail("https://bob:pw@h/ s3cr3t-of-the-team \x1b[2J \u202e Authorization: Bearer abc.def123"))
    logs.write("here", "token=abcdef0123")
    text = log.read_text()
    for bad in ("s3cr3t", "pw@", "abc.def123", "abcdef0123", "\x1b", "\u202e"):
        assert bad not in text


def test_an_object_in_a_message_is_cut(log: Path) -> None:
    logs.failure("decoding", fail("x" * 100_000))
    assert len(log.read_text()) < 5_000


def test_it_is_rotated(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 1_000)
    for number in range(100):
        logs.write("here", f"entry {number}")
    assert sorted(path.name for path in log.parent.iterdir()) == ["hpatui.log", "hpatui.log.1"]
    assert all(path.stat().st_size <= 1_000 for path in log.parent.iterdir())
    assert "entry 99" in log.read_text()


def test_a_folder_that_cannot_be_made_is_said_and_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    logs.start(tmp_path / "file" / "hpatui.log")
    assert logs.path() is None and "no log file" in logs.problem()
    assert logs.failure("here", fail("odd")) == "here: unexpected ValueError"
    logs.start(None)
    assert logs.problem() == ""


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot reach http://user:pa55@proxy.corp:3128/x", "pa55"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("{'Authorization': 'Bearer k8s-aws-v1.aHR0'}", "aHR0"),
        ("got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln in the answer", "c2ln"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEcut", "MIIEcut"),
        ('{"refresh_token": "rt-1", "client_secret":"cs-2"}', "rt-1"),
        ('{"refresh_token": "rt-1", "client_secret":"cs-2"}', "cs-2"),
        ("id-token=abc&x=1", "abc"),
        ("password: hunter2", "hunter2"),
    ],
)
def test_shapes_of_secrets(text: str, secret: str) -> None:
    assert secret not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://10.0.0.1:6443/apis",
        "basic authentication",
        "the bearer of news",
        "mail bob@example.org",
        "tokens: none",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert masked(text) == text


def test_known_secrets_are_found_encoded_too() -> None:
    remember_secret("p@ss/word+1")
    assert masked("a p@ss/word+1 b p%40ss%2Fword%2B1 c cEBzcy93b3JkKzE= d") == "a *** b *** c *** d"
    remember_secret("abc")  # too short to be told from words
    assert masked("abc") == "abc"
