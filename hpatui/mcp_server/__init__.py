"""`hpatui mcp`: what hpatui knows, for agents, by the Model Context Protocol over standard input and output.

The only importer of `mcp`, which comes with the extra `hpatui[mcp]`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from hpatui.errors import UsageError
from hpatui.settings import Settings


def serving(settings: Settings, *, allow_load: bool) -> Coroutine[Any, Any, int]:
    """What serves until standard input closes. UsageError where the library is not installed, or load is both allowed and
    forbidden.
    """
    if allow_load and settings.read_only:
        raise UsageError("--allow-load and read_only contradict each other", hint="drop one of them")
    try:
        import mcp.server.mcpserver  # noqa: F401
    except ImportError as error:
        hint = "pip install 'hpatui[mcp]', or pipx inject hpatui mcp"
        raise UsageError(
            "hpatui mcp needs the library mcp (2.1 or newer), which is not installed", hint=hint
        ) from error
    from hpatui.mcp_server.server import served

    return served(settings, allow_load=allow_load)
