"""The load engine against wrk, hey, ab and Locust: CPU a request, the rate achieved, late starts; the same nginx for all.

CPU is that of the generator and its children, as the difference between a long and a short run, so that neither starting
up nor loading code counts. Generators run on one core, nginx on another. Tools that are not installed are left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import Table
from hpatui.load.jobs import Place, locust_objects
from hpatui.load.plan import KEPT, LoadPlan
from tests.terminal.driver import HPATUI

_PORT, _TLS_PORT = 18471, 18472
_SHORT, _LONG = 1, 5
_ROUNDS = 3
_CONNECTIONS = 32
_CONF = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error crit;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 3600;
  server {{ listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{tls} ssl backlog=4096;
    ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key;
    location / {{ return 200 "ok\\n"; }} location /d/ {{ alias {folder}/; }} }} }}
"""


def main() -> list[Table]:
    """Run all of it; about five minutes. Nothing but a line where nginx is missing."""
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        return [Table("Load engine", ("what",), (("nginx is not installed: apt-get install nginx-light",),))]
    with _nginx():
        return [_cpu(), _open_cpu(), _memory(), _rates(), _workers()]


@contextmanager
def _nginx() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-keyout", f"{folder}/key", "-out", f"{folder}/cert"], check=True, capture_output=True,
        )  # fmt: skip
        for name, size in (("10k", 10 << 10), ("1m", 1 << 20)):
            (Path(folder) / name).write_bytes(os.urandom(size))
        conf = Path(folder) / "conf"
        conf.write_text(_CONF.format(folder=folder, port=_PORT, tls=_TLS_PORT))
        path = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"
        server = subprocess.Popen(["taskset", "-c", "1", path, "-c", str(conf)])
        time.sleep(0.5)
        try:
            yield
        finally:
            server.terminate()
            server.wait(10)


def _run(command: list[str], cores: str = "0") -> tuple[float, str]:
    """(CPU seconds of the command and its children, its output)."""
    process = subprocess.Popen(["taskset", "-c", cores, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    output = process.stdout.read().decode("utf-8", "replace")
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, output


def _hpatui(*flags: str) -> list[str]:
    return [*HPATUI, "load", *flags, "--json", "--max-rate", "200000"]


def _requests(output: str) -> int:
    return int(json.loads(output)["requests"])


def _counted(pattern: str) -> Callable[[str], int]:
    def count(output: str) -> int:
        return sum(int(number) for number in re.findall(pattern, output))

    return count


_WRK = _counted(r"(\d+) requests in")
_HEY = _counted(r"\[200\]\s+(\d+) responses")
_LOCUST = _counted(r'"num_requests": (\d+)')
_AB = _counted(r"Complete requests:\s+(\d+)")


def _marginal(command: Callable[[int], list[str]], count: Callable[[str], int], cores: str = "0") -> float:
    """CPU milliseconds for each further request."""
    short_cpu, short_out = _run(command(_SHORT), cores)
    long_cpu, long_out = _run(command(_LONG), cores)
    return (long_cpu - short_cpu) / max(1, count(long_out) - count(short_out)) * 1000


def _cpu() -> Table:
    url, tls = f"http://127.0.0.1:{_PORT}/", f"https://127.0.0.1:{_TLS_PORT}/"
    n = str(_CONNECTIONS)

    def ours(target: str, *flags: str) -> Callable[[int], list[str]]:
        return lambda s: _hpatui(target, "--concurrency", n, "--duration", f"{s}s", *flags)

    def hey(target: str, *flags: str) -> Callable[[int], list[str]]:
        return lambda s: ["hey", "-z", f"{s}s", "-c", n, *flags, target]

    cases: list[tuple[str, str, Callable[[int], list[str]], Callable[[str], int]]] = [
        ("kept connections", "hpatui", ours(url, "--connections", "kept"), _requests),
        ("kept connections", "wrk", lambda s: ["wrk", "-t1", f"-c{n}", f"-d{s}s", url], _WRK),
        ("kept connections", "hey", hey(url), _HEY),
        ("kept connections", "ab", lambda s: ["ab", "-q", "-k", "-t", str(s), "-n", "9999999", "-c", n, url], _AB),
        ("kept, 10 KB", "hpatui", ours(f"{url}d/10k", "--connections", "kept"), _requests),
        ("kept, 10 KB", "wrk", lambda s: ["wrk", "-t1", f"-c{n}", f"-d{s}s", f"{url}d/10k"], _WRK),
        ("kept, 10 KB", "hey", hey(f"{url}d/10k"), _HEY),
        ("TLS, kept", "hpatui", ours(tls, "--connections", "kept", "--insecure"), _requests),
        ("TLS, kept", "hey", hey(tls), _HEY),
        ("a connection a request", "hpatui", ours(url, "--connections", "single"), _requests),
        ("a connection a request", "hey", hey(url, "-disable-keepalive"), _HEY),
    ]
    results: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        cases.append(("kept connections", "locust", lambda s: _locust(folder, url, s), _LOCUST))
        for _ in range(_ROUNDS):
            for case, tool, command, count in cases:
                if tool == "hpatui" or shutil.which(tool):
                    results.setdefault((case, tool), []).append(_marginal(command, count))
    rows = [(case, tool, round(statistics.median(values), 4)) for (case, tool), values in results.items()]
    note = f"closed model, {_CONNECTIONS} connections, median of {_ROUNDS} interleaved rounds"
    return Table("Load engine: CPU", ("connections", "tool", "ms a request"), tuple(rows), note)


def _open_cpu() -> Table:
    """1,000/s: hey spaces them by its workers' clocks, so that fifty workers send fifty at once; one sends one at a time."""
    url = f"http://127.0.0.1:{_PORT}/"
    cases: list[tuple[str, str, Callable[[int], list[str]], Callable[[str], int]]] = [
        (
            "hpatui",
            "evenly",
            lambda s: _hpatui(url, "--rate", "1000", "--duration", f"{s}s", "--connections", "kept"),
            _requests,
        ),
        ("hey", "one at a time", lambda s: ["hey", "-z", f"{s}s", "-c", "1", "-q", "1000", url], _HEY),
        ("hey", "fifty at once", lambda s: ["hey", "-z", f"{s}s", "-c", "50", "-q", "20", url], _HEY),
    ]
    results: dict[tuple[str, str], list[float]] = {}
    for _ in range(_ROUNDS):
        for tool, how, command, count in cases:
            if tool == "hpatui" or shutil.which(tool):
                results.setdefault((tool, how), []).append(_marginal(command, count))
    rows = tuple((tool, how, round(statistics.median(values), 4)) for (tool, how), values in results.items())
    return Table("Load engine: CPU of the open model", ("tool", "sent", "ms a request"), rows, "1,000/s")


def _memory() -> Table:
    """500 connections, 1 MiB an answer: the most memory of the process that sends."""
    url = f"http://127.0.0.1:{_PORT}/d/1m"
    commands = {
        "hpatui (worker)": _hpatui(url, "--concurrency", "500", "--duration", "5s"),
        "hey": ["hey", "-z", "5s", "-c", "500", url],
    }
    rows: list[tuple[object, ...]] = []
    for tool, command in commands.items():
        if tool == "hey" and not shutil.which("hey"):
            continue
        with subprocess.Popen(
            ["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(4.5)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            status = Path(f"/proc/{children[0] if children else process.pid}/status").read_text()
            rows.append((tool, round(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024)))
    return Table("Load engine: memory", ("tool", "MiB at most"), tuple(rows), "500 connections, answers of 1 MiB")


def _locust(folder: str, url: str, seconds: int) -> list[str]:
    """Locust with the locustfile of `--via cluster`, in one process."""
    plan = LoadPlan(model="closed", concurrency=_CONNECTIONS, duration=seconds, connection_age=KEPT)
    config, secret, *_ = locust_objects(plan, Place("bench", "default", url))
    for name, text in config["data"].items():
        (Path(folder) / name).write_text(text)
    (Path(folder) / "plan.json").write_text(secret["stringData"]["plan.json"])
    return ["locust", "-f", f"{folder}/locustfile.py", "--headless", "--json"]


def _rates() -> Table:
    rows: list[tuple[object, ...]] = []
    for rate in (500, 2000, 5000):
        command = _hpatui(f"http://127.0.0.1:{_PORT}/", "--rate", str(rate), "--duration", "10s")
        cpu, output = _run(command)
        result = json.loads(output)
        late = result["late_start_ms"]
        whole = [second["sent"] for second in result["per_second"][1:9]]
        worst = max(abs(sent - rate) / rate * 100 for sent in whole)
        rows.append(
            (rate, round(result["requests"] / 10, 1), round((result["requests"] / 10 / rate - 1) * 100, 2),
             round(worst, 2), late["p99"], late["max"], result["errors"], result["unserved"], round(cpu / 10 * 100, 1))
        )  # fmt: skip
    columns = ("ordered/s", "achieved/s", "off by %", "worst second %", "late p99 ms", "late max ms", "errors",
               "unserved", "CPU % incl. start")  # fmt: skip
    return Table("Load engine: open model", columns, tuple(rows), "10 s each, connections renewed every 5 s")


def _workers() -> Table:
    rows: list[tuple[object, ...]] = []
    base = 0.0
    for workers in (1, 2):
        flags = ("--concurrency", "64", "--duration", "5s", "--connections", "kept", "--workers", str(workers))
        _, output = _run(_hpatui(f"http://127.0.0.1:{_PORT}/", *flags), "0-63")
        rate = float(json.loads(output)["achieved_rate"])
        base = base or rate
        rows.append((workers, round(rate), round(rate / base, 2)))
    note = f"{os.cpu_count()} cores, of which nginx takes one: 1.8 needs at least three"
    return Table("Load engine: workers", ("workers", "requests/s", "times one"), tuple(rows), note)
