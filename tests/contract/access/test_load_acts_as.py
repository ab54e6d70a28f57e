"""Load through the service proxy is sent as whom the kubeconfig says, with its certificate and its trust, or not at all."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.errors import UsageError
from hpatui.load.plan import LoadPlan, RequestSpec, Stage
from hpatui.load.plan_file import TlsOptions
from hpatui.load.run import Finished
from hpatui.model import Key
from hpatui.session.aim import Wish, take_aim
from hpatui.settings import Settings
from tests.contract.access.recorder import Recorder

_PLAN = LoadPlan(stages=(Stage(10.0, 10.0, None),), duration=0.5)
_JANE = ("Impersonate-User", "jane")


async def _loaded(recorder: Recorder, kubeconfig: str, request: RequestSpec, **wish: Any) -> Finished:
    """Half a second of load on the Service s in shop, through the API server."""
    settings = Settings(kubeconfig=kubeconfig)
    connection = await connect(settings, SystemClock())
    try:
        aim = await take_aim(Wish(service=Key("shop", "s"), **wish), connection, settings)
        run = aim.run(lambda _text: None)
        await run.start(replace(_PLAN, requests=(request,)), aim.target)
        async for report in run.reports():
            if isinstance(report, Finished):
                return report
    finally:
        await connection.close()
    raise AssertionError("no end")


def _proxied(recorder: Recorder) -> list[tuple[list[tuple[str, str]], str]]:
    """Of each request through the service proxy: its headers, and the client certificate's name."""
    return [
        (sorted((name.title(), value) for name, value in headers), peer)
        for _, path, headers, peer in recorder.seen
        if "/proxy/" in path
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"as": "jane"}, [_JANE]),
        ({"as": "jane", "as-groups": ["ops", "dev"]}, [("Impersonate-Group", "dev"), ("Impersonate-Group", "ops"), _JANE]),
        ({"as": "jane", "as-uid": "7", "as-groups": ["a", "b", "c"], "as-user-extra": {"scopes": ["x", "y"], "a/b": ["z"]}},
         [("Impersonate-Extra-A%2Fb", "z"), ("Impersonate-Extra-Scopes", "x"), ("Impersonate-Extra-Scopes", "y"),
          ("Impersonate-Group", "a"), ("Impersonate-Group", "b"), ("Impersonate-Group", "c"),
          ("Impersonate-Uid", "7"), _JANE]),
    ],
    ids=["nobody", "user", "two-groups", "everything"],
)  # fmt: skip
@pytest.mark.parametrize(
    "plan", [RequestSpec(), RequestSpec(headers=(("X-A", "1"), ("X-A", "2")))], ids=["bare", "headers"]
)
async def test_each_request_of_a_load_acts_as_the_impersonated_user(
    recorder: Recorder, fields: dict[str, Any], expected: list[tuple[str, str]], plan: RequestSpec
) -> None:
    ended = await _loaded(recorder, recorder.config({"token": "t", **fields}), plan)
    assert (ended.error, ended.totals.errors, ended.totals.requests) == ("", {}, 5)
    came = _proxied(recorder)
    assert len(came) == 5
    for headers, _ in came:
        assert [pair for pair in headers if pair[0].startswith("Impersonate")] == expected
        assert [value for name, value in headers if name == "Authorization"] == ["Bearer t"]
        assert [value for name, value in headers if name == "X-A"] == [value for _, value in plan.pairs]


@pytest.mark.parametrize("form", ["data", "files", "mixed"])
async def test_the_client_certificate_goes_along_in_whatever_form(
    recorder: Recorder, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = recorder.folder / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    cert = recorder.ca.issue_cert("jane@example.org", common_name="jane")
    texts = {"client-certificate": cert.cert_chain_pems[0].bytes(), "client-key": cert.private_key_pem.bytes()}
    user: dict[str, Any] = {}
    for name, text in texts.items():
        (recorder.folder / name).write_bytes(text)
        if form == "data" or (form == "mixed" and name == "client-key"):
            user[f"{name}-data"] = base64.b64encode(text).decode()
        else:
            user[name] = name
    ended = await _loaded(recorder, recorder.config(user), RequestSpec())
    assert (ended.error, ended.totals.errors) == ("", {})
    assert [peer for _, peer in _proxied(recorder)] == ["jane"] * 5
    assert not keys.exists()  # with what is in it the token could be read off the wire


@pytest.mark.parametrize("name", ["Impersonate-User", "impersonate-group", "AUTHORIZATION", "Impersonate-Extra-a"])
async def test_a_plan_cannot_say_who_asks(recorder: Recorder, name: str) -> None:
    """It would take the place of what the kubeconfig says, or send the application's secret to the API server."""
    config = recorder.config({"token": "t", "as": "jane"})
    ended = await _loaded(recorder, config, RequestSpec(headers=((name, "admin"),)))
    assert "would go to the API server" in ended.error
    assert _proxied(recorder) == []


@pytest.mark.parametrize(
    "tls", [TlsOptions(insecure=True), TlsOptions(ca="x.pem"), TlsOptions(server_name="x"), TlsOptions(cert="x")]
)
async def test_a_plan_cannot_say_whom_to_trust(recorder: Recorder, tls: TlsOptions) -> None:
    with pytest.raises(UsageError, match="as the kubeconfig says"):
        await _loaded(recorder, recorder.config({"token": "t"}), RequestSpec(), tls=tls)
    assert _proxied(recorder) == []


async def test_what_the_watch_trusts_the_load_trusts(recorder: Recorder, tmp_path: Path) -> None:
    """A comment that is no ASCII, and a block that cannot be read, beside the authority."""
    config = recorder.config({"token": "t"}, **{"certificate-authority": "odd.pem"})
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    (tmp_path / "odd.pem").write_bytes("# M\u00fcller\n".encode() + broken + recorder.ca.cert_pem.bytes())
    ended = await _loaded(recorder, config, RequestSpec())
    assert (ended.error, ended.totals.errors) == ("", {})


async def test_another_authority_is_not_trusted(recorder: Recorder) -> None:
    """The watch's trust was taken while it was right; the load's is checked for itself."""
    settings = Settings(kubeconfig=recorder.config({"token": "t"}))
    connection = await connect(settings, SystemClock())
    aim = await take_aim(Wish(service=Key("shop", "s")), connection, settings)
    await connection.close()
    other = trustme.CA().cert_pem.bytes().decode()
    run = aim.run(lambda _text: None)
    await run.start(_PLAN, replace(aim.target, authorities=(other,)))
    (ended,) = [report async for report in run.reports() if isinstance(report, Finished)]
    assert ended.totals.failed == ended.totals.requests > 0
    assert _proxied(recorder) == []
