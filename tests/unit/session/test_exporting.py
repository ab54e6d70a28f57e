"""Exports: one file of a part of a recording, with names or without any."""

from __future__ import annotations

import dataclasses
import gzip
import json
import lzma
import re
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpatui.errors import HpatuiError, UsageError
from hpatui.model import (
    EVERYTHING,
    Condition,
    ContainerFacts,
    Event,
    Hpa,
    Key,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    LoadState,
    LoadView,
    Owner,
    OwnerLink,
    Reference,
    Scale,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.record.codec import LETTERS, text_of
from hpatui.record.meta import Meta
from hpatui.record.reader import open_recording
from hpatui.record.writer import Recorder
from hpatui.session.anonymize import Anonymizer
from hpatui.session.exporting import export, range_of
from hpatui.session.player import Player
from hpatui.state.snapshot import Snapshot
from tests.factories import NOW, hpa, metric, pod, usage, workload
from tests.recordings import MemoryRecording
from tests.unit.record.facts import SMALL, facts_of, plain

# Every name of the cluster below; none may be anywhere in an anonymized file.
SECRET = (
    "zebracorp", "kumquat", "gherkin", "walrus", "tangerine", "marmalade", "pelican", "quokka", "rutabaga", "sasquatch",
    "turnip", "umbrellabird", "vicuna", "wombat", "xylophone", "yamyam", "zucchini", "aardvark", "bumblebee", "chinchilla",
    "10.77.66.55", "fd12:3456", "0xdeadbeef", "4f1d9a", "eks-7c2f1",
)  # fmt: skip
KEY = Key("zebracorp-kumquat", "gherkin-hpa")
SCOPE = str(KEY)
RAW = {
    "metadata": {
        "name": KEY.name, "namespace": KEY.namespace, "uid": "uid-0xdeadbeef", "generation": 3,
        "labels": {"zebracorp.example/team": "walrus", "app": "gherkin"},
        "annotations": {"argocd.argoproj.io/tracking-id": "zebracorp-apps:autoscaling/HPA:kumquat/gherkin"},
        "managedFields": [
            {"manager": "zebracorp-deployer", "operation": "Apply", "apiVersion": "autoscaling/v2",
             "time": "2026-05-28T20:00:00Z", "fieldsV1": {"f:spec": {"f:maxReplicas": {}}}},
        ],
    },
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gherkin"},
        "minReplicas": 1, "maxReplicas": 9,
        "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 30}}},
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "tangerine",
                                                                "target": {"type": "Utilization", "averageUtilization": 60}}},
            {"type": "External", "external": {
                "metric": {"name": "marmalade_depth", "selector": {"matchLabels": {"pelican": "quokka"}}},
                "target": {"type": "Value", "value": "100"}}},
            {"type": "Object", "object": {
                "describedObject": {"kind": "Rutabaga", "name": "sasquatch", "apiVersion": "zebracorp.example/v1"},
                "metric": {"name": "turnips_per_second"}, "target": {"type": "Value", "value": "1k"}}},
        ],
    },
    "status": {"currentReplicas": 1, "desiredReplicas": 1, "currentMetrics": []},
}  # fmt: skip


def secret_facts() -> list[Seen]:
    """A cluster with a name of its own in every place where there may be one."""
    conditions = (
        Condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size", NOW - 60),
        Condition("ScalingActive", "False", "FailedGetResourceMetric",
                  "missing request for cpu in container tangerine of Pod gherkin-4f1d9a-umbrellabird", NOW - 60),
    )  # fmt: skip
    one = dataclasses.replace(
        hpa("gherkin-hpa", KEY.namespace, metrics=[metric(45), metric(5, 10, "marmalade_depth")], conditions=conditions),
        uid="uid-0xdeadbeef", labels={"zebracorp.example/team": "walrus", "app": "gherkin"},
        reference=Reference("Deployment", "gherkin", "apps/v1"), raw=json.dumps(RAW).encode(),
    )  # fmt: skip
    target = dataclasses.replace(
        workload(), key=Key(KEY.namespace, "gherkin"), selector="app=gherkin,vicuna in (wombat,xylophone),!yamyam",
        uid="uid-4f1d9a", labels={"app": "gherkin"},
        raw=json.dumps({"kind": "Deployment", "metadata": {"name": "gherkin", "labels": {"helm": "zucchini"}}}).encode(),
    )  # fmt: skip
    container = ContainerFacts("tangerine", "registry.zebracorp.example:5000/tangerine:7", 100.0, None, None, None, True, 0,
                               "Running")  # fmt: skip
    one_pod = dataclasses.replace(
        pod("gherkin-4f1d9a-umbrellabird"), key=Key(KEY.namespace, "gherkin-4f1d9a-umbrellabird"), node="aardvark-node-7",
        ip="10.77.66.55", labels={"app": "gherkin", "vicuna": "wombat"}, containers=(container,),
        owners=(Owner("ReplicaSet", "gherkin-4f1d9a", "uid-4f1d9a-rs", "apps/v1", True),),
        requests=(("tangerine", {"cpu": 100}),),
    )  # fmt: skip
    sample = dataclasses.replace(
        usage(), key=one_pod.key, labels={"app": "gherkin"}, containers={"tangerine": (45.0, 9.0)},
        exact=(("tangerine", {"cpu": 45}),),
    )  # fmt: skip
    link = OwnerLink("ReplicaSet", Key(KEY.namespace, "gherkin-4f1d9a"), "uid-4f1d9a-rs",
                     (Owner("Deployment", "gherkin", "uid-4f1d9a", "apps/v1", True),), 1)  # fmt: skip
    told = Event(Key(KEY.namespace, "gherkin.17f"), "uid-ev", "Pod", one_pod.key, "Warning", "BackOff",
                 'Back-off pulling image "registry.zebracorp.example/bumblebee:1" on aardvark-node-7 (10.77.66.55:443), '
                 "says Chinchilla in ZEBRACORP", 1, NOW, NOW, "kubelet")  # fmt: skip
    rescaled = Event(Key(KEY.namespace, "gherkin.18f"), "uid-ev2", "HorizontalPodAutoscaler", KEY, "Normal",
                     "SuccessfulRescale", "New size: 4; reason: external metric marmalade_depth(&LabelSelector{"
                     "MatchLabels:map[string]string{pelican: quokka,},}) above target", 1, NOW, NOW, "hpa")  # fmt: skip
    lost = SourceStatus(
        SourceState.RECONNECTING, NOW + 5, "https://zebracorp.example:6443 (fd12:3456::7) does not answer"
    )
    view = LoadView(LoadState.RUNNING, "gherkin.kumquat:80 by service proxy", "steady 20/s", 20.0, NOW, for_hpa=KEY)
    shot = LoadSample(NOW + 3, 20.0, 20, 19, 1, 0, 1, 1.0, 2.0, 3.0, errors={"refused by chinchilla": 1},
                      per_pod={one_pod.key.name: 20}, stage="bumblebee stage")  # fmt: skip
    scale = Scale(
        "Deployment", Key(KEY.namespace, "gherkin"), 1, 1, "app=gherkin,vicuna=wombat", "apps/v1", "uid-4f1d9a"
    )
    facts: list[Seen] = [
        Seen(NOW, Listed(Kind.HPA, (one,))),
        Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW, "", NOW))),
    ]
    for scope in (SCOPE, EVERYTHING):
        facts += [
            Seen(NOW + 1, Listed(Kind.WORKLOAD, (target,), scope, "Deployment" if scope == EVERYTHING else "")),
            Seen(NOW + 1, Listed(Kind.SCALE, (scale,), scope, "Deployment" if scope == EVERYTHING else "")),
            Seen(NOW + 1, Listed(Kind.OWNER, (link,), scope)),
            Seen(NOW + 1, Listed(Kind.POD, (one_pod,), scope)),
            Seen(NOW + 2, Listed(Kind.POD_USAGE, (sample,), scope)),
        ]
    facts += [
        Seen(NOW + 2, Listed(Kind.EVENT, (told, rescaled), SCOPE)),
        Seen(NOW + 3, LoadChanged(view, "gherkin on")),
        Seen(NOW + 3, shot),
        Seen(NOW + 5, StatusChanged(Kind.HPA, lost)),
        Seen(NOW + 6, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW + 6, "", NOW + 6))),
        Seen(NOW + 7, Upserted(Kind.POD, one_pod, SCOPE)),
        Seen(NOW + 7, Upserted(Kind.HPA, dataclasses.replace(one, resource_version="2", desired_replicas=4))),
    ]
    return facts


def recorded(path: Path, facts: list[Seen], meta: Meta | None = None) -> Path:
    """A recording of facts."""
    recorder = Recorder(path, meta or Meta("zebracorp-prod", "v1.33.1-eks-7c2f1"))
    for seen in facts:
        recorder.take(seen)
    recorder.close()
    assert not recorder.problem
    return path


def all_bytes(path: Path) -> Iterator[bytes]:
    """Every byte of a file, as it is and with whatever is compressed in it unpacked; and each fact's whole text."""
    yield path.read_bytes()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}").fetchall():
                for value in row:
                    data = value.encode() if isinstance(value, str) else value
                    if isinstance(data, bytes):
                        yield data
                        yield from _unpacked(data)
    found = open_recording(path)
    yield repr(found.meta).encode()
    for seen in found.facts(0.0, 1e12):
        what = seen.what
        items = what.items if isinstance(what, Listed) else (what.item,) if isinstance(what, Upserted) else ()
        for item in items:
            yield text_of(LETTERS[type(item)], item)
        yield repr(what).encode()
    found.close()


def _unpacked(data: bytes) -> Iterator[bytes]:
    for start in range(min(len(data), 64)):
        for unpack in (zlib.decompress, gzip.decompress, lzma.decompress, lambda d: zlib.decompress(d, -15)):
            try:
                yield unpack(data[start:])
            except (zlib.error, OSError, lzma.LZMAError, EOFError):
                continue


def names_in(path: Path, names: tuple[str, ...]) -> set[str]:
    """Which of the names are anywhere in a file."""
    return {name for data in all_bytes(path) for name in names if name.lower().encode() in data.lower()}


def test_no_name_is_left_in_an_anonymized_export(tmp_path: Path) -> None:
    source = recorded(tmp_path / "source.db", secret_facts())
    assert len(names_in(source, SECRET)) > len(SECRET) - 5  # the search finds them where they are
    found = open_recording(source)
    for key in (KEY, None):
        done = export(found, tmp_path / "run.hpatui", key=key, since=NOW, until=NOW + 10, anonymize=True)
        assert names_in(done.path, SECRET) == set()
        assert done.hpas == (Key("ns-1", "hpa-1"),)
        assert done.facts > 10


def test_what_is_shown_of_an_anonymized_export_is_the_same(tmp_path: Path) -> None:
    facts, flags, key = facts_of(SMALL[0])
    source = open_recording(recorded(tmp_path / "s.db", facts, Meta("c", "v1.36.2", flags)))
    meta = source.meta
    done = export(source, tmp_path / "run.hpatui", key=key, since=meta.first, until=meta.last, anonymize=True)
    copy = open_recording(done.path)
    assert copy.meta.anonymized
    assert copy.meta.context == "context-1"
    before, after = Player(source, key, meta.first), Player(copy, done.hpas[0], meta.first)
    for step in range(0, 200, 20):
        for player in (before, after):
            player.advance(meta.first + step)
        then, now = (player.store.snapshot(meta.first + step) for player in (before, after))
        assert _numbers(then) == _numbers(now)


def _numbers(snapshot: Snapshot) -> object:
    """What does not name anything."""
    detail = snapshot.detail
    if detail is None or detail.explanation is None:
        return None
    row, told = detail.row, detail.explanation
    return (
        row.state, row.hpa.current_replicas, row.hpa.desired_replicas, row.hpa.targets, told.headline, told.next_size,
        [count.until for count in told.countdowns], told.agreed, told.compared, len(detail.pods), len(detail.events),
        plain(detail.history), [usage.usage and usage.usage.cpu for usage in detail.pods],
        [(condition.type, condition.reason, condition.message) for condition in row.hpa.conditions],
    )  # fmt: skip


def test_one_name_is_one_name_everywhere() -> None:
    anonymizer = Anonymizer()
    anonymizer.look(secret_facts())
    anonymizer.settle()
    facts = list(anonymizer.take(secret_facts()))
    player = Player(MemoryRecording(facts), None, NOW + 10)
    detail = player.store.snapshot(NOW + 10).detail
    assert detail is not None
    assert [row.usage is not None for row in detail.pods] == [True]  # the selector selects, the sample is the pod's
    assert detail.workload is not None
    assert detail.workload.key.name == detail.row.hpa.reference.name
    assert detail.pods[0].pod.owners[0].uid in detail.links
    assert "requests" not in str(detail.row.hpa.raw)
    hpa_ = detail.row.hpa
    assert isinstance(hpa_, Hpa)
    assert json.loads(hpa_.raw)["spec"]["scaleTargetRef"]["name"] == hpa_.reference.name


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("New size: 3; reason: cpu resource utilization (percentage of request) above target", True),
        ("the desired count is within the acceptable range", True),
        ("23.4Mi of 80Mi, 25%/30%, 100m", True),
        ("2026-11-25T03:12:40Z", True),
        ("failed to reach acme-gateway at 10.1.2.3", False),
        ("pods/zorg is forbidden: User bob cannot list", False),
        ("Straße möchte größer", False),
    ],
)
def test_sentences_keep_what_names_nothing(text: str, kept: bool) -> None:
    anonymizer = Anonymizer()
    anonymizer.sentence(text)
    anonymizer.settle()
    made = anonymizer.sentence(text)
    assert (made == text) is kept
    assert not re.search(r"acme|10\.1\.2\.3|zorg|bob|Stra|größ", made)


def test_a_new_name_is_never_an_old_one() -> None:
    anonymizer = Anonymizer()
    for name in ("hpa-1", "hpa-2", "shop"):
        anonymizer.name(name, "hpa")
    anonymizer.settle()
    made = {anonymizer.name(name, "hpa") for name in ("hpa-1", "hpa-2", "shop")}
    assert len(made) == 3
    assert not made & {"hpa-1", "hpa-2", "shop"}


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name.split(".")[0])
def test_traces_become_files_and_replay(path: Path, tmp_path: Path) -> None:
    facts, flags, key = facts_of(path)
    source = open_recording(recorded(tmp_path / "s.db", facts, Meta("c", "v1.36.2", flags)))
    meta = source.meta
    done = export(source, tmp_path / "run.hpatui", key=key, since=meta.first, until=meta.last)
    copy = open_recording(done.path)
    before, after = Player(MemoryRecording(facts, flags), key, meta.first), Player(copy, key, meta.first)
    for step in range(10, int(meta.last - meta.first), 25):
        for player in (before, after):
            player.advance(meta.first + step)
        then, now = (player.store.snapshot(meta.first + step) for player in (before, after))
        assert _numbers(then) == _numbers(now)


def test_only_the_time_asked_for_is_in_it(tmp_path: Path) -> None:
    facts, flags, key = facts_of(SMALL[0])
    source = open_recording(recorded(tmp_path / "s.db", facts, Meta("c", "v1.36.2", flags)))
    meta = source.meta
    done = export(source, tmp_path / "run.hpatui", key=key, since=meta.last - 60, until=meta.last - 30)
    assert abs(done.first - (meta.last - 60)) < 1
    assert meta.last - 46 < done.last <= meta.last - 30
    copy = open_recording(done.path)
    assert Player(copy, key, done.last).store.snapshot(done.last).detail is not None  # what was known before is in it


def test_a_folder_that_takes_nothing_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    source = open_recording(recorded(tmp_path / "s.db", secret_facts()))
    with pytest.raises(
        HpatuiError, match=r"run\.hpatui cannot be written: No such file or directory; choose another place"
    ):
        export(source, tmp_path / "no" / "run.hpatui", key=KEY, since=NOW, until=NOW + 10)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(HpatuiError, match="nothing was recorded of that"):
        export(source, tmp_path / "run.hpatui", key=Key("a", "b"), since=NOW + 8, until=NOW + 8)
    assert not (tmp_path / "run.hpatui").exists()
    assert [path for path in sorted(tmp_path.iterdir()) if path.suffix == ".part"] == []
    assert before


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [(None, None, (0.0, 100.0)), ("10s", None, (90.0, 100.0)), ("1h", None, (0.0, 100.0)), ("-20s", "-5s", (80.0, 95.0)),
     ("10s", "-50s", (40.0, 50.0))],
)  # fmt: skip
def test_ranges(since: str | None, until: str | None, found: tuple[float, float]) -> None:
    first = 1_780_000_000.0
    got = range_of(Meta(first=first, last=first + 100), since, until)
    assert (got[0] - first, got[1] - first) == found


@pytest.mark.parametrize(("since", "until"), [("-5s", "-20s"), ("soon", None), (None, "soon"), ("-1d", None)])
def test_ranges_that_are_none(since: str | None, until: str | None) -> None:
    first = 1_780_000_000.0
    with pytest.raises(UsageError):
        range_of(Meta(first=first, last=first + 100), since, until)
