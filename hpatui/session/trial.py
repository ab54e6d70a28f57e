"""A trial: the selected HPA's recorded syncs, to be decided again with an edited spec. It applies nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.errors import UsageError
from hpatui.model import ControllerFlags, Hpa, Key
from hpatui.state.frames import Frame
from hpatui.state.trial_form import TrialField, edit_of, fields_of
from hpatui.state.whatif import Comparison, edited, what_if


@dataclass(frozen=True, slots=True)
class Trial:
    """What was recorded of one HPA up to `until` (epoch seconds), and its spec as a form."""

    key: Key
    hpa: Mapping[str, Any]
    frames: tuple[Frame, ...]
    flags: ControllerFlags
    until: float

    def fields(self) -> tuple[TrialField, ...]:
        """What may be edited, with the values as they are."""
        return fields_of(self.hpa, self.flags)

    def compare(self, values: Mapping[str, str]) -> Comparison:
        """The run as it was and as it would have been. Raises UsageError that names the field, MalformedObject."""
        return what_if(self.frames, self.hpa, edit_of(self.hpa, self.flags, values), self.flags, self.until)

    def yaml(self, values: Mapping[str, str]) -> str:
        """The edited HPA, ready for `kubectl apply -f -`."""
        from hpatui.session.objects import to_yaml  # needs yaml, which the first frame does not wait for

        return to_yaml(json.dumps(edited(self.hpa, edit_of(self.hpa, self.flags, values))).encode())


def trial_of(hpa: Hpa | None, frames: tuple[Frame, ...], flags: ControllerFlags, until: float) -> Trial:
    """The trial for an HPA. UsageError where none is selected or no sync was recorded yet."""
    if hpa is None:
        raise UsageError("no HPA is selected", hint="select one")
    if not frames:
        raise UsageError("no sync of the controller was recorded yet", hint="wait for one (every 15 s by default)")
    return Trial(hpa.key, json.loads(hpa.raw), frames, flags, until)
