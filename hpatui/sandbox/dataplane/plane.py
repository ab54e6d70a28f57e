"""The data plane's state: pods, Services, sources of traffic, and the counters that it reports."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Coroutine
from typing import cast

from hpatui.sandbox.cpu import VirtualCpu
from hpatui.sandbox.dataplane.messages import (
    DropService,
    Order,
    PodListening,
    PodUsage,
    Report,
    ServiceListening,
    SetCallers,
    SetEndpoints,
    SetTraffic,
    StartPod,
    StopPod,
    Usage,
    to_line,
)
from hpatui.sandbox.dataplane.neighbours import Neighbours
from hpatui.sandbox.dataplane.serving import HttpConnection, Pod
from hpatui.sandbox.dataplane.traffic import Callers, Traffic

_BACKLOG = 1024  # connections that wait to be accepted
_HOST = "127.0.0.1"


class Refused(asyncio.Protocol):
    """A connection to a Service without ready pods: reset, as kube-proxy's REJECT does."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reset it."""
        cast(asyncio.Transport, transport).abort()


class Service:
    """One port of a Service: its listener and the pods that new connections go to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pods: list[Pod] = []
        self.listener: asyncio.Server | None = None
        self.sticky = False
        self._last: Pod | None = None

    def choose(self) -> Pod | None:
        """A ready pod at random, as kube-proxy's rules do, or the last one if it is sticky; None if there is none."""
        if not self.pods:
            return None
        if not self.sticky or self._last not in self.pods:
            self._last = random.choice(self.pods)
        return self._last


class DataPlane:
    """Carries out orders; `say` takes its reports. `interval`: seconds between reports while there is something new."""

    def __init__(self, say: asyncio.Transport, interval: float = 0.5) -> None:
        self._loop = asyncio.get_running_loop()
        self._say_to = say
        self._interval = interval
        self._pods: dict[str, Pod] = {}
        self._services: dict[str, Service] = {}
        self._sources: dict[str, Traffic | Callers] = {}
        self._touched: set[Pod] = set()
        self._neighbours = Neighbours()
        self._report_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def obey(self, order: Order) -> None:
        """Carry out one order; those about unknown pods and Services do nothing."""
        match order:
            case StartPod():
                self._start(order)
            case StopPod():
                self._stop(order)
            case SetEndpoints():
                service = self._service(order.service)
                service.sticky = order.sticky
                service.pods = [pod for uid in order.uids if (pod := self._pods.get(uid)) and not pod.draining]
            case DropService():
                gone = self._services.pop(order.service, None)
                if gone is not None and gone.listener is not None:
                    gone.listener.close()
            case SetTraffic():
                traffic = Traffic(self._loop, self._service(order.service), order.stages) if order.stages else None
                self._source(order.name, traffic)
            case SetCallers():
                callers = Callers(self._loop, self._service(order.service), order.workers) if order.workers else None
                self._source(order.name, callers)

    def close(self) -> None:
        """Stop everything."""
        for source in self._sources.values():
            source.stop()
        for pod in self._pods.values():
            pod.stop()
        self._neighbours.close()

    def _start(self, order: StartPod) -> None:
        cpu = VirtualCpu(order.rate, order.backlog)
        pod = Pod(order.uid, order.name, cpu, order.cost, order.body, self._touch)
        self._pods[order.uid] = pod
        if order.startup > 0:
            cpu.spend(self._loop.time(), order.startup)
            self._touch(pod)
        self._task(self._listen_pod(pod))

    def _stop(self, order: StopPod) -> None:
        pod = self._pods.get(order.uid)
        if pod is None:
            return
        for service in self._services.values():
            if pod in service.pods:
                service.pods.remove(pod)
        if order.drain:
            pod.drain()
        else:
            pod.stop()
            del self._pods[order.uid]
            self._touched.discard(pod)

    def _service(self, name: str) -> Service:
        service = self._services.get(name)
        if service is None:
            service = self._services[name] = Service(name)
            self._task(self._listen_service(service))
        return service

    def _source(self, name: str, source: Traffic | Callers | None) -> None:
        old = self._sources.pop(name, None)
        if old is not None:
            old.stop()
        if source is not None and source.start():
            self._sources[name] = source

    # Listeners

    def _task(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen_pod(self, pod: Pod) -> None:
        loop, neighbours = self._loop, self._neighbours

        def connection() -> asyncio.Protocol:
            return HttpConnection(pod, loop, neighbours)

        pod.listener = await loop.create_server(connection, _HOST, 0, backlog=_BACKLOG)
        if pod.draining:
            pod.listener.close()
            return
        self._say(PodListening(pod.uid, _port(pod.listener.sockets)))

    async def _listen_service(self, service: Service) -> None:
        loop, neighbours = self._loop, self._neighbours

        def connection() -> asyncio.Protocol:
            pod = service.choose()
            return HttpConnection(pod, loop, neighbours) if pod is not None else Refused()

        service.listener = await loop.create_server(connection, _HOST, 0, backlog=_BACKLOG)
        if self._services.get(service.name) is not service:
            service.listener.close()
            return
        self._say(ServiceListening(service.name, _port(service.listener.sockets)))

    # Reports

    def _touch(self, pod: Pod) -> None:
        self._touched.add(pod)
        if self._report_timer is None:
            self._report_timer = self._loop.call_later(self._interval, self._report)

    def _report(self) -> None:
        self._report_timer = None
        now = self._loop.time()
        pods = {}
        for pod in self._touched:
            cpu = pod.cpu
            pods[pod.uid] = PodUsage(cpu.used(now), cpu.served, cpu.refused, cpu.in_flight(now))
        self._say(Usage(now, pods))
        self._touched = {pod for pod in self._touched if pod.cpu.busy(now)}
        if self._touched:
            self._report_timer = self._loop.call_later(self._interval, self._report)

    def _say(self, report: Report) -> None:
        if not self._say_to.is_closing():
            self._say_to.write(to_line(report))


def _port(sockets: tuple[socket.socket, ...]) -> int:
    port = sockets[0].getsockname()[1]
    assert isinstance(port, int)
    return port
