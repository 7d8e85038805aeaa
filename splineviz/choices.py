"""Words to choose from: one list each, for a verb and for the option of the command line that asks for it."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = [
    "COLORS",
    "DIRECTIONS",
    "EDGES",
    "SHARED_COLORS",
    "SHARED_EDGES",
    "CellColor",
    "Certify",
    "Difference",
    "EdgeStyle",
    "Frame",
    "Noise",
    "Precision",
    "Variant",
]

DIRECTIONS = 25
"""Directions of a neighbourhood where nothing else is asked for and the input has so many dimensions."""

CellColor = Literal["random", "norm", "jacobian", "class", "area", "kink", "stage", "volume", "value", "none"]
"""Quantity or class that the fill of a cell shows; ``value`` is the output, pixel by pixel."""

EdgeStyle = Literal["stage", "kink", "plain", "none"]
"""Quantity that the lines between cells show."""

Difference = Literal["map", "decisions", "edges"]
"""Difference that the panel of a pair of networks shows."""

Certify = Literal["full", "fast", "off"]
"""Decisions that error bounds leave open: all are evaluated exactly, cheap ones are, or nothing is proven."""

Frame = Literal["shared", "per-point"]
"""One frame of directions for all points, or a fresh one for each."""

Noise = Literal["bias", "weights"]
"""Parameters that are noisy."""

Variant = Literal["theorem", "kinks", "all-edges", "script", "gradient"]
"""Forms of the density of kinks."""

Precision = Literal["float64", "float32", "bfloat16", "float16"]
"""In which numbers an estimator computes."""

COLORS: tuple[CellColor, ...] = get_args(CellColor)
SHARED_COLORS = tuple(color for color in COLORS if color not in ("jacobian", "kink", "value"))
"""Fills that several networks, or checkpoints of one, can show on one scale."""

EDGES: tuple[EdgeStyle, ...] = get_args(EdgeStyle)
SHARED_EDGES = tuple(style for style in EDGES if style != "kink")
"""Lines that several networks, or checkpoints of one, can show on one scale."""
