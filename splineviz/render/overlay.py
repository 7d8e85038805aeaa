"""Marks over the cells: decision boundary, anchors, data points, the valid range, the scale bar."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.io.provenance import certificate_note, certificate_of
from splineviz.plane import Plane, Window
from splineviz.render.clip import valid_polygon
from splineviz.render.palette import class_colors
from splineviz.render.shapes import add_segments
from splineviz.render.style import BOUNDARY, FOOTER_LINE, INK, MUTED, SMALL
from splineviz.showing import in_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.decisions.boundary_result import DecisionBoundary
    from splineviz.arrangement.result import Arrangement

__all__ = [
    "counted",
    "draw_boundary",
    "draw_footer",
    "draw_invalid",
    "draw_points",
    "draw_scale_bar",
    "footer_depth",
    "in_window",
    "nice_length",
]

Legend = tuple[list[Any], list[str]]

_NARROW = 2.2  # inches that the scale bar with its label and the number of cells need side by side
_LETTERS_PER_INCH = 20


def draw_boundary(ax: Axes, segments: np.ndarray, width: float, label: str, color: str = BOUNDARY) -> Legend:
    """The decision boundary, or level set, on a white casing, so that it reads on every fill."""
    from matplotlib.lines import Line2D

    if len(segments) == 0:
        return [], []
    for ink, size, zorder in (("white", width + 0.9, 4.0), (color, width, 4.1)):
        add_segments(ax, lambda: [segments], color=ink, width=size, zorder=zorder)
    return [Line2D([], [], color=color, linewidth=1.3)], [label]


def draw_points(
    ax: Axes, plane: Plane, window: Window, points: Any, classes: Any = None
) -> tuple[Legend, np.ndarray]:
    """Data points projected on the plane: the farther off it, the smaller and fainter. Also returns the
    classes seen, ascending."""
    from matplotlib.lines import Line2D

    uv, off = plane.project(points)
    uv, off = uv.reshape(-1, 2), off.ravel()
    inside = in_window(uv, window)
    if not inside.any():
        return ([], []), np.zeros(0, dtype=np.int64)
    rgb = np.zeros((len(uv), 3)) + 0.1 if classes is None else class_colors(np.asarray(classes).ravel())
    uv, off, rgb = uv[inside], off[inside], rgb[inside]
    near, far = float(off.min()), float(off.max())
    flat = far - near <= 1e-9 * max(far, 1.0)

    def closeness(distance: np.ndarray) -> np.ndarray:
        return np.ones_like(distance) if flat else (far - distance) / (far - near)

    size = 2.3 + 2.7 * closeness(off)
    alpha = 0.35 + 0.6 * closeness(off)
    ax.scatter(
        uv[:, 0],
        uv[:, 1],
        s=size**2,
        c=np.column_stack([rgb, alpha]),
        edgecolors="white",
        linewidths=0.3,
        zorder=5,
        label="data",
    )
    shown = [near] if flat else [near, far]
    handles = []
    for distance in shown:
        c = float(closeness(np.array(distance)))
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                ms=2.3 + 2.7 * c,
                mfc=INK,
                mec="white",
                mew=0.3,
                alpha=0.35 + 0.6 * c,
            )
        )
    seen = (
        np.zeros(0, dtype=np.int64)
        if classes is None
        else np.unique(np.asarray(classes, dtype=np.int64).ravel()[inside])
    )
    digits = next((n for n in range(2, 7) if f"{near:.{n}g}" != f"{far:.{n}g}"), 2)
    return (handles, [f"data, {d:.{digits}g} off the plane" for d in shown]), seen


def draw_invalid(ax: Axes, plane: Plane, window: Window, low: Any, high: Any) -> Legend:
    """Veil and hatch the part of the window where some input coordinate leaves [low, high]; outline the
    rest."""
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path

    valid = valid_polygon(plane, window, low, high)
    parts = [_closed(window.vertices)] + ([_closed(valid[::-1])] if len(valid) else [])
    path = Path.make_compound_path(*parts)
    ax.add_patch(PathPatch(path, facecolor=(1, 1, 1, 0.5), edgecolor="none", zorder=3.0))
    ax.add_patch(PathPatch(path, facecolor="none", edgecolor="0.6", hatch="////", linewidth=0, zorder=3.1))
    if len(valid):
        ax.add_patch(
            PathPatch(
                _closed(valid),
                facecolor="none",
                edgecolor=INK,
                linewidth=0.8,
                linestyle=(0, (4, 2)),
                zorder=3.2,
            )
        )
    handle = Patch(facecolor="white", edgecolor=(0.45, 0.45, 0.45), hatch="//////", linewidth=0.5)
    return [handle], [
        f"outside [{low:g}, {high:g}]" if np.ndim(low) == np.ndim(high) == 0 else "outside the valid range"
    ]


def draw_scale_bar(ax: Axes, window: Window) -> None:
    """A bar of a round length below the frame, in units of distance in input space."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    figure = ax.get_figure(root=True)
    assert figure is not None
    x0, x1, _, _ = window.bounds
    length = nice_length((x1 - x0) / 4)
    below = blended_transform_factory(ax.transData, ax.transAxes) + ScaledTranslation(
        0, -0.11, figure.dpi_scale_trans
    )
    style: dict[str, Any] = {"color": INK, "transform": below, "clip_on": False, "solid_capstyle": "butt"}
    ax.plot([x0, x0 + length], [0, 0], linewidth=1.6, label="scale bar", scalex=False, scaley=False, **style)
    beside = blended_transform_factory(ax.transData, ax.transAxes) + ScaledTranslation(
        0.06, -0.11, figure.dpi_scale_trans
    )
    text = f"{length:g} (input distance)"
    ax.text(
        x0 + length,
        0,
        text,
        transform=beside,
        size=SMALL,
        color=INK,
        va="center_baseline",
        ha="left",
        clip_on=False,
    )


def counted(number: int, what: str) -> str:
    """A number of things in words.

    Examples
    --------
    >>> counted(1, "cell"), counted(1200, "segment")
    ('1 cell', '1,200 segments')
    """
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def draw_footer(
    ax: Axes,
    found: Arrangement | DecisionBoundary,
    count: str,
    *,
    low: bool,
    beside: float,
    note: str | None = None,
) -> int:
    """A count of cells or segments at the right below the frame, or on the next line where that is narrow;
    then a note, and a warning if there is cause.

    ``low`` leaves room for tick labels. A warning may be wider than the frame by ``beside`` inches. Returns
    how many lines follow the first.
    """
    from matplotlib.transforms import ScaledTranslation

    figure = ax.get_figure(root=True)
    assert figure is not None
    width = ax.get_window_extent().width / figure.dpi
    depth = footer_depth(low)
    style: dict[str, Any] = {"size": SMALL, "va": "center_baseline", "clip_on": False, "parse_math": False}
    lines = []
    if width < _NARROW and not low:
        lines.append((count, MUTED))
    else:
        place = ax.transAxes + ScaledTranslation(0, -depth, figure.dpi_scale_trans)
        ax.text(1, 0, count, transform=place, color=MUTED, ha="right", **style)
    letters = int(_LETTERS_PER_INCH * (width + beside))
    if note is not None:
        lines += [(line, MUTED) for line in textwrap.wrap(in_line(note), letters)]
    if found.status.name != "COMPLETE":
        warning = certificate_note(certificate_of(found.stats)) if found.status.covers else found.verdict
        lines += [(line, BOUNDARY) for line in textwrap.wrap(in_line(warning), letters)]
    for k, (text, color) in enumerate(lines):
        place = ax.transAxes + ScaledTranslation(0, -depth - (k + 1) * FOOTER_LINE, figure.dpi_scale_trans)
        ax.text(0, 0, text, transform=place, color=color, ha="left", **style)
    return len(lines)


def footer_depth(low: bool) -> float:
    """Inches from the frame down to the first line of words; ``low`` where tick labels stand between."""
    return 0.3 if low else 0.11


def nice_length(target: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is at most ``target``.

    Examples
    --------
    >>> nice_length(3.9), nice_length(0.07)
    (2.0, 0.05)
    """
    exponent = math.floor(math.log10(target))
    leading = target / 10.0**exponent
    step = 5 if leading >= 5 else 2 if leading >= 2 else 1
    return float(f"{step}e{exponent}")


def in_window(uv: np.ndarray, window: Window) -> np.ndarray:
    """Mask (n,) of the points (n, 2), uv, that lie in the closed convex window."""
    corners = window.vertices
    step = np.roll(corners, -1, 0) - corners
    offset = uv[:, None, :] - corners
    inside: np.ndarray = np.all(step[:, 0] * offset[..., 1] - step[:, 1] * offset[..., 0] >= 0, axis=1)
    return inside


def _closed(polygon: np.ndarray) -> Any:
    from matplotlib.path import Path

    return Path(np.vstack([polygon, polygon[:1]]), closed=True)
