"""Small pictures and a table of an arrangement, as a notebook shows them. Nothing is computed that is not
there."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from splineviz.io.provenance import certificate_note, certificate_of
from splineviz.render.figure_layout import frame, plain_axes
from splineviz.render.palette import pattern_colors
from splineviz.render.shapes import add_segments, fill_polygons, segments_of
from splineviz.render.style import INK, styled
from splineviz.showing import in_html

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["facts", "figures"]

_VECTOR_CELLS = 2000
_MOST_BYTES = 50_000
_MOST_PICTURES = 4
_INCHES = 2.4


def figures(arrs: Sequence[Arrangement], names: Sequence[str]) -> str:
    """A picture of the first window of each of up to four arrangements, of at most about 50 kB, with its
    name."""
    shown = list(zip(arrs, names, strict=True))[:_MOST_PICTURES]
    return "".join(
        f'<figure style="margin:0">{_picture(arr)}<figcaption>{in_html(name)}</figcaption></figure>'
        for arr, name in shown
    )


def facts(arr: Arrangement) -> str:
    """A table of six rows: fields, and what was computed before."""
    regions = vars(arr).get("linear_regions")
    rows = {
        "cells": f"{arr.n_cells:,}"
        + (f" ({int(regions.max(initial=-1)) + 1:,} linear regions)" if regions is not None else ""),
        "vertices, edges": f"{arr.n_vertices:,}, {arr.n_edges:,}",
        "windows": f"{len(arr.windows):,}",
        "program": f"{arr.info.name}, {arr.info.n_units:,} units" if arr.info is not None else "unknown",
        "status": arr.verdict,
        "decisions": certificate_note(certificate_of(arr.stats)),
    }
    table = "".join(
        f'<tr><th style="text-align:left">{in_html(name)}</th><td '
        f'style="text-align:left">{in_html(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f"<table><caption><b>splineviz.Arrangement</b></caption>{table}</table>"


def _picture(arr: Arrangement) -> str:
    """The first window: SVG for few cells, a small PNG for many."""
    if arr.n_cells == 0 or not len(arr.windows):
        return ""
    cells = np.flatnonzero(arr.cell_window == 0)
    note = f"{len(cells):,} cells in the first window"
    if len(cells) <= _VECTOR_CELLS:
        # One style for all lines and rounded coordinates keep 2,000 cells near 50 kB; beyond that a picture
        # is smaller.
        vector = _svg(arr, cells, note)
        if len(vector) <= _MOST_BYTES:
            return vector
    text = base64.b64encode(_png(arr, cells)).decode("ascii")
    return f'<img alt="{note}" width="240" src="data:image/png;base64,{text}"/>'


def _svg(arr: Arrangement, cells: np.ndarray, note: str) -> str:
    """Written by hand: a quarter of the size of a general plotting library's file."""
    x0, x1, y0, y1 = arr.windows[0].bounds
    scale = 1000 / max(x1 - x0, y1 - y0)
    points = np.round((arr.vertices - [x0, y1]) * [scale, -scale]).astype(int).tolist()
    colors = (pattern_colors(arr.pattern_hash[cells]) * 255).round().astype(int).tolist()
    ids, offsets = arr.cells.values.tolist(), arr.cells.offsets.tolist()
    shapes = []
    for cell, (red, green, blue) in zip(cells.tolist(), colors, strict=True):
        corners = " ".join(f"{x},{y}" for x, y in (points[i] for i in ids[offsets[cell] : offsets[cell + 1]]))
        shapes.append(f'<path fill="#{red:02x}{green:02x}{blue:02x}" d="M{corners}z"/>')
    width, height = round((x1 - x0) * scale), round((y1 - y0) * scale)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{note}" viewBox="-2 -2 '
        f'{width + 4} {height + 4}" '
        f'width="{240 * width / 1000:.0f}" height="{240 * height / 1000:.0f}" stroke="{INK}" '
        f'stroke-width="1.5" '
        f'stroke-linejoin="round">{"".join(shapes)}</svg>'
    )


def _png(arr: Arrangement, cells: np.ndarray) -> bytes:
    """240 pixels in 32 colours: at most five bits a pixel, however small the cells are."""
    from PIL import Image

    bounds = arr.windows[0].bounds
    with styled():
        ax = plain_axes(bounds, _INCHES)
        frame(ax, bounds, ticks=False)
        rgb = pattern_colors(arr.pattern_hash[cells])
        fill_polygons(ax, arr.vertices, arr.cells, cells, rgb, "raster", smooth=False)
        here = segments_of(
            arr.vertices, arr.edges, lambda part: arr.cell_window[arr.edge_cells[part].max(1)] == 0
        )
        add_segments(ax, here, color=INK, width=0.15, zorder=2.0)
        figure = ax.get_figure(root=True)
        assert figure is not None
        raw = io.BytesIO()
        figure.savefig(raw, format="png", dpi=100)
    picture = Image.open(raw).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(32, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()
