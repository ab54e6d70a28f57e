"""The plan of a run, carried out by Locust in the cluster. Runs in Locust's image, never inside hpatui.

Reads plan.json beside it (`hpatui.load.jobs.locust_plan`). Open model: one user per request/s, who sends one each second;
closed model: one user per connection, without a pause. Connections are renewed by age, as in hpatui's own engine.

The master listens on its pod's loopback, so that only a port-forward gets there: hpatui's orders come in as lines, each
second goes out as one. With a lease the run begins at hpatui's first word, and ends when it has been silent for so long;
some silence holds it, and the workers are told so at once: the number of users follows too slowly.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from collections import deque
from pathlib import Path
from typing import Any

import gevent
import run_state  # type: ignore[import-not-found]  # lies beside this file
from gevent.pool import Group
from gevent.server import StreamServer
from locust import FastHttpUser, LoadTestShape, events, runners, task

PLAN: dict[str, Any] = json.loads((Path(__file__).parent / "plan.json").read_text(encoding="utf-8"))
PORT = int(os.environ.get("HPATUI_CONTROL_PORT", "5558"))
_OPEN = PLAN["model"] == "open"
_PACE = run_state.pace(PLAN)
HOLD = "hpatui-hold"
_NUMBERS = itertools.count(1)
_KINDS = (
    ("refused", "refused"),
    ("timed out", "timeout"),
    ("timeout", "timeout"),
    ("reset", "reset"),
    ("closed", "reset"),
    ("gaierror", "dns"),
    ("ssl", "tls"),
)

schedule = run_state.Schedule(PLAN)
counting = run_state.Counting()
held = [False]  # a worker's: whether it is to send nothing
runners.WORKER_REPORT_INTERVAL = 1.0


class Plan(LoadTestShape):
    """Tells Locust how many users there are at any time."""

    def tick(self) -> tuple[int, float] | None:
        """(users, how many may start in a second), once a second; None ends the run."""
        now = time.monotonic()
        schedule.begin(now)
        rate = schedule.rate(now)
        return None if rate is None else (min(round(rate), int(PLAN["max_rate"]) or 1), max(100.0, rate))


class Sender(FastHttpUser):
    """Sends the plan's requests."""

    host = PLAN["url"]
    insecure = PLAN["insecure"]
    connection_timeout = network_timeout = PLAN["timeout"]
    concurrency = 20  # requests of one user under way at most

    def on_start(self) -> None:
        """A random part of a second, so that users do not march in step."""
        self._renew_at = 0.0
        self._busy = Group()
        time.sleep(random.random() * (1.0 if _OPEN else _PACE))
        self._due = time.monotonic()

    def on_stop(self) -> None:
        """What is under way is dropped."""
        self._busy.kill()

    def wait_time(self) -> float:
        """Seconds to the next request, one second after the last was due. (constant_throughput begins with two.)"""
        now = time.monotonic()
        if not _OPEN:
            self._due = max(now, self._due + _PACE)
            return self._due - now
        self._due += 1.0
        missed = int(now - self._due)  # what is later than a second is not caught up with
        if missed > 0:
            self._due += missed
            counting.unserved(time.time(), missed)
        return max(0.0, self._due - now)

    @task
    def send(self) -> None:
        """What is due now: in the open model it does not wait for the answers to others."""
        if held[0]:
            return
        if not _OPEN:
            self._send(self._due)
        elif len(self._busy) < self.concurrency:
            self._busy.spawn(self._send, self._due)
        else:
            counting.unserved(time.time(), 1)

    def _send(self, due: float) -> None:
        now = time.monotonic()
        if now >= self._renew_at:
            self.client.client.clientpool.close()
            self._renew_at = now + PLAN["connection_age"] * random.uniform(0.7, 1.3)
        request = random.choices(PLAN["requests"], [item["weight"] for item in PLAN["requests"]])[0]
        number = f"{next(_NUMBERS):010d}"
        status, size, error = 0, 0, ""
        counting.sent(time.time(), now - due)
        try:
            with self.client.request(
                request["method"], request["path"].replace("{{id}}", number), name=request["path"] or "/",
                headers={key: value.replace("{{id}}", number) for key, value in request["headers"].items()},
                data=request["body"].replace("{{id}}", number) or None, allow_redirects=False, catch_response=True,
            ) as answer:  # fmt: skip
                status, size = answer.status_code, len(answer.content or b"")
                good = status in request["expect"] if request["expect"] else 200 <= status < 400
                error = "" if good else f"http {status}" if status else _kind(answer.error)
                if good:
                    answer.success()
                else:
                    answer.failure(error)
        finally:
            end = time.monotonic()
            if not status and not error:  # the user was stopped in the middle
                error = run_state.CANCELLED
            counting.answered(time.time(), status, error, size, response=end - due, service=end - now)


def _kind(error: object) -> str:
    """What went wrong without an answer, in hpatui's words."""
    text = f"{type(error).__name__} {error}".lower()
    return next((kind for part, kind in _KINDS if part in text), type(error).__name__)


class Master:
    """Merges the workers' seconds and speaks with hpatui."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._lines: deque[bytes] = deque(maxlen=600)
        self._merging: Any = None
        self._ordered: dict[int, dict[str, Any]] = {}  # what was ordered in each second that is not told yet
        self._server = StreamServer(("127.0.0.1", PORT), self._serve)
        self._server.start()
        gevent.spawn(self._count)
        gevent.spawn(self._hold)

    def take(self, client_id: str, data: dict[str, Any]) -> None:
        """A worker's report."""
        if self._merging is not None:
            self._merging.add(data.get("hpatui", ()))

    def _count(self) -> None:
        while True:
            now, second = time.monotonic(), int(time.time())
            if self._merging is None and schedule.elapsed(now) > 0:
                self._merging = run_state.Merging(second)
            if self._merging is not None:
                busiest = max((client.cpu_usage for client in self._runner.clients.values()), default=0.0)
                self._ordered[second] = {
                    "offered": 0.0 if schedule.held(now) else schedule.rate(now) or 0.0, "stage": schedule.stage_name(now),
                    "elapsed": schedule.elapsed(now), "cpu": busiest / 100.0,
                }  # fmt: skip
                self._tell(self._merging.take(time.time() - run_state.PATIENCE))
            gevent.sleep(0.2)

    def _hold(self) -> None:
        """Tell the workers whether hpatui is silent; over and over while it is, for a worker may come late."""
        was = False
        while True:
            now_held = schedule.held(time.monotonic())
            if now_held or was:
                self._runner.send_message(HOLD, {"held": now_held})
            was = now_held
            gevent.sleep(0.1)

    def _tell(self, seconds: list[dict[str, Any]]) -> None:
        for second in seconds:
            last = {"offered": 0.0, "stage": "", "elapsed": schedule.elapsed(time.monotonic()), "cpu": 0.0}
            second.update(self._ordered.pop(second["time"], last))
            if not _OPEN:
                second["offered"] = second["sent"]
            self._lines.append(json.dumps({"type": "second", "second": second}).encode() + b"\n")

    def _serve(self, connection: Any, address: object) -> None:
        """A port-forward of hpatui: what was counted since the last one, and on."""
        listening = gevent.spawn(self._listen, connection)
        while not listening.dead:
            if self._lines:
                line = self._lines.popleft()
                try:
                    connection.sendall(line)
                except OSError:
                    self._lines.appendleft(line)
                    return
            else:
                gevent.sleep(0.05)

    def _listen(self, connection: Any) -> None:
        for line in connection.makefile("rb"):
            order = json.loads(line)
            schedule.obey(order, time.monotonic())
            if order.get("type") == "stop":
                gevent.spawn(self._runner.quit)

    def end(self) -> None:
        """The last seconds and the end, while somebody listens."""
        if self._merging is not None:
            self._tell(self._merging.rest())
        self._lines.append(b'{"type": "ended", "error": ""}\n')
        with gevent.Timeout(2.0, False):
            while self._lines:
                gevent.sleep(0.02)
        gevent.sleep(0.2)  # for the port-forward


def begin(environment: Any, **more: Any) -> None:
    """Each process takes its part."""
    if isinstance(environment.runner, runners.MasterRunner):
        master = Master(environment.runner)
        environment.events.worker_report.add_listener(master.take)
        environment.events.quitting.add_listener(lambda **more: master.end())
    elif isinstance(environment.runner, runners.WorkerRunner):
        stopped = []  # then the last second is over, too
        environment.events.test_stop.add_listener(lambda **more: stopped.append(True))

        def report(client_id: str, data: dict[str, Any], **more: Any) -> None:
            """The seconds that are over go with Locust's own report."""
            data["hpatui"] = counting.take(time.time() + bool(stopped))

        environment.events.report_to_master.add_listener(report)
        environment.runner.register_message(
            HOLD, lambda environment, msg, **more: held.__setitem__(0, bool(msg.data["held"]))
        )


events.init.add_listener(begin)  # type: ignore[no-untyped-call]
