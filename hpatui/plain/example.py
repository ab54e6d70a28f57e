"""`hpatui example`: the walkthrough's application on a cluster, to try autoscaling on; applied, removed or printed."""

from __future__ import annotations

from hpatui.clock import SystemClock
from hpatui.errors import UsageError
from hpatui.plain.login import ask, say
from hpatui.plain.safe import manifests
from hpatui.settings import Settings

NAMESPACE = "hpatui-example"


async def example(settings: Settings, action: str, *, yes: bool) -> int:
    """Do it; returns the exit code. UsageError without --yes on any cluster but the sandbox."""
    from hpatui.session.example import apply_example, example_objects, remove_example

    namespace = settings.namespace or NAMESPACE
    if action == "print":
        print(manifests(example_objects(namespace)), end="")
        return 0
    if settings.read_only:
        raise UsageError("this hpatui is read-only", hint="unset read_only (HPATUI_READ_ONLY, config file)")
    from hpatui.cluster.connect import connect

    connection = await connect(settings, SystemClock(), say=say, ask=ask)
    try:
        if not connection.sandbox and not yes:
            where = f"namespace {namespace} on context {connection.context} ({connection.host})"
            raise UsageError(f"that changes {where}", hint="say --yes if you mean it")
        act = apply_example if action == "apply" else remove_example
        for line in await act(connection, namespace):
            print(line)
    finally:
        await connection.close()
    if action == "apply":
        print(f"look at it with: hpatui -n {namespace}")
    return 0
