"""Rows of text as lines with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from splineviz.showing import in_line

__all__ = ["aligned"]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A line for each row, its cells padded to the widest of their column."""
    shown = [[in_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = ([f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)] for row in shown)
    return ["  ".join(row).rstrip() for row in padded]
