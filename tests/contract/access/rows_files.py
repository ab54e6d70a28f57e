"""Rows about files: their form, their types, names that lead nowhere, fields that nobody knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.contract.access.rows import Row, bad, good, stricter
from tests.contract.access.world import TOKEN, World


def _config(world: World, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "c", "cluster": {"server": world.url("tls"), "certificate-authority": world.file("ca.pem")}}
        ],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
        **more,
    }


def _text(change: Callable[[str], str | bytes] = lambda text: text, **more: Any) -> Callable[[World], str | bytes]:
    return lambda world: change(yaml.safe_dump(_config(world, **more)))


def _user(**fields: Any) -> dict[str, Any]:
    return {"user": lambda _w: {"token": TOKEN, **fields}}


def _cluster(**fields: Any) -> dict[str, Any]:
    return {"cluster": lambda _w: fields}


_FORMS = (
    good("plain"),
    good("json", text=lambda w: json.dumps(_config(w))),
    good("json with tabs", text=lambda w: json.dumps(_config(w), indent="\t")),
    good("without kind and apiVersion", text=_text(lambda t: t.replace("kind: Config\n", "").replace("apiVersion: v1\n", ""))),
    good("utf-8 with a mark", text=_text(lambda t: b"\xef\xbb\xbf" + t.encode())),
    good("utf-16 little", text=_text(lambda t: b"\xff\xfe" + t.encode("utf-16-le"))),
    good("utf-16 big", text=_text(lambda t: b"\xfe\xff" + t.encode("utf-16-be"))),
    good("two documents", text=_text(lambda t: t + "---\nother: document\n")),
    good("two documents, the second broken", text=_text(lambda t: t + "---\nother: [\n")),
    good("crlf", text=_text(lambda t: t.replace("\n", "\r\n"))),
    good("a date as a name", text=_text(lambda t: t.replace("name: x", "name: 2020-01-01").replace("context: x", "context: 2020-01-01"))),
    bad("empty", "names no current context|no kubeconfig", text=lambda _w: ""),
    bad("not yaml", r"is no YAML \(line", text=lambda _w: "users: [\n"),
    bad("a list", "is no kubeconfig", text=lambda _w: "- a\n"),
    bad("a word", "is no kubeconfig", text=lambda _w: "hello"),
    bad("binary", "is no text|is no YAML", text=lambda _w: b"\x00\x01\xff\xfe\x80"),
    bad("another kind", "is a v1 Pod, not a v1 Config", top={"kind": "Pod"}),
    bad("another version", "is a v2 Config", top={"apiVersion": "v2"}),
    bad("nothing but a context's name", "there is no context 'x'", text=lambda _w: "current-context: x\n"),
)  # fmt: skip

_NAMES = (
    bad("user not in the file", "names the user 'zz', which", context=lambda _w: {"user": "zz"}),
    bad("no user at all", "has no credentials", context=lambda _w: {"user": ""}),
    bad("cluster not in the file", "names the cluster 'zz'", context=lambda _w: {"cluster": "zz"}),
    bad("current context not in the file", "there is no context 'zz'", top={"current-context": "zz"}),
    bad("context flag not in the file", "there is no context 'zz'", flags=("--context", "zz")),
    bad("no current context", "names no current context", top={"current-context": ""}),
    bad("two users of one name", "names the user 'u' twice", text=_text(users=[{"name": "u", "user": {"token": "a"}}, {"name": "u"}])),
    bad("two contexts of one name", "names the context 'x' twice", text=_text(contexts=[{"name": "x"}, {"name": "x"}])),
    bad("two clusters of one name", "names the cluster 'c' twice", text=_text(clusters=[{"name": "c"}, {"name": "c"}])),
    bad("name is a number", "name is no text|must be text", text=_text(users=[{"name": 5, "user": {"token": "a"}}])),
    good("empty user name", text=_text(users=[{"name": "", "user": {"token": "a"}}], contexts=[{"name": "x", "context": {"cluster": "c"}}]))
)  # fmt: skip

_WRONG: tuple[tuple[str, Any], ...] = (
    ("number", 12), ("truth", True), ("list", ["a"]), ("mapping", {"a": "b"}), ("fraction", 1.5),
)  # fmt: skip
_NO_TRUTHS: tuple[Any, ...] = ("false", "true", 1, [])
_TEXTS = ("server", "certificate-authority", "tls-server-name", "proxy-url")
_TYPES = (
    *(bad(f"cluster {field}: a {kind}", rf"cluster\.{field} must be text", **_cluster(**{field: value}))
      for field in _TEXTS for kind, value in _WRONG[:3]),
    *(bad(f"user {field}: a {kind}", rf"user\.{field} must be text", **_user(**{field: value}))
      for field in ("token", "tokenFile", "client-certificate", "client-key-data", "as", "as-uid", "username", "password")
      for kind, value in (_WRONG[0], _WRONG[3])),
    *(bad(f"context {field}: a {kind}", rf"context\.{field} must be text", context=lambda _w, f=field, v=value: {f: v})
      for field in ("cluster", "user", "namespace") for kind, value in (_WRONG[0], _WRONG[2])),
    *(bad(f"insecure-skip-tls-verify: {value!r}", "insecure-skip-tls-verify must be true or false",
          **_cluster(**{"insecure-skip-tls-verify": value})) for value in _NO_TRUTHS),
    bad("disable-compression: text", "disable-compression must be true or false", **_cluster(**{"disable-compression": "no!"})),
    bad("as-groups: text", "as-groups must be a list", **_user(**{"as": "j", "as-groups": "a"})),
    bad("as-groups: numbers", r"as-groups\[0\] must be text", **_user(**{"as": "j", "as-groups": [1]})),
    bad("as-user-extra: a list", "as-user-extra must be a mapping", **_user(**{"as": "j", "as-user-extra": ["a"]})),
    bad("as-user-extra: text inside", "as-user-extra.* must be a list", **_user(**{"as": "j", "as-user-extra": {"a": "b"}})),
    bad("exec: text", "user.exec must be a mapping", **_user(exec="aws")),
    bad("exec args: text", "exec.args must be a list", **_user(exec={"command": "x", "args": "y"})),
    bad("auth-provider: text", "auth-provider must be a mapping", **_user(**{"auth-provider": "oidc"})),
    bad("users: a mapping", "users must be a list", text=_text(users={"u": {}})),
    bad("clusters: text", "clusters must be a list", text=_text(clusters="c")),
    bad("current-context: a number", "current-context must be text", top={"current-context": 5}),
    bad("a user that is text", "must be a mapping", text=_text(users=[{"name": "u", "user": "me"}])),
    good("nulls are nothing", **_user(username=None, exec=None, **{"as-groups": None})),
    good("yes is true", text=lambda w: yaml.safe_dump(_config(w, clusters=[{"name": "c", "cluster": {
        "server": w.url("tls"), "insecure-skip-tls-verify": "YES"}}])).replace("'YES'", "yes")),
)  # fmt: skip

_FIELDS = (
    stricter("unknown field of the user", "user 'u' has fields that are not understood: tokenfile",
             "a misspelt field may be the one that limits", **_user(tokenfile="x")),
    stricter("unknown field of the cluster", "cluster 'c' has fields .*: tls-servername", "a misspelt field may be the one "
             "that protects", **_cluster(**{"tls-servername": "x"})),
    stricter("unknown field of the context", "context 'x' has fields .*: name-space", "so that nothing is passed over",
             context=lambda _w: {"name-space": "x"}),
    bad("misspelt token", "fields that are not understood: Token", user=lambda _w: {"Token": TOKEN}),
    good("extensions", **_cluster(extensions=[{"name": "e", "extension": {"a": [1]}}])),
    good("extensions of the user", **_user(extensions=[{"name": "e", "extension": {"a": 1}}])),
    good("disable-compression", **_cluster(**{"disable-compression": True})),
    good("preferences and extensions", top={"preferences": {"colors": True}, "extensions": []}),
    good("namespace", context=lambda _w: {"namespace": "shop"}),
)  # fmt: skip

FILES: tuple[Row, ...] = (*_FORMS, *_NAMES, *_TYPES, *_FIELDS)
