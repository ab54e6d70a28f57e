"""Connecting, by phases: the name, TCP, TLS. Each is timed and fails under its own name; each connect passes the gate.

A name is looked up again after some seconds; its addresses are taken in turn. Where one does not answer, the next is tried.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from hpatui.load.faults import kind_of
from hpatui.load.gate import Gate
from hpatui.load.policy import Policy, resolved

LOOK_AGAIN = 5.0  # seconds that a name's addresses are used for
REST = 2.0  # seconds that an address which did not answer is tried last
_now = time.monotonic
_P = TypeVar("_P", bound=asyncio.BaseProtocol)


class DialError(Exception):
    """No connection; the text is the kind of failure (see `faults`)."""


class Dialer:
    """Opens connections. `name`, `tcp` and `tls` collect what the phases took (microseconds) until `take_phases`."""

    def __init__(self, policy: Policy, context: ssl.SSLContext | None, server_name: str | None, gate: Gate) -> None:
        self._policy, self._ssl, self._server_name, self._gate = policy, context, server_name, gate
        self._known: dict[tuple[str, int], tuple[list[str], float]] = {}
        self._looking: dict[tuple[str, int], asyncio.Task[list[str]]] = {}
        self._turn = 0
        self._resting: dict[str, float] = {}
        self._phases: tuple[list[int], list[int], list[int]] = ([], [], [])
        self.dials = 0

    def take_phases(self) -> tuple[list[int], list[int], list[int]]:
        """What names, TCP and TLS took since the last time, in microseconds."""
        taken, self._phases = self._phases, ([], [], [])
        return taken

    async def dial(self, host: str, port: int, make: Callable[[], _P], seconds: float) -> _P:
        """A connection within so many seconds. DialError where there is none."""
        phase = ["dns"]
        try:
            async with asyncio.timeout(seconds):
                return await self._dial(host, port, make, _now() + seconds, phase)
        except TimeoutError as error:
            raise DialError(f"{phase[0]} timeout") from error
        except OSError as error:
            raise DialError(kind_of(error)) from error

    async def _dial(self, host: str, port: int, make: Callable[[], _P], end: float, phase: list[str]) -> _P:
        addresses = self._in_turn(await self._addresses(host, port))
        problem: OSError = OSError("no address")
        for index, address in enumerate(addresses):
            left = len(addresses) - index
            phase[0] = "connect"
            while not self._gate.take(_now()):
                await asyncio.sleep(self._gate.opens(_now()))
            self.dials += 1
            try:
                if left == 1:
                    connected = await self._tcp(address, port, make)
                else:
                    async with asyncio.timeout((end - _now()) / left):
                        connected = await self._tcp(address, port, make)
            except OSError as error:  # a TimeoutError is one, but for the whole's, which is raised outside
                self._resting[address] = _now() + REST
                problem = error
                continue
            if not isinstance(connected, socket.socket):
                return connected
            phase[0] = "tls"
            return await self._tls(connected, make)
        raise problem

    async def _tcp(self, address: str, port: int, make: Callable[[], _P]) -> socket.socket | _P:
        """A socket that TLS goes over; without TLS the connection itself, which is cheaper in one step."""
        begun = _now()
        if self._ssl is None:
            _, protocol = await asyncio.get_running_loop().create_connection(make, address, port)
            self._phases[1].append(int((_now() - begun) * 1e6))
            return protocol
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connected, (address, port))
        except BaseException:
            connected.close()
            raise
        self._phases[1].append(int((_now() - begun) * 1e6))
        return connected

    async def _tls(self, connected: socket.socket, make: Callable[[], _P]) -> _P:
        begun = _now()
        try:
            _, protocol = await asyncio.get_running_loop().create_connection(
                make, sock=connected, ssl=self._ssl, server_hostname=self._server_name
            )
        except BaseException:
            connected.close()
            raise
        self._phases[2].append(int((_now() - begun) * 1e6))
        return protocol

    def _in_turn(self, addresses: list[str]) -> list[str]:
        """All of them, beginning with the one whose turn it is; those that did not answer lately come last."""
        if len(addresses) == 1:
            return addresses
        now = _now()
        self._turn += 1
        first = self._turn % len(addresses)
        turned = addresses[first:] + addresses[:first]
        return sorted(turned, key=lambda address: self._resting.get(address, 0.0) > now)

    async def _addresses(self, host: str, port: int) -> list[str]:
        place = (host, port)
        known = self._known.get(place)
        if known is not None and known[1] > _now():
            return known[0]
        task = self._looking.get(place)
        if task is None:
            task = self._looking[place] = asyncio.create_task(self._look_up(host, port))
            task.add_done_callback(lambda done: self._looked_up(place, done))
        return await asyncio.shield(task)

    def _looked_up(self, place: tuple[str, int], task: asyncio.Task[list[str]]) -> None:
        self._looking.pop(place, None)
        if not task.cancelled():
            task.exception()  # those who wait for it get it

    async def _look_up(self, host: str, port: int) -> list[str]:
        begun = _now()
        found = await resolved(self._policy, host, port)
        if found != [host.strip("[]")]:
            self._phases[0].append(int((_now() - begun) * 1e6))
        self._known[(host, port)] = (found, _now() + LOOK_AGAIN)
        return found

    def close(self) -> None:
        """Look up no more."""
        for task in self._looking.values():
            task.cancel()
