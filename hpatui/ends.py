"""How the program ends: one line for whatever went wrong, an exit code that is never 0 then, and streams that may be closed,
full or gone. Nothing here prints a traceback; the log file has it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TextIO

from hpatui.errors import HpatuiError

EXIT_FAILED, EXIT_INTERRUPTED = 2, 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ending(command: Callable[[], int]) -> int:
    """Run a command to its end, whatever that is; returns the exit code.

    What was printed is written out here, so that a full disk is an error of this program and not a traceback after it.
    """
    hold_streams()
    if sys.stdout is not None:
        safe: Any = SafeOutput(sys.stdout)
        sys.stdout = safe
    try:
        try:
            code = command()
        except SystemExit as end:  # argparse: --help, --version, a wrong flag
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else EXIT_FAILED
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
        return code
    except HpatuiError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error, but standard output must not be flushed again.
        _give_up(sys.stdout)
        return 0
    except OSError as error:
        if _is_output(error):
            complain(f"cannot write to standard output: {error.strerror}")
        else:
            complain(_logged(error))
        _give_up(sys.stdout)
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  the last line of defence: one line and the log
        complain(_logged(error))
        return EXIT_FAILED
    finally:
        now: Any = sys.stdout
        if isinstance(now, SafeOutput):
            sys.stdout = now.stream


class SafeOutput:
    """A text stream through which nothing goes that a terminal would act on: the one way out of the plain front end."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """As of a text stream; returns the length of `text`."""
        from hpatui.text import harmless

        self.stream.write(harmless(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def hold_streams() -> None:
    """Where a standard stream is closed its number must not become that of a socket or file: give it to /dev/null.

    Standard output stays None for Python, so that `need_output` can tell.
    """
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_RDWR)
                if null != fd:
                    os.dup2(null, fd)
                    os.close(null)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  for the life of the process


def need_output() -> None:
    """HpatuiError where there is no standard output to print to."""
    if sys.stdout is None or sys.stdout.closed:
        raise HpatuiError("standard output is closed", hint="there is nowhere to print to")


def complain(text: str) -> None:
    """One line on standard error; a standard error that cannot be written to is no reason to fail anew."""
    from hpatui.text import printable

    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"hpatui: {printable(' '.join(text.split()), 2000)}\n")
        sys.stderr.flush()


def _logged(error: BaseException) -> str:
    from hpatui import logs

    return logs.failure("hpatui", error)


def _is_output(error: OSError) -> bool:
    """Whether it is about writing what we print: a full disk, a terminal that is gone. Such errors name no file."""
    import errno

    return error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBADF, errno.EFBIG)


def _give_up(stream: TextIO | None) -> None:
    """Nothing more goes to this stream; what its buffer holds must not fail again when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def run_async(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end, or until SIGINT, SIGTERM or SIGHUP: those cancel the work, which then cleans up.

    A signal that was ignored when we started stays ignored (`nohup`, a job in the background of a script).
    """

    import asyncio  # `hpatui --help` needs none

    async def guarded() -> int:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return EXIT_INTERRUPTED

    return asyncio.run(guarded())
