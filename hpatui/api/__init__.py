"""hpatui for programs (docs/api.md).

    import asyncio
    from hpatui import api

    async def main() -> None:
        async with api.open_session(context="prod", namespace="shop") as client:
            hpa = await client.wait("cart", api.replicas_at_least(5), timeout=120)
            print(hpa["headline"], (await client.explain("cart"))["would_change"])

    asyncio.run(main())

Names are imported when they are asked for, so that commands that need one part of this package load that part only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpatui.api.client import Client, Condition, open_session, replicas_at_least, replicas_at_most, state_is

__all__ = ["Client", "Condition", "open_session", "replicas_at_least", "replicas_at_most", "state_is"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from hpatui.api import client

    return getattr(client, name)
