"""replay, export and history as a person calls them; and a recorded run replays to the snapshots of the live screen."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hpatui.cli import main
from hpatui.model import SourceState
from hpatui.record.meta import Meta
from hpatui.record.reader import open_recording
from hpatui.record.writer import Recorder
from hpatui.sandbox.options import SandboxOptions
from hpatui.session.live import Session
from hpatui.session.player import Player
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from tests.unit.record.facts import TRACES, facts_of, plain

TRACE = TRACES / "b-behavior.jsonl.gz"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of a real control plane as a recording."""
    facts, flags, _ = facts_of(TRACE)
    path = tmp_path_factory.mktemp("past") / "b.db"
    recorder = Recorder(path, Meta("real", "v1.36.2", flags))
    for seen in facts:
        recorder.take(seen)
    recorder.close()
    return path


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No kubeconfig, a state folder of its own."""
    monkeypatch.setenv("HPATUI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("TZ", "UTC")
    yield


def call(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    """(standard output, standard error) of a command that ends with `code`."""
    try:
        found = main([str(word) for word in words])
    except SystemExit as error:
        found = int(error.code or 0)
    out, err = capsys.readouterr()
    assert found == code, err
    return out, err


# replay without a screen --------------------------------------------------------------------------------------------------


def test_replay_prints_lines_where_there_is_no_terminal(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = call(capsys, "replay", recording)
    assert "printing lines instead" in err
    assert "api" in out
    assert "wants 5 replicas" in out or "scaling" in out


def test_replay_json_is_what_watch_prints(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = call(capsys, "replay", recording, "--json")
    assert err == ""
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) > 20
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    keys = {"time", "context", "namespace", "source", "observing", "hpas", "load"}
    assert keys <= set(lines[0])
    sizes = [line["hpas"][0]["desired"] for line in lines if line["hpas"]]
    assert (sizes[0], max(sizes), sizes[-1]) == (0, 10, 1) or max(sizes) > sizes[-1]


@pytest.mark.parametrize("at", ["-60s", "-1m"])
def test_at_is_the_first_line(recording: Path, capsys: pytest.CaptureFixture[str], at: str) -> None:
    last = open_recording(recording).meta.last
    out, _ = call(capsys, "replay", recording, "--json", "--once", "--details", "--at", at)
    (line,) = [json.loads(text) for text in out.splitlines()]
    assert line["hpas"][0]["pods"]
    from hpatui.clock import as_datetime, format_rfc3339

    assert line["time"] == format_rfc3339(as_datetime(last - 60))
    out, _ = call(capsys, "replay", recording, "--json", "--at", at)
    assert json.loads(out.splitlines()[0])["time"] == line["time"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("{}", "--at", "noon"), "'noon' is no time; write 03:12"),
        (("{}", "--at", "-9d"), "is outside of the recording; it has 20"),
        (("{}", "--hpa", "apo"), "there is no HPA apo in any namespace; near: "),
        (("{}", "--hpa", "a/b/c"), "'a/b/c' is no HPA's name"),
        (("{}", "--speed", "fast"), "'fast' is no speed: write a number"),
        (("{}", "--speed", "0"), "'0' is no speed"),
        (("no-such-file.hpatui",), "there is no recording no-such-file.hpatui"),
        (("{}/..",), "there is no recording"),
        ((), "say which recording; hpatui records while its screen is open"),
        (("--context", "elsewhere"), "there is no recording of context elsewhere"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(
    recording: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    out, err = call(capsys, "replay", *(word.format(recording) for word in words), code=2)
    assert out == ""
    assert told in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line and not line.startswith(("usage:", " "))]) <= 2


def test_a_file_that_is_no_recording_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data in (("text.hpatui", b"hello"), ("empty.hpatui", b""), ("zeros.hpatui", b"\0" * 5000)):
        path = tmp_path / name
        path.write_bytes(data)
        _, err = call(capsys, "replay", path, "--json", code=2)
        assert name in err
        assert "Traceback" not in err


# export -------------------------------------------------------------------------------------------------------------------


def test_export_is_a_file_that_replays_to_the_same(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, key = tmp_path / "run.hpatui", facts_of(TRACE)[2]
    out, _ = call(capsys, "export", path, "--from", recording, "--hpa", key, "--since", "1h")
    assert str(path) in out
    assert "--anonymize replaces them" in out
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["run.hpatui"]
    assert path.stat().st_mode & 0o077 == 0
    now, _ = call(capsys, "replay", path, "--json", "--once", "--at", "-60s")
    then, _ = call(capsys, "replay", recording, "--json", "--once", "--at", "-60s")
    assert json.loads(now)["hpas"][0]["desired"] == json.loads(then)["hpas"][0]["desired"]
    assert json.loads(now)["hpas"][0]["headline"] == json.loads(then)["hpas"][0]["headline"]


def test_export_does_not_overwrite_unless_told(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.hpatui"
    path.write_text("mine")
    _, err = call(capsys, "export", path, "--from", recording, code=2)
    assert "is there already; choose another name, or give --force" in err
    assert path.read_text() == "mine"
    call(capsys, "export", path, "--from", recording, "--force")
    assert path.stat().st_size > 1000


def test_an_anonymized_export_has_no_name(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = facts_of(TRACE)[2]
    path = tmp_path / "run.hpatui"
    out, _ = call(capsys, "export", path, "--from", recording, "--hpa", key, "--anonymize")
    assert "no name of yours is in it" in out
    shown, _ = call(capsys, "replay", path, "--json", "--details")
    assert key.namespace not in shown
    assert '"api' not in shown
    assert '"namespace":"ns-1","name":"hpa-1"' in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--hpa", "nobody"), "there is no HPA nobody"),
        (("--since", "tomorrow"), "'tomorrow' is no time"),
        (("--since", "-5s", "--until", "-50s"), "nothing lies between --since and --until"),
        (("--until", "-9d"), "is outside of the recording"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    _, err = call(capsys, "export", tmp_path / "x.hpatui", "--from", recording, *words, code=2)
    assert told in err
    assert len(err.splitlines()) == 1
    assert [file for file in tmp_path.iterdir() if file.is_file()] == []


def test_a_folder_is_no_file(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = call(capsys, "export", tmp_path, "--from", recording, code=2)
    assert "is a folder; name a file in it" in err


# history ------------------------------------------------------------------------------------------------------------------


def test_history_as_lines(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = facts_of(TRACE)[2]
    out, _ = call(capsys, "history", key, "--from", recording)
    assert "Rescales" in out
    assert "All metrics below target" in out
    for part in ("Who else wrote spec.replicas", "Outages", "Versions of the spec"):
        assert part in out


def test_history_as_json(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = facts_of(TRACE)[2]
    out, _ = call(capsys, "history", key.name, "--from", recording, "--json", "--since", "24h")
    found = json.loads(out)
    assert (found["namespace"], found["name"]) == key
    assert set(found) >= {"since", "until", "rescales", "writers", "outages", "versions", "context", "source"}
    assert all(set(one) == {"time", "from", "to", "reason"} for one in found["rescales"])
    assert [one["to"] for one in found["rescales"]][-1] == 1
    assert found["writers"] == []
    assert found["versions"][0]["spec"]["maxReplicas"] > 1


def test_history_as_csv(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = call(capsys, "history", facts_of(TRACE)[2], "--from", recording, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["time", "what", "from", "to", "who", "manager", "text"]
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert any(row["what"] == "rescale" and "below target" in row["text"] for row in rows)


def test_history_of_nobody_is_one_line(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = call(capsys, "history", "shop/nobody", "--from", recording, code=2)
    assert "there is no HPA shop/nobody" in err
    _, err = call(capsys, "history", "a/b/c", "--from", recording, code=2)
    assert "is no HPA's name" in err


# A run --------------------------------------------------------------------------------------------------------------------


class Tape:
    """A live session whose facts are recorded and whose snapshots are kept."""

    def __init__(self, path: Path) -> None:
        self.session = Session(Settings(all_namespaces=True), demo=SandboxOptions())
        self.path = path
        self.snapshots: list[Snapshot] = []
        self._seen: list[Any] = []

    async def run(self, seconds: float) -> None:
        session = self.session
        take = session.store.take

        def spy(seen: Any) -> bool:
            self._seen.append(seen)
            return take(seen)

        session.store.take = spy  # type: ignore[method-assign]
        session.subscribe(self.snapshots.append)
        await session.start()
        while session.snapshot.detail is None:
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        await session.load.start(confirmed=True)
        await asyncio.sleep(seconds)
        await session.load.stop()
        await asyncio.sleep(2)
        flags, context = session.store.flags, session.snapshot.context
        await session.stop()
        recorder = Recorder(self.path, Meta(context, session.store.server_version, flags, True))
        for seen in self._seen:
            recorder.take(seen)
        recorder.close()


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """A recorded run of the walkthrough."""
    tape = Tape(tmp_path_factory.mktemp("tape") / "run.db")
    asyncio.run(tape.run(12.0))
    return tape


_ABOUT = ("since", "known_since", "until", "at", "held_until", "last_contact", "time", "trend", "agreed",
          "compared", "assumed")  # fmt: skip


def _content(value: Any) -> Any:
    """A snapshot's content: what hangs on the very millisecond of a look is left out."""
    if isinstance(value, dict):
        return {name: _content(item) for name, item in value.items() if name not in _ABOUT}
    return [_content(item) for item in value] if isinstance(value, list) else value


def test_a_recorded_run_replays_to_the_snapshots_of_the_live_screen(tape: Tape) -> None:
    """Snapshot by snapshot. The screen's looks come up to a second apart, and a fact that arrives with a look may be in it
    or not: so each live snapshot must be one of the replay's within a sync of its time.
    """
    found = open_recording(tape.path)
    meta = found.meta
    live = [s for s in tape.snapshots if s.status.state is SourceState.LIVE and s.detail is not None]
    assert len(live) > 25
    assert live[-1].detail is not None
    player = Player(found, live[-1].detail.row.key, meta.first)
    shown: list[tuple[float, Any]] = []
    moment = meta.first
    while moment < meta.last:
        moment = min(moment + 1.0, player.next_time() or meta.last)  # from fact to fact
        player.advance(moment)
        snapshot = player.store.snapshot(moment)
        player.store.published(snapshot)
        if not shown or shown[-1][1] is not snapshot:
            shown.append((moment, snapshot))
    replayed = [(time, _parts(snapshot)) for time, snapshot in shown]
    unlike: dict[str, list[Any]] = {}
    for snapshot in live:
        near = [parts for time, parts in replayed if abs(time - snapshot.time) <= 2.5]
        near += [parts for time, parts in replayed if time <= snapshot.time][-1:]
        for name, part in _parts(snapshot).items():
            if not any(parts[name] == part for parts in near):
                unlike.setdefault(name, []).append((snapshot.time, part))
    assert unlike == {}
    found.close()


def _parts(snapshot: Snapshot) -> dict[str, Any]:
    """What the panes show, one by one."""
    detail = snapshot.detail
    whole = _content(plain(dataclasses.replace(snapshot, detail=None)))
    if detail is None:
        return dict.fromkeys(("list", "state", "why", "steps", "pods", "events", "conditions", "load", "sizes"))
    told = _content(plain(detail))
    return {
        "list": [{k: v for k, v in row["hpa"].items() if k != "raw"} for row in whole["rows"]],
        "state": [row["state"] for row in whole["rows"]],
        "why": (told["explanation"] or {}).get("headline"),
        "steps": (told["explanation"] or {}).get("lines"),
        "pods": told["pods"],
        "events": told["events"],
        "conditions": told["row"]["hpa"]["conditions"],
        "load": (whole["load"]["state"], whole["load"]["target"], whole["load"]["plan"], whole["load"]["rate"]),
        "sizes": (detail.history.desired.last or (0, 0))[1],
    }


def test_the_file_of_a_run_is_found_by_the_context(
    tape: Tape, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "state" / "recordings"
    folder.mkdir(parents=True)
    (folder / "hpatui-sandbox-12345678.db").write_bytes(tape.path.read_bytes())
    out, _ = call(capsys, "history", "php-apache-hpa", "--context", "hpatui-sandbox", "--json")
    assert json.loads(out)["rescales"][0]["to"] > 1
    out, _ = call(capsys, "history", "php-apache-hpa", "--json")  # the only one there is
    assert json.loads(out)["context"] == "hpatui-sandbox"


@pytest.mark.e2e
def test_the_screen_of_a_recording_in_a_terminal(recording: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "hpatui", "replay", str(recording)]
    here = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=here)
    os.close(follower)
    seen = b""
    try:
        while b"PAST" not in seen:
            seen += os.read(leader, 65536)
        os.write(leader, b"q")
        while True:
            try:
                if not os.read(leader, 65536):
                    break
            except OSError:
                break
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(leader)
