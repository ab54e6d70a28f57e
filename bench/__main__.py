"""`python -m bench [NAME ...]`: run the benchmarks, print their tables, write bench/results.json."""

from __future__ import annotations

import compileall
import importlib
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from hpatui import __version__


def main(names: list[str]) -> int:
    """Run those named (default: all); exit code 2 for a name that does not exist."""
    here = Path(__file__).parent
    known = sorted(path.stem.removeprefix("bench_") for path in here.glob("bench_*.py"))
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    # As an installed package has it; an environment may forbid Python to keep what it compiled.
    compileall.compile_dir(here.parent / "hpatui", quiet=2)
    path = here / "results.json"
    results: dict[str, object] = _before(path)  # those not run now stay
    for name in names or known:
        tables = importlib.import_module(f"bench.bench_{name}").main()
        for table in tables:
            print(table.text(), flush=True)
        results[name] = [asdict(table) for table in tables]
    where = {"hpatui": __version__, "python": platform.python_version(), "machine": platform.machine()}
    path.write_text(json.dumps({**where, "results": results}, indent=1) + "\n")
    return 0


def _before(path: Path) -> dict[str, object]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        return {}
    return known if isinstance(known, dict) else {}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
