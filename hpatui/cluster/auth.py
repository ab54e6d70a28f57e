"""Who we are on each request: tokens (kept, from a file, from a login plugin, from OIDC), passwords, impersonation.

What counts when there are several is client-go's order: a token, its file, or a password beside `exec` or an auth provider
wins, and so does a certificate beside `exec`. Tokens are renewed when they end. No secret is ever part of a message.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hpatui.clock import Clock
from hpatui.cluster.access import Access, ExecPlugin, Headers
from hpatui.cluster.pem import pem_bytes
from hpatui.cluster.plugin import PluginCredential, Say, command_of, credential_of, run_plugin
from hpatui.errors import AuthError, LoginNeededError
from hpatui.masking import remember_secret
from hpatui.text import printable

_FILE_AGE = 60.0  # how long a token file's content is used before it is read again
_AGAIN = 10.0  # seconds before a plugin is asked again, whatever the server says about what it gave
Ask = Callable[[LoginNeededError], Awaitable[bytes]]
_JWT_EARLY = 10.0  # seconds before its end that an OIDC token counts as ended (client-go's expiryDelta)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """PEM texts; `name`: where they came from, for messages."""

    cert_pem: bytes = field(repr=False)
    key_pem: bytes = field(repr=False)
    name: str = "client-certificate"


class Credentials:
    """The headers and the certificate of one user; `headers` renews what has ended."""

    def __init__(
        self, access: Access, clock: Clock, login: bytes = b"", say: Say = lambda _text: None, ask: Ask | None = None,
    ) -> None:  # fmt: skip
        """`login`: what a login plugin printed that the user has run in the terminal. `say` is told what a plugin says.
        `ask` gives one that has to ask something the terminal; without it: LoginNeededError.
        """
        self._terminal = ask
        self.needed: LoginNeededError | None = None  # the last request waits for a login that only the user can do
        self._access = access
        self._user = access.user
        self._clock = clock
        self._login = login
        self._say = say
        self._token = access.user.token
        self._expires: float | None = None
        self._read_at: float | None = None
        self._asked_at: float | None = None
        self._lock = asyncio.Lock()
        self._plugin_certificate: ClientCertificate | None = None
        self._certificate: ClientCertificate | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"

    @property
    def certificate(self) -> ClientCertificate | None:
        """The client certificate, if this user has one (one of a login plugin is known after `headers`)."""
        user = self._user
        if user.certificate is None or user.key is None:
            return self._plugin_certificate
        if self._certificate is None:
            context = self._access.context
            self._certificate = ClientCertificate(
                pem_bytes(user.certificate, context), pem_bytes(user.key, context), user.certificate.name
            )
        return self._certificate

    @property
    def _plugin(self) -> ExecPlugin | None:
        """The login plugin, where nothing beside it wins."""
        user = self._user
        return None if user.token or user.token_file or user.basic or user.certificate else user.plugin

    @property
    def renewable(self) -> bool:
        """Whether another try after a 401 could help."""
        user = self._user
        oidc = user.oidc is not None and not user.token and user.basic is None
        return bool(self._plugin or user.token_file or oidc)

    async def headers(self, *, rejected: Headers | None = None) -> Headers:
        """Authorization, if there is one, and impersonation. `rejected`: headers that got a 401; what can be renewed is.

        Raises AuthError when a login plugin fails or a token cannot be read.
        """
        async with self._lock:
            refused = rejected is not None and ("Authorization", f"Bearer {self._token}") in (
                rejected if self._token else (*rejected, ("Authorization", "Bearer "))
            )
            token = await self._current(refused)
        found: Headers = ()
        if token:
            found = (("Authorization", f"Bearer {token}"),)
        elif self._user.basic is not None:
            pair = base64.b64encode(":".join(self._user.basic).encode()).decode()
            remember_secret(pair)
            found = (("Authorization", f"Basic {pair}"),)
        return found + self._access.acting_as.headers()

    async def _current(self, refused: bool) -> str:
        user = self._user
        if user.token_file is not None:
            self._from_file(refused)
        elif user.token or user.basic is not None:
            pass
        elif (plugin := self._plugin) is not None:
            if self._due(refused):
                await self._ask(plugin)
        elif user.oidc is not None:
            await self._oidc(refused)
        return self._token

    # Token files ----------------------------------------------------------------------------------------------

    def _from_file(self, refused: bool) -> None:
        """As client-go: the file's content, read once a minute, beats `token`, which stands in where it cannot be read."""
        now = self._clock.monotonic()
        if self._read_at is not None and now - self._read_at < _FILE_AGE and not refused:
            return
        path = self._user.token_file
        assert path is not None
        where = printable(str(path), 200)
        try:
            token = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            if self._user.token:
                return
            reason = getattr(error, "strerror", None) or "it is no text"
            raise AuthError(f"cannot read the token file {where}: {reason}", hint="log in again") from None
        problem = "is empty" if not token else ""
        if any(ord(char) < 32 or ord(char) == 127 for char in token):
            problem = "holds a line break or another control character in the middle of the token"
        if problem:
            raise AuthError(f"the token file {where} {problem}", hint="write the token on one line")
        remember_secret(token)
        self._token, self._read_at = token, now

    # Login plugins --------------------------------------------------------------------------------------------

    def _due(self, refused: bool) -> bool:
        """Whether the plugin has to run: at first, when its credential has ended, or when the server refused it; but a
        plugin whose answers end at once, or are refused, is not run at each request.
        """
        if self._asked_at is None:
            return True
        if self._clock.monotonic() - self._asked_at < _AGAIN:
            return False
        return refused or (self._expires is not None and self._clock.time() >= self._expires)

    async def _ask(self, plugin: ExecPlugin) -> None:
        login, self._login = self._login, b""
        if login:
            self._take(credential_of(login, plugin))
            return
        if plugin.interactive == "Always":
            await self._on_terminal(LoginNeededError(*command_of(plugin, interactive=True)), plugin)
            return
        try:
            out = await run_plugin(plugin, self._say)
        except AuthError as error:
            if plugin.interactive == "IfAvailable" and "cannot run" not in error.message:
                needed = LoginNeededError(*command_of(plugin, interactive=True), why=error.message)
                await self._on_terminal(needed, plugin)
                return
            raise
        self._take(credential_of(out, plugin))

    async def _on_terminal(self, needed: LoginNeededError, plugin: ExecPlugin) -> None:
        if self._terminal is None:
            self.needed = needed
            raise needed
        self._take(credential_of(await self._terminal(needed), plugin))

    def _take(self, found: PluginCredential) -> None:
        self._token, self._expires, self._asked_at = found.token, found.expires, self._clock.monotonic()
        self.needed = None
        if found.certificate is not None and found.key is not None:
            self._plugin_certificate = ClientCertificate(found.certificate, found.key, "the login plugin's certificate")

    # OIDC -----------------------------------------------------------------------------------------------------

    async def _oidc(self, refused: bool) -> None:
        oidc = self._user.oidc
        assert oidc is not None
        now = self._clock.time()
        if not self._token:
            self._token, self._expires = oidc.id_token, jwt_expiry(oidc.id_token)
        fresh = self._token and self._expires is not None and now < self._expires - _JWT_EARLY
        if fresh and not refused:
            return
        if self._asked_at is not None and self._clock.monotonic() - self._asked_at < _AGAIN:
            return
        from hpatui.cluster.oidc import refreshed

        token = await refreshed(oidc, self._access, self._say)
        self._token, self._expires, self._asked_at = token, jwt_expiry(token), self._clock.monotonic()


def jwt_expiry(token: str | None) -> float | None:
    """When a JWT ends (epoch seconds), if it says so."""
    parts = (token or "").split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(payload["exp"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
