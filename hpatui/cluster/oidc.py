"""Renewing an OIDC token (auth provider `oidc`), as client-go does it: discovery, refresh token grant, write-back.

Always over verified TLS, with `idp-certificate-authority(-data)` or the system's authorities, and to https addresses only.
A rotated refresh token ends the old one: it is written back where kubectl looks for it, or kept for this process and said.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from hpatui.cluster.access import Access, Oidc
from hpatui.cluster.plugin import Say
from hpatui.cluster.proxies import proxy_for
from hpatui.cluster.tls import trusting
from hpatui.cluster.wire import aiohttp, basic, open_session
from hpatui.cluster.writeback import CannotWrite, tokens_of, write_tokens
from hpatui.errors import AuthError
from hpatui.masking import masked, remember_secret
from hpatui.text import printable

_TIMEOUT = 15.0
_BIGGEST = 2**20
_successors: dict[tuple[str, str], str] = {}  # issuer, refresh token -> its successor that could not be written back


async def refreshed(oidc: Oidc, access: Access, say: Say) -> str:
    """A new id token. AuthError where the provider does not renew."""
    refresh = oidc.refresh_token
    if oidc.file is not None:  # kubectl, or another hpatui, may have renewed it meanwhile
        refresh = tokens_of(oidc.file, oidc.user).get("refresh-token") or refresh
    while (oidc.issuer, refresh) in _successors:
        refresh = _successors[oidc.issuer, refresh]
    if not refresh:
        raise AuthError("the OIDC token has ended and there is no refresh token", hint="log in again")
    try:
        async with asyncio.timeout(_TIMEOUT):
            answer = await _ask(oidc, access, refresh)
    except AuthError:
        raise
    except TimeoutError:
        raise AuthError(f"the OIDC provider {_host(oidc.issuer)} does not answer", hint="check the network") from None
    except Exception as error:  # noqa: BLE001  # the door: whatever a library raises becomes one line
        words = printable(masked(str(error) or type(error).__name__), 200)
        raise AuthError(
            f"the OIDC provider {_host(oidc.issuer)} cannot be reached: {words}",
            hint="check idp-issuer-url and idp-certificate-authority",
        ) from None
    token, rotated = answer.get("id_token"), answer.get("refresh_token")
    if not isinstance(token, str) or not token or not token.isprintable():
        raise AuthError("the OIDC provider's answer has no id_token", hint="log in again with the scope openid")
    remember_secret(token)
    new = {"id-token": token}
    if isinstance(rotated, str) and rotated and rotated != refresh:
        remember_secret(rotated)
        new["refresh-token"] = rotated
    _keep(oidc, refresh, new, say)
    return token


def _keep(oidc: Oidc, refresh: str, new: dict[str, str], say: Say) -> None:
    try:
        if oidc.file is None:
            raise CannotWrite("there is no file")
        write_tokens(oidc.file, oidc.user, new)
    except CannotWrite as error:
        if "refresh-token" in new:
            _successors[oidc.issuer, refresh] = new["refresh-token"]
            say(
                f"the new refresh token could not be written to the kubeconfig ({error}); other programs have to log in"
            )


def _host(url: str) -> str:
    return printable(urlsplit(url).netloc.rpartition("@")[2], 200)


async def _ask(oidc: Oidc, access: Access, refresh: str) -> dict[str, Any]:
    context = trusting(oidc.ca, access.context)
    discovery = oidc.issuer.removesuffix("/") + "/.well-known/openid-configuration"
    async with (
        open_session(context, proxy_for(discovery), _TIMEOUT) as session,
        session.get(discovery, allow_redirects=False) as response,
    ):
        found = await _json(response, "the discovery document")
    if response.status != 200:
        raise AuthError(f"the OIDC provider {_host(oidc.issuer)} answered {response.status} to discovery")
    endpoint = str(found.get("token_endpoint") or "")
    if not endpoint.startswith("https://"):
        raise AuthError("the OIDC provider's token_endpoint is no https URL", hint="tokens go over TLS only")
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    # Like Go's oauth2: who we are in a header first, then in the form, for providers know one or the other.
    header = {"Authorization": basic(quote_plus(oidc.client_id), quote_plus(oidc.client_secret))}
    in_form = {"client_id": oidc.client_id}
    if oidc.client_secret:
        in_form["client_secret"] = oidc.client_secret
    answer: dict[str, Any] = {}
    status = 0
    async with open_session(context, proxy_for(endpoint), _TIMEOUT) as session:
        for headers, more in ((header, {}), ({}, in_form)):
            body = urlencode({**form, **more})
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            way = session.post(endpoint, data=body, headers={**kind, **headers}, allow_redirects=False)
            async with way as response:
                answer, status = await _json(response, "the answer"), response.status
            if status == 200:
                return answer
            if answer.get("error") == "invalid_grant":  # we are known, the token is not
                break
    why = printable(masked(str(answer.get("error_description") or answer.get("error") or "")), 200)
    raise AuthError(f"the OIDC provider did not renew the token ({status} {why})", hint="log in again")


async def _json(response: aiohttp.ClientResponse, what: str) -> dict[str, Any]:
    data = await response.content.read(_BIGGEST)
    while len(data) < _BIGGEST and (more := await response.content.read(_BIGGEST)):
        data += more
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    if response.status == 200:
        raise AuthError(f"{what} of the OIDC provider is no JSON", hint="check idp-issuer-url")
    return {}
