"""`python -m hpatui.sandbox OPTIONS`: the sandbox as another program's child; OPTIONS is SandboxOptions as JSON.

People start `hpatui sandbox`. This does the same without the command line, which a child can do without.
"""

from __future__ import annotations

import json
import sys

from hpatui.errors import HpatuiError
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.server import run_sandbox


def main() -> int:
    """Run until the parent is gone; one line on standard error if it cannot start."""
    try:
        return run_sandbox(SandboxOptions(**json.loads(sys.argv[1])))
    except HpatuiError as error:
        print(f"hpatui: {error}", file=sys.stderr)  # noqa: T201  # the parent reads it
        return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
