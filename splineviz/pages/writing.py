"""`page`: an arrangement, a comparison or an animation as a page to look closely at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from splineviz.arrangement.result import Arrangement
from splineviz.choices import CellColor, EdgeStyle
from splineviz.errors import InputError
from splineviz.files import PAGE, atomic_path
from splineviz.pages.document import document
from splineviz.pages.look import Look
from splineviz.pages.panels import Panelled, Panels, panels_of
from splineviz.pages.scene import scene_of
from splineviz.pages.still import stills

__all__ = ["MOST_CELLS", "page", "write_page"]

MOST_CELLS = 3_000_000
"""Cells in all panels that a browser can still hold"""
_BYTES_A_CELL = 45
"""About as many as they take with ten outputs, as text"""


def page(
    shown: Arrangement | Panelled,
    path: str | os.PathLike[str],
    *,
    color: CellColor = "random",
    cmap: str | None = None,
    edges: EdgeStyle = "stage",
    boundary: bool = True,
    level: float | None = None,
    anchors: bool = True,
    images: Sequence[Any] | bool | None = None,
    labels: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    valid_range: tuple[Any, Any] | None = None,
    points: Any = None,
    point_classes: Sequence[int] | None = None,
    window: int = 0,
    title: str | None = None,
    note: str | None = None,
    data_scale: tuple[Any, Any] = (0.0, 1.0),
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a page on which every cell can be looked at: one HTML file that needs nothing else.

    It holds the cells, the units of their edges, and the outputs of the network, all of them up to 16, else
    those that are the largest anywhere. A vertex takes about 40 bytes with ten outputs. The file appears only
    when it is complete, with identical bytes for identical input.

    Parameters
    ----------
    shown
        An arrangement; a comparison, whose networks stand side by side; or an animation, whose checkpoints
        follow each other.
    path
        The file, .html.
    color, cmap, edges, boundary, level, anchors, images, labels, class_names, valid_range
        As for :func:`splineviz.draw`: how it looks when it is opened.
    points, point_classes
        Data, as for :func:`splineviz.draw`.
    window
        Which window of an arrangement.
    title, note
        Words above the picture, by default the name of the network, and a sentence below.
    data_scale
        Entries of an input that stand for 0 and for 1 in the scale of the data: numbers, or arrays that
        broadcast to the input's shape. ``(-mean / std, (1 - mean) / std)`` for inputs that were normalised;
        the page then draws them as they were before.
    extra
        Further entries of the embedded JSON, such as the seed.

    Raises
    ------
    InputError
        If an option is unknown or does not fit the network, there is no such window, the cells are more than
        3,000,000, or the path cannot be written.

    Examples
    --------
    >>> import splineviz as sv, tempfile
    >>> arr = sv.slice("demo", sv.demo.load_points())
    >>> file = f"{tempfile.mkdtemp()}/demo.html"
    >>> page(arr, file, color="class", class_names=sv.demo.CLASS_NAMES)
    """
    look = Look(
        color=color,
        cmap=cmap,
        edges=edges,
        boundary=boundary,
        level=level,
        anchors=anchors,
        images=images,
        labels=labels,
        class_names=class_names,
        valid_range=valid_range,
        points=points,
        point_classes=point_classes,
        title=title,
        note=note,
        data_scale=data_scale,
    )
    write_page(panels_of(shown, window), path, look, extra=extra)


def write_page(
    panels: Panels, path: str | os.PathLike[str], look: Look, *, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a page of some panels."""
    target = Path(path)
    if target.suffix.lower() != PAGE:
        raise InputError(f"a page is a file {PAGE}, got {target.name}", hint=f"{target.stem}{PAGE}")
    if panels.n_cells > MOST_CELLS:
        megabytes = panels.n_cells * _BYTES_A_CELL / 1e6
        raise InputError(
            f"{target.name} would hold {panels.n_cells:,} cells, about {megabytes:,.0f} MB, and a browser "
            f"takes up to {MOST_CELLS:,}",
            hint="a smaller window, fewer panels, or a picture: .png, .svg, .pdf",
            command_hint="--cells N for a smaller window, fewer panels, or a picture: -o x.png",
        )
    scene = scene_of(panels, look)
    card = {**panels.card(), **(extra or {})}
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(document(scene, card, stills(panels, scene.look)))
