"""What tests of several kinds share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandboxes import sandbox


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of a sandbox of the module's own."""
    with sandbox(tmp_path_factory.mktemp("sandbox") / "kubeconfig") as path:
        yield path
