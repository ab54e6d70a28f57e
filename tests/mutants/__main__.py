"""`make mutants`: each guard has a test that fails without it. Breaks one line at a time and runs the tests that name it.

A mutant is an entry of a `.toml` file in this folder:

    [[mutant]]
    name = "the host of a load is not checked"
    file = "hpatui/session/aim.py"
    line = "if not allowed(host):"            # the line's text without its indentation; it stands once in the file
    becomes = "if False:"                     # several lines are fine; they get the same indentation
    tests = ["tests/unit/session/test_aim.py"]  # what pytest is given; at least one of them must fail

It is killed if the tests fail (pytest's exit code 1). The work happens on a copy of the checkout, never on the files
themselves. Arguments: words that the mutant's name or file must hold; `--list` prints and runs nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
TIMEOUT = 300.0  # seconds for the tests of one mutant; a hang counts as noticed


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line of the program replaced by another, and the tests that must notice."""

    name: str
    file: str
    line: str
    becomes: str
    tests: tuple[str, ...]
    origin: str


def load() -> list[Mutant]:
    """All mutants of this folder, in file order. SystemExit for an entry that does not fit the code."""
    found: list[Mutant] = []
    for path in sorted(HERE.glob("*.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
        found += [Mutant(**{**entry, "tests": tuple(entry["tests"])}, origin=path.name) for entry in entries]
    return found


def broken(mutant: Mutant, source: str) -> str:
    """The source with the mutant in it. ValueError if its line does not stand exactly once in it."""
    lines = source.splitlines(keepends=True)
    places = [index for index, line in enumerate(lines) if line.strip() == mutant.line.strip()]
    if len(places) != 1:
        raise ValueError(f"the line stands {len(places)} times in {mutant.file}: {mutant.line!r}")
    old = lines[places[0]]
    indent = old[: len(old) - len(old.lstrip())]
    lines[places[0]] = "".join(f"{indent}{line}\n" for line in mutant.becomes.splitlines())
    return "".join(lines)


def run(mutant: Mutant, folder: Path) -> str:
    """ "killed", or what is wrong: survived, tests that cannot run, a line that is not there."""
    target = folder / mutant.file
    original = target.read_text(encoding="utf-8")
    try:
        target.write_text(broken(mutant, original), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return "killed"
    except (OSError, ValueError) as error:
        return f"cannot be tried: {error}"
    finally:
        target.write_text(original, encoding="utf-8")
    if done.returncode == 1:
        return "killed"
    tail = (done.stdout + done.stderr).strip().splitlines()[-1:] or [""]
    return "SURVIVED" if done.returncode == 0 else f"cannot be tried: pytest ended with {done.returncode}: {tail[0]}"


def main(words: list[str]) -> int:
    """Try all mutants that fit the words; exit code 1 unless all are killed."""
    listing = "--list" in words
    wanted = [word for word in words if word != "--list"]
    mutants = [m for m in load() if all(word in f"{m.name} {m.file} {m.origin}" for word in wanted)]
    if listing:
        for mutant in mutants:
            print(f"{mutant.origin}: {mutant.name} ({mutant.file})")
        return 0
    bad = 0
    with tempfile.TemporaryDirectory(prefix="hpatui-mutants-") as parent:
        folder = Path(parent) / "work"
        ignore = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
        shutil.copytree(ROOT, folder, ignore=ignore)
        if (ROOT.parent / "shared").exists():
            (Path(parent) / "shared").symlink_to((ROOT.parent / "shared").resolve())
        for number, mutant in enumerate(mutants, 1):
            outcome = run(mutant, folder)
            bad += outcome != "killed"
            print(f"{number}/{len(mutants)} {outcome}: {mutant.name} ({mutant.file})", flush=True)
    print(f"{len(mutants) - bad} killed, {bad} not")
    return 1 if bad or not mutants else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
