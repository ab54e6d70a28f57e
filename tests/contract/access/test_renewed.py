"""A token that the server no longer takes is renewed once, and the request is tried again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.errors import AuthError
from hpatui.settings import Settings
from tests.contract.conftest import TOKEN, ApiServer

_VERSION = "client.authentication.k8s.io/v1"
_PATH = "/api/v1/namespaces"


class _Shifted(SystemClock):
    """The machine's clock, some seconds ahead."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def _answer(folder: Path, token: str) -> None:
    credential = {"kind": "ExecCredential", "apiVersion": _VERSION, "status": {"token": token}}
    (folder / "answer").write_text(json.dumps(credential))


async def test_a_refused_token_is_renewed_and_the_request_tried_once_more(api: ApiServer, tmp_path: Path) -> None:
    script = f"echo run >> '{tmp_path}/runs'; cat '{tmp_path}/answer'"
    config = yaml.safe_load(api.kubeconfig.read_text())
    plugin = {"apiVersion": _VERSION, "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}
    config["users"][0]["user"] = {"exec": plugin}
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    _answer(tmp_path, "no-longer-good")
    clock = _Shifted()
    settings = Settings(kubeconfig=str(tmp_path / "config"))
    with pytest.raises(AuthError):
        await connect(settings, clock)  # refused, and the plugin is not asked again at once
    _answer(tmp_path, TOKEN)
    connection = await connect(settings, clock)
    try:
        runs = len((tmp_path / "runs").read_text().splitlines())
        connection._credentials._token = "no-longer-good"  # as if the server had stopped to take it
        clock.ahead = 60.0
        found = await connection.get_json(_PATH)
        assert found["items"]
        assert len((tmp_path / "runs").read_text().splitlines()) == runs + 1
    finally:
        await connection.close()
