"""Who may talk to a sandbox, what its clock says, and how a data plane that is gone ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import yaml

from hpatui.clock import parse_rfc3339

from .conftest import Client

PODS = "/api/v1/namespaces/heyongjia/pods"
SERVICE = "/api/v1/namespaces/heyongjia/services/php-apache"


@pytest.mark.parametrize("header", [("Origin", "https://pages.example"), ("Host", "rebound.example:80")])
def test_web_pages_are_refused(walkthrough: Client, header: tuple[str, str]) -> None:
    token = {"Authorization": f"Bearer {walkthrough.token}"}
    request = urllib.request.Request(walkthrough.handle.url + PODS, headers={**token, header[0]: header[1]})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 403


def test_the_date_is_the_clusters(walkthrough: Client) -> None:
    """At five times the speed the cluster is ahead of us; its Date says how far, and nothing is from the future."""
    walkthrough.kubectl("run", "now", "--image=pause", "-n", "default")
    created = walkthrough.get("/api/v1/namespaces/default/pods/now")["metadata"]["creationTimestamp"]
    with walkthrough.open(PODS) as answer:
        date = parsedate_to_datetime(answer.headers["Date"])
    assert 0 <= (date - parse_rfc3339(created)).total_seconds() < 60


def test_a_services_own_port_answers(walkthrough: Client) -> None:
    def url() -> str:
        found: str = walkthrough.get(SERVICE)["metadata"].get("annotations", {}).get("sandbox.hpatui.dev/url", "")
        return found

    with urllib.request.urlopen(walkthrough.until(url), timeout=20) as answer:
        assert answer.read() == b"OK!"
        assert answer.headers["X-Pod-Name"].startswith("php-apache-")


def test_without_its_data_plane_it_ends_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hpatui", "sandbox", "--kubeconfig-out", str(tmp_path / "kubeconfig")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        assert process.wait(20) == 2
        assert process.stderr.read() == "hpatui: the sandbox's data plane ended by itself; start the sandbox again\n"


def test_clients_that_go_away_leave_no_trace(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hpatui", "sandbox", "--kubeconfig-out", str(tmp_path / "kubeconfig")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        url = process.stdout.readline().split()[2]
        user = yaml.safe_load((tmp_path / "kubeconfig").read_text())["users"][0]["user"]
        who = {"Authorization": f"Bearer {user['token']}"}
        for path in (f"{PODS}?watch=1", "/api/v1/events?watch=1", "/api/v1/pods"):
            watches = [
                urllib.request.urlopen(urllib.request.Request(url + path, headers=who), timeout=20) for _ in range(3)
            ]
            for watch in watches:
                watch.close()
        body = b'{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "wake"}}'
        posted = urllib.request.Request(f"{url}/api/v1/namespaces/default/configmaps", body, who, method="POST")
        posted.add_header("Content-Type", "application/json")
        urllib.request.urlopen(posted, timeout=20).close()
        time.sleep(1.0)
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
