"""Settings: frozen, and layered: defaults < config file < environment < flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from hpatui.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a person can choose. Paths are expanded; times are seconds; None means: decide by looking."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None  # None: the context's own; all namespaces with all_namespaces
    all_namespaces: bool = False
    hpa: str | None = None  # [NS/]NAME to select at the start
    as_user: str | None = None  # impersonate, as kubectl --as does
    as_groups: tuple[str, ...] = ()  # with as_user; separated by commas in the environment
    observe: str = "auto"  # whose decisions are computed: focus, view, all, or auto (by the number of HPAs)
    read_only: bool = False
    low_bandwidth: bool = False
    ascii: bool = False
    theme: str | None = None  # dark, light, ansi, high-contrast, or one of `themes`
    themes: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # own ones: name -> colour's name -> "#rrggbb"
    bell: bool = False
    load_url: str | None = None
    load_via: str = "proxy"  # proxy (the API server's), port-forward (to each ready pod), cluster (Locust inside it)
    load_plan: str | None = None  # a TOML file (README, "Load without the screen"); None: load_rate in a shape
    load_workers: int = 1  # of Locust, by load_via cluster
    load_rate: float = 50.0
    max_rate: float = 200.0
    # The controller's flags, for clusters that changed them (the API does not tell).
    sync_period: float | None = None
    tolerance: float | None = None
    downscale_stabilization: float | None = None
    cpu_initialization: float | None = None
    initial_readiness_delay: float | None = None
    controller_rules: str | None = None  # as "1.32": whose rules it follows; None: those of the server's version
    feature_gates: str | None = None  # "HPAScaleToZero=true,...", where it runs with others than its version's
    log_file: str | None = None  # where unexpected failures are written (default: hpatui.log in the state folder)
    state_dir: str | None = None  # where hpatui remembers namespaces per context, and keeps its recordings
    record: bool = True  # what the screen shows is recorded, so that its past can be looked at
    record_days: float = 7.0  # for how long it is kept
    record_size: int = 1024  # MB of one recording; the oldest goes first
    # A Prometheus that knows the time before hpatui recorded. Its password and token: from files, or the environment.
    prometheus: str | None = None  # its URL
    prometheus_user: str | None = None  # basic auth
    prometheus_password_file: str | None = None  # or $HPATUI_PROMETHEUS_PASSWORD
    prometheus_token_file: str | None = None  # a bearer token; or $HPATUI_PROMETHEUS_TOKEN
    prometheus_ca_file: str | None = None  # PEM; None: the system's authorities
    prometheus_cert_file: str | None = None  # PEM, our own certificate
    prometheus_key_file: str | None = None  # its key; None: it is in prometheus_cert_file
    prometheus_insecure: bool = False  # any certificate is good enough
    prometheus_org_id: str | None = None  # the tenant of a Mimir or Cortex (X-Scope-OrgID)
    prometheus_match: str | None = None  # label matchers of its series, as cluster="prod"
    prometheus_step: float = 30.0  # seconds between the samples that are asked for


_ENV_PREFIX = "HPATUI_"


def load_settings(
    flags: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, config_path: Path | None = None
) -> Settings:
    """Layer the sources. `flags` holds only what was given on the command line (None values are skipped).

    Raises UsageError that names the file or variable and the key at fault.
    """
    return load_with_origins(flags, environ=environ, config_path=config_path)[0]


def load_with_origins(
    flags: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, config_path: Path | None = None
) -> tuple[Settings, dict[str, str]]:
    """As `load_settings`, and where each setting came from: `default`, a file's path, `environment` or `flag`."""
    env = os.environ if environ is None else environ
    settings = Settings()
    origins = dict.fromkeys(_TYPES, "default")
    path = config_path or config_file(env)
    layers: list[tuple[str, str, dict[str, Any]]] = []
    if path.is_file():
        layers.append((str(path), f"{path}: ", _read_file(path)))
    layers.append(("environment", "environment: ", _from_environ(env)))
    given = {name: value for name, value in flags.items() if value is not None and name in _TYPES}
    layers.append(("flag", "", given))
    for origin, where, values in layers:
        settings = _apply(settings, values, where)
        origins.update(dict.fromkeys(values, origin))
    return settings, origins


def state_dir(settings: Settings, environ: Mapping[str, str] | None = None) -> Path:
    """Where hpatui keeps what it remembers (XDG state folder)."""
    env = os.environ if environ is None else environ
    if settings.state_dir:
        return Path(settings.state_dir).expanduser()
    base = env.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "hpatui"


def config_file(env: Mapping[str, str]) -> Path:
    """The config file that is read if it is there: $HPATUI_CONFIG (then it must be), or the one of the XDG folder."""
    named = env.get("HPATUI_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise UsageError(f"HPATUI_CONFIG names {named}, which is no file", hint="correct or unset it")
        return path
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "hpatui" / "config.toml"


def _read_file(path: Path) -> dict[str, Any]:
    import tomllib  # most people have no file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint="make it readable or move it away") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint="correct the TOML") from error


THEMES = ("dark", "light", "ansi", "high-contrast")  # and the user's own
CHOICES = {"theme": THEMES, "load_via": ("proxy", "port-forward", "cluster")}
_TYPES: dict[str, str] = {item.name: str(item.type) for item in fields(Settings)}


def _from_environ(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        text = env.get(_ENV_PREFIX + name.upper())
        if text is None or text == "" or kind.startswith("Mapping"):
            continue
        if kind.startswith("bool"):
            found[name] = text.lower() not in ("0", "false", "no", "off")
        elif kind == "int":
            if not text.isdecimal():
                raise UsageError(f"{_ENV_PREFIX}{name.upper()} is {text!r}, not a number")
            found[name] = int(text)
        elif kind.startswith("float"):
            try:
                found[name] = float(text)
            except ValueError:
                raise UsageError(f"{_ENV_PREFIX}{name.upper()} is {text!r}, not a number") from None
        elif kind.startswith("tuple"):
            found[name] = tuple(part for part in text.split(",") if part)
        else:
            found[name] = text
    return found


def _apply(settings: Settings, values: Mapping[str, Any], where: str) -> Settings:
    for name, value in values.items():
        kind = _TYPES.get(name)
        if kind is None:
            known = ", ".join(sorted(_TYPES))
            raise UsageError(f"{where}unknown setting {name!r}", hint=f"known: {known}")
        if kind.startswith("Mapping"):
            values = {**values, name: _themes(value, where)}
            continue
        expected: type[Any] | tuple[type[Any], ...] = str
        if kind.startswith("bool"):
            expected = bool
        elif kind == "int":
            expected = int
        elif kind.startswith("float"):
            expected = (int, float)
        elif kind.startswith("tuple"):
            if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
                raise UsageError(f"{where}{name} is {value!r}", hint="it takes a list of texts")
            values = {**values, name: tuple(value)}
            continue
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise UsageError(f"{where}{name} is {value!r}", hint=f"it takes a {kind.split(' ')[0]}")
        choices = CHOICES.get(name)
        if name == "theme":
            choices = (*THEMES, *values.get("themes", settings.themes))
        if choices is not None and value not in choices:
            raise UsageError(f"{where}{name} is {value!r}", hint=f"one of {', '.join(choices)}")
    return replace(settings, **values)


def _themes(value: object, where: str) -> Mapping[str, Mapping[str, str]]:
    """Tables `[themes.NAME]` of texts; which colours there are is known to the screen (hpatui/ui/themes.py)."""
    tables = value.items() if isinstance(value, Mapping) else ()
    if not tables or not all(isinstance(table, Mapping) for _, table in tables):
        raise UsageError(f"{where}themes is {value!r}", hint='write [themes.NAME] and lines such as bad = "#ff7369"')
    for name, table in tables:
        if not all(isinstance(colour, str) for colour in table.values()):
            raise UsageError(f"{where}theme {name!r} has a colour that is no text", hint='write it as "#rrggbb"')
        if name in THEMES:
            raise UsageError(f"{where}theme {name!r} is one of hpatui's own", hint="give yours another name")
    return {name: dict(table) for name, table in tables}
