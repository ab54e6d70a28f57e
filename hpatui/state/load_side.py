"""The load as the store knows it: its view, its history, and what it means for the HPA in focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hpatui.model import ControllerFlags, Hpa, Key, LoadSample, LoadState, LoadView
from hpatui.state.forecast import LoadModel, cost, cost_text, forecast, learn
from hpatui.state.series import HpaHistory, LoadHistory

MAX_MARKS = 256


class LoadSide:
    """`model` is what was learned of the HPA in focus, None until then."""

    def __init__(self, history_of: Callable[[Key], HpaHistory | None]) -> None:
        self.history = LoadHistory()
        self.view = LoadView()
        self.model: LoadModel | None = None
        self._history_of = history_of

    def set(self, view: LoadView, now: float, mark: str, focused: Key | None) -> None:
        """The load's state changed; `mark` (may be empty) names the change on the graphs."""
        if self.view.state is LoadState.RUNNING and view.state is LoadState.IDLE:
            view = replace(view, cost=self._cost(view, now, focused))
        self.view = view
        if mark:
            marks = self.history.marks
            marks.append((now, mark))
            del marks[:-MAX_MARKS]
        if view.state in (LoadState.IDLE, LoadState.FINISHED, LoadState.FAILED):
            for series in (self.history.rate, self.history.offered, self.history.p95):
                if len(series):
                    series.append(now, None)

    def _cost(self, view: LoadView, now: float, focused: Key | None) -> str:
        """What the scaling of the run that ends now cost."""
        history = self._history_of(view.for_hpa) if view.for_hpa is not None else None
        if history is None or view.started is None:
            return ""
        found = cost(history, self.history, view.started, now, self.model if view.for_hpa == focused else None)
        return cost_text(found) if found is not None else ""

    def sampled(self, sample: LoadSample) -> None:
        """Take one second of load."""
        history = self.history
        history.offered.append(sample.time, sample.offered)
        history.rate.append(sample.time, sample.sent)
        history.errors.append(sample.time, sample.failed + sample.unserved)
        history.p50.append(sample.time, sample.p50)
        history.p95.append(sample.time, sample.p95)
        history.p99.append(sample.time, sample.p99)
        self.view = replace(self.view, last=sample)

    def learn(self, hpa: Hpa, history: HpaHistory, flags: ControllerFlags) -> None:
        """The HPA in focus changed: learn what the load means for it."""
        if len(self.history.rate):
            self.model = learn(hpa, history, self.history, flags)

    def foretold(self, hpa: Hpa | None, flags: ControllerFlags) -> LoadView:
        """The load with what its rate means for the HPA in focus."""
        text = ""
        if hpa is not None and self.model is not None and self.view.rate > 0:
            text = forecast(self.model, self.view.rate, hpa, flags)
        if text != self.view.forecast:
            self.view = replace(self.view, forecast=text)
        return self.view
