"""Marked secrets through every option, and every field with every wrong type: one line each, no secret, no traceback."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from hpatui import logs
from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect, list_contexts
from hpatui.errors import HpatuiError
from hpatui.settings import Settings

MARK = "MARKED-s3cret"
_ENCODED = base64.b64encode(f"user:{MARK}".encode()).decode()
_FIELDS: dict[str, dict[str, Any]] = {
    "cluster": {
        "server": "https://127.0.0.1:1", "certificate-authority": "ca.pem", "certificate-authority-data": "QUJD",
        "insecure-skip-tls-verify": True, "tls-server-name": "a", "proxy-url": "http://127.0.0.1:1",
        "disable-compression": True, "extensions": [{"name": "a", "extension": {}}],
    },
    "user": {
        "token": MARK, "tokenFile": "token", "username": "u", "password": MARK, "client-certificate": "c.pem",
        "client-certificate-data": "QUJD", "client-key": "c.key", "client-key-data": "QUJD", "as": "jane", "as-uid": "1",
        "as-groups": ["a"], "as-user-extra": {"a": ["b"]},
        "exec": {"command": "sh", "args": ["-c", "exit 1"], "env": [{"name": "TOKEN", "value": MARK}],
                 "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "installHint": "x",
                 "provideClusterInfo": True},
        "auth-provider": {"name": "oidc", "config": {
            "idp-issuer-url": "https://127.0.0.1:1", "client-id": "a", "client-secret": MARK, "refresh-token": MARK,
            "id-token": MARK, "idp-certificate-authority": "ca.pem"}},
    },
    "context": {"cluster": "c", "user": "u", "namespace": "shop"},
}  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, "", " ", "\n", "a\nb", "\0", "é\u202e", "word", "x" * 5000, [], [None], [1], ["a"], {}, {"a": 1},
    {"a": None}, [[]], [{}], "/", "..", "http://", "%zz", "::1", "http://[::1",
)  # fmt: skip

_URLS = tuple(f"{scheme}user:{MARK}@{host}" for scheme in ("https://", "socks5://", "x://", "//", "") for host in (
    "", "h", "h:x", "[", "h:99999", "a b", "h/p?q#f"))  # fmt: skip


def _config(user: dict[str, Any], cluster: dict[str, Any] | None = None) -> dict[str, Any]:
    server = {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": server if cluster is None else cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


async def _outcome(path: Path) -> str:
    """The one line; anything but a connection or an HpatuiError fails the test."""
    said: list[str] = []
    try:
        said += [context.server for context in list_contexts(Settings(kubeconfig=str(path)))]
        async with asyncio.timeout(10):
            connection = await connect(Settings(kubeconfig=str(path)), SystemClock(), say=said.append)
        await connection.close()
    except HpatuiError as error:
        said.append(str(error))
        assert "\n" not in str(error)
        assert str(error).isprintable()
    return "\n".join(said)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += _places(item, (*path, key))
    return found


@pytest.mark.parametrize("kind", _FIELDS)
async def test_each_field_with_each_wrong_value(kind: str, tmp_path: Path) -> None:
    """Alone in its entry, and at each place inside; nothing but hpatui's own errors comes out, and no secret."""
    for name, usual in _FIELDS[kind].items():
        for place in [(), *_places(usual)]:
            for wrong in _VALUES + (_URLS if name in ("server", "proxy-url", "idp-issuer-url") else ()):
                value = copy.deepcopy(usual)
                if place:
                    inner = value
                    for key in place[:-1]:
                        inner = inner[key]
                    inner[place[-1]] = wrong
                else:
                    value = wrong
                config = _config({"token": "t"})
                entry = config[f"{kind}s"][0][kind]
                if kind == "user":
                    entry.clear()
                entry[name] = value
                path = tmp_path / "config"
                path.write_text(json.dumps(config))
                said = await _outcome(path)
                assert MARK not in said, (name, place, wrong)
                assert _ENCODED not in said


_NAMES = ("name", "cluster", "user", "context", "server", "token", "exec", "users", "clusters")
_TOP = ("users", "clusters", "contexts", "current-context", "kind")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(_NAMES), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@options(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.dictionaries(st.sampled_from(_TOP), _JSON) | st.binary(max_size=60))
def test_any_file_is_a_kubeconfig_or_one_line(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "config"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    asyncio.run(_outcome(path))


_SECRET_USERS: dict[str, dict[str, Any]] = {
    "token": {"token": MARK},
    "token of two lines": {"token": f"{MARK}\n{MARK}"},
    "password": {"username": "user", "password": MARK},
    "plugin": {"exec": {"command": "sh", "args": ["-c", f"echo token={MARK} >&2; echo {MARK}; exit 1"],
                        "env": [{"name": "MY_TOKEN", "value": MARK}],
                        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}},
    "oidc": {"auth-provider": {"name": "oidc", "config": {"client-id": "a", "idp-issuer-url": "https://127.0.0.1:1",
                                                           "refresh-token": MARK, "client-secret": MARK}}},
    "key": {"client-certificate-data": base64.b64encode(MARK.encode()).decode(),
            "client-key-data": base64.b64encode(MARK.encode()).decode()},
}  # fmt: skip
_SECRET_SERVERS: dict[str, dict[str, Any]] = {
    "server": {"server": f"https://user:{MARK}@127.0.0.1:1", "insecure-skip-tls-verify": True},
    "broken server": {"server": f"https://user:{MARK}@127.0.0.1:nonsense"},
    "proxy": {"server": "https://127.0.0.1:1", "proxy-url": f"http://user:{MARK}@127.0.0.1:1"},
    "socks": {"server": "https://127.0.0.1:1", "proxy-url": f"socks5://user:{MARK}@127.0.0.1:1"},
    "broken proxy": {"server": "https://127.0.0.1:1", "proxy-url": f"ftp://user:{MARK}@127.0.0.1"},
}


@pytest.mark.e2e
@pytest.mark.parametrize("name", [*_SECRET_USERS, *_SECRET_SERVERS, "environment"])
def test_marked_secrets_reach_no_output_and_no_file(name: str, tmp_path: Path) -> None:
    """The installed program: `watch --once`, its streams, its log, its state folder."""
    path, home = tmp_path / "config", tmp_path / "home"
    home.mkdir()
    user = _SECRET_USERS.get(name, {"token": MARK})
    path.write_text(yaml.safe_dump(_config(user, _SECRET_SERVERS.get(name))))
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    if name == "environment":
        env["HTTPS_PROXY"] = f"http://user:{MARK}@127.0.0.1:1"
        path.write_text(yaml.safe_dump(_config(user, {"server": "https://10.255.255.1:1"})))
    command = [sys.executable, "-m", "hpatui", "watch", "--once", "--kubeconfig", str(path)]
    done = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    out = (done.stdout + done.stderr).decode()
    assert "Traceback" not in out
    assert len(out.strip().splitlines()) <= 2, out
    files = [out, *(item.read_text(errors="replace") for item in home.rglob("*") if item.is_file())]
    for text in files:
        for secret in (MARK, _ENCODED, base64.b64encode(MARK.encode()).decode()):
            assert secret not in text


async def test_a_failure_of_a_library_is_logged_without_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(_config({"token": MARK})))
    logs.start(tmp_path / "log")
    try:
        with pytest.raises(HpatuiError):
            await connect(Settings(kubeconfig=str(path)), SystemClock())
        logs.failure("test", RuntimeError(f"library says Authorization: Bearer {MARK} and {MARK}"))
    finally:
        logs.start(None)
    assert MARK not in (tmp_path / "log").read_text()
