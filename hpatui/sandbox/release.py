"""Which Kubernetes a sandbox is: what its API server serves, takes and prints, and its controller's rules.

Where nobody asks for a version it is the newest released one, and also serves what was removed long ago, for guides of
that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpatui.autoscaler.rules import NEWEST, OLDEST, Rules, rules_of_minor
from hpatui.errors import UsageError

_PATCH = {28: 15, 29: 15, 30: 14, 31: 14, 32: 9, 33: 5, 34: 3, 35: 2, 36: 2, 37: 1, 38: 0}
_REMOVED = {("autoscaling", "v2beta1"): 25, ("autoscaling", "v2beta2"): 26}  # the minor that dropped it
_ADDED = {("metrics.k8s.io", "v1"): 37}


@dataclass(frozen=True, slots=True)
class Release:
    """Kubernetes 1.`minor`. `lenient`: API versions that it removed are served all the same."""

    minor: int
    lenient: bool
    rules: Rules

    def serves(self, group: str, version: str) -> bool:
        """Whether a version of a group is served (of those that the sandbox knows)."""
        added, removed = _ADDED.get((group, version), 0), _REMOVED.get((group, version))
        return self.minor >= added and (removed is None or self.lenient or self.minor < removed)

    def versions(self, group: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the known versions that are served."""
        return tuple(version for version in known if self.serves(group, version))

    @property
    def kubelet_version(self) -> str:
        """As its nodes tell it."""
        return f"v1.{self.minor}.{_PATCH[self.minor]}"

    @property
    def new_hpas_at_once(self) -> bool:
        """A new HPA is synced at once, not within a period (138294)."""
        return self.minor >= 37

    @property
    def git_version(self) -> str:
        """As /version says it; the mark behind it tells a sandbox from a cluster."""
        return f"{self.kubelet_version}+hpatui-sandbox"

    @property
    def version(self) -> dict[str, str]:
        """The answer of /version."""
        return {
            "major": "1", "minor": str(self.minor), "gitVersion": self.git_version, "gitCommit": "",
            "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "", "compiler": "",
            "platform": "linux/amd64",
        }  # fmt: skip

    @property
    def zero_is_taken(self) -> bool:
        """minReplicas 0 (gate HPAScaleToZero, on from 1.37)."""
        return self.minor >= 37 or self.lenient

    def takes(self, hpa: Any) -> list[str]:
        """Drop from a v2 HPA what this server drops; what it does not know at all (to be told or refused).

        `tolerance`: unknown before 1.33, dropped without a word in 1.33 and 1.34 (gate HPAConfigurableTolerance).
        """
        spec = hpa.get("spec") if isinstance(hpa, dict) else None
        behavior = spec.get("behavior") if isinstance(spec, dict) else None
        unknown = []
        if self.minor >= 35 or not isinstance(behavior, dict):
            return []
        for side in ("scaleUp", "scaleDown"):
            rules = behavior[side] if isinstance(behavior.get(side), dict) else {}
            if rules.pop("tolerance", None) is not None and self.minor < 33:
                unknown.append(f"spec.behavior.{side}.tolerance")
        return unknown


NEWEST_RELEASED = 37  # 1.38 comes in December 2026
DEFAULT = Release(NEWEST_RELEASED, lenient=True, rules=rules_of_minor(NEWEST_RELEASED))


def release_of(text: str) -> Release:
    """ "1.32" -> that release; "" -> the default. UsageError for one that the sandbox cannot be."""
    if not text:
        return DEFAULT
    major, _, minor = text.removeprefix("v").partition(".")
    if major != "1" or not minor.isdecimal() or not minor.isascii() or not OLDEST <= int(minor) <= NEWEST:
        raise UsageError(f"--kubernetes {text}: no version that the sandbox knows", hint=f"1.{OLDEST} to 1.{NEWEST}")
    return Release(int(minor), lenient=False, rules=rules_of_minor(int(minor)))
