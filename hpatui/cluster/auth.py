"""Who we are: tokens (kept, from a file, from a login plugin, from OIDC) and client certificates.

Login plugins (exec) run with standard input closed and their output captured, so they can neither eat keys nor draw on
the screen; what they print goes into no log. Tokens are renewed before they expire. No secret is ever part of a message.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpatui.clock import Clock, parse_rfc3339
from hpatui.cluster.kubeconfig import ClusterAccess, decode_base64
from hpatui.errors import AuthError, LoginNeededError
from hpatui.text import printable

EXEC_TIMEOUT = 60.0
_EARLY = 60.0  # seconds before its end that a token is renewed
_FILE_AGE = 60.0  # how long a token file's content is used before it is read again


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """PEM texts, or paths to them."""

    cert_file: str | None = None
    key_file: str | None = None
    cert_pem: bytes | None = field(default=None, repr=False)
    key_pem: bytes | None = field(default=None, repr=False)


class Credentials:
    """The headers of a user of the kubeconfig; `headers` renews what has expired."""

    def __init__(self, access: ClusterAccess, clock: Clock, login: bytes = b"") -> None:
        """`login`: what a login plugin printed that the user has run in the terminal."""
        self._login = login
        self._access = access
        self._user: Mapping[str, Any] = access.user
        self._clock = clock
        self._token: str | None = None
        self._expires: float | None = None
        self._lock = asyncio.Lock()
        self._exec_certificate: ClientCertificate | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"

    @property
    def certificate(self) -> ClientCertificate | None:
        """The client certificate, if this user has one (one of a login plugin is known after `headers`)."""
        user = self._user
        if self._exec_certificate is not None:
            return self._exec_certificate
        if user.get("client-certificate-data"):
            return ClientCertificate(
                cert_pem=decode_base64(user["client-certificate-data"], "client-certificate-data"),
                key_pem=decode_base64(user.get("client-key-data", ""), "client-key-data"),
            )
        if user.get("client-certificate"):
            folder = self._access.folder
            return ClientCertificate(
                str(folder / str(user["client-certificate"])), str(folder / str(user.get("client-key", "")))
            )
        return None

    async def headers(self, *, force: bool = False) -> dict[str, str]:
        """The Authorization header, if there is one. With `force` what can be renewed is (after a 401).

        Raises AuthError when a login plugin fails or a token cannot be read.
        """
        async with self._lock:
            token = await self._current(force)
        if token:
            return {"Authorization": f"Bearer {token}"}
        user = self._user
        if user.get("username") is not None:
            pair = f"{user.get('username')}:{user.get('password', '')}".encode()
            return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        return {}

    @property
    def renewable(self) -> bool:
        """Whether another try after a 401 could help."""
        return any(self._user.get(name) for name in ("exec", "tokenFile", "auth-provider"))

    async def _current(self, force: bool) -> str | None:
        user = self._user
        if not user.get("exec") and not user.get("tokenFile") and not user.get("auth-provider"):
            return str(user["token"]) if user.get("token") else None
        now = self._clock.time()
        fresh = self._expires is None or now < self._expires - _EARLY
        if not force and self._token is not None and fresh:
            return self._token
        if user.get("tokenFile"):
            self._token = self._read_token_file(str(user["tokenFile"]))
            self._expires = now + _FILE_AGE + _EARLY
        elif user.get("exec"):
            await self._run_plugin(user["exec"])
        else:
            await self._oidc()
        return self._token

    def _read_token_file(self, name: str) -> str:
        try:
            return (self._access.folder / name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise AuthError(f"cannot read the token file {name}: {error.strerror}") from error

    # Login plugins --------------------------------------------------------------------------------------------

    async def _run_plugin(self, config: Mapping[str, Any]) -> None:
        command = str(config.get("command") or "")
        env = {**os.environ, **{str(e.get("name")): str(e.get("value", "")) for e in config.get("env") or ()}}
        version = config.get("apiVersion", "client.authentication.k8s.io/v1")
        interactive = config.get("interactiveMode") == "Always"
        info: dict[str, Any] = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": interactive}}
        if config.get("provideClusterInfo"):
            info["spec"]["cluster"] = {"server": self._access.server}
        env["KUBERNETES_EXEC_INFO"] = json.dumps(info)
        if "/" in command and not Path(command).is_absolute():
            command = str(self._access.folder / command)
        login, self._login = self._login, b""
        if login:
            self._take_exec_credential(login, command)
            return
        if interactive:
            raise LoginNeededError((command, *(str(a) for a in config.get("args") or ())), env)
        try:
            process = await asyncio.create_subprocess_exec(
                command, *(str(a) for a in config.get("args") or ()), env=env, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            hint = str(config.get("installHint") or "install it, or log in another way").strip().splitlines()[0]
            raise AuthError(f"cannot run the login plugin {command}: {error.strerror}", hint=hint) from error
        try:
            async with asyncio.timeout(EXEC_TIMEOUT):
                out, err = await process.communicate()
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise AuthError(
                f"the login plugin {command} did not answer within {EXEC_TIMEOUT:g} s", hint="log in on a shell first"
            ) from error
        if process.returncode != 0:
            said = printable(err.decode(errors="replace").strip().splitlines()[-1] if err.strip() else "", 300)
            raise AuthError(
                f"the login plugin {command} failed (exit code {process.returncode}): {said}",
                hint="log in on a shell, then try again",
            )
        self._take_exec_credential(out, command)

    def _take_exec_credential(self, out: bytes, command: str) -> None:
        try:
            status = json.loads(out)["status"]
            expires = status.get("expirationTimestamp")
            self._expires = parse_rfc3339(expires).timestamp() if expires else None
            self._token = status.get("token")
            cert, key = status.get("clientCertificateData"), status.get("clientKeyData")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AuthError(f"the login plugin {command} printed no credential") from error
        if cert and key:
            self._exec_certificate = ClientCertificate(cert_pem=cert.encode(), key_pem=key.encode())

    # OIDC -----------------------------------------------------------------------------------------------------

    async def _oidc(self) -> None:
        provider = self._user.get("auth-provider") or {}
        config = provider.get("config") or {}
        if provider.get("name") != "oidc":
            raise AuthError(
                f"the auth provider {provider.get('name')!r} is no longer supported by Kubernetes",
                hint="use its login plugin (exec) instead",
            )
        self._token = config.get("id-token")
        self._expires = _jwt_expiry(self._token)
        if self._token and (self._expires is None or self._clock.time() < self._expires - _EARLY):
            return
        if not config.get("refresh-token") or not config.get("idp-issuer-url"):
            raise AuthError("the OIDC token has expired and there is no refresh token", hint="log in again")
        from kubernetes.aio.config.config_exception import ConfigException
        from kubernetes.aio.config.openid import OpenIDRequestor

        requestor = OpenIDRequestor(
            config["client-id"], config.get("client-secret", ""), config["idp-issuer-url"],
            ssl_ca_cert=config.get("idp-certificate-authority"),
        )  # fmt: skip
        try:
            answer = await requestor.refresh_token(config["refresh-token"])
        except (ConfigException, OSError) as error:
            raise AuthError("the OIDC provider did not renew the token", hint="log in again") from error
        self._token = answer.get("id_token")
        self._expires = _jwt_expiry(self._token)


def _jwt_expiry(token: str | None) -> float | None:
    """When a JWT ends (epoch seconds), if it says so."""
    parts = (token or "").split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(payload["exp"])
    except (ValueError, KeyError, TypeError):
        return None
