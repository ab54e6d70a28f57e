"""Which cluster, as whom: merged files, relative paths, what is missing, the pod's own account."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.cluster import kubeconfig as module
from hpatui.cluster.kubeconfig import cluster_access, list_contexts
from hpatui.errors import NoClusterError
from hpatui.settings import Settings


def _config(name: str, server: str, **cluster: object) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": server, **cluster}}],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        "current-context": name,
    }


def _write(path: Path, value: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else yaml.safe_dump(value))
    return str(path)


def test_several_files_are_one_and_the_first_wins(tmp_path: Path) -> None:
    first = _write(tmp_path / "one", _config("a", "https://a:6443"))
    other = _config("b", "https://b/")
    other["clusters"] = [*_config("a", "https://other")["clusters"], *other["clusters"]]
    second = _write(tmp_path / "two", other)
    env = {"KUBECONFIG": f"{first}:{tmp_path / 'nowhere'}:{second}"}
    assert [(c.name, c.server, c.namespace, c.current) for c in list_contexts(Settings(), env)] == [
        ("a", "https://a:6443", "ns-a", True),
        ("b", "https://b/", "ns-b", False),
    ]
    access = cluster_access(Settings(), "b", env)
    assert (access.server, access.namespace, access.user.token) == ("https://b", "ns-b", "token-of-b")
    assert "token-of-b" not in repr(access)


def test_files_are_relative_to_their_kubeconfig(tmp_path: Path) -> None:
    config = _config("a", "https://a", **{"certificate-authority": "ca/ca.crt", "proxy-url": "http://proxy:3128"})
    access = cluster_access(Settings(kubeconfig=_write(tmp_path / "deep" / "config", config)))
    assert access.ca is not None and access.ca.path == tmp_path / "deep" / "ca" / "ca.crt"
    assert access.proxy == "http://proxy:3128"
    assert access.verify


def test_inline_authority_or_insecure_but_not_both(tmp_path: Path) -> None:
    data = base64.b64encode(b"-----BEGIN").decode()
    one = _config("a", "https://a", **{"certificate-authority-data": data})
    access = cluster_access(Settings(kubeconfig=_write(tmp_path / "config", one)))
    assert access.ca is not None and access.ca.data == b"-----BEGIN"
    assert access.verify
    both = _config("a", "https://a", **{"certificate-authority-data": data, "insecure-skip-tls-verify": True})
    with pytest.raises(NoClusterError, match="certificate-authority-data and insecure-skip-tls-verify"):
        cluster_access(Settings(kubeconfig=_write(tmp_path / "config", both)))


@pytest.mark.parametrize(
    ("content", "context", "words"),
    [
        (None, None, "there is no kubeconfig at .*hpatui demo"),
        ("{", None, r"is no YAML \(line 2\)"),
        ("- a\n- b\n", None, "is no kubeconfig"),
        ("{}", None, "names no current context"),
        (_config("a", "https://a"), "zzz", "there is no context 'zzz' .*choose another: a"),
        (_config("a", "ftp://a:6443"), None, "server 'ftp://a:6443' has the scheme 'ftp'"),
        ({**_config("a", "https://a"), "clusters": []}, None, "names the cluster 'a', which"),
        (_config("a", "https://a", **{"certificate-authority-data": "x"}), None, "is no base64"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, content: object, context: str | None, words: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        _write(path, content)
    with pytest.raises(NoClusterError, match=words) as caught:
        cluster_access(Settings(kubeconfig=str(path)), context)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["apiVersion: v1\nkind: Config\n", '{"apiVersion": "v1"}', "x" * 9000])
def test_the_content_of_a_file_is_no_path(text: str, tmp_path: Path) -> None:
    with pytest.raises(NoClusterError, match="KUBECONFIG holds a kubeconfig's text") as caught:
        cluster_access(Settings(), None, {"KUBECONFIG": text, "HOME": str(tmp_path)})
    assert len(str(caught.value)) < 200


def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    """`--kubeconfig <(...)` gives its content to whoever reads first."""
    read, write = os.pipe()
    os.write(write, yaml.safe_dump(_config("a", "https://a")).encode())
    os.close(write)
    try:
        for _ in range(3):
            assert cluster_access(Settings(kubeconfig=f"/dev/fd/{read}")).context == "a"
    finally:
        os.close(read)


def test_inside_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    env = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(NoClusterError):
        cluster_access(Settings(), None, env)
    (tmp_path / "token").write_text("t")
    (tmp_path / "namespace").write_text("shop\n")
    access = cluster_access(Settings(), None, env)
    assert (access.context, access.server, access.namespace) == ("in-cluster", "https://[fd00::1]:443", "shop")
    assert access.user.token_file == tmp_path / "token"
    empty = _write(tmp_path / "home" / ".kube" / "config", "")
    assert cluster_access(Settings(), None, env).context == "in-cluster"
    assert cluster_access(Settings(kubeconfig=empty), None, env).context == "in-cluster"
    _write(tmp_path / "home" / ".kube" / "config", _config("a", "https://a"))
    assert cluster_access(Settings(), None, env).context == "a"
