"""Rotated OIDC tokens, written back into the kubeconfig: two values change, every other byte and the mode stay.

Under kubectl's own lock (`FILE.lock`), into a new file that takes the old one's place in one step.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

_TRIES, _PAUSE = 10, 0.05


class CannotWrite(Exception):
    """Why the tokens could not be written back; no secret in it."""


def tokens_of(path: Path, user: str) -> dict[str, str]:
    """The provider's configuration as the file has it now; empty where it cannot be read."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        config = _config(value, user)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return {str(key): item for key, item in config.items() if isinstance(item, str)}


def write_tokens(path: Path, user: str, new: Mapping[str, str]) -> None:
    """Put `new` into the user's auth-provider config. CannotWrite where that cannot be done safely."""
    try:
        real = path.resolve(strict=True)
        if not real.is_file():
            raise CannotWrite("it is no regular file")
        with _locked(real):
            old = real.read_bytes().decode("utf-8")  # with its own line ends
            text = _replaced(old, user, new)
            if text != old:
                _swap(real, text)
    except (OSError, UnicodeError) as error:
        raise CannotWrite(getattr(error, "strerror", None) or "it is no text") from None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = path.with_name(path.name + ".lock")
    for attempt in range(_TRIES):
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if attempt == _TRIES - 1:
                raise CannotWrite(f"{lock.name} is held by another program") from None
            time.sleep(_PAUSE)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _swap(path: Path, text: str) -> None:
    about = path.stat()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), about.st_mode & 0o7777)
            if (about.st_uid, about.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), about.st_uid, about.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _replaced(text: str, user: str, new: Mapping[str, str]) -> str:
    """The text with the values of these keys replaced or added; checked by reading it again."""
    try:
        root, before = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        raise CannotWrite("it cannot be read") from None
    config = _config_node(root, user)
    if config is None or not config.value:
        raise CannotWrite("the user is not in it")
    edits: list[tuple[int, int, str]] = []
    known = {key.value: (key, value) for key, value in config.value}
    for key, value in new.items():
        if key in known:
            node = known[key][1]
            edits.append((node.start_mark.index, node.end_mark.index, json.dumps(value)))
        else:
            first = config.value[0][0]
            joint = ", " if config.flow_style else "\n" + " " * first.start_mark.column
            edits.append((first.start_mark.index, first.start_mark.index, f"{key}: {json.dumps(value)}{joint}"))
    for start, end, instead in sorted(edits, reverse=True):
        text = text[:start] + instead + text[end:]
    try:
        after = yaml.safe_load(text)
        _config(before, user).update(new)
    except (yaml.YAMLError, ValueError):
        raise CannotWrite("its form does not allow it") from None
    if after != before:
        raise CannotWrite("its form does not allow it")
    return text


def _config(value: Any, user: str) -> dict[str, Any]:
    """ValueError where it is not there."""
    if isinstance(value, dict):
        for entry in value.get("users") or ():
            if isinstance(entry, dict) and entry.get("name") == user:
                config = ((entry.get("user") or {}).get("auth-provider") or {}).get("config")
                if isinstance(config, dict):
                    return config
    raise ValueError("no such user")


def _config_node(root: Any, user: str) -> Any:
    users = _child(root, "users")
    for entry in getattr(users, "value", None) or ():
        name = _child(entry, "name")
        if name is not None and name.value == user:
            return _child(_child(_child(entry, "user"), "auth-provider"), "config")
    return None


def _child(node: Any, name: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if getattr(key, "value", None) == name:
                return value
    return None
