"""One place for the look: type sizes in points, lengths in inches, colours."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

__all__ = [
    "BOUNDARY",
    "COLUMN_GAP",
    "FONT",
    "FOOTER_LINE",
    "INK",
    "MUTED",
    "PANEL_GAP",
    "PANEL_WIDTH",
    "SMALL",
    "STYLE",
    "styled",
]

FONT = 7.5
SMALL = 6.5
INK = "#1a1a1a"
MUTED = "#5c5c5c"
BOUNDARY = "#d7191c"
PANEL_GAP = 0.14
PANEL_WIDTH = 1.62
COLUMN_GAP = 0.24
FOOTER_LINE = 0.14

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": FONT + 0.5,
    "axes.labelsize": FONT,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "hatch.linewidth": 0.35,
    "svg.hashsalt": "splineviz",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


def styled(*, text: bool = False) -> AbstractContextManager[None]:
    """The look for as long as the context lasts, from the library's defaults: a user's own settings change no
    picture. With ``text`` letters in SVG are text, and not shapes."""
    from matplotlib.style import context

    return context(["default", STYLE | {"svg.fonttype": "none" if text else "path"}])
