"""`make release-check`: builds wheel, sdist and the self-contained archive, looks at them, installs them as people do, and
uses what was installed: on every Python that this machine has, by pip, pipx and uv, and as a plugin of the real kubectl.

`--keep DIR` keeps what was built. What a machine cannot try is printed as skipped, with the reason.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SDIST_MOST = 1_000_000  # bytes
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
BIN = Path(sys.executable).parent


class Failed(Exception):
    """A check that does not hold; the text says which and what was seen."""


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None, timeout: float = 600) -> str:
    """The command's standard output. Failed with its last lines where it does not end with 0."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=timeout, check=False, cwd=ROOT
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise Failed(f"{' '.join(words[:6])} ended with {done.returncode}:\n{tail}")
    return done.stdout


def build(folder: Path) -> None:
    """Wheel and sdist, as an index would accept them."""
    run([sys.executable, "-m", "build", "--outdir", folder, ROOT])
    run([sys.executable, "-m", "twine", "check", "--strict", *folder.iterdir()])


def look_at_sdist(folder: Path) -> None:
    """Small, and nothing in it that is not needed to build."""
    (path,) = folder.glob("*.tar.gz")
    if path.stat().st_size > SDIST_MOST:
        raise Failed(f"{path.name} has {path.stat().st_size} bytes, more than {SDIST_MOST}")
    with tarfile.open(path) as archive:
        tops = {Path(name).parts[1] for name in archive.getnames() if len(Path(name).parts) > 1}
    if extra := tops & {"tests", "bench", "screenshots", ".ci"}:
        raise Failed(f"{path.name} has {sorted(extra)}")


def look_at_wheel(folder: Path) -> None:
    """Typed, licensed, both commands, every picture of the README by an absolute link."""
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        text = {Path(name).name: archive.read(name).decode() for name in names if ".dist-info/" in name}
    for wanted in ("hpatui/py.typed", "hpatui/ui/hpatui.tcss"):
        if wanted not in names:
            raise Failed(f"{path.name} lacks {wanted}")
    metadata = text["METADATA"]
    for version in VERSIONS:
        if f"Classifier: Programming Language :: Python :: {version}" not in metadata:
            raise Failed(f"no classifier for Python {version}")
    if "](screenshots/" in metadata or "](CONTRIBUTING" in metadata:
        raise Failed("the README's links are relative in the package's metadata")
    for command in ("hpatui", "kubectl-hpatui"):
        if f"{command} = hpatui.cli:main" not in text["entry_points.txt"]:
            raise Failed(f"the command {command} is not installed")


def use(command: Sequence[str | Path], folder: Path) -> None:
    """The installed program does its work: version, scenarios, a sandbox and one look at it."""
    run([*command, "--version"], timeout=60)
    if "walkthrough" not in run([*command, "demo", "--list"], timeout=60):
        raise Failed("demo --list does not know the walkthrough")
    kubeconfig = folder / f"kubeconfig-{os.urandom(4).hex()}"
    words = [str(word) for word in command]
    with subprocess.Popen([*words, "sandbox", "--kubeconfig-out", str(kubeconfig)], stdout=subprocess.PIPE) as sandbox:
        try:
            assert sandbox.stdout is not None
            sandbox.stdout.readline()
            seen = run([*command, "watch", "--once", "--json", "--kubeconfig", kubeconfig, "-A"], timeout=60)
            if "php-apache" not in seen:
                raise Failed(f"watch --once saw no HPA: {seen[:200]}")
            if kubectl := shutil.which("kubectl"):
                plugin = {"PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"}
                if (Path(command[0]).parent / "kubectl-hpatui").exists():
                    run([kubectl, "hpatui", "watch", "--once", "--kubeconfig", kubeconfig, "-A"], plugin, timeout=60)
        finally:
            sandbox.terminate()
            sandbox.wait(20)


def pythons() -> Iterator[tuple[str, str | None]]:
    """(version, interpreter or None) of every Python that hpatui supports."""
    pyenv = Path.home() / ".pyenv" / "versions"
    for version in VERSIONS:
        found = shutil.which(f"python{version}")
        works = found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
        kept = sorted(pyenv.glob(f"{version}.*/bin/python")) if pyenv.is_dir() else []
        yield version, found if works else str(kept[-1]) if kept else None


def by_pip(python: str, wheel: Path, folder: Path) -> None:
    """A fresh environment, the wheel by pip."""
    target = folder / f"venv-{Path(python).parent.parent.name}-{os.urandom(3).hex()}"
    run([python, "-m", "venv", target])
    run([target / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel])
    use([target / "bin" / "hpatui"], folder)
    size = sum(item.stat().st_size for item in target.rglob("*") if item.is_file() and not item.is_symlink())
    print(f"     installed size {size / 1e6:.0f} MB (with pip)")
    shutil.rmtree(target)


def by_tool(tool: str, wheel: Path, folder: Path) -> None:
    """`pipx install` or `uv tool install`, into folders of our own."""
    home = folder / f"{tool}-home"
    places = {"PIPX_HOME": str(home), "PIPX_BIN_DIR": str(home / "bin"), "PIPX_MAN_DIR": str(home / "man"),
              "UV_TOOL_DIR": str(home / "tools"), "UV_TOOL_BIN_DIR": str(home / "bin")}  # fmt: skip
    program = shutil.which(tool) or str(BIN / tool)
    words: list[str | Path] = [program, "install"] if tool == "pipx" else [program, "tool", "install"]
    run([*words, wheel], places)
    use([home / "bin" / "hpatui"], folder)


def by_archive(folder: Path, wheel: Path) -> None:
    """The self-contained archive: one file, any machine of this platform with this Python."""
    archive = folder / "hpatui.pyz"
    shiv: list[str | Path] = [
        sys.executable,
        "-m",
        "shiv",
        "--console-script",
        "hpatui",
        "--compressed",
        "--output-file",
        archive,
    ]
    run([*shiv, "--python", "/usr/bin/env python3", wheel])
    home = folder / "pyz-home"
    wrapper = folder / "hpatui-by-archive"
    wrapper.write_text(f'#!/bin/sh\nSHIV_ROOT={home} exec "{sys.executable}" "{archive}" "$@"\n')
    wrapper.chmod(0o755)
    use([wrapper], folder)
    print(f"     hpatui.pyz has {archive.stat().st_size / 1e6:.0f} MB")


def main(words: Sequence[str]) -> int:
    """Run all checks; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(prog="make release-check")
    parser.add_argument("--keep", type=Path, help="keep what was built in this folder")
    keep = parser.parse_args(words).keep
    folder = Path(tempfile.mkdtemp(prefix="hpatui-release-"))
    dist = folder / "dist"
    checks: list[tuple[str, Callable[[], None] | str]] = [
        ("wheel and sdist are built and accepted", lambda: build(dist)),
        ("sdist: size and content", lambda: look_at_sdist(dist)),
        ("wheel: metadata and content", lambda: look_at_wheel(dist)),
    ]

    def wheel() -> Path:
        return next(dist.glob("*.whl"))

    for version, python in pythons():
        reason = f"there is no Python {version} on this machine"
        checks.append(
            (f"pip on Python {version}", (lambda p: lambda: by_pip(p, wheel(), folder))(python) if python else reason)
        )
    for tool in ("pipx", "uv"):
        there = shutil.which(tool) or (BIN / tool).exists()
        checks.append(
            (tool, (lambda t: lambda: by_tool(t, wheel(), folder))(tool) if there else f"{tool} is not installed")
        )
    checks.append(("hpatui.pyz", lambda: by_archive(folder, wheel())))
    bad = skipped = 0
    for name, check in checks:
        if isinstance(check, str):
            skipped += 1
            print(f"skip {name}: {check}", flush=True)
            continue
        try:
            check()
            print(f"ok   {name}", flush=True)
        except (Failed, OSError, subprocess.TimeoutExpired, StopIteration) as error:
            bad += 1
            print(f"FAIL {name}: {error}", flush=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for item in (*dist.glob("*"), *folder.glob("*.pyz")):
            shutil.copy2(item, keep)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(checks) - bad - skipped} passed, {bad} failed, {skipped} skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
