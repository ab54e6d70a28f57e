"""Experiments that cannot be: one clear line each, exit code 2, and the cluster is as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.cli import main
from tests.sandboxes import ask, sandbox

KINDS = (
    "/api/v1/namespaces", "/api/v1/configmaps", "/api/v1/services", "/apis/apps/v1/deployments", "/apis/batch/v1/jobs",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
)  # fmt: skip
HPA = 'hpa = "php-apache-hpa"\n'
LOAD = '[[load.stage]]\nname = "busy"\nrate = 5\nfor = "10s"\n'
GOOD = HPA + LOAD
WEB = (Path(__file__).parents[3] / "examples/spike.yaml").read_text()
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: made, namespace: {}}}\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sandbox(tmp_path_factory.mktemp("sandbox") / "kubeconfig", "--speed", "5") as path:
        yield path


@pytest.fixture(scope="module")
def as_it_was(cluster: str) -> dict[str, Any]:
    return seen(cluster)


@pytest.fixture
def refused(
    cluster: str,
    as_it_was: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Runs an experiment that must be refused, and says what it said: its last line, without the folder."""
    monkeypatch.setenv("HPATUI_STATE_DIR", str(tmp_path / "state"))

    def run(text: str | bytes, *flags: str, file: str = "x.toml", way: str = cluster, **files: str) -> str:
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        if text:
            (tmp_path / "x.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        words = ["run", str(tmp_path / file), "--on", "hpatui-sandbox", "--kubeconfig", way, *flags]
        assert main(words) == 2
        out, said = capsys.readouterr()
        if (tmp_path / "state/experiments").is_dir():  # it came as far as a cluster
            assert seen(cluster) == as_it_was
            assert not list(tmp_path.glob("state/experiments/*"))
        lines = [
            line for line in said.splitlines() if not re.match(r"hpatui: (connecting|creating|waiting|chang)", line)
        ]
        assert len(lines) == 1 and lines[0].startswith("hpatui: "), said
        assert "Traceback" not in out + said
        return lines[0].replace(f"{tmp_path}/", "")

    return run


def seen(kubeconfig: str) -> dict[str, Any]:
    """What a run could have left."""
    found: dict[str, Any] = {"faults": ask(kubeconfig, "/sandbox/v1/faults")["faults"]}
    for path in KINDS:
        for item in ask(kubeconfig, path)["items"]:
            meta = item["metadata"]
            spec = item["spec"] if "autoscal" in path else ""
            found[f"{path} {meta.get('namespace')} {meta['name']}"] = spec
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HPA}repat = 2\n{LOAD}", "x.toml:2: repat is no known key; did you mean 'repeat'?"),
        (f"{HPA}[prepare]\nstabel = '3s'\n{LOAD}", "x.toml:3: prepare: stabel is no known key; did you mean 'stable'?"),
        (f"{HPA}{LOAD}ratte = 5\n", "did you mean 'rate'?"),
        (f"{HPA}repeat = 'often'\n{LOAD}", "x.toml:2: repeat is 'often'; it takes a whole number"),
        (f"{HPA}expect = 'errors < 1%'\n{LOAD}", "x.toml:2: expect is 'errors < 1%'; it takes a list"),
        (f"{HPA}load = 'much'\n", "x.toml:2: load is 'much'; it takes a table"),
        (f"{HPA}repeat = 0\n{LOAD}", "x.toml:2: repeat is 0; 1 or more"),
        (f"{HPA}variant = []\n{LOAD}", "x.toml:2: there is no variant"),
        (f"{HPA}[[variant]]\nspec = {{}}\n{LOAD}", "x.toml:2: variant (number 1) has no name"),
        (f"{HPA}[[variant]]\nname = 'a'\n[[variant]]\nname = 'a'\n{LOAD}", "a variant's name is 'a'; give each its own"),
        (f"{HPA}{LOAD}{LOAD}", "two stages are called 'busy'"),
        (f"{HPA}{LOAD}" + 2 * "[[fault]]\nfault = 'metrics-down'\nat = 'start'\n", "two faults are called 'metrics-down'"),
        (f"{HPA}expect = ['replcas >= 3 within 60s of start']\n{LOAD}", "did you mean 'replicas'"),
        (f"{HPA}expect = ['p95 < 250 after stable']\n{LOAD}", "says no unit"),
        (f"{HPA}expect = ['errors < 5ms']\n{LOAD}", "x.toml:2: "),
        (f"{HPA}expect = ['']\n{LOAD}", "x.toml:2: "),
        (f"{HPA}[sandbox]\nscenario = 'walkthru'\n{LOAD}", "no scenario 'walkthru'"),
        ("", "x.toml: No such file"),
        (b"\xff\xfe\x00", "it is no text"),
        (b"{'a': 1}", "correct the TOML"),
        ("name: x\nhpa: web\n", "correct the TOML"),
        (" \n", "x.toml is empty"),
        (HPA, "there is no load"),
        ('[load]\nplan = "gone.toml"\n', "gone.toml"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(refused: Any, text: str | bytes, words: str) -> None:
    assert words in refused(text).replace("cannot read x.toml:", "x.toml:")


@pytest.mark.parametrize(
    ("yamls", "words"),
    [
        ("{a: [", "a.yaml:1 is no YAML"),
        ("just a text", "no Kubernetes object"),
        ("", "a.yaml holds no object"),
        ("apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n", "objects of kind Foo are not created here"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad!}\n", "no name that Kubernetes takes"),
        (WEB + "---\n" + WEB, "Namespace experiment stands twice among the objects"),
        (WEB.replace("maxReplicas: 8", "maxReplicas: 0"), "maxReplicas: Required value"),
        (WEB.replace("maxReplicas: 8", "maxReplicas: 8\n  stabilization: 3"), 'unknown field "spec.stabilization"'),
        (WEB.replace("maxReplicas: 8", "maxReplicas: many"), "spec.maxReplicas of type int32"),
        (WEB.replace("name: web\n          image", "name: Web_1\n          image"), "Invalid value"),
        (WEB.replace("apps/v1", "apps/v0"), "could not find the requested resource"),
        (WEB.replace("apps/v1", "app/v1", 1), "Deployment web has apiVersion app/v1; write apps/v1"),
        (MAP.format("nowhere"), "there is no namespace nowhere"),
        (MAP.format("heyongjia") + "data: {a: 3}\n", "data"),
    ],
)  # fmt: skip
def test_objects_that_cannot_be_created(refused: Any, yamls: str, words: str) -> None:
    """Also where those before it in the file were."""
    hpa = HPA if "ConfigMap" in yamls else ""
    assert words in refused(f'{hpa}objects = ["a.yaml"]\n{LOAD}', a=yamls)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"hpa = 'nosuch'\n{LOAD}", "there is no HPA heyongjia/nosuch"),
        (f"namespace = 'nowhere'\nhpa = 'web'\n{LOAD}", "there is no HPA nowhere/web"),
        (f"{HPA}expect = ['replicas >= 9 within 1m of start']\n{LOAD}", "can never hold: the HPA has minReplicas 1"),
        (f"{HPA}[[variant]]\nname = 'v'\nspec = {{maxReplicas = 'x'}}\n{LOAD}", "maxReplicas"),
        (f"{HPA}[[variant]]\nname = 'v'\nspec = {{maxReplcas = 4}}\n{LOAD}", 'unknown field "spec.maxReplcas"'),
        (f"{HPA}[[variant]]\nname = 'v'\nspec = {{minReplicas = 9}}\n{LOAD}", "must be greater than or equal"),
        (f"{HPA}[load]\nurl = 'http://192.0.2.1/'\n{LOAD}", "to http://192.0.2.1/, on context hpatui-sandbox"),
        (f"{HPA}[load]\nurl = 'ftp://127.0.0.1/'\n{LOAD}", "is no http or https URL"),
        (f"{HPA}[prepare]\nreplicas = 3\nwithin = '2s'\n{LOAD}", "did not become stable within 2 s"),
    ],
)  # fmt: skip
def test_what_the_cluster_does_not_have_or_take(refused: Any, text: str, words: str) -> None:
    assert words in refused(text)


def test_a_cluster_that_is_away(refused: Any, cluster: str, tmp_path: Path) -> None:
    config = yaml.safe_load(Path(cluster).read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "away").write_text(yaml.safe_dump(config))
    assert "cannot connect to 127.0.0.1:1" in refused(GOOD, way=str(tmp_path / "away"))
    assert "there is no context 'other'" in refused(GOOD, "--on", "other")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--repeat", "0"), "'0' is no number from 1 to 100"),
        (("--repeat", "two"), "'two' is no number"),
        (("--speed", "5"), "--speed is for a sandbox of the run's own"),
        (("--on", "sandbox", "--speed", "0"), "not between 0.1 and 100"),
        (("--html", "/nowhere/x.html"), "cannot write /nowhere/x.html"),
        (("--junit", "/"), "/ is a folder"),
    ],
)
def test_flags(refused: Any, flags: tuple[str, ...], words: str) -> None:
    assert words in refused(GOOD, *flags)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[prepare]\nreplicas = 3\nwithin = '2s'\n", "did not become stable within 2 s (1 replicas, 1 wanted, to begin"),
        ("expect = ['replicas >= 9 within 1m of start']\n", "can never hold: the HPA has minReplicas 1 and maxReplicas 3"),
    ],
)  # fmt: skip
def test_what_ends_a_run_stands_in_its_reports(refused: Any, tmp_path: Path, text: str, reason: str) -> None:
    reports = [f"--{kind}={tmp_path}/report.{kind}" for kind in ("html", "junit", "markdown")]
    assert reason in refused(HPA + text + LOAD, *reports)
    for kind in ("html", "junit", "markdown"):
        assert reason in (tmp_path / f"report.{kind}").read_text()
