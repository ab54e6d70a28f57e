"""A theme for eyes and screens that need it: pure black and white, strong colours, no greys."""

from __future__ import annotations

from textual.theme import Theme

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#00ffff",
    secondary="#ffffff",
    accent="#ffff00",
    warning="#ffff00",
    error="#ff5555",
    success="#00ff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#606060",
    dark=True,
    variables={"text-muted": "#ffffff", "border": "#ffffff"},
)
