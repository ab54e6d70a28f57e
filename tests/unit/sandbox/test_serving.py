"""Who is no neighbour is hung up on before it can ask for anything."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from hpatui.sandbox.cpu import VirtualCpu
from hpatui.sandbox.dataplane.neighbours import Neighbours
from hpatui.sandbox.dataplane.serving import HttpConnection, Pod


class _Transport(asyncio.Transport):
    aborted = False

    def abort(self) -> None:
        self.aborted = True


class _Neighbours:
    def __init__(self, *, may: bool) -> None:
        self._may = may

    def may(self, transport: asyncio.Transport) -> bool:
        return self._may


@pytest.mark.parametrize("may", [True, False])
async def test_only_neighbours_are_served(may: bool) -> None:
    pod = Pod("uid", "p", VirtualCpu(1.0, 10), 0.001, "OK!", lambda pod: None)
    neighbours = cast(Neighbours, _Neighbours(may=may))
    connection, transport = HttpConnection(pod, asyncio.get_running_loop(), neighbours), _Transport()
    connection.connection_made(transport)
    assert transport.aborted is not may
    assert (connection in pod.connections) is may
