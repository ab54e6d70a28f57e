"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.access.recorder import Recorder, recording


@pytest.fixture
async def recorder(tmp_path: Path) -> AsyncIterator[Recorder]:
    """A TLS server that records what comes."""
    async with recording(tmp_path) as found:
        yield found
