"""What a replay needs of a recording; `hpatui.record.reader.Recording` is one, and a list of facts in a test is another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from hpatui.model import ControllerFlags, Key, Seen
from hpatui.record.meta import Meta


class MetaPort(Protocol):
    """What is known of a recording as a whole. Times are epoch seconds of the first and the last fact."""

    @property
    def context(self) -> str: ...
    @property
    def server_version(self) -> str: ...
    @property
    def flags(self) -> ControllerFlags: ...
    @property
    def sandbox(self) -> bool: ...
    @property
    def first(self) -> float: ...
    @property
    def last(self) -> float: ...
    @property
    def anonymized(self) -> bool: ...
    @property
    def source(self) -> str:
        """Where its facts are from: "recorded", or "from Prometheus, every 30 s"."""


class RecordingPort(Protocol):
    """A recording that is open for reading."""

    @property
    def meta(self) -> MetaPort:
        """What is known of it as a whole; `last` grows while another process records."""

    def hpas(self, since: float | None = None, until: float | None = None) -> Sequence[Key]:
        """The HPAs in it, sorted."""

    def facts(self, since: float, until: float, hpa: Key | None = None) -> Iterator[Seen]:
        """First what was known at `since` (as Listed and StatusChanged, stamped with it), then each fact up to `until`,
        in order of time; with `hpa` only what concerns that HPA.
        """

    def close(self) -> None:
        """Done with it; idempotent."""


class OpenRecording(Protocol):
    """A recording of which all is known that a file of `hpatui record` tells; one that is joined of two is another."""

    @property
    def meta(self) -> Meta:
        """Whose facts they are, and from when to when."""

    @property
    def problems(self) -> list[str]:
        """What could not be read so far."""

    def hpas(self, since: float | None = None, until: float | None = None) -> list[Key]:
        """The HPAs in it, sorted."""

    def facts(self, since: float | None = None, until: float | None = None, hpa: Key | None = None) -> Iterator[Seen]:
        """As `RecordingPort`."""

    def rescales(self, hpa: Key, since: float | None = None, until: float | None = None) -> list[Seen]:
        """The HPA as it was after each rescale, and the events that told of one, in order of time."""

    def breaks(self) -> list[tuple[float, float]]:
        """From when to when nothing was recorded."""

    def close(self) -> None:
        """Done with it; idempotent."""
