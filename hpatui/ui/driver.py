"""The driver between Textual and the terminal: its modes, its keys, its size, and the signals that concern it.

Textual's own ends with the first byte that is no UTF-8, waits for ever where nobody reads the terminal, and takes its size
from COLUMNS. This one asks the kernel, ignores what it cannot read, and tells the app when the terminal is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from typing import Any

from textual import events
from textual.driver import Driver
from textual.message import Message

from hpatui.ui import textual_private
from hpatui.ui.keybytes import KeyReader
from hpatui.ui.writer import TerminalWriter

MOST_WAITING = 500  # messages that the app has not handled yet; until then no more keys are read
_PATIENCE = 0.05  # seconds between looks at the clock while no key comes

_MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
_MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
# The kitty keyboard protocol: unambiguous escapes, all keys, with their text.
_KITTY_ON, _KITTY_OFF = "\x1b[>25u", "\x1b[<u"
_BEGIN = f"\x1b[?1049h{_MOUSE_ON}\x1b[?25l\x1b[?1004h{_KITTY_ON}\x1b[?2004h\x1b[?7l"
_AGAIN = f"\x1b[?1049h{_MOUSE_ON}\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l"  # the keyboard's modes are on a stack: once
_END = f"\x1b[?2004l\x1b[?7h{_MOUSE_OFF}{_KITTY_OFF}\x1b[?1049l\x1b[?25h\x1b[?1004l"
_MODE_QUESTION, _ALIVE_QUESTION = "\x1b[?2026$p", "\x1b[5n"


def terminal_size(*descriptors: int) -> tuple[int, int]:
    """Columns and rows as the kernel knows them; 80x24 where it does not (a serial line may have no size)."""
    for fd in descriptors:
        try:
            size = os.get_terminal_size(fd)
        except OSError:
            continue
        if size.columns > 0 and size.lines > 0:
            return size.columns, size.lines
    return 80, 24


class TerminalDriver(Driver):
    """See the module. The app may have `terminal_gone()` and `terminal_answered()`; both are called on its loop."""

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._app_there: Any = app
        self._in = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
        self._out = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1
        self._writer: TerminalWriter | None = None
        self._attributes: list[Any] | None = None
        self._reading: threading.Thread | None = None
        self._stop_reading = threading.Event()
        self._own_stop = False
        self._loop_there = asyncio.get_running_loop()
        self._signals: list[int] = []
        textual_private.set_size(self, terminal_size(self._out, self._in))

    @property
    def can_suspend(self) -> bool:
        """Textual: the app may give the terminal away for a while."""
        return True

    # Out ------------------------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Send text; returns at once."""
        if self._writer is not None:
            self._writer.write(data)

    def waiting(self) -> int:
        """Bytes that the terminal has not taken yet, as far as can be known here."""
        return self._writer.waiting() if self._writer is not None else 0

    @property
    def rate(self) -> float | None:
        """Bytes per second that the terminal took while its queue was full; None where it never was."""
        return self._writer.rate if self._writer is not None else None

    def ask(self, *, mode: bool) -> None:
        """Ask the terminal something that it answers at once: about a mode, or (nearly all know this) if it is there."""
        self.write(_MODE_QUESTION if mode else _ALIVE_QUESTION)

    # Begin and end --------------------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        """Textual: take the terminal."""
        self._writer = TerminalWriter(self._out, self._gone_from_thread)
        self._take_signals()
        with contextlib.suppress(termios.error, OSError):
            self._attributes = termios.tcgetattr(self._in)
        self._raw()
        self.write(_BEGIN if self._mouse else _BEGIN.replace(_MOUSE_ON, ""))
        if os.environ.get("TERM_PROGRAM", "") != "Apple_Terminal":  # which shows the question
            self.ask(mode=True)
        self.ask(mode=False)
        self._send_size()
        self._stop_reading.clear()
        self._reading = threading.Thread(target=self._read, name="terminal-input", daemon=True)
        self._reading.start()

    def _raw(self) -> None:
        """No echo, no line editing, no signals from keys, no flow control: every byte comes as it is."""
        with contextlib.suppress(termios.error, OSError):
            new = termios.tcgetattr(self._in)
            new[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
            new[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
            new[6][termios.VMIN], new[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._in, termios.TCSANOW, new)

    def disable_input(self) -> None:
        """Textual: no more keys."""
        self._stop_reading.set()
        if self._reading is not None and self._reading is not threading.current_thread():
            self._reading.join(2.0)
        self._reading = None
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self._in, termios.TCIFLUSH)

    def stop_application_mode(self) -> None:
        """Textual: give the terminal back as it was."""
        self.write(_END)
        self.disable_input()
        if self._attributes is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self._in, termios.TCSANOW, self._attributes)
            self._attributes = None

    def close(self) -> None:
        """Textual: the last bytes."""
        for number in self._signals:
            with contextlib.suppress(ValueError, RuntimeError):
                self._loop_there.remove_signal_handler(number)
        self._signals.clear()
        if self._writer is not None:
            self._writer.stop()
            self._writer = None

    # Signals --------------------------------------------------------------------------------------------------

    def _take_signals(self) -> None:
        handlers = {
            signal.SIGWINCH: self._send_size,
            signal.SIGTSTP: self._suspended,
            signal.SIGCONT: self._continued,
        }
        for number, handler in handlers.items():
            if number != signal.SIGWINCH and signal.getsignal(number) is signal.SIG_IGN:
                continue
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                self._loop_there.add_signal_handler(number, handler)
                self._signals.append(number)

    def _send_size(self) -> None:
        size = terminal_size(self._out, self._in)
        textual_private.set_size(self, size)
        self.send_message(events.Resize.from_dimensions(size, None))

    def _suspended(self) -> None:
        """SIGTSTP: step aside, stop, and come back when somebody says so."""
        restart = textual_private.auto_restart(self) and self._writer is not None
        if restart:
            self.stop_application_mode()
            if self._writer is not None:
                self._writer.stop()
        self._own_stop = True
        os.kill(os.getpid(), signal.SIGSTOP)
        if restart:
            self.start_application_mode()
            self.send_message(self.SignalResume())

    def _continued(self) -> None:
        """SIGCONT: after our own stop all is done; after another's (kill -STOP) the shell may have changed the modes."""
        own, self._own_stop = self._own_stop, False
        if own or self._writer is None or not textual_private.auto_restart(self):
            return
        self._raw()
        self.write(_AGAIN if self._mouse else _AGAIN.replace(_MOUSE_ON, ""))
        self._send_size()
        self.send_message(self.SignalResume())

    # In -------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """The thread that reads keys."""
        reader = KeyReader(time.monotonic, self._answered_from_thread)
        while not self._stop_reading.is_set():
            if textual_private.waiting_messages(self._app_there) > MOST_WAITING:
                self._stop_reading.wait(0.01)
                continue
            try:
                ready = select.select([self._in], [], [], _PATIENCE)[0]
                self._pass_on(reader.tick())  # first: an escape that was a key does not join the key after it
                if ready:
                    data = os.read(self._in, 1024)
                    if not data:
                        self._gone_from_thread()
                        return
                    self._pass_on(reader.feed(data))
            except (BlockingIOError, InterruptedError):
                continue
            except (OSError, ValueError):
                self._gone_from_thread()
                return
            except RuntimeError:  # the loop is closed
                return

    def _pass_on(self, messages: list[Message]) -> None:
        for message in messages:
            self.process_message(message)

    def _gone_from_thread(self) -> None:
        self._on_loop("terminal_gone")

    def _answered_from_thread(self) -> None:
        self._on_loop("terminal_answered")

    def _on_loop(self, name: str) -> None:
        call = getattr(self._app_there, name, None)
        if call is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the end is under way
                self._loop_there.call_soon_threadsafe(call)
