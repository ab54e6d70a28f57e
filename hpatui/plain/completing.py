"""Completion by the shell: `hpatui completion SHELL` prints what the shell loads; the shell then asks hpatui itself, with
argcomplete in between, so that contexts, namespaces and HPAs are those that are there.

A completion must never ask, print or wait long: what a cluster does not tell within `PATIENCE` is not offered.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hpatui.errors import HpatuiError, UsageError

PATIENCE = 2.0  # seconds
SHELLS = ("bash", "zsh", "fish")
PROGRAMS = ("hpatui",)


def script(shell: str) -> str:
    """The text that the shell loads. UsageError for a shell that is not known."""
    if shell not in SHELLS:
        raise UsageError(f"no completion for {shell!r}", hint=f"one of {', '.join(SHELLS)}")
    import argcomplete.shell_integration

    text: str = argcomplete.shell_integration.shellcode(list(PROGRAMS), shell=shell)
    return text


def answer(parser: argparse.ArgumentParser) -> None:
    """Answer the shell that asks (argcomplete's environment variables say what) and end the process."""
    import argcomplete.completers

    for each in _parsers(parser):
        for action in each._actions:
            completer = _COMPLETERS.get(action.dest)
            if completer is not None and not action.choices:
                action.completer = completer  # type: ignore[attr-defined]
    argcomplete.autocomplete(
        parser, always_complete_options=True, default_completer=argcomplete.completers.FilesCompleter()
    )


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _parsers(sub)


def _settings(parsed: argparse.Namespace) -> Any:
    from hpatui.settings import load_settings

    known = ("kubeconfig", "context", "namespace", "all_namespaces")
    return load_settings({name: getattr(parsed, name, None) for name in known})


def _contexts(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    from hpatui.cluster.connect import list_contexts

    try:
        return [context.name for context in list_contexts(_settings(parsed_args))]
    except (HpatuiError, OSError):
        return []


def _from_cluster(parsed: argparse.Namespace, prefix: str, *, hpas: bool) -> list[str]:
    try:
        return asyncio.run(asyncio.wait_for(_ask(_settings(parsed), prefix, hpas=hpas), PATIENCE))
    except (HpatuiError, OSError, TimeoutError):
        return []


async def _ask(settings: Any, prefix: str, *, hpas: bool) -> list[str]:
    from hpatui.clock import SystemClock
    from hpatui.cluster.connect import connect

    connection = await connect(settings, SystemClock(), context=settings.context)
    try:
        if not hpas:
            found = await connection.get_json("/api/v1/namespaces")
            return sorted(str(item["metadata"]["name"]) for item in found.get("items") or ())
        other = "/" in prefix or settings.all_namespaces
        namespace = prefix.partition("/")[0] if "/" in prefix else settings.namespace or connection.namespace
        scope = "" if settings.all_namespaces and "/" not in prefix else f"/namespaces/{namespace}"
        found = await connection.get_json(f"/apis/autoscaling/v2{scope}/horizontalpodautoscalers")
        metas = [item["metadata"] for item in found.get("items") or ()]
        return sorted(f"{m['namespace']}/{m['name']}" if other else str(m["name"]) for m in metas)
    finally:
        await connection.close()


def _namespaces(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    return _from_cluster(parsed_args, prefix, hpas=False)


def _hpas(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    return _from_cluster(parsed_args, prefix, hpas=True)


def _scenarios(**_: Any) -> list[str]:
    from hpatui.sandbox.options import list_scenarios

    return [name for name, _ in list_scenarios()]


def _themes(**_: Any) -> list[str]:
    from hpatui.settings import CHOICES

    return list(CHOICES["theme"])


_COMPLETERS: Mapping[str, Callable[..., list[str]]] = {
    "context": _contexts,
    "namespace": _namespaces,
    "hpa": _hpas,
    "name": _hpas,
    "scenario": _scenarios,
    "theme": _themes,
}


def asked(environ: Mapping[str, str] = os.environ) -> list[str] | None:
    """The words of the command line that a shell wants completed, or None where no shell asks."""
    if "_ARGCOMPLETE" not in environ:
        return None
    return environ.get("COMP_LINE", "").split()[1:]
