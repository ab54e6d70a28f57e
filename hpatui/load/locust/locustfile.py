"""The plan of a run, carried out by Locust in the cluster. Runs in Locust's image, never inside hpatui.

Reads plan.json beside it (`hpatui.load.jobs.locust_plan`). Open model: one user per request/s, who sends one each second;
closed model: one user per connection, without a pause. Connections are renewed by age, as in hpatui's own engine.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, LoadTestShape, task

PLAN: dict[str, Any] = json.loads((Path(__file__).parent / "plan.json").read_text(encoding="utf-8"))
_OPEN = PLAN["model"] == "open"
_NUMBERS = itertools.count(1)


def rate_of(stage: dict[str, Any], t: float) -> float:
    """The rate at `t` seconds after the stage's start."""
    start, end, duration, period = stage["start"], stage["end"], stage["duration"], stage["period"]
    if stage["shape"] == "sine":
        return float((start + end) / 2 - (end - start) / 2 * math.cos(2 * math.pi * t / period))
    if stage["shape"] == "sawtooth":
        return float(start + (end - start) * ((t % period) / period))
    if duration is None or start == end:
        return float(end)
    return float(start + (end - start) * min(t / duration, 1.0))


def rate_at(t: float) -> float | None:
    """The rate at `t` seconds of the run; None at its end."""
    if PLAN["duration"] is not None and t >= PLAN["duration"]:
        return None
    if not _OPEN:
        return float(PLAN["concurrency"])
    for stage in PLAN["stages"]:
        if stage["duration"] is None or t < stage["duration"]:
            return min(rate_of(stage, t), float(PLAN["max_rate"]))
        t -= stage["duration"]
    return None


class Plan(LoadTestShape):  # type: ignore[misc]  # Locust is not installed where this is checked
    """Tells Locust how many users there are at any time."""

    def tick(self) -> tuple[int, float] | None:
        """(users, how many may start in a second), once a second; None ends the run."""
        rate = rate_at(self.get_run_time())
        return None if rate is None else (round(rate), max(100.0, rate))


class Sender(FastHttpUser):  # type: ignore[misc]
    """Sends the plan's requests."""

    host = PLAN["url"]
    insecure = PLAN["insecure"]
    connection_timeout = network_timeout = PLAN["timeout"]

    def on_start(self) -> None:
        """A random part of a second, so that users do not march in step."""
        self._renew_at = 0.0
        if _OPEN:
            time.sleep(random.random())
        self._due = time.monotonic()

    def wait_time(self) -> float:
        """Seconds to the next request, one second after the last was due. (constant_throughput begins with two.)"""
        if not _OPEN:
            return 0.0
        now = time.monotonic()
        self._due = max(self._due + 1.0, now - 1.0)  # what is later than a second is not caught up with
        return max(0.0, self._due - now)

    @task  # type: ignore[untyped-decorator]
    def send(self) -> None:
        """One request."""
        now = time.monotonic()
        if now >= self._renew_at:
            self.client.client.clientpool.close()
            self._renew_at = now + PLAN["connection_age"] * random.uniform(0.7, 1.3)
        request = random.choices(PLAN["requests"], [item["weight"] for item in PLAN["requests"]])[0]
        number = f"{next(_NUMBERS):010d}"
        with self.client.request(
            request["method"], request["path"].replace("{{id}}", number), name=request["path"] or "/",
            headers={key: value.replace("{{id}}", number) for key, value in request["headers"].items()},
            data=request["body"].replace("{{id}}", number) or None, allow_redirects=False, catch_response=True,
        ) as answer:  # fmt: skip
            good = answer.status_code in request["expect"] if request["expect"] else 200 <= answer.status_code < 400
            if good:
                answer.success()
            else:
                answer.failure(f"http {answer.status_code}")
