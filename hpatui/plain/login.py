"""Logging in without the screen: what login plugins say goes to standard error, and those that ask get the terminal."""

from __future__ import annotations

import asyncio
import sys

from hpatui.errors import AuthError, LoginNeededError
from hpatui.text import printable


def say(text: str) -> None:
    """What is waited for: a device code, a server that asks for patience."""
    print(f"hpatui: {printable(text, 400)}", file=sys.stderr, flush=True)


async def ask(needed: LoginNeededError) -> bytes:
    """Run a login plugin on the terminal; what it printed. AuthError where there is no terminal, or it fails."""
    name = printable(needed.command[0], 200)
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise AuthError(needed.message, hint=f"run {name} on a terminal first, or hpatui on one")
    try:
        process = await asyncio.create_subprocess_exec(*needed.command, env=needed.env, stdout=asyncio.subprocess.PIPE)
    except OSError as error:
        raise AuthError(f"cannot run the login plugin {name}: {error.strerror}", hint="install it") from error
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise AuthError(f"the login plugin {name} failed (exit code {process.returncode})", hint="log in on a shell")
    return out
