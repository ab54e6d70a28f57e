"""What a pod of Locust's image may run here: hpatui's own locustfile, by content, with hpatui's own arguments.

A pod is data from whoever may create one; a locustfile is code. So the files are compared with those that hpatui ships,
a plan is JSON, and neither other Python, nor other arguments, nor the user's environment gets to the process.
"""

from __future__ import annotations

import os
import re
import site
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hpatui

FOLDER = "/load"
LOCUSTFILE = f"{FOLDER}/locustfile.py"
_PACKAGE = Path(hpatui.__file__).parent
_CODE = ("locustfile.py", "run_state.py")
_DATA = ("plan.json",)
_FLAGS = ("--only-summary", "--master", "--worker", "--headless")
_NUMBER, _NAME = re.compile(r"[0-9]{1,6}"), re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VALUES = {
    "-f": re.compile(re.escape(LOCUSTFILE)), "--expect-workers": _NUMBER, "--expect-workers-max-wait": _NUMBER,
    "--master-host": _NAME,
}  # fmt: skip


class RefusedError(Exception):
    """Nothing of this pod is run; the text says why."""


def command_of(container: Mapping[str, Any]) -> list[str]:
    """The arguments after `locust`; RefusedError for any that hpatui's own jobs do not have."""
    command = [str(part) for part in (*(container.get("command") or ()), *(container.get("args") or ()))]
    given = command[1:]
    rest = list(given)
    while rest:
        flag = rest.pop(0)
        pattern = _VALUES.get(flag)
        if flag not in _FLAGS and not (pattern is not None and rest and pattern.fullmatch(rest.pop(0))):
            raise RefusedError(f"the sandbox runs Locust with hpatui's own arguments only, not with {flag[:40]!r}")
    if command[:1] != ["locust"] or LOCUSTFILE not in given:
        raise RefusedError(f"the sandbox runs `locust -f {LOCUSTFILE}` only")
    return given


def check_files(mounts: Mapping[str, Path]) -> None:
    """RefusedError unless what is mounted is hpatui's locustfile, to the letter, with a plan, and nothing else."""
    for path, folder in mounts.items():
        names = sorted(entry.name for entry in folder.iterdir())
        if path != FOLDER:
            if names:
                raise RefusedError(f"the sandbox mounts files at {FOLDER} only")
            continue
        if names != sorted((*_CODE, *_DATA)):
            raise RefusedError("the sandbox runs hpatui's own locustfile only, with no other files beside it")
        for name in _CODE:
            if (folder / name).read_bytes() != (_PACKAGE / "load" / "locust" / name).read_bytes():
                raise RefusedError(f"the sandbox runs hpatui's own locustfile only: {name} is another")
    if FOLDER not in mounts:
        raise RefusedError(f"nothing is mounted at {FOLDER}")


def environment(home: Path) -> dict[str, str]:
    """A process's environment: nothing of the user's, for it may hold credentials; only where Python finds us."""
    found = {
        "HOME": str(home), "TMPDIR": str(home), "PATH": os.defpath, "LANG": "C.UTF-8",
        "PYTHONPATH": str(_PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    if site.ENABLE_USER_SITE and site.USER_BASE:
        found["PYTHONUSERBASE"] = site.USER_BASE
    return found
