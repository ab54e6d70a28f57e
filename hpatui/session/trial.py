"""A trial: the selected HPA's recorded syncs, to be decided again with an edited spec. It applies nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hpatui.autoscaler.parse import parse_hpa
from hpatui.errors import UsageError
from hpatui.model import ControllerFlags, Hpa, Key, Pod
from hpatui.session.observing import learn_frames
from hpatui.state.frames import Frame
from hpatui.state.snapshot import Detail
from hpatui.state.trial_form import TrialField, edit_of, fields_of
from hpatui.state.whatif import Comparison, edited, what_if
from hpatui.tune.learn import Learned, TooLittle
from hpatui.tune.outcome import Outcome
from hpatui.tune.simulate import reference_of, simulate


@dataclass(frozen=True, slots=True)
class Simulated:
    """The recorded demand run through the spec as it is and as edited, from the same size, each in its closed loop: pods
    start, share the load, reach their limits. `uncertainty`: how far the first is from what really happened, relative to its
    pod-seconds; `near`: the part of the time within one pod of it. `missing`: what is not known, and what it would take.
    """

    now: Outcome
    then: Outcome
    uncertainty: float
    near: float
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What was recorded of one HPA up to `until` (epoch seconds), and its spec as a form."""

    key: Key
    hpa: Mapping[str, Any]
    frames: tuple[Frame, ...]
    flags: ControllerFlags
    until: float
    pods: tuple[Pod, ...] = ()
    _learned: list[Learned | TooLittle] = field(default_factory=list, compare=False)  # once, when it is asked for first

    def fields(self) -> tuple[TrialField, ...]:
        """What may be edited, with the values as they are."""
        return fields_of(self.hpa, self.flags)

    def compare(self, values: Mapping[str, str]) -> Comparison:
        """The run as it was and as it would have been. Raises UsageError that names the field, MalformedObject."""
        return what_if(self.frames, self.hpa, edit_of(self.hpa, self.flags, values), self.flags, self.until)

    def simulate(self, values: Mapping[str, str]) -> Simulated:
        """The same edit in a closed loop. Raises UsageError, MalformedObject, and TooLittle, which says what is missing."""
        edit = edit_of(self.hpa, self.flags, values)
        spec = parse_hpa(edited(self.hpa, edit))
        known = self._model()
        setup = known.setup
        if edit.tolerance is not None:
            setup = replace(setup, flags=replace(setup.flags, tolerance=edit.tolerance))
        before = parse_hpa(self.hpa)
        reference = reference_of(before, known.model, known.setup.flags)
        now, then = (
            simulate(
                hpa, known.model, known.demand, used, size=known.size, memory=known.memory, reference=reference, keep=True
            )
            for hpa, used in ((before, known.setup), (spec, setup))
        )  # fmt: skip
        return Simulated(now, then, known.fit.uncertainty, known.fit.near, known.missing)

    def _model(self) -> Learned:
        if not self._learned:
            try:
                self._learned.append(learn_frames(parse_hpa(self.hpa), self.frames, self.pods, self.flags, self.until))
            except TooLittle as error:
                self._learned.append(error)
        found = self._learned[0]
        if isinstance(found, TooLittle):
            raise found
        return found

    def yaml(self, values: Mapping[str, str]) -> str:
        """The edited HPA, ready for `kubectl apply -f -`."""
        from hpatui.session.objects import to_yaml  # needs yaml, which the first frame does not wait for

        return to_yaml(json.dumps(edited(self.hpa, edit_of(self.hpa, self.flags, values))).encode())


def trial_of(
    hpa: Hpa | None, frames: tuple[Frame, ...], flags: ControllerFlags, until: float, detail: Detail | None = None
) -> Trial:
    """The trial for an HPA; `detail` has its target's pods. UsageError where none is selected or no sync was recorded yet."""
    pods = tuple(row.pod for row in detail.pods) if detail is not None else ()
    if hpa is None:
        raise UsageError("no HPA is selected", hint="select one")
    if not frames:
        raise UsageError("no sync of the controller was recorded yet", hint="wait for one (every 15 s by default)")
    return Trial(hpa.key, json.loads(hpa.raw), frames, flags, until, pods)
