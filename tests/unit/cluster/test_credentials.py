"""Who we are: tokens from files, login plugins and OIDC; what goes wrong says no secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hpatui.cluster.auth import Credentials
from hpatui.cluster.kubeconfig import ClusterAccess
from hpatui.errors import AuthError, LoginNeededError
from tests.factories import NOW


@dataclass(slots=True)
class _Clock:
    now: float = NOW

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def _credentials(user: Mapping[str, Any], folder: Path = Path(), clock: _Clock | None = None) -> Credentials:
    access = ClusterAccess("c", "https://c", "default", None, None, None, True, None, user, folder)
    return Credentials(access, clock or _Clock())


def _plugin(tmp_path: Path, body: str) -> dict[str, Any]:
    path = tmp_path / "login-plugin"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login-plugin"}}


def _credential(token: str, ends: float | None) -> str:
    status: dict[str, Any] = {"token": token}
    if ends is not None:
        status["expirationTimestamp"] = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"kind": "ExecCredential", "status": status})


async def test_a_token_and_a_password() -> None:
    assert await _credentials({"token": "t"}).headers() == {"Authorization": "Bearer t"}
    basic = base64.b64encode(b"me:secret").decode()
    assert await _credentials({"username": "me", "password": "secret"}).headers() == {"Authorization": f"Basic {basic}"}
    assert await _credentials({}).headers() == {}


async def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one\n")
    clock = _Clock()
    credentials = _credentials({"tokenFile": "token"}, tmp_path, clock)
    assert await credentials.headers() == {"Authorization": "Bearer one"}
    (tmp_path / "token").write_text("two\n")
    assert await credentials.headers() == {"Authorization": "Bearer one"}
    clock.now += 61
    assert await credentials.headers() == {"Authorization": "Bearer two"}
    (tmp_path / "token").unlink()
    clock.now += 61
    with pytest.raises(AuthError, match="cannot read the token file token: No such file"):
        await credentials.headers()


async def test_a_plugin_has_no_standard_input_and_is_asked_again_before_its_token_ends(tmp_path: Path) -> None:
    """The plugin writes a line for each run, and would hang if it could read what the user types."""
    script = f"cat\necho x >> runs\necho noise >&2\necho '{_credential('t', NOW + 600)}'\n"
    clock = _Clock()
    credentials = _credentials(_plugin(tmp_path, f"cd '{tmp_path}'\n{script}"), tmp_path, clock)
    for now, runs in ((NOW, 1), (NOW + 500, 1), (NOW + 545, 2)):
        clock.now = now
        assert await credentials.headers() == {"Authorization": "Bearer t"}
        assert (tmp_path / "runs").read_text().count("x") == runs
    await credentials.headers(force=True)
    assert (tmp_path / "runs").read_text().count("x") == 3


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
        ("printf '\\033[31mred\\n' >&2; exit 1\n", r"failed \(exit code 1\): \\x1b"),
        ("echo nonsense\n", "printed no credential"),
        ("echo '{}'\n", "printed no credential"),
    ],
)
async def test_a_plugin_that_fails_says_so_in_one_line(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(AuthError, match=words) as caught:
        await _credentials(_plugin(tmp_path, body), tmp_path).headers()
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


async def test_a_plugin_that_is_not_there_gives_its_hint(tmp_path: Path) -> None:
    user = {"exec": {"command": "no-such-plugin", "installHint": "brew install it\nsecond line"}}
    with pytest.raises(AuthError, match=r"cannot run the login plugin no-such-plugin.*brew install it") as caught:
        await _credentials(user, tmp_path).headers()
    assert "second line" not in str(caught.value)


async def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    status = {"clientCertificateData": "CERT", "clientKeyData": "KEY"}
    credentials = _credentials(_plugin(tmp_path, f"echo '{json.dumps({'status': status})}'\n"), tmp_path)
    assert await credentials.headers() == {}
    assert credentials.certificate is not None
    assert credentials.certificate.cert_pem == b"CERT"
    assert "KEY" not in repr(credentials.certificate)


def _jwt(ends: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"e30.{payload}.sig"


async def test_an_oidc_token_is_used_until_it_ends() -> None:
    token = _jwt(NOW + 600)
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    clock = _Clock()
    credentials = _credentials(user, clock=clock)
    assert await credentials.headers() == {"Authorization": f"Bearer {token}"}
    clock.now += 560
    with pytest.raises(AuthError, match="expired and there is no refresh token"):
        await credentials.headers()


async def test_an_old_auth_provider_is_named() -> None:
    with pytest.raises(AuthError, match="'gcp' is no longer supported"):
        await _credentials({"auth-provider": {"name": "gcp"}}).headers()


async def test_a_plugin_that_has_to_ask_is_left_to_the_user_and_its_answer_taken(tmp_path: Path) -> None:
    user = _plugin(tmp_path, "exit 9\n")
    user["exec"] |= {"interactiveMode": "Always", "args": ["login"]}
    with pytest.raises(LoginNeededError, match="press L") as caught:
        await _credentials(user, tmp_path).headers()
    assert caught.value.command == (str(tmp_path / "./login-plugin"), "login")
    assert json.loads(caught.value.env["KUBERNETES_EXEC_INFO"])["spec"]["interactive"] is True
    access = ClusterAccess("c", "https://c", "default", None, None, None, True, None, user, tmp_path)
    given = Credentials(access, _Clock(), _credential("typed", None).encode())
    assert await given.headers() == {"Authorization": "Bearer typed"}
