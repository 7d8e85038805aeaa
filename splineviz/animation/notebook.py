"""Animation as a notebook shows it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from splineviz.files import PAGE
from splineviz.pages.notebook import frame
from splineviz.showing import in_html

__all__ = ["animation_html"]

_IMAGES = {".webp": "image/webp", ".apng": "image/apng", ".gif": "image/gif"}
_MOST_BYTES = 8_000_000
"""Size, in bytes, up to which a picture is taken into a notebook's file."""


def animation_html(paths: Sequence[Path], note: str) -> str:
    """The first of the files that is an image or a page and not too large; else their names."""
    caption = f"<div><small>{in_html(note)}</small></div>"
    for path in paths:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            continue
        if path.suffix in _IMAGES:
            data = base64.b64encode(path.read_bytes()).decode("ascii")
            return f'<img alt="{in_html(note)}" src="data:{_IMAGES[path.suffix]};base64,{data}"/>{caption}'
        if path.suffix == PAGE:
            return frame(path.read_text(encoding="utf-8")) + caption
    return caption
