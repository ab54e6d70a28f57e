"""`hpatui config`: the settings in force and where each comes from; `--init` a commented file to start with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypedDict

from hpatui.errors import UsageError
from hpatui.masking import masked
from hpatui.settings import CHOICES, Settings, config_file, load_with_origins

_ABOUT = {
    "kubeconfig": "kubeconfig file; unset: $KUBECONFIG, then ~/.kube/config",
    "context": "context of the kubeconfig; unset: its current one",
    "namespace": "namespace; unset: the context's",
    "all_namespaces": "look at the HPAs of all namespaces",
    "hpa": "the HPA to select at the start: NAME or NS/NAME",
    "as_user": "the user to impersonate, as kubectl --as does",
    "as_groups": "with as_user: the groups to impersonate",
    "observe": "how many HPAs are observed as the controller sees them",
    "read_only": "no load and nothing that changes a cluster",
    "low_bandwidth": "fewer colours and repaints, for slow lines",
    "ascii": "no characters beyond ASCII",
    "theme": "the screen's colours",
    "themes": "themes of your own, as tables [themes.NAME]: `base` (dark, light, high-contrast), and what differs from it",
    "bell": "ring the terminal's bell at each rescale",
    "load_url": "where l sends the load; unset: found from the HPA",
    "load_via": "how l reaches the pods",
    "load_plan": "a plan in TOML that l carries out",
    "load_workers": "Locust's workers with load_via cluster",
    "load_rate": "requests per second that l starts with",
    "max_rate": "never more requests per second than this",
    "sync_period": "the controller's sync period in seconds, where its flags were changed",
    "tolerance": "its default tolerance, a fraction (0.1)",
    "downscale_stabilization": "its downscale stabilization window in seconds (300)",
    "cpu_initialization": "its CPU initialization period in seconds (300)",
    "initial_readiness_delay": "its initial readiness delay in seconds (30)",
    "controller_rules": "whose rules the controller follows, as 1.32; unset: those of the server's version",
    "feature_gates": "its feature gates, as HPAScaleToZero=true, where they were changed",
    "log_file": "where unexpected failures are logged; unset: hpatui.log in the state folder",
    "record": "keep a recording of what the screen shows",
    "record_days": "for how many days it is kept",
    "record_size": "how large one recording may grow, in MB; the oldest goes first",
    "prometheus": "a Prometheus that knows the time before hpatui recorded: its URL",
    "prometheus_user": "its user (basic auth); the password: $HPATUI_PROMETHEUS_PASSWORD or prometheus_password_file",
    "prometheus_password_file": "a file with the password of prometheus_user",
    "prometheus_token_file": "a file with a bearer token; or $HPATUI_PROMETHEUS_TOKEN",
    "prometheus_ca_file": "authorities (PEM) that its certificate must be from; unset: the system's",
    "prometheus_cert_file": "our certificate (PEM), where it wants one",
    "prometheus_key_file": "the key of prometheus_cert_file; unset: it is in that file",
    "prometheus_insecure": "take any certificate for its",
    "prometheus_org_id": "the tenant, where it is a Mimir or Cortex (X-Scope-OrgID)",
    "prometheus_match": 'label matchers of its series, where it has those of several clusters: cluster="prod"',
    "prometheus_step": "seconds between the samples that it is asked for",
    "state_dir": "where hpatui keeps what it remembers; unset: the XDG state folder",
}

_OWN_THEME = '{mine = {base = "dark", background = "#101418", replicas = "#5ccfe6", bad = "#ff7369"}}'


SettingJson = TypedDict("SettingJson", {"value": bool | float | str | list[str] | dict[str, Any] | None, "from": str})
SettingJson.__doc__ = """One setting.

    value: in force; null: hpatui decides by looking
    from: default, a file's path, environment or flag
    """


class ConfigJson(TypedDict):
    """The settings in force: `hpatui config --json`.

    settings: name -> value and origin
    file: the settings file that is read where it is there
    """

    settings: dict[str, SettingJson]
    file: str


def show(flags: Mapping[str, Any], *, as_json: bool) -> int:
    """Print every setting, its value and its origin."""
    settings, origins = load_with_origins(flags)
    values = asdict(settings)
    if as_json:
        rows: dict[str, SettingJson] = {
            name: {"value": _plain(_shown(name, value)), "from": origins[name]} for name, value in values.items()
        }
        result: ConfigJson = {"settings": rows, "file": str(config_file(os.environ))}
        print(json.dumps(result))
        return 0
    texts = {name: _toml(_shown(name, value)) if value is not None else "-" for name, value in values.items()}
    name_width, value_width = max(map(len, texts)), min(40, max(map(len, texts.values())))
    print(f"{'SETTING':<{name_width}}  {'VALUE':<{value_width}}  FROM")
    for name, text in texts.items():
        print(f"{name:<{name_width}}  {text:<{value_width}}  {origins[name]}")
    return 0


def _shown(name: str, value: Any) -> Any:
    """An address may hold a password, though none should."""
    return masked(value) if name in ("prometheus", "load_url") and isinstance(value, str) else value


def _plain(value: Any) -> bool | float | str | list[str] | dict[str, Any] | None:
    return list(value) if isinstance(value, tuple) else value


def init() -> int:
    """Write the commented file; one that is there is never overwritten (UsageError)."""
    named = os.environ.get("HPATUI_CONFIG")
    path = Path(named).expanduser() if named else config_file(os.environ)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint="edit it, or move it away first") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    print(f"wrote {path}: every setting is in it, commented out")
    return 0


def template() -> str:
    """The commented file: each setting with what it means and its default."""
    lines = [
        "# Settings of hpatui. Flags beat the environment (HPATUI_NAME), which beats this file. See `hpatui config`.",
    ]
    for item in fields(Settings):
        choices = CHOICES.get(item.name)
        extra = f" ({', '.join(choices)})" if choices else ""
        lines += ["", f"# {_ABOUT.get(item.name, item.name.replace('_', ' '))}{extra}"]
        example = item.default if item.default is not None else _example(item.name, str(item.type))
        text = _OWN_THEME if item.name == "themes" else _toml(example)
        lines.append(f"# {item.name} = {text}")
    return "\n".join(lines) + "\n"


def _example(name: str, kind: str) -> Any:
    choices = CHOICES.get(name)
    if choices:
        return choices[0]
    return 15.0 if kind.startswith("float") else ""


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
