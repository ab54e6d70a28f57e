"""What tests of several kinds share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.sandboxes import sandbox

# A shell that starts the tests in the background, or nohup, lets them ignore ctrl+c or a hangup, and with them every program
# that they start: hpatui leaves a signal ignored that was, and the tests of its ends would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of a sandbox of the module's own."""
    with sandbox(tmp_path_factory.mktemp("sandbox") / "kubeconfig") as path:
        yield path
