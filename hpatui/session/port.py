"""What a front end sees of a session: `SessionPort` is all it may use, so that it runs on any other one as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hpatui.errors import HpatuiError, LoginNeededError, UsageError
from hpatui.model import Key
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable

if TYPE_CHECKING:
    from hpatui.doctor.report import Report
    from hpatui.session.trial import Trial


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """A context of the kubeconfig: its name, the cluster's server, its own namespace, and whether it is the current
    one.
    """

    name: str
    server: str
    namespace: str
    current: bool


class LoadPort(Protocol):
    """The load of a session. Coroutines raise HpatuiError as those of `SessionPort` do."""

    @property
    def active(self) -> bool:
        """Whether a run is there, from the order to start it to its last word."""

    def question(self) -> str | None:
        """What to ask the user before load may start (host, route, rate); None where no question is needed."""

    async def start(self, *, confirmed: bool = False) -> None:
        """Start the load at the selected HPA's target. LoadError where it cannot, or where a question is open and not
        `confirmed`.
        """

    async def stop(self) -> None:
        """End the load from any state, also while it starts; afterwards nothing sends. Idempotent."""

    async def set_rate(self, rate: float) -> None:
        """Order another rate (requests/s), now or for the next start."""

    async def nudge(self, direction: int) -> None:
        """One step up (+1) or down (-1) in rate."""

    def shapes(self) -> Sequence[tuple[str, str]]:
        """(name, what it does at the ordered rate) of each shape."""

    async def set_shape(self, shape: str) -> None:
        """Another shape around the ordered rate, now or for the next start."""

    async def pause(self) -> None:
        """Pause a running load, or resume a paused one."""


class SessionPort(Protocol):
    """What a front end sees of a session. Everything runs on one event loop; commands return quickly.

    Coroutines raise HpatuiError with a one-line message where a command cannot be done; nothing else.
    """

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def load(self) -> LoadPort:
        """The load."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; there is one from the start (status: connecting)."""

    @property
    def recording(self) -> Path | None:
        """The file to which what is seen is recorded at present; None where nothing is recorded."""

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` on the loop after changes, at most four times a second; returns how to unsubscribe."""

    async def start(self) -> None:
        """Connect and begin to watch, in the background; failures show up in the snapshot's status."""

    async def stop(self) -> None:
        """Stop the load first, then the source; idempotent."""

    def select(self, key: Key | None) -> None:
        """Make an HPA the one whose details are watched."""

    def view(self, keys: Iterable[Key]) -> None:
        """The HPAs that are shown at present; where there are very many, only their decisions are computed."""

    def contexts(self) -> Sequence[ContextInfo]:
        """The kubeconfig's contexts."""

    async def switch_context(self, name: str) -> None:
        """Drop what is known and watch another cluster."""

    def login_needed(self) -> LoginNeededError | None:
        """The login that the user has to do in the terminal before anything can be watched, if there is one."""

    async def reconnect(self, login: bytes = b"") -> None:
        """Connect anew, with what the login plugin printed."""

    async def namespaces(self) -> Sequence[str]:
        """The cluster's namespaces; those with HPAs known so far where listing them is forbidden."""

    def set_namespace(self, namespace: str | None) -> None:
        """Watch the HPAs of one namespace, or of all (None)."""

    async def object_yaml(self, kind: str, key: Key) -> str:
        """An object as YAML (without managedFields); kind as in `Deployment`, `Pod`, `HorizontalPodAutoscaler`."""

    async def describe(self, key: Key) -> str:
        """The text of `kubectl describe hpa`."""

    async def examine(self) -> Report:
        """The doctor's report on what is watched: all HPAs of the namespace, or of all namespaces."""

    def what_if(self) -> Trial:
        """The selected HPA's recorded syncs for trial edits. UsageError where there are none yet."""


def parse_hpa_name(text: str) -> Key:
    """`[NS/]NAME` -> Key; the namespace is empty where none is given. UsageError when it is neither."""
    namespace, slash, name = text.rpartition("/")
    if not name or (slash and not namespace) or "/" in namespace:
        raise UsageError(f"{text!r} is no HPA's name", hint="write NAME or NAMESPACE/NAME")
    return Key(namespace, name)


def unknown_hpa(wanted: Key, keys: Sequence[Key], namespace: str | None) -> HpatuiError:
    """The error for an HPA that is not there: it names those whose names are near, or some of those there are."""
    from difflib import get_close_matches  # only where something is wrong

    by_name = {key.name: key for key in keys} | {str(key): key for key in keys}
    near = get_close_matches(str(wanted) if wanted.namespace else wanted.name, list(by_name), n=5, cutoff=0.5)
    shown = list(dict.fromkeys(by_name[name] for name in near)) or list(keys[:5])
    where = f"namespace {namespace}" if namespace else "any namespace"
    listed = printable(", ".join(str(key) for key in shown))
    hint = (
        f"{'near' if near else 'there are'}: {listed}" if shown else "choose another namespace with -n, or all with -A"
    )
    name = str(wanted) if wanted.namespace else wanted.name
    return UsageError(f"there is no HPA {printable(name)} in {printable(where)}", hint=hint)
