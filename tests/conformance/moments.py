"""`python -m tests.conformance.moments DIR [NAME]`: what explain and doctor say at the key moments of field traces,
beside what is true then, for people to read. The tests (tests/unit/state/test_moments.py) compare.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.conformance.scene import said_at
from tests.conformance.traces import facts_path, is_trace


def main(argv: list[str]) -> int:
    """Print all of it."""
    for path in sorted(p for p in Path(argv[0]).iterdir() if is_trace(p)):
        facts = json.loads(facts_path(path).read_text())
        if len(argv) > 1 and not path.name.startswith(argv[1]):
            continue
        print(f"===== {path.name}\n{facts['question']}\n{facts['answer']}")
        for text in facts["must_not_say"]:
            print(f"  not: {text}")
        moments = facts["key_moments"]
        for moment, said in zip(moments, said_at(path, [(m["t"], m["hpa"]) for m in moments]), strict=True):
            print(f"----- {said.t} s {said.hpa}: {moment['what']}\n{said.text}")
            print("\n".join(f"  doctor {id_}: {text}" for id_, text in said.findings.items()) or "  doctor: nothing")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
