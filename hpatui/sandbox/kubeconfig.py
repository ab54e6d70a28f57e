"""The kubeconfig of a sandbox: one context, a token, readable by its owner only."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from hpatui.errors import SandboxError

CONTEXT = "hpatui-sandbox"


def write_kubeconfig(path: Path, url: str, token: str, namespace: str, *, authority: str = "") -> None:
    """Write it in one go; SandboxError when the file cannot be written. `authority`: the PEM text to trust (https)."""
    cluster = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": namespace}},
        ],
        "current-context": CONTEXT,
        "preferences": {},
    }
    text = yaml.safe_dump(config, sort_keys=False)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise SandboxError(
            f"cannot write {path}: {reason}", hint="choose another file with --kubeconfig-out"
        ) from error
