"""The last moments of facts about a target: a sync is judged by those that do not show its own effect yet."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from hpatui.model import Hpa, Key
from hpatui.state.facts import Facts
from hpatui.state.writes import EFFECT_WITHIN

COALESCE = 0.05  # facts within this many seconds of each other become one


class Ring:
    """At most `size` moments, oldest first."""

    def __init__(self, size: int) -> None:
        self._facts: deque[Facts] = deque(maxlen=size)

    def keep(self, size: int) -> None:
        """Remember more or fewer from now on."""
        self._facts = deque(self._facts, maxlen=size)

    def __len__(self) -> int:
        return len(self._facts)

    @property
    def last(self) -> Facts | None:
        """The newest."""
        return self._facts[-1] if self._facts else None

    def add(self, new: Facts) -> None:
        """Take what is known from `new.time` on."""
        last = self.last
        if last is not None and new.time - last.time < COALESCE and len(self._facts) > 1:
            new = replace(new, time=last.time)
            self._facts.pop()
        self._facts.append(new)

    def at(self, time: float) -> Facts | None:
        """The facts in force at `time`, or the oldest known."""
        for facts in reversed(self._facts):
            if facts.time <= time:
                return facts
        return self._facts[0] if self._facts else None

    def before(self, before: Hpa, after: Hpa, now: float) -> Facts | None:
        """The facts that a sync was decided from: those that do not show its own effect yet."""
        chosen = self.last
        scaled = after.last_scale_time != before.last_scale_time and after.last_scale_time is not None
        if chosen is None or not scaled:
            return chosen
        for facts in reversed(self._facts):
            if now - facts.time > EFFECT_WITHIN and facts is not self._facts[-1]:
                chosen = facts
                break
            chosen = facts
            if facts.size != after.desired_replicas:
                break
        assert after.last_scale_time is not None
        born = after.last_scale_time
        pods = {
            key: pod
            for key, pod in chosen.pods.items()
            if pod.created is None or pod.created < born or self._was_there(key, born)
        }
        return replace(chosen, pods=pods) if len(pods) != len(chosen.pods) else chosen

    def _was_there(self, key: Key, moment: float) -> bool:
        """Whether the pod was known before `moment`."""
        return any(facts.time < moment and key in facts.pods for facts in self._facts)

    def newest_sample(self) -> float | None:
        """The time of the newest sample."""
        usages = self.last.usages if self.last is not None else {}
        return max((usage.time for usage in usages.values()), default=None)
