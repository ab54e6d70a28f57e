"""Who we are: tokens from files, login plugins and OIDC; what goes wrong says no secret."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hpatui.cluster import plugin
from hpatui.cluster.auth import Credentials
from hpatui.cluster.kubeconfig import cluster_access
from hpatui.errors import AuthError, LoginNeededError, NoClusterError
from hpatui.settings import Settings
from tests.factories import NOW


@dataclass(slots=True)
class _Clock:
    now: float = NOW

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def _credentials(
    user: Mapping[str, Any], folder: Path, clock: _Clock | None = None, login: bytes = b"", server: str = "https://c"
) -> Credentials:
    """The credentials of a kubeconfig in `folder` with this user."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": dict(user)}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    access = cluster_access(Settings(kubeconfig=str(path)))
    return Credentials(access, clock or _Clock(), login)


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Bearer {token}"),)


def _plugin(tmp_path: Path, body: str) -> dict[str, Any]:
    path = tmp_path / "login-plugin"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": "./login-plugin", "interactiveMode": "Never"}}


def _credential(token: str, ends: float | None) -> str:
    status: dict[str, Any] = {"token": token}
    if ends is not None:
        status["expirationTimestamp"] = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _answer(status)


def _answer(status: Mapping[str, Any], **more: str) -> str:
    answer = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status, **more}
    return json.dumps(answer)


async def test_a_token_and_a_password(tmp_path: Path) -> None:
    assert await _credentials({"token": "t"}, tmp_path).headers() == _bearer("t")
    basic = base64.b64encode(b"me:secret").decode()
    found = await _credentials({"username": "me", "password": "secret"}, tmp_path).headers()
    assert found == (("Authorization", f"Basic {basic}"),)


async def test_like_kubectl_no_credentials_go_over_plain_http_but_impersonation_does(tmp_path: Path) -> None:
    user = {"token": "t", "as": "jane", "as-groups": ["a", "b"], "as-uid": "7", "as-user-extra": {"a/b c": ["x", "y"]}}
    acting = (
        ("Impersonate-User", "jane"), ("Impersonate-Uid", "7"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"),
        ("Impersonate-Extra-a%2Fb%20c", "x"), ("Impersonate-Extra-a%2Fb%20c", "y"),
    )  # fmt: skip
    assert await _credentials(user, tmp_path, server="http://127.0.0.1:1").headers() == acting
    assert await _credentials(user, tmp_path).headers() == _bearer("t") + acting


async def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one\n")
    clock = _Clock()
    credentials = _credentials({"tokenFile": "token"}, tmp_path, clock)
    assert await credentials.headers() == _bearer("one")
    (tmp_path / "token").write_text("two\n")
    assert await credentials.headers() == _bearer("one")
    clock.now += 61
    assert await credentials.headers() == _bearer("two")
    (tmp_path / "token").unlink()
    clock.now += 61
    with pytest.raises(AuthError, match=r"cannot read the token file .*token: No such file"):
        await credentials.headers()


async def test_a_plugin_has_no_standard_input_and_is_asked_again_when_its_token_ends(tmp_path: Path) -> None:
    """The plugin writes a line for each run, and would hang if it could read what the user types."""
    script = f"cat\necho x >> runs\necho noise >&2\necho '{_credential('t', NOW + 600)}'\n"
    clock = _Clock()
    credentials = _credentials(_plugin(tmp_path, f"cd '{tmp_path}'\n{script}"), tmp_path, clock)
    for now, runs in ((NOW, 1), (NOW + 500, 1), (NOW + 599, 1), (NOW + 601, 2)):
        clock.now = now
        assert await credentials.headers() == _bearer("t")
        assert (tmp_path / "runs").read_text().count("x") == runs


async def test_a_plugin_is_asked_again_when_the_server_refuses_but_never_in_a_row(tmp_path: Path) -> None:
    """Nor is one whose answers have ended when they come: not at each request."""
    runs = tmp_path / "runs"
    for ends, expected in ((None, (1, 1, 2, 2)), (NOW - 5, (1, 1, 2, 3))):
        clock = _Clock()
        user = _plugin(tmp_path, f"echo x >> '{runs}'\necho '{_credential('t', ends)}'\n")
        credentials = _credentials(user, tmp_path, clock)
        counts = []
        for later, rejected in ((0, None), (0, "t"), (11, "t"), (11, "another")):
            clock.now += later
            await credentials.headers(rejected=_bearer(rejected) if rejected else None)
            counts.append(runs.read_text().count("x"))
        assert tuple(counts) == expected
        runs.unlink()


async def test_a_plugin_is_told_the_cluster_if_it_asks(tmp_path: Path) -> None:
    user = _plugin(tmp_path, f"echo \"$KUBERNETES_EXEC_INFO\" > '{tmp_path}/info'\necho '{_credential('t', None)}'\n")
    user["exec"]["provideClusterInfo"] = True
    await _credentials(user, tmp_path).headers()
    info = json.loads((tmp_path / "info").read_text())
    assert info["spec"] == {"interactive": False, "cluster": {"server": "https://c"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo first >&2; echo 'please log in' >&2; exit 3\n", r"failed \(exit code 3\): please log in"),
        ("printf '\\033[31mred\\n' >&2; exit 1\n", r"failed \(exit code 1\): red"),
        ("echo nonsense\n", "printed no ExecCredential"),
        ("echo '{}'\n", "answered with None None"),
        (
            f"echo '{_answer({'token': 't'}, apiVersion='client.authentication.k8s.io/v1beta1')}'\n",
            "answered with .*v1beta1",
        ),
        (f"echo '{_answer({'token': 't'}, kind='Pod')}'\n", "answered with .* Pod"),
        (f"echo '{_answer({})}'\n", "neither a token nor a certificate"),
        (f"echo '{_answer({'clientKeyData': 'k'})}'\n", "only one of certificate and key"),
        (f"echo '{_answer({'token': 5})}'\n", "wrong type"),
    ],
)
async def test_a_plugin_that_fails_says_so_in_one_line(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(AuthError, match=words) as caught:
        await _credentials(_plugin(tmp_path, body), tmp_path).headers()
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


async def test_a_plugin_that_is_not_there_gives_its_whole_hint(tmp_path: Path) -> None:
    user = _plugin(tmp_path, "")
    user["exec"] |= {"command": "no-such-plugin", "installHint": "brew install it\n\x1b[1msecond line"}
    with pytest.raises(AuthError, match=r"cannot run the login plugin no-such-plugin.*brew install it second line"):
        await _credentials(user, tmp_path).headers()


async def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    status = {"clientCertificateData": pem, "clientKeyData": "KEY"}
    (tmp_path / "answer").write_text(_answer(status))
    credentials = _credentials(_plugin(tmp_path, f"cat '{tmp_path}/answer'\n"), tmp_path)
    assert await credentials.headers() == ()
    assert credentials.certificate is not None
    assert credentials.certificate.cert_pem == pem.encode()
    assert "KEY" not in repr(credentials.certificate)


@pytest.mark.parametrize(
    ("beside", "count"),
    [
        ({"token": "mine"}, 1),
        ({"username": "me", "password": "pw"}, 1),
        ({"client-certificate-data": "QUJD", "client-key-data": "QUJD"}, 0),
    ],
)
async def test_what_stands_beside_a_plugin_wins(tmp_path: Path, beside: dict[str, str], count: int) -> None:
    user = {**_plugin(tmp_path, f"touch '{tmp_path}/ran'\necho '{_credential('t', None)}'\n"), **beside}
    assert len(await _credentials(user, tmp_path).headers()) == count
    assert not (tmp_path / "ran").exists()


async def test_a_plugin_ends_with_its_children_when_it_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its time limit, and when somebody quits meanwhile. Its words are told while it runs."""
    body = f"echo go to https://login.example and type ABC >&2\nsleep 300 &\necho $! > '{tmp_path}/child'\nwait\n"
    said: list[str] = []
    credentials = _credentials(_plugin(tmp_path, body), tmp_path)
    credentials._say = said.append
    task = asyncio.create_task(credentials.headers())
    while not said or not (tmp_path / "child").exists():
        await asyncio.sleep(0.01)
    assert said == ["go to https://login.example and type ABC"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await _gone(int((tmp_path / "child").read_text()))
    (tmp_path / "child").unlink()
    monkeypatch.setattr(plugin, "EXEC_TIMEOUT", 0.3)
    with pytest.raises(AuthError, match=r"did not answer within 0\.3 s; it said: go to"):
        await credentials.headers()
    await _gone(int((tmp_path / "child").read_text()))


async def _gone(pid: int) -> None:
    """Wait until a process is no more, or only waits to be reaped by somebody else."""
    async with asyncio.timeout(10):
        while True:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return
            if state == "Z":
                return
            await asyncio.sleep(0.02)


def _jwt(ends: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"e30.{payload}.sig"


async def test_an_oidc_token_is_used_until_it_ends(tmp_path: Path) -> None:
    token = _jwt(NOW + 600)
    config = {"id-token": token, "client-id": "c", "idp-issuer-url": "https://idp.invalid"}
    clock = _Clock()
    credentials = _credentials({"auth-provider": {"name": "oidc", "config": config}}, tmp_path, clock)
    assert await credentials.headers() == _bearer(token)
    clock.now += 591
    with pytest.raises(AuthError, match="has ended and there is no refresh token"):
        await credentials.headers()


async def test_an_old_auth_provider_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoClusterError, match="'gcp' is no longer supported"):
        _credentials({"auth-provider": {"name": "gcp"}}, tmp_path)


async def test_a_plugin_that_has_to_ask_is_left_to_the_user_and_its_answer_taken(tmp_path: Path) -> None:
    user = _plugin(tmp_path, "echo no terminal >&2; exit 9\n")
    for mode, words in (("Always", "has to ask you something; press L"), ("IfAvailable", "no terminal; press L")):
        user["exec"] |= {"interactiveMode": mode, "args": ["login"]}
        with pytest.raises(LoginNeededError, match=words) as caught:
            await _credentials(user, tmp_path).headers()
        assert caught.value.command == (str(tmp_path / "./login-plugin"), "login")
        assert json.loads(caught.value.env["KUBERNETES_EXEC_INFO"])["spec"]["interactive"] is True
    given = _credentials(user, tmp_path, login=_credential("typed", None).encode())
    assert await given.headers() == _bearer("typed")
