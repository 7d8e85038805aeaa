"""A frame from its two parts: the picture of the slice, and the strip below it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["compose_png", "compose_svg"]

_SIZE = re.compile(r'<svg [^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"')


def compose_png(picture: Path, strip: UInt8[np.ndarray, "row column 3"]) -> Image:
    """The two on top of each other, in pixels; both are as wide."""
    from PIL import Image as Pillow

    with Pillow.open(picture) as above:
        return Pillow.fromarray(np.vstack([np.asarray(above.convert("RGB")), strip]))


def compose_svg(picture: str, strip: str) -> str:
    """The two documents as parts of one.

    Examples
    --------
    >>> size = 'width="{0}pt" height="5pt" viewBox="0 0 {0} 5"'
    >>> part = f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" {size}></svg>'
    >>> whole = compose_svg(part.format(20), part.format(10))
    >>> whole.count("<svg"), 'viewBox="0 0 20.0 10.0"' in whole
    (3, True)
    """
    sizes = [tuple(map(float, found.groups())) for part in (picture, strip) if (found := _SIZE.search(part))]
    width, height = max(w for w, _ in sizes), sum(h for _, h in sizes)
    above = picture[picture.index("<svg") : picture.rindex("</svg>") + len("</svg>")]
    below = strip[strip.index("<svg") :].replace("<svg", f'<svg y="{sizes[0][1]}"', 1)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}">\n{above}\n{below}\n</svg>\n'
    )
