"""HPAs made after public questions, applied with the real kubectl to one sandbox: what doctor and explain say, and that every
command which doctor prints can be run and does what it says.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import KUBECTL
from tests.contract.doctor.test_over_http import hpatui
from tests.sandboxes import sandbox

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

FIELD = Path(__file__).parents[2] / "data" / "field"
WITHIN = 60.0
CHANGES = ("patch", "label", "set", "delete", "scale")
Report = dict[str, Any]

HPA_OF_RS = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: rsown}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: ReplicaSet, name: RS}
  minReplicas: 1
  maxReplicas: 6
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}
"""


class Field:
    """A sandbox with all cases in it."""

    def __init__(self, kubeconfig: str) -> None:
        self.kubeconfig = Path(kubeconfig)
        self.reports: dict[str, Report] = {}

    def kubectl(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """kubectl with these arguments; what an editor would be opened for stays as it is."""
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KUBE_EDITOR": "true"}
        return subprocess.run(
            [str(KUBECTL), *arguments], input=given, text=True, capture_output=True, env=env, timeout=60, check=False
        )

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command as a person would paste it."""
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KUBE_EDITOR": "true"}
        return subprocess.run(["bash", "-c", command], text=True, capture_output=True, env=env, timeout=60, check=False)

    def report(self, namespace: str, holds: Callable[[Report], bool]) -> Report:
        """The doctor's report, asked for again until it holds; at most a minute."""
        deadline = time.monotonic() + WITHIN
        while True:
            code, out, err = asyncio.run(hpatui(self.kubeconfig, "doctor", "-n", namespace, "--json"))
            assert code in (0, 1), err
            value: Report = json.loads(out)
            if holds(value) or time.monotonic() > deadline:
                self.reports[namespace] = value
                return value
            time.sleep(0.5)

    def explain(self, hpa: str, holds: Callable[[str], bool]) -> str:
        """explain's text, asked for again until it holds."""
        deadline = time.monotonic() + WITHIN
        while True:
            _, out, err = asyncio.run(hpatui(self.kubeconfig, "explain", hpa))
            if holds(out) or time.monotonic() > deadline:
                return out or err
            time.sleep(0.5)

    def commands(self) -> dict[str, str]:
        """All commands of all reports so far, with what they are of."""
        found = [(c["command"], f"{ns} {c['id']}") for ns, r in self.reports.items() for c in r["checks"]]
        return {command: of for command, of in found if command.startswith("kubectl ")}


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with sandbox(tmp_path_factory.mktemp("field") / "config", "--scenario", "no-adapter") as kubeconfig:
        found = Field(kubeconfig)
        found.kubectl("apply", "-f", str(FIELD / "manifests" / "00-targets.yaml"))
        done = found.kubectl("apply", "-f", str(FIELD / "hpa"), "-f", str(FIELD / "manifests"))
        assert done.returncode == 0, done.stderr
        names = found.kubectl("-n", "rsown", "get", "rs", "-o", "jsonpath={.items[0].metadata.name}").stdout
        assert found.kubectl("apply", "-f", "-", given=HPA_OF_RS.replace("RS}", f"{names}}}")).returncode == 0
        yield found


def _reasons(report: Report, id_: str) -> str:
    return "\n".join(
        f"{c['about']}: {c['reason']}"
        for c in report["checks"]
        if c["id"] == id_ and c["outcome"] in ("failed", "warning")
    )


DOCTOR = [
    ("twoc", "at-max", "wants 7 replicas and may not go above maxReplicas 3"),
    (
        "jobs",
        "foreign-pods",
        "finished pod of Job/nightly-report matches the selector app=web.*container report of .* has no cpu request",
    ),
    ("wrongc", "metrics", "cpu of applicaton can never be read: no pod .* has a container applicaton; there is app"),
    ("behave", "rate-limited", "downoff: never scales down: scaleDown.selectPolicy is Disabled"),
    ("rsown", "target", "belongs to Deployment/web, whose controller sets its size back at once"),
    ("unreach", "reachable", "at most 100 % of the request .*, and the target is 150 %"),
    ("unreach", "size-fixed", "fixed: minReplicas = maxReplicas = 3: .*can never scale"),
    (
        "done",
        "foreign-pods",
        "3 finished pods of Job/migrate match .*count as 100 % of the request on the way down.*not busy",
    ),
    (
        "stuck",
        "not-ready",
        "3 pods not ready: never started: init container migrate crashes again and again; .*0 on the way up, left out on",
    ),
    ("shop", "metrics", "ephemeral-storage can never be read"),
    ("shop", "size-fixed", "can never scale"),
]


@pytest.mark.parametrize(
    ("namespace", "id_", "words"), DOCTOR, ids=[f"{row[0]}-{row[1]}-{n}" for n, row in enumerate(DOCTOR)]
)
def test_what_the_doctor_says(field: Field, namespace: str, id_: str, words: str) -> None:
    report = field.report(namespace, lambda r: re.search(words, _reasons(r, id_)) is not None)
    assert re.search(words, _reasons(report, id_)), json.dumps(
        [c for c in report["checks"] if c["outcome"] != "ok"], indent=1
    )


EXPLAIN = [
    ("twoc/web", "^twoc/web: cpu of app is 1.. % of 60 %: wants 7, capped at maxReplicas 3"),
    ("jobs/web", "Job/nightly-report matches the target's selector, and its container report has no cpu request"),
    ("wrongc/web", "blind: no pod has a container applicaton; there is app"),
    ("behave/downoff", "down: never scales down: scaleDown.selectPolicy is Disabled"),
    ("rsown/web", "belongs to Deployment/web, which undoes every rescale"),
    ("unreach/web", "up: never on cpu: its limit allows at most 100 % of the request"),
    ("unreach/fixed", "nothing: minReplicas = maxReplicas = 3: it can never scale"),
    ("done/web", "3 finished pods of Job/migrate count as 100 % of the request"),
    ("stuck/init", r"never started \(init container migrate crashes\)"),
    ("tol/over", "within the 50 % tolerance"),
]


@pytest.mark.parametrize(("hpa", "words"), EXPLAIN, ids=[row[0] for row in EXPLAIN])
def test_what_explain_says(field: Field, hpa: str, words: str) -> None:
    text = field.explain(hpa, lambda out: re.search(words, out, re.MULTILINE) is not None)
    assert re.search(words, text, re.MULTILINE), text


@pytest.mark.parametrize("name", ["39-ref-appsv1beta2", "41-ref-lowerkind"])
def test_the_version_and_the_case_of_a_reference_do_not_matter(field: Field, name: str) -> None:
    hpa = field.kubectl(
        "get",
        "-f",
        str(FIELD / "manifests" / f"{name}.yaml"),
        "-o",
        "jsonpath={.items[-1:].metadata.name}{.metadata.name}",
    ).stdout
    report = field.report("shop", lambda r: True)
    assert f"/{hpa}:" not in _reasons(report, "target")
    text = field.explain(f"shop/{hpa}", lambda out: "not known here" not in out and "cannot read" not in out)
    assert "cannot read" not in text and "not known here" not in text, text


def test_every_command_can_be_run(field: Field) -> None:
    """Those that change something are asked of the server without changing it."""
    for namespace in {row[0] for row in DOCTOR} | {"podsmiss"}:
        if namespace not in field.reports:
            field.report(namespace, lambda r: True)
    commands = field.commands()
    assert len(commands) >= 10
    for command, of in commands.items():
        line = command.split("  # ")[0]
        verb = next(
            word
            for word in line.split()[1:]
            if not word.startswith("-") and word not in {n for n, _ in ((of.split()[0], 0),)}
        )
        if verb in CHANGES and "--dry-run" not in line:
            line += " --dry-run=server"
        done = field.shell(line)
        if "get --raw" in line or line.endswith("| grep external.metrics.k8s.io") or "apiservices | grep" in line:
            assert "unknown" not in done.stderr.lower(), f"{of}: {line}\n{done.stderr}"
            continue  # asks for what is missing: the answer is the point
        assert done.returncode == 0, f"{of}: {line}\n{done.stderr}"


def test_mends_do_what_they_say(field: Field) -> None:
    """The target of a ReplicaSet, a wrong container and a finished Job's pods, mended for good: the finding is gone."""
    for namespace, id_ in (
        ("rsown", "target"),
        ("wrongc", "metrics"),
        ("done", "foreign-pods"),
        ("unreach", "reachable"),
    ):
        report = field.report(namespace, lambda r, id_=id_: bool(_reasons(r, id_)))  # type: ignore[misc]
        commands = [c["command"] for c in report["checks"] if c["id"] == id_ and c["outcome"] in ("failed", "warning")]
        for command in commands:
            done = field.shell(command)
            assert done.returncode == 0, f"{command}\n{done.stderr}"
        after = field.report(namespace, lambda r, id_=id_: not _reasons(r, id_))  # type: ignore[misc]
        assert not _reasons(after, id_), _reasons(after, id_)
