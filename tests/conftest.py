"""What tests of several kinds share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.sandboxes import sandbox

# A shell that starts the tests in the background lets them ignore ctrl+c, and every program that they start with them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of a sandbox of the module's own."""
    with sandbox(tmp_path_factory.mktemp("sandbox") / "kubeconfig") as path:
        yield path
