"""When the metrics of a step of load are in: measured after it began, seen by the controller, and its size at rest."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hpatui.clock import Clock, SystemClock
from hpatui.errors import ClusterError, HpatuiError
from hpatui.model import ControllerFlags, Hpa
from hpatui.session.flags import controller_flags
from hpatui.settings import Settings

if TYPE_CHECKING:
    from hpatui.session.aim import Aim

PATIENCE = 240.0  # seconds after which a step is judged by what there is
_PUBLISHING = 1.0  # seconds from the end of a sample's window until it can be read


@dataclass(frozen=True, slots=True)
class Sized:
    """An HPA at the end of a step: its pods, the share of its target of each metric by label, and maxReplicas."""

    pods: int | None = None
    ratios: Mapping[str, float] = field(default_factory=dict)
    most: int | None = None


class Rest:
    """Judges what was seen. Pure; times are seconds of one clock, those of samples of the cluster's own clock.

    A sample counts when its whole window lies after the step began. Clocks may differ, so that is told by the samples
    alone: its window must begin `resolution` after the newest sample that was there when the step began. From then on the
    controller needs one sync to see it. A change of size begins all anew.
    """

    def __init__(self, flags: ControllerFlags, now: float, newest: float | None) -> None:
        self._flags = flags
        self._began = self._since = now
        self._newest = newest
        self._seen: float | None = None
        self._size: tuple[int, int] | None = None

    def look(self, now: float, hpa: Hpa, starts: list[float], newest: float | None) -> Sized | None:
        """What is seen: the HPA, when each pod's newest sample began, and the end of the newest. None: not yet."""
        size = (hpa.current_replicas, hpa.desired_replicas)
        if (self._size is not None and size != self._size) or size[0] != size[1]:
            self._since, self._newest, self._seen = now, newest, None
        self._size = size
        flags = self._flags
        if self._newest is None:  # no samples that tell their time: what is surely long enough
            fresh = now - self._since >= flags.metrics_resolution + flags.sync_period
        else:
            fresh = bool(starts) and min(starts) >= self._newest + flags.metrics_resolution
        if fresh and self._seen is None:
            self._seen = now
        synced = self._seen is not None and now - self._seen >= flags.sync_period + _PUBLISHING
        if not synced and now - self._began < PATIENCE:
            return None
        ratios = {m.label or m.name: m.ratio for m in hpa.metrics if m.ratio is not None}
        return Sized(hpa.current_replicas, ratios, hpa.max_replicas)


class Settled:
    """Looks at the HPA of an aim in the background; `sized` tells when a step may end. Without an HPA: at once."""

    def __init__(self, aim: Aim, settings: Settings, clock: Clock | None = None) -> None:
        self._aim, self._settings = aim, settings
        self._clock = clock or SystemClock()
        self._flags: ControllerFlags | None = None
        self._rest: Rest | None = None
        self._sized: Sized | None = None
        self._looking: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """A step begins."""
        self._sized = None
        if self._aim.hpa is None or self._aim.connection is None:
            return
        if self._flags is None:
            self._flags = await self._controller()
        _, newest = await self._samples()
        self._rest = Rest(self._flags, self._clock.monotonic(), newest)

    def sized(self) -> Sized | None:
        """What the step ended with, or None while that is not known."""
        if self._aim.hpa is None or self._aim.connection is None:
            return Sized()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return self._sized

    async def _look(self) -> None:
        rest = self._rest
        hpa = await self._aim.look()
        starts, newest = await self._samples()
        if rest is not None and rest is self._rest and hpa is not None:
            self._sized = rest.look(self._clock.monotonic(), hpa, starts, newest)

    async def _controller(self) -> ControllerFlags:
        from hpatui.cluster.source import ClusterSource

        connection, key = self._aim.connection, self._aim.hpa
        assert connection is not None and key is not None
        told = ControllerFlags()
        with contextlib.suppress(ClusterError):
            told = await ClusterSource(connection, self._clock, key.namespace).controller_flags()
        with contextlib.suppress(HpatuiError):
            return controller_flags(told, self._settings)
        return told

    async def _samples(self) -> tuple[list[float], float | None]:
        """When each pod's newest sample began, and the end of the newest; None where there are no samples."""
        from hpatui.cluster.decode_pods import decode_usages
        from hpatui.cluster.served import UsageApi

        aim = self._aim
        if aim.connection is None or aim.route is None:
            return [], None
        selector = ",".join(f"{name}={value}" for name, value in aim.route.selector.items())
        try:
            usages = decode_usages(await UsageApi(aim.connection).pods(aim.route.namespace, selector)).values()
        except HpatuiError:
            return [], None
        return [usage.time - usage.window for usage in usages], max((usage.time for usage in usages), default=None)
