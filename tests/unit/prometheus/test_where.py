"""Where a Prometheus is and who asks: what of the settings is taken, what is refused, and that secrets show nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hpatui.errors import HpatuiError
from hpatui.masking import masked
from hpatui.prometheus.where import PASSWORD_VARIABLE, TOKEN_VARIABLE, where_of
from hpatui.settings import Settings

SETTINGS = Settings(prometheus="http://prom:9090")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://prom:9090", "http://prom:9090"),
        ("http://prom:9090/", "http://prom:9090"),
        ("https://mimir.example/prometheus", "https://mimir.example/prometheus"),
        ("https://vm.example/select/0/prometheus/", "https://vm.example/select/0/prometheus"),
        ("http://prom/graph", "http://prom"),
        ("http://prom/prometheus/api/v1/query", "http://prom/prometheus"),
        ("http://[::1]:9090", "http://[::1]:9090"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    assert where_of(replace(SETTINGS, prometheus=text), {}).url == url


@pytest.mark.parametrize(
    ("text", "service"), [("cluster", ("", "", "")), ("svc/mon/prom:web", ("mon", "prom", "web")),
                          ("svc/prom", ("", "prom", ""))]
)  # fmt: skip
def test_services(text: str, service: tuple[str, str, str]) -> None:
    found = where_of(replace(SETTINGS, prometheus=text), {}).service
    assert found is not None
    assert (found.namespace, found.name, found.port) == service


@pytest.mark.parametrize(
    "text",
    ["", "prom:9090", "ftp://prom", "http://", "http://prom:99999", "http://prom/?q=1", "http://prom:0", "svc/A/B/C",
     "http://prom /x", "http://[::1", "http://bob:hunter2@prom"],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    with pytest.raises(HpatuiError) as caught:
        where_of(replace(SETTINGS, prometheus=text), {})
    assert "hunter2" not in str(caught.value)


def test_a_password_in_the_address_is_masked_wherever_it_appears_afterwards() -> None:
    with pytest.raises(HpatuiError, match="holds a user or a password"):
        where_of(replace(SETTINGS, prometheus="http://bob:correct-horse@prom"), {})
    assert "correct-horse" not in masked("the proxy said correct-horse is wrong")


@pytest.mark.parametrize("text", ['cluster="prod"', '{cluster="prod", team=~"a|b"}', 'a!="x\\"y",b!~"z",', ""])
def test_matchers(text: str) -> None:
    assert where_of(replace(SETTINGS, prometheus_match=text), {}).match.count("{") == 0


@pytest.mark.parametrize(
    "text", ["cluster=prod", 'a="b"} or vector(1) or x{c="d"', 'a="b" c="d"', "up", 'a="b\n"', '"a"="b"']
)
def test_what_is_no_matcher_gets_into_no_query(text: str) -> None:
    with pytest.raises(HpatuiError, match="label matchers"):
        where_of(replace(SETTINGS, prometheus_match=text), {})


def test_a_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    settings = replace(SETTINGS, prometheus_user="bob")
    assert where_of(settings, {PASSWORD_VARIABLE: "pass-of-bob"}).who.password == "pass-of-bob"
    file = tmp_path / "password"
    file.write_text("file-pass-of-bob\n")
    who = where_of(replace(settings, prometheus_password_file=str(file)), {}).who
    assert who.password == "file-pass-of-bob"
    assert "file-pass" not in repr(who)
    assert "file-pass" not in masked("it said file-pass-of-bob")


@pytest.mark.parametrize(
    ("more", "environ", "words"),
    [
        ({"prometheus_user": "bob"}, {TOKEN_VARIABLE: "abcd-token"}, "both a token and a user"),
        ({}, {PASSWORD_VARIABLE: "abcd-pass"}, "no user"),
        ({"prometheus_user": "b:b"}, {}, "basic auth does not allow"),
        ({"prometheus_token_file": "/nowhere/token"}, {}, "cannot read prometheus_token_file"),
        ({"prometheus_key_file": "k.pem"}, {}, "without prometheus_cert_file"),
        ({"prometheus_org_id": "a\nb"}, {}, "no header may have"),
        ({"prometheus_step": 0.1}, {}, "1 to 3600"),
        ({}, {TOKEN_VARIABLE: "abcd\r\nX-Evil: 1"}, "line break"),
    ],
)
def test_what_makes_no_sense_is_one_line(more: dict[str, object], environ: dict[str, str], words: str) -> None:
    with pytest.raises(HpatuiError, match=words) as caught:
        where_of(replace(SETTINGS, **more), environ)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert "abcd" not in str(caught.value)


def test_an_empty_secret_file_and_one_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content in (b"", b"\xff\xfe", b"x" * 70000):
        file.write_bytes(content)
        with pytest.raises(HpatuiError):
            where_of(replace(SETTINGS, prometheus_token_file=str(file)), {})
