"""Every row of the matrix: hpatui over real TLS, and kubectl beside it on the same file."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.errors import HpatuiError
from hpatui.settings import Settings
from tests.contract.access.rows import REFUSED, WORKS, Row
from tests.contract.access.rows_files import FILES
from tests.contract.access.rows_tls import TLS
from tests.contract.access.rows_users import USERS
from tests.contract.access.rows_ways import WAYS
from tests.contract.access.world import TOKEN, World
from tests.contract.conftest import KUBECTL

ROWS = (*FILES, *USERS, *TLS, *WAYS)
_SECRETS = (TOKEN, "hidden", base64.b64encode(b"user:hidden-pw").decode())
_COMPARED = ("authorization", "impersonate-", "cookie")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The servers of all rows."""
    found = World(tmp_path_factory.mktemp("access"), trustme.CA())
    found.start()
    yield found
    found.stop()


def test_the_matrix_is_whole() -> None:
    assert len(ROWS) >= 150
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(row.why for row in ROWS if row.kubectl != row.ours)


def write(row: Row, world: World, folder: Path) -> Path:
    """The row's kubeconfig."""
    path = folder / "config"
    if row.text is not None:
        text = row.text(world)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    cluster: dict[str, Any] = {"server": world.url(row.server) + row.path, **row.cluster(world)}
    authority = {"certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify"}
    if not authority & cluster.keys() and str(cluster["server"]).lower().startswith("https"):
        cluster["certificate-authority"] = world.file("ca.pem")
    cluster = {key: value for key, value in cluster.items() if value != "-"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": dict(row.user(world))}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", **row.context(world)}}],
        "current-context": "x",
        **row.top,
    }
    path.write_text(yaml.safe_dump(config))
    return path


def environment(row: Row, world: World, folder: Path) -> dict[str, str]:
    """Only what the row names, and a home with a .netrc that nobody may obey."""
    (folder / ".netrc").write_text("machine 127.0.0.1 login other password hidden-netrc\n")
    named = {key: str(value) for key, value in row.env(world).items()}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "NETRC": str(folder / ".netrc"), **named}


def settings_of(row: Row, path: Path) -> Settings:
    """The row's flags as settings."""
    flags = list(row.flags)
    values: dict[str, Any] = {"kubeconfig": str(path)}
    for name, value in zip(flags[::2], flags[1::2], strict=True):
        if name == "--as-group":
            values["as_groups"] = (*values.get("as_groups", ()), value)
        else:
            values[{"--as": "as_user", "--context": "context"}[name]] = value
    return Settings(**values)


def known_secrets_are_not_in(text: str) -> None:
    for secret in _SECRETS:
        assert secret not in text, text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_row(row: Row, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, env = write(row, world, tmp_path), environment(row, world, tmp_path)
    for name in tuple(os.environ):
        if "PROXY" in name.upper() or name.startswith(("KUBE", "SSL", "REQUEST_METHOD")):
            monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    world.seen.clear()
    world.proxied.clear()
    world.throttles = 1
    said = ""
    try:
        connection = await connect(settings_of(row, path), SystemClock())
        assert connection.server_version == "v1.32.0"
        await connection.close()
        outcome = WORKS
    except HpatuiError as error:
        outcome, said = REFUSED, str(error)
    assert outcome == row.ours, said
    if outcome is REFUSED:
        assert re.search(row.words, said), said
        assert "\n" not in said
        known_secrets_are_not_in(said)
    ours = [request.sent(*_COMPARED) for request in world.seen[-1:]]
    our_paths = {request.path.partition("?")[0] for request in world.seen}
    if row.way is not None and outcome is WORKS:
        assert [re.sub(r":\d+.*", "", note) for note in world.proxied[:1]] == ([row.way] if row.way else [])
    if KUBECTL is None:
        return
    world.seen.clear()
    world.proxied.clear()
    world.throttles = 1
    command = [KUBECTL, "--kubeconfig", str(path), *row.flags, "version", "-o", "json"]
    done = subprocess.run(
        command,
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert (WORKS if done.returncode == 0 else REFUSED) == row.kubectl, done.stderr + done.stdout
    if outcome is WORKS and row.kubectl is WORKS and not row.why:
        assert ours == [request.sent(*_COMPARED) for request in world.seen[-1:]]
        assert {request.path.partition("?")[0] for request in world.seen[-1:]} <= our_paths
        if row.way is not None:
            assert [re.sub(r":\d+.*", "", note) for note in world.proxied[:1]] == ([row.way] if row.way else [])
