"""Polygons and segments that Axes show, read from the artists that draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from splineviz.render.pixel_fills import PixelFills
from splineviz.render.segments import Segments

__all__ = ["FilledPolygon", "fill_colors", "filled_polygons", "fills_of", "layers_of", "segments_in"]


@dataclass(frozen=True)
class FilledPolygon:
    """A polygon that is shown, and its colour in steps of 1/255."""

    corners: np.ndarray
    rgb: tuple[float, ...]


def fills_of(ax: Axes) -> list[PixelFills]:
    return [artist for artist in ax.get_children() if isinstance(artist, PixelFills)]


def filled_polygons(ax: Axes) -> list[FilledPolygon]:
    return [
        FilledPolygon(fills.polygons.vertices[fills.polygons.corners[row]], tuple((rgb / 255).tolist()))
        for fills in fills_of(ax)
        for row, rgb in zip(fills.polygons.rows, fills.colors[:-1, :3], strict=True)
    ]


def fill_colors(ax: Axes) -> np.ndarray:
    """(n, 3) colours of all polygons that are shown."""
    return np.array([polygon.rgb for polygon in filled_polygons(ax)])


def layers_of(ax: Axes, color: str | None = None) -> list[Segments]:
    """Layers of lines, of one colour where one is given."""
    return [
        artist
        for artist in ax.get_children()
        if isinstance(artist, Segments)
        and (color is None or np.allclose(to_rgb(artist.color), to_rgb(color)))
    ]


def segments_in(*layers: Segments) -> np.ndarray:
    """(n, 2, 2) segments of some layers, as they are drawn."""
    return np.concatenate([np.zeros((0, 2, 2)), *(block for layer in layers for block in layer.blocks())])
