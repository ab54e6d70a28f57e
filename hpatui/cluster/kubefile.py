"""Kubeconfig files: bytes to strict, typed objects, with the types of k8s.io/client-go/tools/clientcmd/api/v1.

As kubectl reads them: the first YAML document, UTF-8 or UTF-16, text where text belongs (`token: 123` is refused, and so
is `insecure-skip-tls-verify: "false"`), names once. A value is never part of a message: it may be a secret.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import select
import stat
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from hpatui.errors import NoClusterError
from hpatui.text import printable

BIGGEST = 16 * 2**20  # bytes of a file
_PATIENCE = 10.0  # seconds that a pipe may keep silent
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DEEPEST = 100


class EnvEntry(msgspec.Struct):
    name: str = ""
    value: str = ""


class ExecEntry(msgspec.Struct):
    command: str = ""
    args: list[str] = []
    env: list[EnvEntry] = []
    apiVersion: str = ""
    installHint: str = ""
    provideClusterInfo: bool = False
    interactiveMode: str = ""


class ProviderEntry(msgspec.Struct):
    name: str = ""
    config: dict[str, str] = {}


class NamedExtension(msgspec.Struct):
    name: str = ""
    extension: Any = None


class UserEntry(msgspec.Struct):
    client_certificate: str = msgspec.field(name="client-certificate", default="")
    client_certificate_data: str = msgspec.field(name="client-certificate-data", default="")
    client_key: str = msgspec.field(name="client-key", default="")
    client_key_data: str = msgspec.field(name="client-key-data", default="")
    token: str = ""
    token_file: str = msgspec.field(name="tokenFile", default="")
    as_user: str = msgspec.field(name="as", default="")
    as_uid: str = msgspec.field(name="as-uid", default="")
    as_groups: list[str] = msgspec.field(name="as-groups", default_factory=list)
    as_extra: dict[str, list[str]] = msgspec.field(name="as-user-extra", default_factory=dict)
    username: str = ""
    password: str = ""
    auth_provider: ProviderEntry | None = msgspec.field(name="auth-provider", default=None)
    exec: ExecEntry | None = None
    extensions: list[NamedExtension] = []


class ClusterEntry(msgspec.Struct):
    server: str = ""
    tls_server_name: str = msgspec.field(name="tls-server-name", default="")
    insecure: bool = msgspec.field(name="insecure-skip-tls-verify", default=False)
    ca: str = msgspec.field(name="certificate-authority", default="")
    ca_data: str = msgspec.field(name="certificate-authority-data", default="")
    proxy: str = msgspec.field(name="proxy-url", default="")
    disable_compression: bool = msgspec.field(name="disable-compression", default=False)
    extensions: list[NamedExtension] = []


class ContextEntry(msgspec.Struct):
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    extensions: list[NamedExtension] = []


class _Config(msgspec.Struct):
    kind: str = ""
    apiVersion: str = ""
    current: str = msgspec.field(name="current-context", default="")
    clusters: list[dict[str, Any]] = []
    users: list[dict[str, Any]] = []
    contexts: list[dict[str, Any]] = []


class KubeFile(msgspec.Struct):
    """One file. `strange`: (plural, name) -> the fields of that entry that kubectl does not know either."""

    path: Path
    current: str
    clusters: dict[str, ClusterEntry]
    users: dict[str, UserEntry]
    contexts: dict[str, ContextEntry]
    strange: dict[tuple[str, str], tuple[str, ...]]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as Go's sigs.k8s.io/yaml takes it: a date is text, and so is 12:30:00."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in rules
        if not tag.endswith(":timestamp")
    ]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}  # fmt: skip
_SEXAGESIMAL = re.compile(r"[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?\Z")


def _number(loader: Any, node: Any) -> Any:
    if _SEXAGESIMAL.match(node.value):
        return node.value
    kind = "int" if node.tag.endswith(":int") else "float"
    return getattr(yaml.SafeLoader, f"construct_yaml_{kind}")(loader, node)


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)

_pipes: dict[str, bytes] = {}  # what was read from pipes (`--kubeconfig <(...)`): they give it once


def read_file(path: Path) -> KubeFile | None:
    """One file; None where it is not there. NoClusterError says which file, which field and what to do."""
    data = _bytes(path)
    return None if data is None else parse(path, data)


def parse(path: Path, data: bytes) -> KubeFile:
    """A file's content, strictly typed."""
    value = _document(path, _text(path, data))
    if value is None:
        return KubeFile(path, "", {}, {}, {}, {})
    if not isinstance(value, dict):
        raise NoClusterError(f"{path} is no kubeconfig", hint="name another with --kubeconfig")
    config = _convert(path, value, _Config, "")
    if config.kind not in ("", "Config") or config.apiVersion not in ("", "v1"):
        kind = printable(f"{config.apiVersion or 'v1'} {config.kind or 'Config'}", 80)
        raise NoClusterError(f"{path} is a {kind}, not a v1 Config", hint="name a kubeconfig with --kubeconfig")
    strange: dict[tuple[str, str], tuple[str, ...]] = {}
    return KubeFile(
        path,
        config.current,
        _entries(path, config.clusters, "cluster", ClusterEntry, strange),
        _entries(path, config.users, "user", UserEntry, strange),
        _entries(path, config.contexts, "context", ContextEntry, strange),
        strange,
    )


_E = TypeVar("_E", bound=msgspec.Struct)


def _entries(
    path: Path,
    items: list[dict[str, Any]],
    singular: str,
    kind: type[_E],
    strange: dict[tuple[str, str], tuple[str, ...]],
) -> dict[str, _E]:
    plural, found = f"{singular}s", {}
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    for index, item in enumerate(items):
        name, body = item.get("name", ""), item.get(singular, {})
        where = f"{plural}[{index}]"
        if not isinstance(name, str):
            raise NoClusterError(f"{path}: {where}.name is no text", hint="put it in quotes")
        if name in found:
            shown = printable(repr(name), 80)
            raise NoClusterError(f"{path} names the {singular} {shown} twice", hint="remove one")
        found[name] = _convert(path, body, kind, f"{where}.{singular}")
        if more := tuple(str(field) for field in body if field not in known):
            strange[singular, name] = more
    return found


_WHAT = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`)?(?: - at `(?:key in )?\$([^`]*)`)?")
_WORDS = {"str": "text", "bool": "true or false", "array": "a list", "object": "a mapping", "int": "a number",
          "float": "a number", "null": "nothing"}  # fmt: skip


def _convert(path: Path, value: Any, kind: type[_E], where: str) -> _E:
    """`value` as `kind`; the error names the field, the type and the mend, never the value."""
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        match = _WHAT.search(str(error))
        if match is None:
            raise NoClusterError(f"{path}: {where} has a value of the wrong kind", hint="correct it") from None
        wanted, got, place = match.groups()
        wanted = _WORDS.get(wanted.partition(" |")[0], wanted)
        field = (where + (place or "")).lstrip(".") or "the whole"
        quotes = "put it in quotes" if wanted == "text" and got in ("int", "float", "bool") else "correct it"
        raise NoClusterError(
            f"{path}: {field} must be {wanted}, not {_WORDS.get(got or '', got)}", hint=quotes
        ) from None


def _bytes(path: Path) -> bytes | None:
    known = _pipes.get(str(path))
    if known is not None:
        return known
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        shown = printable(str(path), 200)
        reason = getattr(error, "strerror", None) or "no usable path"
        raise NoClusterError(f"cannot read {shown}: {reason}", hint="make it readable") from error
    try:
        return _drained(path, handle)
    except OSError as error:
        raise NoClusterError(f"cannot read {path}: {error.strerror}", hint="name a file") from error
    finally:
        os.close(handle)


def _drained(path: Path, handle: int) -> bytes:
    mode = os.fstat(handle).st_mode
    waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)
    data = bytearray()
    while True:
        if waits and not select.select([handle], [], [], _PATIENCE)[0]:
            raise NoClusterError(f"{path} is a pipe that nobody writes to", hint="name a file")
        piece = os.read(handle, 2**16)
        data += piece
        if len(data) > BIGGEST:
            raise NoClusterError(f"{path} is too big for a kubeconfig", hint="name another with --kubeconfig")
        if not piece:
            break
    if stat.S_ISFIFO(mode):
        _pipes[str(path)] = bytes(data)
    return bytes(data)


def _text(path: Path, data: bytes) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NoClusterError(f"{path} is no text in UTF-8 or UTF-16", hint="name a kubeconfig") from error


def _document(path: Path, text: str) -> Any:
    """The first document, as JSON would have it: no nulls, names as text."""
    if text.lstrip().startswith("{"):
        try:
            return _plain(json.loads(text), path)
        except (ValueError, RecursionError):
            pass  # YAML's own flow style, perhaps
    try:
        first = next(iter(yaml.load_all(text, _Loader)), None)
        return _plain(first, path)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" (line {line + 1})" if line is not None else ""
        raise NoClusterError(f"{path} is no YAML{where}", hint="correct it") from error


class _Budget:
    """How many values one document may unfold to: aliases of aliases grow without end."""

    def __init__(self, path: Path) -> None:
        self.left = 200_000
        self.path = path

    def take(self, depth: int) -> None:
        self.left -= 1
        if self.left < 0 or depth > _DEEPEST:
            raise NoClusterError(f"{self.path} is nested or repeated without end", hint="correct it")


def _plain(value: Any, path: Path) -> Any:
    return _unfold(value, _Budget(path), 0)


def _unfold(value: Any, budget: _Budget, depth: int) -> Any:
    budget.take(depth)
    if isinstance(value, dict):
        return {_name(key): _unfold(item, budget, depth + 1) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_unfold(item, budget, depth + 1) for item in value]
    return value


def _name(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)
