"""An experiment from a file: TOML -> `schema` -> Experiment. Errors name the file, the line and what to write.

Files that it names are relative to it. All its times are in the cluster's time.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hpatui.errors import UsageError
from hpatui.experiment.manifests import Object, read_objects, words
from hpatui.experiment.places import line_of
from hpatui.experiment.possible import Bounds, Known, impossible
from hpatui.experiment.schema import FAULTS, KINDS, ONE_OF, TABLES, ExperimentTable, FaultTable, LoadTable
from hpatui.experiment.words import Anchor, Expectation, parse
from hpatui.load.plan import LoadPlan, parse_duration
from hpatui.load.plan_file import TlsOptions, plan_within, read_plan
from hpatui.model import Key
from hpatui.session.port import parse_hpa_name
from hpatui.text import printable

MAX_RATE = 200.0
_PATH = re.compile(r"\.([A-Za-z_]+)|\[(\d+|\.\.\.)\]")
_WHEN = re.compile(
    r"(?:(?P<after>\S+)\s+after\s+)?(?P<anchor>start|end|stable|stage\s+.+|end of stage\s+.+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What breaks (as `hpatui sandbox fault` names it), `after` seconds after a moment, for `lasting` seconds (None: to the
    run's end). `delay`: of slow-start and api-slow, in seconds.
    """

    name: str
    kind: str
    anchor: Anchor
    after: float
    lasting: float | None
    target: str = ""
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """Another spec of the HPA: a merge patch. The one without a name changes nothing."""

    name: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """The way in: by the service proxy, port-forwards, Locust in the cluster, or to a URL; TLS for the latter."""

    via: str = "proxy"
    url: str = ""
    workers: int = 1
    max_rate: float = MAX_RATE
    tls: TlsOptions = field(default_factory=TlsOptions)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the sandbox is, where it runs on one."""

    scenario: str = "walkthrough"
    speed: float = 1.0
    kube_timings: bool = False
    kubernetes: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One file. `hpa` None: the only one there is. Durations in seconds of the cluster's time."""

    path: Path
    name: str
    about: str
    hpa: Key | None
    namespace: str
    objects: tuple[Object, ...]
    plan: LoadPlan
    way: Way
    expectations: tuple[Expectation, ...]
    faults: tuple[Fault, ...] = ()
    variants: tuple[Variant, ...] = (Variant(),)
    repeat: int = 1
    seed: int | None = None
    observe: float = 0.0
    stable: float = 10.0
    patience: float = 300.0
    size: int | None = None  # the replicas it begins with
    sandbox: Sandbox = Sandbox()
    quiet: float | None = None  # nothing is sent: it lasts so long, and the load is somebody else's


def read_experiment(path: Path) -> Experiment:
    """UsageError for whatever cannot be used, in one line with the file, the line and a suggestion."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"cannot read {path}: {reason}", hint="name a file that can be read") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint="correct the TOML") from error
    return _Reader(path, text, data).experiment()


class _Reader:
    def __init__(self, path: Path, text: str, data: dict[str, Any]) -> None:
        self._path, self._text, self._data = path, text, data

    def experiment(self) -> Experiment:
        table = self._checked()
        quiet = None if table.duration is None else self._seconds(table.duration, ("duration",))
        if (table.load is None) == (quiet is None):
            what = "there is no load" if quiet is None else "duration stands beside [load]"
            hint = "write [load] with [[load.stage]] or plan = FILE, or a duration where the load is somebody else's"
            raise UsageError(f"{self._path}: {what}", hint=hint)
        load = table.load or LoadTable()
        plan, tls = self._plan(load) if quiet is None else (LoadPlan(duration=quiet), TlsOptions())
        names = [stage.text() for stage in plan.stages] if plan.model == "open" and quiet is None else []
        faults = self._faults(table, names)
        objects = self._objects(table)
        hpa = self._hpa(table, objects)
        known = Known(tuple(names), tuple(fault.name for fault in faults), table.repeat, sends=quiet is None)
        found = Experiment(
            path=self._path,
            name=table.name or self._path.stem,
            about=table.about,
            hpa=hpa,
            namespace=table.namespace,
            objects=objects,
            plan=plan,
            way=Way(load.via, load.url, load.workers, plan.max_rate, tls),
            expectations=self._expectations(table, known),
            faults=faults,
            variants=self._variants(table),
            repeat=table.repeat,
            seed=table.seed,
            observe=self._seconds(table.observe, ("observe",), least=0.0),
            stable=self._seconds(table.prepare.stable, ("prepare", "stable")),
            patience=self._seconds(table.prepare.within, ("prepare", "within")),
            size=table.prepare.replicas,
            sandbox=Sandbox(**{name: getattr(table.sandbox, name) for name in Sandbox.__slots__}),
            quiet=quiet,
        )
        self._check_bounds(found)
        return found

    # The form -------------------------------------------------------------------------------------------------

    def _checked(self) -> ExperimentTable:
        if not self._data:
            raise UsageError(f"{self._path} is empty", hint="`examples/` has experiments to begin with")
        try:
            return msgspec.convert(self._data, ExperimentTable)
        except msgspec.ValidationError as error:
            raise self._misfit(str(error)) from error

    def _misfit(self, problem: str) -> UsageError:
        """msgspec's words -> ours."""
        words, _, where = problem.partition(" - at ")
        keys: list[str | int] = [
            match[1] or (int(match[2]) if match[2].isdecimal() else match[2])
            for match in _PATH.finditer(where.strip("`").removeprefix("$"))
        ]
        if unknown := re.search(r"unknown field `(.*)`", words):
            table = ".".join(key for key in keys if isinstance(key, str))
            known = [item.encode_name for item in msgspec.structs.fields(TABLES[table])] if table in TABLES else []
            return self._error(
                (*keys, unknown[1]), f"{_shown(keys, unknown[1])} is no known key", _nearest(unknown[1], known)
            )
        name = next((key for key in reversed(keys) if isinstance(key, str)), "")
        if missing := re.search(r"missing required field `(.*)`", words):
            return self._error(keys, f"{_shown(keys)} has no {missing[1]}", f"write {missing[1]} = ...")
        value: Any = self._data
        for key in keys:
            value = value[key] if not isinstance(key, str) or (isinstance(value, dict) and key in value) else None
            if value is None:
                break
        told = (
            f" is {printable(repr(value), 60)}"
            if not isinstance(value, dict | list) and value is not None
            else " does not fit"
        )
        return self._error(keys, f"{_shown(keys)}{told}", _wanted(words, name))

    def _error(self, keys: Sequence[str | int], what: str, hint: str, words: str = "") -> UsageError:
        line = line_of(self._text, keys, words)
        return UsageError(f"{self._path}:{line}: {what}", hint=hint)

    def _seconds(self, value: str | float, keys: Sequence[str | int], least: float = 0.001) -> float:
        try:
            seconds = float(value) if isinstance(value, int | float) else parse_duration(value)
        except UsageError as error:
            raise self._error(keys, f"{_shown(keys)} is {value!r}", error.hint) from error
        if not least <= seconds < 1e7:
            raise self._error(keys, f"{_shown(keys)} is {value!r}", "give a time above 0, e.g. 30s")
        return seconds

    # Tables ---------------------------------------------------------------------------------------------------

    def _plan(self, table: LoadTable) -> tuple[LoadPlan, TlsOptions]:
        most = table.max_rate or MAX_RATE
        own = {
            key: value
            for key, value in self._data["load"].items()
            if key not in ("plan", "via", "url", "workers", "max_rate")
        }
        if table.plan:
            if own:
                key = next(iter(own))
                raise self._error(
                    ("load", key), f"load.{key} stands beside plan: both say what to send", "drop one of them"
                )
            plan, tls = read_plan(self._path.parent / table.plan, most)
        elif not own:
            raise self._error(("load",), "[load] says nothing of what to send", "write [[load.stage]], or plan = FILE")
        else:
            plan, tls = plan_within(self._path, self._text, own, "load", most)
        if plan.duration is None and (plan.model == "closed" or any(s.duration is None for s in plan.stages)):
            hint = "give each stage for = ... (max = ... with until), or [load] a duration"
            raise self._error(("load",), "the load has no end", hint)
        names = [stage.text() for stage in plan.stages]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None and plan.model == "open":
            raise self._error(("load", "stage"), f"two stages are called {printable(twice, 60)!r}", "give each a name")
        if table.url and table.via != "proxy":
            raise self._error(("load", "via"), "load.via does not go with url", "drop one of them")
        return plan, tls

    def _faults(self, table: ExperimentTable, stages: Sequence[str]) -> tuple[Fault, ...]:
        found: list[Fault] = []
        for index, item in enumerate(table.fault):
            found.append(self._fault(item, index, stages))
            if [fault.name for fault in found].count(found[-1].name) > 1:
                what = f"two faults are called {printable(found[-1].name, 60)!r}"
                raise self._error(("fault", index), what, "give each a name = ...")
        return tuple(found)

    def _fault(self, table: FaultTable, index: int, stages: Sequence[str]) -> Fault:
        keys = ("fault", index)
        match = _WHEN.fullmatch(table.at.strip())
        if match is None:
            hint = "write `stage NAME`, `20s after stage NAME`, `start` or `end`"
            raise self._error((*keys, "at"), f"fault.at is {printable(table.at, 60)!r}", hint)
        words = match["anchor"]
        ends = words.startswith("end of ")
        kind, _, name = words.removeprefix("end of ").partition(" ")
        name = name.strip().strip('"')
        if kind == "stage" and name not in stages:
            raise self._error((*keys, "at"), f"there is no stage {printable(name, 60)!r}", _nearest(name, stages))
        after = self._seconds(match["after"], (*keys, "at"), 0.0) if match["after"] else 0.0
        if table.fault in ("node-gone", "pod-crash") and not table.target:
            what = "a node, such as node-1" if table.fault == "node-gone" else "a pod"
            raise self._error((*keys, "fault"), f"fault {table.fault} has no target", f"write target = ... ({what})")
        if table.target and table.fault not in ("node-gone", "pod-crash"):
            raise self._error((*keys, "target"), f"fault {table.fault} has no target", "drop it")
        if table.delay is not None and table.fault not in ("slow-start", "api-slow"):
            raise self._error((*keys, "delay"), f"fault {table.fault} has no delay", "write for = ...")
        lasting = None if table.lasting is None else self._seconds(table.lasting, (*keys, "for"))
        delay = None if table.delay is None else self._seconds(table.delay, (*keys, "delay"))
        return Fault(
            table.name or table.fault, table.fault, Anchor(kind, name, ends), after, lasting, table.target, delay
        )

    def _objects(self, table: ExperimentTable) -> tuple[Object, ...]:
        found: list[Object] = []
        for name in table.objects:
            try:
                found += read_objects(self._path.parent / name, table.namespace)
            except UsageError as error:
                line = line_of(self._text, ("objects",), name)
                raise UsageError(f"{self._path}:{line}: {error.message}", hint=error.hint) from error
            twice = next(
                (words(item) for item in found if [words(other) for other in found].count(words(item)) > 1), ""
            )
            if twice:
                raise self._error(("objects",), f"{twice} stands twice among the objects", "drop one of them", name)
        return tuple(found)

    def _hpa(self, table: ExperimentTable, objects: Sequence[Object]) -> Key | None:
        own = [item["metadata"] for item in objects if item["kind"] == "HorizontalPodAutoscaler"]
        if table.hpa:
            try:
                key = parse_hpa_name(table.hpa)
            except UsageError as error:
                raise self._error(("hpa",), error.message, error.hint) from error
            spaces = {item.get("namespace", "") for item in own if item["name"] == key.name}
            return Key(key.namespace or (spaces.pop() if len(spaces) == 1 else table.namespace), key.name)
        if len(own) > 1:
            names = ", ".join(item["name"] for item in own[:5])
            raise UsageError(
                f"{self._path}: there are {len(own)} HPAs among the objects", hint=f"say which: hpa = ... ({names})"
            )
        return Key(own[0].get("namespace", ""), own[0]["name"]) if own else None

    def _variants(self, table: ExperimentTable) -> tuple[Variant, ...]:
        if "variant" in self._data and not table.variant:
            raise self._error(
                ("variant",), "there is no variant", "write [[variant]] with name and spec, or leave it out"
            )
        names = [item.name for item in table.variant]
        for index, item in enumerate(table.variant):
            if not item.name or names.count(item.name) > 1:
                raise self._error(("variant", index), f"a variant's name is {item.name!r}", "give each its own name")
            for key in item.spec:
                if key in ("scaleTargetRef",):
                    raise self._error(
                        ("variant", index, "spec"), "a variant has another target", "change only how it scales"
                    )
        return tuple(Variant(item.name, item.spec) for item in table.variant) or (Variant(),)

    # Expectations ---------------------------------------------------------------------------------------------

    def _expectations(self, table: ExperimentTable, known: Known) -> tuple[Expectation, ...]:
        found: list[Expectation] = []
        for text in table.expect:
            try:
                expectation = parse(text)
            except UsageError as error:
                raise self._error(("expect",), error.message, error.hint, text) from error
            if (wrong := impossible(expectation, known, tuple(found))) is not None:
                raise self._error(("expect",), f"{text!r} {wrong[0]}", wrong[1], text)
            found.append(expectation)
        return tuple(found)

    def _check_bounds(self, found: Experiment) -> None:
        """Where the HPA is among the objects: what its spec makes impossible."""
        own = next((i for i in found.objects if i["kind"] == "HorizontalPodAutoscaler"
                    and (found.hpa is None or i["metadata"]["name"] == found.hpa.name)), None)  # fmt: skip
        if own is None:
            return
        for variant in found.variants:
            check_bounds(found, Bounds.of({**own.get("spec", {}), **variant.spec}), variant, self._text)


def check_bounds(experiment: Experiment, bounds: Bounds, variant: Variant, text: str | None = None) -> None:
    """UsageError for the first expectation that cannot hold with these minReplicas and maxReplicas."""
    for expectation in experiment.expectations:
        wrong = bounds.impossible(expectation, experiment.plan, experiment.observe)
        if wrong:
            source = experiment.path.read_text(encoding="utf-8-sig") if text is None else text
            line = line_of(source, ("expect",), expectation.text)
            where = f" (variant {printable(variant.name)})" if variant.name else ""
            raise UsageError(
                f"{experiment.path}:{line}: {expectation.text!r} can never hold{where}: {wrong}",
                hint="correct one of them",
            )


def _shown(keys: Sequence[str | int], last: str = "") -> str:
    """A path as people read it: `load.stage 1: rate`."""
    parts = [str(key + 1) if isinstance(key, int) else key for key in keys]
    text = ".".join(part for part in parts if not part.isdecimal())
    numbers = [part for part in parts if part.isdecimal()]
    text = f"{text} (number {numbers[-1]})" if numbers else text
    return f"{text}: {printable(last, 60)}" if last and text else printable(last, 60) or text


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return (
        f"did you mean {printable(near[0], 60)!r}?" if near else f"known: {printable(', '.join(known) or 'none', 200)}"
    )


def _wanted(words: str, name: str) -> str:
    """What a key takes, from msgspec's words."""
    if "enum" in words and name in ONE_OF:
        return f"one of {ONE_OF[name]}" if name != "fault" else f"one of {', '.join(FAULTS)}"
    if bound := re.search(r"Expected `\w+`(?: [a-z ]+)? (>=|<=|>) ([\d.]+)", words):
        return {">=": "{} or more", "<=": "at most {}", ">": "above {}"}[bound[1]].format(f"{float(bound[2]):g}")
    if kinds := re.search(r"Expected `([^`]*)`", words):
        known = [KINDS[kind.strip()] for kind in kinds[1].split("|") if kind.strip() in KINDS]
        if known:
            return f"it takes {' or '.join(known)}"
    return "correct it"
