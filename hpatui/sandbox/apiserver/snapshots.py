"""Lists in pages: the rest of a list, as it was when the first page was asked for."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict

import msgspec

from hpatui.sandbox.apiserver.changes import Item
from hpatui.sandbox.apiserver.status import bad_request, expired

_KEPT = 32  # lists that are being read in pages at the same time
_GONE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class Snapshots:
    """Keeps the lists that clients are reading; items are shared with the store, so that they cost references only."""

    def __init__(self) -> None:
        self._lists: OrderedDict[str, tuple[int, list[Item]]] = OrderedDict()
        self._serial = 0

    def keep(self, version: int, items: list[Item], start: int) -> str:
        """A continue token for the items from `start` on."""
        self._serial += 1
        name = str(self._serial)
        self._lists[name] = (version, items)
        while len(self._lists) > _KEPT:
            self._lists.popitem(last=False)
        return _token(name, version, start)

    def resume(self, token: str) -> tuple[int, list[Item], int, str]:
        """Version, items, where to go on, and the list's name. StatusError 400 for no token, 410 for an old one."""
        try:
            value = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            name, start = value["start"].split("/")
            position = int(start)
        except (binascii.Error, msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise bad_request(f"continue key is not valid: {error}") from error
        if name not in self._lists:
            raise expired(_GONE)
        version, items = self._lists[name]
        self._lists.move_to_end(name)
        return version, items, position, name

    def next_token(self, name: str, version: int, start: int) -> str:
        """The token for the page that begins at `start`."""
        return _token(name, version, start)


def _token(name: str, version: int, start: int) -> str:
    value = {"v": "meta.k8s.io/v1", "rv": version, "start": f"{name}/{start}"}
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
