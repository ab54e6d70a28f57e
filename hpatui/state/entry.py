"""One HPA of a fleet."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpatui.forms.label_selectors import Selector
from hpatui.model import Hpa, Key, Pod, PodUsage
from hpatui.state.observer import Observer
from hpatui.state.outlook import Outlook


@dataclass(slots=True)
class Entry:
    """What is known of one HPA's target, and its observer."""

    hpa: Hpa
    observer: Observer
    text: str = ""  # the selector
    index: tuple[str, str, str] | None = None  # where `Fleet` finds it: namespace, label, value
    selector: Selector | None = None
    pods: dict[Key, Pod] = field(default_factory=dict)
    usages: dict[Key, PodUsage] = field(default_factory=dict)
    outlook: Outlook | None = None
    changed: bool = False  # facts that the observer does not have yet
    held: bool = False  # in focus: fed by its own details
