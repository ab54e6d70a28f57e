"""Renders the gallery: the real program on a real sandbox, driven by keys, saved as SVG and (with rsvg-convert) PNG.

`python -m screenshots.make [NAME ...]`; each picture is taken once the state that it is named after is on the screen.
"""

from __future__ import annotations

import asyncio
import html
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from textual.pilot import Pilot

from hpatui.sandbox.options import SandboxOptions
from hpatui.session.live import Session
from hpatui.settings import Settings
from hpatui.state.snapshot import HpaState, Snapshot
from hpatui.ui.app import HpatuiApp

HERE = Path(__file__).parent
FILM, FILM_STEP = "walkthrough", 2.4  # the animation, and seconds between its frames
PATIENCE = 120.0  # seconds that a state may take to come


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: which sandbox, which size, what to press, and the state to wait for."""

    name: str
    ready: Callable[[Snapshot], bool]
    options: SandboxOptions = field(default_factory=SandboxOptions)
    settings: Settings = field(default_factory=Settings)
    size: tuple[int, int] = (120, 36)
    before: str = ""  # keys to press at the start
    after: str = ""  # keys to press once the state is there
    settle: float = 3.0


def _state(*states: HpaState) -> Callable[[Snapshot], bool]:
    def look(snapshot: Snapshot) -> bool:
        detail = snapshot.detail
        return detail is not None and detail.row.state in states and bool(detail.events)

    return look


def _held(snapshot: Snapshot) -> bool:
    detail = snapshot.detail
    return detail is not None and detail.row.state is HpaState.HELD and detail.explanation is not None


_SCALED = _state(HpaState.CAPPED)
PICTURES: tuple[Picture, ...] = (
    Picture("overview", _state(HpaState.STEADY, HpaState.FLOOR)),
    Picture("scaling-up", _SCALED, before="l", settle=12.0),
    Picture("held", _held, SandboxOptions(scenario="held-down"), settle=8.0),
    Picture("at-max", _SCALED, SandboxOptions(scenario="at-max"), settle=8.0),
    Picture("blind", _state(HpaState.BLIND), SandboxOptions(scenario="missing-requests")),
    Picture("80x24", _SCALED, size=(80, 24), before="l", settle=10.0),
    Picture(
        "fleet",
        lambda s: len(s.rows) > 990 and s.detail is not None,
        SandboxOptions(fleet=1000),
        Settings(all_namespaces=True),
        settle=10.0,
    ),
    Picture("what-if", _SCALED, before="l", after="w", settle=20.0),
    Picture("doctor", _state(HpaState.BLIND), SandboxOptions(scenario="missing-requests"), after="D", settle=4.0),
    Picture("help", _state(HpaState.STEADY, HpaState.FLOOR), after="?", settle=1.0),
)


async def take(picture: Picture) -> None:
    """Run the program until the picture's state is there, and save it."""
    session = Session(picture.settings, demo=picture.options)
    app = HpatuiApp(lambda: session, picture.settings)
    async with app.run_test(size=picture.size) as pilot:
        await _until(pilot, lambda: bool(session.snapshot.rows))
        for key in picture.before:
            await pilot.press(key)
        await _until(pilot, lambda: picture.ready(session.snapshot))
        await pilot.pause(picture.settle)
        for key in picture.after:
            await pilot.press("question_mark" if key == "?" else key)
        await pilot.pause(0.5)
        app.clear_notifications()
        await pilot.pause(0.3)
        svg = app.export_screenshot(title=f"hpatui · {picture.name}")
    _save(picture.name, svg)


async def film() -> None:
    """The whole walkthrough as an animation: load on, 1 -> 3, load off, 3 -> 1."""
    frames: list[str] = []
    settings = Settings()
    session = Session(settings, demo=SandboxOptions())
    app = HpatuiApp(lambda: session, settings)

    def size() -> int:
        detail = session.snapshot.detail
        return detail.row.hpa.current_replicas if detail is not None else 0

    async with app.run_test(size=(120, 36)) as pilot:

        async def shoot(until: Callable[[], bool], least: int) -> None:
            async with asyncio.timeout(PATIENCE):
                count = 0
                while count < least or not until():
                    frames.append(app.export_screenshot(title="hpatui demo"))
                    count += 1
                    await pilot.pause(FILM_STEP)

        await _until(pilot, lambda: size() == 1 and session.snapshot.detail is not None)
        await pilot.pause(3)
        await shoot(lambda: True, 2)
        await pilot.press("l")
        await shoot(lambda: size() == 3, 10)
        await shoot(lambda: True, 4)
        await pilot.press("l")
        await shoot(lambda: size() == 1, 10)
        await shoot(lambda: True, 2)
    _save_film(frames)


def _save_film(frames: list[str]) -> None:
    rsvg, magick = shutil.which("rsvg-convert"), shutil.which("convert-im6") or shutil.which("convert")
    if rsvg is None or magick is None:
        print("no animation: rsvg-convert (Debian's librsvg2-bin) or convert (imagemagick) is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        names: list[str] = []
        for index, svg in enumerate(frames):
            path = Path(folder) / f"{index:03}.png"
            names.append(str(path))
            _to_png(rsvg, svg, path, 860)
        out = HERE / "walkthrough.gif"
        command = [
            magick,
            "-delay",
            "60",
            "-loop",
            "0",
            *names,
            "-fuzz",
            "2%",
            "-colors",
            "32",
            "-layers",
            "optimize",
            str(out),
        ]
        subprocess.run(command, check=True)
    print(f"walkthrough.gif: {len(frames)} frames, {out.stat().st_size // 1024} KB")


async def _until(pilot: Pilot[None], look: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not look():
            await pilot.pause(0.2)


def _save(name: str, svg: str) -> None:
    path = HERE / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    convert = shutil.which("rsvg-convert")
    if convert is None:
        print(f"{path.name} (no PNG: rsvg-convert, of Debian's librsvg2-bin, is not installed)")
        return
    _to_png(convert, svg, HERE / f"{name}.png", 1400)
    print(f"{path.name}, {name}.png")


_TEXT = re.compile(r'<text class="([^"]*)" x="([0-9.]+)" y="([0-9.]+)" textLength="[^"]*"([^>]*)>([^<]*)</text>')
_CELL = 12.2


def _letter_by_letter(match: re.Match[str]) -> str:
    """Letters that come from another font (braille, marks) are set one by one, each in its cell."""
    kind, x, y, rest, content = match.groups()
    letters = html.unescape(content)
    if letters.isascii():
        return match.group()
    return "".join(
        f'<text class="{kind}" x="{float(x) + index * _CELL:.1f}" y="{y}"{rest}>{html.escape(letter)}</text>'
        for index, letter in enumerate(letters)
        if letter not in " \u00a0"
    )


def _to_png(convert: str, svg: str, out: Path, width: int) -> None:
    """With a font that is installed, at the size at which its letters are as wide as the picture's cells (12.2)."""
    text = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    text = text.replace("font-family: Fira Code, monospace", "font-family: DejaVu Sans Mono, monospace")
    text = re.sub(r"(matrix \{[^}]*?)font-size: 20px", r"\g<1>font-size: 20.265px", text, flags=re.DOTALL)
    text = _TEXT.sub(_letter_by_letter, text)
    subprocess.run([convert, "-w", str(width), "-o", str(out)], input=text.encode(), check=True)


def main(names: list[str]) -> int:
    """Take those named (default: all)."""
    known = {picture.name: picture for picture in PICTURES}
    unknown = [name for name in names if name not in (*known, FILM)]
    if unknown:
        print(f"no picture {', '.join(unknown)}; there are: {', '.join((*known, FILM))}", file=sys.stderr)
        return 2
    for name in names or (*known, FILM):
        asyncio.run(film() if name == FILM else take(known[name]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
