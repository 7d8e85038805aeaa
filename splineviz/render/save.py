"""Figures as files: PNG, SVG and PDF with identical bytes for identical input, each carrying what it was made
from."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from splineviz.errors import InputError
from splineviz.files import PICTURES, atomic_path
from splineviz.inputs import real_number
from splineviz.io.provenance import provenance
from splineviz.render.figure import draw
from splineviz.render.shapes import Fill
from splineviz.render.style import styled
from splineviz.sizes import ensure_fits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from splineviz.arrangement.result import Arrangement

__all__ = ["VECTOR_FILL_CELLS", "save_figure", "suffix_of", "write_figure"]

VECTOR_FILL_CELLS = 5000
"""Number of cells up to which a vector file holds each fill as a shape; above, the fills are one image under
vector lines."""

_PNG_LEVEL = 2  # of a picture of 100,000 cells in two thirds of the usual time, and 4 % larger


def save_figure(
    arr: Arrangement,
    path: str | os.PathLike[str],
    *,
    width: float = 5.5,
    dpi: float = 300,
    fill: Literal["auto", "raster", "vector"] = "auto",
    text: bool = False,
    extra: Mapping[str, Any] | None = None,
    **options: Any,
) -> Fill:
    """Draw an arrangement into a PNG, SVG or PDF file.

    The file appears only when it is complete. It carries version, program digest, plane, window and status as
    JSON: in the PNG text ``splineviz``, the SVG description, the PDF keywords.

    Parameters
    ----------
    arr
        The arrangement.
    path
        The file; its suffix decides the format.
    width
        Inches.
    dpi
        Pixels per inch, also of the fills kept as an image in a vector file.
    fill
        ``auto`` keeps up to 5,000 cells as shapes in vector files, more as an image.
    text
        In an SVG file keep letters as text, which can be searched, edited and read aloud but needs the font;
        by default they are shapes, which look alike everywhere. In PDF they are text anyway.
    extra
        Further entries of the embedded JSON, such as the seed.
    **options
        Options of :func:`splineviz.draw`.

    Returns
    -------
    str
        The fill that was used: ``raster`` or ``vector``.

    Raises
    ------
    InputError
        If the suffix is unknown, or an option of ``draw`` is not valid.
    """

    suffix = suffix_of(path)
    if fill not in ("auto", "raster", "vector"):
        raise InputError(f"unknown fill {fill!r}, expected auto, raster or vector")
    window = options.get("window", 0)
    few = int((arr.cell_window == window).sum()) <= VECTOR_FILL_CELLS
    shapes = fill == "vector" or (fill == "auto" and few)
    used: Fill = "vector" if shapes and suffix != ".png" else "raster"
    figure = draw(arr, width=width, fill=used, **options).get_figure(root=True)
    assert figure is not None
    write_figure(figure, path, provenance(arr, window=window, extra=extra), dpi, text=text)
    return used


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix of a picture's path, in lower case; anything but .png, .svg and .pdf is refused."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in PICTURES:
        raise InputError(
            f"unknown suffix {path.suffix!r} of {path.name}, expected one of {', '.join(PICTURES)}"
        )
    return suffix


def write_figure(
    figure: Figure, path: str | os.PathLike[str], card: Mapping[str, Any], dpi: float, *, text: bool = False
) -> None:
    """Write a figure with the card of what it was made from."""
    suffix = suffix_of(path)
    how: dict[str, Any] = {"pil_kwargs": {"compress_level": _PNG_LEVEL}} if suffix == ".png" else {}
    if suffix == ".png":
        dpi = real_number(dpi, "dpi", above=0.0, most=1e6)
        width, height = (math.ceil(dpi * side) for side in figure.get_size_inches())
        smaller = {"hint": "fewer dpi, or less width", "command_hint": "fewer --dpi, or less --width"}
        ensure_fits((height, width), 4, "the picture", **smaller)
    how |= {"metadata": _metadata(suffix, card), "facecolor": "white"}
    with styled(text=text), atomic_path(path) as temporary:
        figure.savefig(temporary, format=suffix[1:], dpi=dpi, **how)


def _metadata(suffix: str, card: Mapping[str, Any]) -> dict[str, Any]:
    """The format's own fields, without any date."""
    text = json.dumps(card, sort_keys=True, separators=(",", ":"))
    maker = f"splineviz {card['version']}"
    if suffix == ".png":
        return {"Software": maker, "splineviz": text}
    if suffix == ".svg":
        return {"Creator": maker, "Date": None, "Description": text}
    return {"Creator": maker, "Producer": None, "CreationDate": None, "Keywords": text}
