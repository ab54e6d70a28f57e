"""`hpatui load` as scripts use it: against a URL, through the sandbox's API server, and by port-forwards to its pods."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hdrh.log import HistogramLogReader

_RESULT_KEYS = {
    "requests", "errors", "duration_s", "offered_rate", "achieved_rate", "in_flight_max", "bytes", "status", "error_kinds",
    "latency_ms", "service_time_ms", "late_start_ms", "stages", "per_second",
}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/slow"):
            time.sleep(0.15)
        self.send_response(500 if self.path.startswith("/bad") else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


def _load(*args: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hpatui", "load", *args],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_result_has_the_keys_that_scripts_rely_on(url: str) -> None:
    done = _load(url, "--rate", "40", "--duration", "2s", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result.keys() >= _RESULT_KEYS
    assert result["requests"] == 80
    assert result["status"] == {"200": 80}
    assert set(result["latency_ms"]) == {"p50", "p90", "p95", "p99", "p999", "max", "mean"}
    assert set(result["late_start_ms"]) == {"p50", "p99", "max"}
    assert sum(second["sent"] for second in result["per_second"]) == 80


@pytest.mark.parametrize(
    ("path", "limit", "code", "words"),
    [
        ("", ("--max-p95", "5s"), 0, ""),
        ("slow", ("--max-p95", "100ms"), 1, "p95 is"),
        ("bad", ("--max-errors", "1%"), 1, "failed or stayed unserved"),
        ("bad", ("--max-errors", "100%"), 0, ""),
    ],
)
def test_a_missed_threshold_is_exit_code_1(url: str, path: str, limit: tuple[str, str], code: int, words: str) -> None:
    done = _load(url + path, "--rate", "20", "--duration", "1s", *limit)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_csv_has_a_line_a_second_and_the_log_can_be_read_back(url: str, tmp_path: Path) -> None:
    log = tmp_path / "run.hlog"
    for _ in range(2):
        done = _load(url, "--rate", "30", "--duration", "2s", "--csv", "--hdr-log", str(log))
        assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sum(int(row["sent"]) for row in rows) == 60
    reader = HistogramLogReader(str(log), _empty())
    counts = []
    while (histogram := reader.get_next_interval_histogram()) is not None:
        counts.append(histogram.get_total_count())
    assert counts == [60, 60]


def _empty() -> object:
    from hdrh.histogram import HdrHistogram

    return HdrHistogram(1, 60_000_000, 3)


def test_an_interrupt_ends_the_run_with_its_result(url: str) -> None:
    command = [sys.executable, "-m", "hpatui", "load", url, "--rate", "20", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.readline() + process.stdout.readline()  # a second is over
        process.send_signal(signal.SIGINT)
        output += process.stdout.read()
    assert process.returncode == 130, "interrupted, though it had no end of its own"
    assert json.loads(output)["requests"] >= 10
    assert json.loads(output)["ended"] == "interrupted"


def test_port_forwards_reach_the_pods(kubeconfig: str) -> None:
    flags = ("--kubeconfig", kubeconfig, "-n", "heyongjia", "--via", "port-forward")
    done = _load("php-apache-hpa", *flags, "--rate", "5", "--duration", "3s", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["requests"], result["errors"]) == (15, 0)


def test_a_service_by_name_and_port(kubeconfig: str) -> None:
    done = _load("svc/heyongjia/php-apache:80", "--kubeconfig", kubeconfig, "--rate", "5", "--duration", "2s", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == {"200": 10}


def test_a_stage_ends_when_the_hpa_has_scaled(kubeconfig: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[stage]]\nrate = 40\nuntil = "replicas>=2"\nmax = "70s"\n[[stage]]\nrate = 5\nfor = "1s"\n')
    done = _load("heyongjia/php-apache-hpa", "--kubeconfig", kubeconfig, "--plan", str(plan), "--json", timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["duration_s"] < 60


def test_capacity_is_found_and_replicas_are_predicted(url: str) -> None:
    done = _load(url + "slow", "--find-capacity", "--rate", "5", "--max-rate", "10", "--duration", "3s", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["knee"] == 10
    assert [step["rate"] for step in found["steps"]] == [5, 7.5, 10]
    assert found["why"] == "the limit of the rate (--max-rate) was reached"


def test_an_interrupted_search_for_capacity_keeps_its_steps(url: str, tmp_path: Path) -> None:
    log = tmp_path / "steps.hlog"
    words = ["--find-capacity", "--rate", "20", "--duration", "3s", "--csv", "--hdr-log", str(log)]
    with subprocess.Popen(
        [sys.executable, "-m", "hpatui", "load", url, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        output, said = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130
    assert "20/s" in first and "fine" in first
    assert "carried well up to 20 requests/s" in said and "ended early: interrupted" in said
    rows = list(csv.DictReader(io.StringIO(output)))
    assert len(rows) >= 3
    assert HistogramLogReader(str(log), _empty()).get_next_interval_histogram().get_total_count() == 20


def test_a_run_that_is_interrupted_before_its_end_is_no_success(url: str) -> None:
    for words in (["--duration", "30s"], ["--stages", "20/s for 10s; 5/s for 9s"]):
        command = [sys.executable, "-m", "hpatui", "load", url, *words, "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            begin = process.stdout.readline() + process.stdout.readline()
            process.send_signal(signal.SIGINT)
            output = process.stdout.read()
        assert process.returncode == 130
        assert json.loads(begin + output)["ended"] == "interrupted"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("http://192.0.2.1/",), "--allow-host 192.0.2.1"),
        (("http://169.254.169.254/",), "load never goes there"),
        (("ftp://x/",), "is no http or https URL"),
        (("http://127.0.0.1:1/", "--rate", "0"), "give a rate above 0"),
        (("http://127.0.0.1:1/", "--rate", "1e9"), "--max-rate"),
        (("http://127.0.0.1:1/", "--rate", "5", "--concurrency", "5"), "closed model"),
        (("http://127.0.0.1:1/", "--workers", "0"), "1 to 64"),
        (("http://127.0.0.1:1/", "--plan", "/nowhere"), "cannot read /nowhere"),
        (("http://127.0.0.1:1/", "--stages", "5/s until min"), "until"),
        (("http://127.0.0.1:1/", "--via", "proxy"), "needs an HPA"),
        (("https://127.0.0.1:1/", "--ca", "/nowhere"), "TLS files"),
        (("http://127.0.0.1:1/", "--json", "--csv"), "give one of them"),
        (("http://127.0.0.1:1/", "--connections", "sometimes"), "no duration"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(args: tuple[str, ...], words: str) -> None:
    done = _load(*args, "--duration", "1s")
    assert done.returncode == 2, done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr
