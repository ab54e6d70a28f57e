"""What all checks share: a family's collector of findings, and the words for looks that gave nothing."""

from __future__ import annotations

from hpatui.doctor.report import Check, Evidence, Outcome
from hpatui.doctor.world import Reading, Sight


class Family:
    """Collects the checks of one family. A check that is asked for and finds nothing ends as one `ok` line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks: list[Check] = []

    def ok(self, id_: str, title: str, reason: str = "", evidence: tuple[Evidence, ...] = ()) -> None:
        """Looked at, nothing found."""
        self.checks.append(Check(id_, self.name, title, Outcome.OK, evidence=evidence, reason=reason))

    def skip(self, id_: str, title: str, reason: str, *, about: str = "", follows: str = "") -> None:
        """Does not apply, or follows from another finding."""
        self.checks.append(Check(id_, self.name, title, Outcome.SKIPPED, about, reason=reason, follows=follows))

    def warn(
        self, id_: str, title: str, about: str, reason: str, evidence: tuple[Evidence, ...], command: str = ""
    ) -> None:
        """Works, but not as its owner probably wants."""
        self.checks.append(Check(id_, self.name, title, Outcome.WARNING, about, evidence, reason, command))

    def fail(
        self, id_: str, title: str, about: str, reason: str, evidence: tuple[Evidence, ...], command: str = ""
    ) -> None:
        """Broken."""
        self.checks.append(Check(id_, self.name, title, Outcome.FAILED, about, evidence, reason, command))

    def unseen(self, id_: str, title: str, reading: Reading, *, about: str = "") -> None:
        """The look that the check needs was refused or failed."""
        evidence = (Evidence(reading.path, "HTTP status", str(reading.status or "no answer")),)
        if reading.sight is Sight.FORBIDDEN:
            reason = f"not looked at: reading {reading.path} is forbidden ({reading.error})"
            outcome, command = Outcome.FORBIDDEN, can_i(reading.path)
        else:
            reason = f"not looked at: {reading.path}: {reading.error}"
            outcome, command = Outcome.SKIPPED, ""
        self.checks.append(Check(id_, self.name, title, outcome, about, evidence, reason, command))

    def found(self, id_: str) -> bool:
        """Whether a check of this id has been recorded."""
        return any(check.id == id_ for check in self.checks)


def can_i(path: str) -> str:
    """The kubectl command that asks for the permission that reading `path` takes."""
    parts = [part for part in path.split("/") if part]
    where = f" -n {parts[parts.index('namespaces') + 1]}" if "namespaces" in parts[:-1] else ""
    known = parts[parts.index("namespaces") + 2 :] if where else parts[2 if parts[:1] == ["api"] else 3 :]
    verb = "get" if len(known) > 1 else "list"
    return f"kubectl auth can-i {verb} {known[0]}{where}" if known else f"kubectl get --raw {path}"


def plural(count: int, noun: str) -> str:
    """`1 pod`, `3 pods`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def span(seconds: float) -> str:
    """A duration for a sentence: `40 s`, `12 min`, `3 h`, `2 days`."""
    if seconds < 120:
        return f"{max(0, round(seconds))} s"
    if seconds < 7200:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172800 else f"{round(seconds / 86400)} days"
