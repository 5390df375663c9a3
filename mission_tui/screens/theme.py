"""The colours of the game: mission control at night. Blue and orange, never red against green."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

NIGHT: Final = Theme(
    name="mission-night",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#ffaf5f",
    warning="#ffd75f",
    error="#ff875f",
    success="#5fd7d7",
    foreground="#d0d8e8",
    background="#0a0e1a",
    surface="#101627",
    panel="#18203a",
    boost="#1c2644",
    dark=True,
    variables={
        "footer-key-foreground": "#ffaf5f",
        "footer-description-foreground": "#9fb0cc",
        "footer-background": "#101627",
        "block-cursor-background": "#ffaf5f",
        "block-cursor-foreground": "#0a0e1a",
        "input-cursor-background": "#ffaf5f",
        "border": "#5fafff",
        "border-blurred": "#2a3657",
    },
)
"""Every hue has a near twin among xterm's 256, since SSH drops COLORTERM."""
