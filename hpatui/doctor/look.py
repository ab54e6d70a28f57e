"""How the doctor looks at a cluster: GET requests to the Kubernetes API, whoever carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered. `status` is the HTTP status, 0 where there was no answer at all.

    `body` is the parsed JSON where the answer is a JSON object; `text` the body of a text answer (logs); `error` the
    server's message, or what went wrong on the way.
    """

    status: int
    body: Mapping[str, Any] | None = None
    error: str = ""
    text: str = ""

    @property
    def ok(self) -> bool:
        """A 2xx status."""
        return 200 <= self.status < 300


class Look(Protocol):
    """GET on the API server. Never raises for an answer, whatever its status; cancelling is allowed."""

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET `path` (from the server's root, without a query) as JSON."""

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET `path` as text: a pod's log."""
