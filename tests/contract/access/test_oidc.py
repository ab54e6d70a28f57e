"""OIDC: a provider over real TLS that rotates refresh tokens; what is sent to it, and what stays in the kubeconfig."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
import yaml
from aiohttp import web

from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.errors import AuthError, NoClusterError
from hpatui.settings import Settings
from tests.contract.conftest import KUBECTL


def _jwt(number: int, ends: float) -> str:
    payload = json.dumps({"exp": ends, "number": number}).encode()
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", payload, b"signed"))


@dataclass(slots=True)
class Provider:
    """A provider and an API server behind one TLS port. `in_form`: it wants the client's secret in the form."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)
    port: int = 0
    refresh: str = "refresh-0"
    rotated: int = 0
    in_form: bool = False
    endpoint: str = ""
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its issuer."""
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(self, **config: str) -> Path:
        """With comments, and an order of its own, that have to stay."""
        path = self.folder / "config"
        ca = base64.b64encode(self.ca.cert_pem.bytes()).decode()
        more = "".join(f"        {key}: {value}\n" for key, value in config.items())
        path.write_text(
            "# the team's file\napiVersion: v1\nkind: Config\ncurrent-context: x\n"
            f"clusters:\n- name: c\n  cluster: {{server: '{self.url}', certificate-authority-data: {ca}}}\n"
            "contexts:\n- {name: x, context: {cluster: c, user: u}}\nusers:\n"
            "- name: other\n  user:\n    token: stays   # untouched\n"
            "- name: u\n  user:\n    auth-provider:\n      name: oidc\n      config:\n"
            f"        idp-issuer-url: {self.url}   # ours\n        client-id: hpa\n        client-secret: s3cret-of-client\n"
            f"        id-token: '{_jwt(0, 1)}'\n        refresh-token: refresh-0 # old\n{more}"
        )
        path.chmod(0o640)
        return path

    def trusting(self) -> dict[str, str]:
        """The field that makes clients trust it."""
        return {"idp-certificate-authority-data": base64.b64encode(self.ca.cert_pem.bytes()).decode()}

    async def answer(self, request: web.Request) -> web.Response:
        """Discovery, the token endpoint, and everything of the API server."""
        if request.path == "/.well-known/openid-configuration":
            return web.json_response({"issuer": self.url, "token_endpoint": self.endpoint or f"{self.url}/token"})
        if request.path != "/token":
            self.tokens.append(request.headers.get("Authorization", ""))
            return web.json_response({"gitVersion": "v1.32.0"})
        form = await request.post()
        secret = base64.b64encode(b"hpa:s3cret-of-client").decode()
        known = request.headers.get("Authorization") == f"Basic {secret}"
        if self.in_form:
            known = form.get("client_secret") == "s3cret-of-client"
        if not known:
            return web.json_response({"error": "invalid_client"}, status=401)
        self.asked.append(str(form["refresh_token"]))
        if form["refresh_token"] != self.refresh:
            return web.json_response({"error": "invalid_grant", "error_description": "used already"}, status=400)
        self.rotated += 1
        self.refresh = f"refresh-{self.rotated}"
        token = _jwt(self.rotated, time.time() + 600)
        return web.json_response({"id_token": token, "refresh_token": self.refresh, "access_token": "a",
                                  "token_type": "Bearer", "expires_in": 600})  # fmt: skip


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    """A running one."""
    found = Provider(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.ca.issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


async def _use(path: Path, said: list[str] | None = None) -> None:
    connection = await connect(
        Settings(kubeconfig=str(path)), SystemClock(), say=(said if said is not None else []).append
    )
    await connection.close()


@pytest.mark.parametrize("in_form", [False, True])
async def test_a_rotated_token_is_written_back_and_nothing_else_changes(provider: Provider, in_form: bool) -> None:
    provider.in_form = in_form
    path = provider.kubeconfig(**provider.trusting())
    link = provider.folder / "link"
    link.symlink_to(path)
    before = path.read_text().splitlines()
    await _use(link)
    assert link.is_symlink()
    after = path.read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new.split(":")[0].strip() for _, new in changed] == ["id-token", "refresh-token"]
    assert changed[1][1] == '        refresh-token: "refresh-1" # old'
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(item.name for item in provider.folder.iterdir()) == ["config", "link"]
    await _use(path)  # the token that was written is still good
    assert provider.asked == ["refresh-0"]
    assert set(provider.tokens) == {f"Bearer {_token_of(path)}"}


def _token_of(path: Path) -> str:
    return next(line.split('"')[1] for line in path.read_text().splitlines() if "id-token" in line)


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
async def test_kubectl_is_still_logged_in_afterwards(provider: Provider) -> None:
    path = provider.kubeconfig(**provider.trusting())
    await _use(path)
    env = {"PATH": os.environ["PATH"], "HOME": str(provider.folder)}
    command = [str(KUBECTL), "--kubeconfig", str(path), "version", "-o", "json"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert provider.asked == ["refresh-0"]
    # And the other way round: what kubectl wrote is read by us.
    path.write_text(path.read_text().replace(_token_of(path), _jwt(0, 1)))
    done = await asyncio.to_thread(
        subprocess.run, command, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    await _use(path)
    assert provider.asked == ["refresh-0", "refresh-1"]


async def test_a_token_that_cannot_be_written_back_is_kept_and_said(provider: Provider) -> None:
    """Another program holds kubectl's lock: the file stays, and the next connection knows the new token all the same."""
    path = provider.kubeconfig(**provider.trusting())
    (provider.folder / "config.lock").touch()
    before = path.read_bytes()
    said: list[str] = []
    await _use(path, said)
    assert path.read_bytes() == before
    assert "could not be written to the kubeconfig (config.lock is held by another program)" in said[0]
    await _use(path)
    assert provider.asked == ["refresh-0", "refresh-1"]


async def test_without_trust_nothing_is_sent(provider: Provider) -> None:
    path = provider.kubeconfig()
    with pytest.raises(AuthError, match=r"cannot be reached: .*certificate") as caught:
        await _use(path)
    assert not provider.asked
    assert "refresh-0" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_tokens_go_to_https_only(provider: Provider) -> None:
    provider.endpoint = "http://127.0.0.1:1/token"
    with pytest.raises(AuthError, match="token_endpoint is no https URL"):
        await _use(provider.kubeconfig(**provider.trusting()))
    path = provider.kubeconfig(**provider.trusting())
    path.write_text(path.read_text().replace(f"idp-issuer-url: {provider.url}", "idp-issuer-url: http://127.0.0.1:1"))
    with pytest.raises(NoClusterError, match="idp-issuer-url is no https URL"):
        await _use(path)
    assert not provider.asked


async def test_a_refused_refresh_says_why(provider: Provider) -> None:
    provider.refresh = "another"
    with pytest.raises(AuthError, match=r"did not renew the token \(400 used already\); log in again") as caught:
        await _use(provider.kubeconfig(**provider.trusting()))
    assert "refresh-0" not in str(caught.value)


@pytest.mark.parametrize("form", ["json", "flow", "no id-token"])
async def test_other_forms_of_the_file(provider: Provider, form: str) -> None:
    path = provider.kubeconfig(**provider.trusting())
    config = yaml.safe_load(path.read_text())
    inner = config["users"][1]["user"]["auth-provider"]["config"]
    if form == "no id-token":
        del inner["id-token"]
    if form == "json":
        path.write_text(json.dumps(config, indent=1))
    else:
        path.write_text(yaml.safe_dump(config, default_flow_style=form == "flow"))
    await _use(path)
    inner |= {"id-token": _jwt(1, 0), "refresh-token": "refresh-1"}
    found = yaml.safe_load(path.read_text())
    now = found["users"][1]["user"]["auth-provider"]["config"]
    assert now["refresh-token"] == "refresh-1"
    inner["id-token"] = now["id-token"]
    assert found == config
