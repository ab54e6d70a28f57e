"""Login plugins (exec): run one, without a terminal, and read what it prints (client.authentication.k8s.io v1, v1beta1).

A plugin runs in a process group of its own, which ends whole at the time limit and when hpatui ends: a shell script's
children too. What it writes to standard error is told while it runs (device codes stand there); its output is a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hpatui.clock import parse_rfc3339
from hpatui.cluster.access import ExecPlugin
from hpatui.cluster.pem import certificates, is_encrypted
from hpatui.errors import AuthError
from hpatui.masking import masked, remember_secret
from hpatui.text import printable

EXEC_TIMEOUT = 60.0  # seconds without a word on standard error
EXEC_LONGEST = 300.0  # seconds in all: for somebody who types a device code
_BIGGEST = 4 * 2**20
_LINES = 200  # of standard error that are kept
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
_TELLING = re.compile(r"error|fail|denied|expired|invalid|cannot|unable|not |must|login|log in|http", re.IGNORECASE)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PluginCredential:
    """What a plugin gave. `expires`: epoch seconds or None; certificate and key are PEM."""

    token: str = field(default="", repr=False)
    expires: float | None = None
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


def command_of(plugin: ExecPlugin, *, interactive: bool) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command and its environment; `interactive`: whether it gets the terminal."""
    spec: dict[str, object] = {"interactive": interactive}
    if plugin.cluster is not None:
        spec["cluster"] = dict(plugin.cluster)
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
    env = {**os.environ, **plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    return (plugin.command, *plugin.args), env


async def run_plugin(plugin: ExecPlugin, say: Say) -> bytes:
    """Run it with standard input closed; what it printed. AuthError where it fails, hangs or is not there."""
    command, env = command_of(plugin, interactive=False)
    shown = printable(plugin.command, 200)
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=env, start_new_session=True, limit=_BIGGEST,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        hint = _clean(plugin.install_hint) or "install it, or log in another way"
        reason = getattr(error, "strerror", None) or "it cannot be run"
        raise AuthError(f"cannot run the login plugin {shown}: {reason}", hint=hint) from error
    said: deque[str] = deque(maxlen=_LINES)
    ended = False
    try:
        out = await _talk(process, said, say, shown)
        code = await process.wait()
        ended = True
    finally:
        if not ended:
            _end(process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5.0)
    if code != 0:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise AuthError(
            f"the login plugin {shown} failed ({how}): {_telling(said)}", hint="log in on a shell, then try again"
        )
    return out


async def _talk(process: asyncio.subprocess.Process, said: deque[str], say: Say, shown: str) -> bytes:
    """Standard output until the process has ended; each line of standard error is told as it comes."""
    assert process.stdout is not None and process.stderr is not None
    loop = asyncio.get_running_loop()
    began = heard = loop.time()

    async def listen(stream: asyncio.StreamReader) -> None:
        nonlocal heard
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit
                continue
            if not line:
                return
            text = _clean(line.decode("utf-8", "replace"))
            if text:
                heard = loop.time()
                said.append(text)
                say(text)

    async def take(stream: asyncio.StreamReader) -> bytes:
        data = bytearray()
        while piece := await stream.read(2**16):
            data += piece
            if len(data) > _BIGGEST:
                raise AuthError(f"the login plugin {shown} prints without end", hint="try it on a shell")
        return bytes(data)

    listening, taking = asyncio.create_task(listen(process.stderr)), asyncio.create_task(take(process.stdout))
    try:
        while not taking.done():
            now = loop.time()
            left = min((heard if said else began) + EXEC_TIMEOUT, began + EXEC_LONGEST) - now
            if left <= 0:
                limit = EXEC_LONGEST if now - began >= EXEC_LONGEST else EXEC_TIMEOUT
                last = f"; it said: {said[-1]}" if said else ""
                raise AuthError(
                    f"the login plugin {shown} did not answer within {limit:g} s{last}", hint="log in on a shell first"
                )
            await asyncio.wait({taking}, timeout=min(left, 0.5))
        out = taking.result()
        with contextlib.suppress(TimeoutError):  # a child that keeps standard error open is no reason to wait
            await asyncio.wait_for(asyncio.shield(listening), 0.5)
        return out
    finally:
        for task in (listening, taking):
            task.cancel()
        await asyncio.gather(listening, taking, return_exceptions=True)


def _end(group: int) -> None:
    """End a whole process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _clean(text: str) -> str:
    """Printable, masked, in one line."""
    lines = [printable(_ANSI.sub("", line).strip(), 300) for line in text.splitlines()]
    return masked(" ".join(line for line in lines if line))


def _telling(said: deque[str]) -> str:
    """The lines that tell most: the last one, and up to three before it that sound like a reason."""
    lines = list(said)
    if not lines:
        return "it said nothing"
    picked = [*[line for line in lines[:-1] if _TELLING.search(line)][-3:], lines[-1]]
    return printable(" / ".join(dict.fromkeys(picked)), 600)


def credential_of(out: bytes, plugin: ExecPlugin) -> PluginCredential:
    """What was printed, checked as client-go checks it. AuthError, without a word of it, where it is no credential."""
    shown = printable(plugin.command, 200)

    def bad(words: str) -> AuthError:
        return AuthError(f"the login plugin {shown} {words}", hint="log in on a shell, or update the plugin")

    try:
        answer = json.loads(out)
        status = answer.get("status")
    except (ValueError, AttributeError, RecursionError):
        raise bad("printed no ExecCredential in JSON") from None
    if answer.get("kind") != "ExecCredential" or answer.get("apiVersion") != plugin.api_version:
        got = printable(f"{answer.get('apiVersion')} {answer.get('kind')}", 100)
        raise bad(f"answered with {got} where {plugin.api_version} ExecCredential is configured")
    if not isinstance(status, dict):
        raise bad("printed a credential without status")
    token, cert, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if not all(isinstance(item, str | None) for item in (token, cert, key)):
        raise bad("printed a status with a field of the wrong type")
    if not token and not cert and not key:
        raise bad("printed neither a token nor a certificate")
    if bool(cert) != bool(key):
        raise bad("printed only one of certificate and key")
    if any(ord(char) < 32 or ord(char) == 127 for char in token or ""):
        raise bad("printed a token with a line break in it")
    if cert and not certificates(cert.encode()):
        raise bad("printed a certificate that is no PEM")
    if key and is_encrypted(key.encode()):
        raise bad("printed an encrypted key")
    ends = status.get("expirationTimestamp")
    try:
        expires = parse_rfc3339(ends).timestamp() if ends else None
    except (ValueError, TypeError, AttributeError):
        raise bad("printed an expirationTimestamp that is no RFC 3339 time") from None
    remember_secret(token)
    return PluginCredential(token or "", expires, cert.encode() if cert else None, key.encode() if key else None)
