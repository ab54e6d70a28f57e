"""The installed program without a screen, against a real sandbox: what it prints, its exit codes, its one-line errors."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


def _hpatui(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hpatui", *args],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _one_line(done: subprocess.CompletedProcess[str], *words: str, code: int = 2) -> None:
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("hpatui: ")
    for word in words:
        assert word in lines[0]


def test_watch_once_json_has_kubectls_targets(kubeconfig: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    for _ in range(5):  # the numbers may change between the two looks
        done = _hpatui("watch", "--once", "--json", "--kubeconfig", kubeconfig)
        assert done.returncode == 0, done.stderr
        command = ["kubectl", "--kubeconfig", kubeconfig, "get", "hpa", "-n", "heyongjia", "--no-headers"]
        table = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        (hpa,) = json.loads(done.stdout)["hpas"]
        cells = re.split(r"\s{2,}", table.strip())
        if cells[2] == hpa["targets"]:
            break
    assert cells[:3] == ["php-apache-hpa", "Deployment/php-apache", hpa["targets"]]
    assert [int(cell) for cell in cells[3:6]] == [hpa["min"], hpa["max"], hpa["current"]]


def test_details_have_pods_and_events(kubeconfig: str) -> None:
    done = _hpatui("watch", "--once", "--json", "--details", "--kubeconfig", kubeconfig)
    (hpa,) = json.loads(done.stdout)["hpas"]
    assert [pod["cpu_request_m"] for pod in hpa["pods"]] == [100.0]
    assert any(event["reason"] == "ScalingReplicaSet" for event in hpa["events"])
    assert {source["state"] for source in hpa["sources"].values()} == {"live"}


def test_watch_prints_a_table_and_describe_and_explain_a_text(kubeconfig: str) -> None:
    where = ("--kubeconfig", kubeconfig)
    assert "php-apache-hpa" in _hpatui("watch", "--once", *where).stdout
    assert _hpatui("describe", "php-apache-hpa", *where).stdout.startswith("Name:  ")
    assert "cpu" in _hpatui("explain", "heyongjia/php-apache-hpa", *where).stdout
    explained = json.loads(_hpatui("explain", "php-apache-hpa", "--json", *where).stdout)
    assert explained["name"] == "php-apache-hpa"
    assert explained["lines"]


def test_load_reports_what_the_pods_served(kubeconfig: str) -> None:
    done = _hpatui("load", "php-apache-hpa", "--rate", "5", "--duration", "2s", "--json", "--kubeconfig", kubeconfig)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["requests"] == 10
    assert result["status"] == {"200": 10}
    assert result["errors"] == 0


def test_a_missed_threshold_is_exit_code_1(kubeconfig: str) -> None:
    done = _hpatui(
        "load",
        "php-apache-hpa",
        "--rate",
        "5",
        "--duration",
        "1s",
        "--max-p95",
        "0.001ms",
        "--kubeconfig",
        kubeconfig,
    )
    _one_line(done, "p95", code=1)


def test_no_kubeconfig_mentions_the_demo(tmp_path: Path) -> None:
    env = {"KUBECONFIG": str(tmp_path / "none"), "HOME": str(tmp_path)}
    _one_line(_hpatui("watch", "--once", env=env), "no kubeconfig", "hpatui demo")


def test_unknown_context_namespace_and_hpa(kubeconfig: str) -> None:
    where = ("--kubeconfig", kubeconfig)
    _one_line(_hpatui("watch", "--once", "--context", "nope", *where), "no context 'nope'", "hpatui-sandbox")
    _one_line(_hpatui("watch", "--once", "-n", "nope", *where), "no namespace 'nope'", "heyongjia")
    _one_line(_hpatui("describe", "nope", *where), "no HPA nope", "php-apache-hpa")


def _changed(kubeconfig: str, tmp_path: Path, **values: str) -> str:
    config = yaml.safe_load(Path(kubeconfig).read_text())
    if "server" in values:
        config["clusters"][0]["cluster"]["server"] = values["server"]
    if "token" in values:
        config["users"][0]["user"]["token"] = values["token"]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_refusing_server_and_wrong_credentials(kubeconfig: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = _changed(kubeconfig, tmp_path, server=f"http://127.0.0.1:{port}")
    _one_line(_hpatui("watch", "--once", "--kubeconfig", config), "cannot connect to 127.0.0.1")
    config = _changed(kubeconfig, tmp_path, token="wrong-secret-token")
    done = _hpatui("watch", "--once", "--kubeconfig", config)
    _one_line(done, "does not accept the credentials")
    assert "wrong-secret-token" not in done.stderr + done.stdout


def test_port_in_use_and_unwritable_file(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        _one_line(_hpatui("sandbox", "--port", port, "--kubeconfig-out", str(tmp_path / "k")), f"port {port} is in use")
    _one_line(_hpatui("sandbox", "--kubeconfig-out", str(tmp_path / "no" / "folder")), "cannot write")


def test_unknown_scenario_and_bad_rates(kubeconfig: str) -> None:
    where = ("--kubeconfig", kubeconfig)
    _one_line(_hpatui("demo", "--scenario", "nope"), "no scenario 'nope'", "walkthrough")
    _one_line(_hpatui("load", "php-apache-hpa", "--rate", "0", *where), "is no load")
    _one_line(_hpatui("load", "php-apache-hpa", "--rate", "500", *where), "more than the limit of 200", "--max-rate")
    _one_line(_hpatui("load", "http://192.0.2.1/", "--rate", "1", *where), "outside this machine", "--allow-host")
    _one_line(_hpatui("load", "http://169.254.169.254/", "--rate", "1", *where), "link-local")


def test_without_a_terminal_the_plain_front_end_takes_over(kubeconfig: str) -> None:
    command = [sys.executable, "-m", "hpatui", "--kubeconfig", kubeconfig]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("NAMESPACE")
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "printing lines instead" in err
    assert "Traceback" not in err


def test_a_closed_pipe_is_no_error(kubeconfig: str) -> None:
    command = f"{sys.executable} -m hpatui watch --json --kubeconfig {kubeconfig} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout)["hpas"]
    assert "Traceback" not in done.stderr


def test_the_example_is_applied_watched_and_removed(kubeconfig: str) -> None:
    where = ("-n", "try", "--kubeconfig", kubeconfig)
    done = _hpatui("example", "apply", *where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "Deployment php-apache created"
    assert "is there" in _hpatui("example", "apply", *where).stdout
    watched = json.loads(_hpatui("watch", "--once", "--json", *where).stdout)
    assert [hpa["name"] for hpa in watched["hpas"]] == ["php-apache-hpa"]
    done = _hpatui("example", "remove", *where)
    assert "HorizontalPodAutoscaler php-apache-hpa deleted" in done.stdout
    assert "kubectl delete namespace try" in done.stdout
    assert json.loads(_hpatui("watch", "--once", "--json", *where).stdout)["hpas"] == []


def test_the_example_touches_nothing_of_others(kubeconfig: str) -> None:
    where = ("-n", "heyongjia", "--kubeconfig", kubeconfig)  # the scenario's own objects
    _one_line(_hpatui("example", "apply", *where), "Deployment php-apache in namespace heyongjia is not hpatui's")
    done = _hpatui("example", "remove", *where)
    assert "deleted" not in done.stdout
    assert len(json.loads(_hpatui("watch", "--once", "--json", *where).stdout)["hpas"]) == 1


def test_the_example_s_yaml_needs_no_cluster() -> None:
    done = _hpatui("example", "print", env={"KUBECONFIG": "/nonexistent"})
    kinds = [item["kind"] for item in yaml.safe_load_all(done.stdout)]
    assert kinds == ["Namespace", "Deployment", "Service", "HorizontalPodAutoscaler"]
