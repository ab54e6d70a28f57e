"""Everything of Textual that is not public and that the screen uses: all of it here, each with what happens without it.

`missing()` names what this version of Textual lacks; the screen then does without (a comment at each part says how), so an
update of Textual costs comfort, not the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rich.color import ColorSystem
from rich.segment import Segment
from textual.app import App
from textual.geometry import Region
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

try:  # without them Textual paints by itself: more bytes, no pacing
    from textual._compositor import ChopsUpdate, LayoutUpdate
except ImportError:
    ChopsUpdate = LayoutUpdate = None  # type: ignore[assignment,misc]
try:  # without it closed screens stay in memory (forget_closed)
    from textual._styles_cache import StylesCache
except ImportError:
    StylesCache = None  # type: ignore[assignment,misc]
try:  # without it failures are attributed to the screen on top
    from textual._context import active_message_pump
except ImportError:
    active_message_pump = None  # type: ignore[assignment]
try:  # without it Textual reads the keys by itself
    from textual._xterm_parser import XTermParser
except ImportError:
    XTermParser = None  # type: ignore[assignment,misc]

Spans = Iterable[tuple[int, int, Iterable[Segment], int | None]]
_Failed = Callable[[App[Any], BaseException, object], bool]


def missing() -> list[str]:
    """Names of the private parts that this Textual does not have."""
    parts: dict[str, object] = {
        "textual._compositor": ChopsUpdate,
        "textual._styles_cache": getattr(StylesCache, "get_inner_outer", None),
        "textual._context": active_message_pump,
        "textual._xterm_parser": XTermParser,
        "App._display": getattr(App, "_display", None),
        "App._refresh_notifications": getattr(App, "_refresh_notifications", None),
        "App._handle_exception": getattr(App, "_handle_exception", None),
        "MessagePump._dispatch_message": getattr(MessagePump, "_dispatch_message", None),
        "Widget.render_lines": getattr(Widget, "render_lines", None),
    }
    return [name for name, part in parts.items() if part is None]


# Painting -------------------------------------------------------------------------------------------------------------


def spans_of(update: object) -> Spans | None:
    """(x, y, segments, end column or None) of a repaint; None where it is of a kind that we do not know."""
    if ChopsUpdate is None:
        return None
    if isinstance(update, LayoutUpdate):
        return _layout_spans(update)
    return _chop_spans(update) if isinstance(update, ChopsUpdate) else None


def _layout_spans(update: Any) -> Spans:
    for y, strips in enumerate(update.strips, update.region.y):
        yield update.region.x, y, [segment for strip in strips for segment in strip], None


def _chop_spans(update: Any) -> Spans:
    for y, start, end in update.spans:
        for right, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < end and right > start:
                yield x, y, strip, right


def ready_to_paint(app: App[Any]) -> bool:
    """Whether a repaint is to reach a terminal now."""
    driver = driver_of(app)
    return (
        driver is not None
        and bool(getattr(app, "_running", True))
        and not getattr(app, "_closed", False)
        and not getattr(app, "_batch_count", 0)
        and not app.is_headless
        and not driver.is_inline
    )


def driver_of(app: App[Any]) -> Any:
    """The driver, None before and after the app runs."""
    return getattr(app, "_driver", None)


def colours_of(app: App[Any]) -> ColorSystem | None:
    """How many colours the terminal knows, as Textual found out."""
    return getattr(app.console, "_color_system", None)


def use_palette(app: App[Any], colours: Any) -> None:
    """Before the first frame: what the names of colours mean. Without it: Textual's own, until the theme changes."""
    use = getattr(app, "_refresh_truecolor_filter", None)
    if use is not None:
        use(colours)


def synchronized(app: App[Any]) -> bool:
    """Whether the terminal knows synchronized output."""
    return bool(getattr(app, "_sync_available", False))


def screen_lines(screen: Screen[Any]) -> list[str]:
    """What a screen shows, as lines of text; empty where this Textual does not tell."""
    compositor = getattr(screen, "_compositor", None)
    render = getattr(compositor, "render_strips", None)
    return ["".join(segment.text for segment in line) for line in render()] if render is not None else []


def forget_closed() -> None:
    """Textual caches colours per widget in a cache of methods, which keeps up to 1,024 closed widgets with all their lines.

    Without this part those stay: some 30 MB after some hundred dialogs.
    """
    cached = getattr(StylesCache, "get_inner_outer", None)
    clear = getattr(cached, "cache_clear", None)
    if clear is not None:
        clear()


# Failures -------------------------------------------------------------------------------------------------------------


def failed_pump() -> object | None:
    """The app, screen or widget whose handler, timer or worker runs now."""
    return active_message_pump.get(None) if active_message_pump is not None else None


def guard_pumps(failed: _Failed) -> None:
    """From now on an exception in a handler or a render goes to `failed(app, error, where)`. Where that returns True the
    app, the screen or the widget goes on with its next message; Textual itself would end its queue of messages there.

    Without these parts only Textual's own `_handle_exception` is left, and a widget that failed stays as it is.
    """
    dispatch = getattr(MessagePump, "_dispatch_message", None)
    if dispatch is not None and not hasattr(dispatch, "guarded"):

        async def _dispatch_message(self: MessagePump, message: Message) -> None:
            try:
                await dispatch(self, message)
            except Exception as error:
                if not failed(self.app, error, self):
                    raise

        _dispatch_message.guarded = True  # type: ignore[attr-defined]
        MessagePump._dispatch_message = _dispatch_message  # type: ignore[method-assign]
    render = getattr(Widget, "render_lines", None)
    if render is not None and not hasattr(render, "guarded"):

        def render_lines(self: Widget, crop: Region) -> list[Strip]:
            try:
                return list(render(self, crop))
            except Exception as error:
                if not failed(self.app, error, self):
                    raise
                return [Strip.blank(crop.width) for _ in range(crop.height)]

        render_lines.guarded = True  # type: ignore[attr-defined]
        Widget.render_lines = render_lines  # type: ignore[method-assign]


# Keys -----------------------------------------------------------------------------------------------------------------


def waiting_messages(app: App[Any]) -> int:
    """How many messages the app has not handled yet."""
    queue = getattr(app, "_message_queue", None)
    try:
        return int(queue.qsize()) if queue is not None else 0
    except (AttributeError, NotImplementedError):
        return 0


def has_key_parser() -> bool:
    """Whether keys can be read by us."""
    return XTermParser is not None


def key_parser() -> Any:
    """A parser of what terminals send: `feed(text)` and `tick()` give messages."""
    assert XTermParser is not None
    return XTermParser()


def like(parser: Any, old: Any) -> Any:
    """`parser` with what `old` knew of the terminal."""
    for name in ("last_x", "last_y"):
        if hasattr(old, name):
            setattr(parser, name, getattr(old, name))
    return parser


def set_size(driver: Any, size: tuple[int, int]) -> None:
    """Tell the driver the terminal's size, which the app asks it for."""
    driver._size = size


def auto_restart(driver: Any) -> bool:
    """Whether the app wants the screen back by itself after a stop (not while somebody else has the terminal)."""
    return bool(getattr(driver, "_auto_restart", True))
