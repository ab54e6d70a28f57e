"""What commands share: the settings of a run, and a session that ends with it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from hpatui.ends import need_output, run_async
from hpatui.settings import Settings, load_settings

if TYPE_CHECKING:
    from hpatui.sandbox.options import SandboxOptions
    from hpatui.session.live import Session


def settings_of(args: argparse.Namespace, **more: object) -> Settings:
    """The settings of this run; from here on there is a log file."""
    from hpatui import logs
    from hpatui.settings import state_dir

    settings = load_settings({**vars(args), **more})
    logs.start(settings.log_file or state_dir(settings) / "hpatui.log")
    return settings


def with_session(
    settings: Settings, work: Callable[[Session], Coroutine[Any, Any, int]], demo: SandboxOptions | None = None, *,
    details: bool = True,
) -> int:  # fmt: skip
    """Run `work` with a session (not started yet) that is stopped afterwards, however it ends."""
    from hpatui.plain import login
    from hpatui.session.live import Session

    need_output()

    async def run() -> int:
        session = Session(settings, demo=demo, details=details, say=login.say, ask=login.ask)
        try:
            return await work(session)
        finally:
            await session.stop()

    return run_async(run())
