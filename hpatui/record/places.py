"""Where recordings are: one file for each cluster that was watched, in the state folder."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from hpatui.settings import Settings, state_dir

FOLDER = "recordings"
SUFFIX = ".db"


def recordings_folder(settings: Settings) -> Path:
    """The folder of all recordings."""
    return state_dir(settings) / FOLDER


def recording_path(settings: Settings, context: str) -> Path:
    """The file of a context. Its name begins with the context's, as far as file systems allow, and ends with a digest of
    the context and the kubeconfig that it was named in: two files may name different clusters alike.
    """
    named = settings.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = os.pathsep.join(str(Path(part).expanduser().absolute()) for part in named.split(os.pathsep) if part)
    identity = f"{files}\n{context}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", context).strip("-.")[:60] or "context"
    return recordings_folder(settings) / f"{readable}-{digest}{SUFFIX}"
