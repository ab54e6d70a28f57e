"""The matrix: one row a kubeconfig or an environment, what kubectl does with it, and what hpatui does.

`kubectl` is checked beside hpatui where it is installed. Where the two differ, `why` says why on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.access.world import World

WORKS, REFUSED = "works", "refused"
Make = Callable[[World], Mapping[str, Any]]
Text = Callable[[World], str | bytes]


@dataclass(frozen=True, slots=True)
class Row:
    """`cluster`, `user` and `context` give the fields (of `server` and the authority only what is not said is filled in);
    `text` gives the whole file instead. `words`: a regular expression that hpatui's one line matches where it refuses.
    `way`: how the request has to arrive: the proxy's note, or empty for a straight way; None: not checked.
    """

    name: str
    kubectl: str
    ours: str
    words: str = ""
    server: str = "tls"
    path: str = ""
    cluster: Make = lambda _w: {}
    user: Make = lambda _w: {"token": "secret-token-of-the-matrix"}
    context: Make = lambda _w: {}
    text: Text | None = None
    env: Make = lambda _w: {}
    flags: tuple[str, ...] = ()
    why: str = ""
    way: str | None = None
    top: Mapping[str, Any] = field(default_factory=dict)


def good(name: str, **more: Any) -> Row:
    """Works with both."""
    return Row(name, WORKS, WORKS, **more)


def bad(name: str, words: str, **more: Any) -> Row:
    """Refused by both."""
    return Row(name, REFUSED, REFUSED, words, **more)


def stricter(name: str, words: str, why: str, **more: Any) -> Row:
    """kubectl takes it, hpatui refuses it on purpose."""
    return Row(name, WORKS, REFUSED, words, why=why, **more)


def wider(name: str, why: str, **more: Any) -> Row:
    """kubectl refuses it, hpatui takes it on purpose."""
    return Row(name, REFUSED, WORKS, why=why, **more)
