"""Frames put together: animated images, or a video."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.files import PAGE, atomic_path

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["check_movie", "save_movie"]

_ANIMATED = (".webp", ".apng", ".gif", ".mp4")
_QUALITY = 82
_FPS = 20
_COLORS = 255
_DESCRIPTION = 0x010E
"""Tag of the description of an image, in EXIF."""


def check_movie(path: Path) -> None:
    """Refuse a suffix that is unknown, or needs what is not installed, before anything is computed."""
    suffix = path.suffix.lower()
    if suffix not in _ANIMATED:
        raise InputError(
            f"unknown suffix {path.suffix!r} of {path}, expected one of {', '.join((*_ANIMATED, PAGE))}",
            hint="for single frames name a folder/, or frames/%04d.png, frames/%04d.svg",
        )
    if suffix == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise InputError(
            f"writing {path} needs the package imageio-ffmpeg",
            hint="pip install 'splineviz[video]', or take .webp, .apng, .gif, .html",
        )


def save_movie(
    path: str | os.PathLike[str], frames: Sequence[Image], seconds: Sequence[float], card: Mapping[str, Any]
) -> None:
    """Write all frames (of one size) as one file, whose suffix decides the format; ``seconds`` tells how long
    each is shown.

    ``card`` is embedded as JSON.
    """
    path = Path(path)
    check_movie(path)
    text = json.dumps(card, sort_keys=True, separators=(",", ":"))
    write = _mp4 if path.suffix.lower() == ".mp4" else _animated
    with atomic_path(path) as temporary:
        write(temporary, frames, seconds, text)


def _animated(path: Path, frames: Sequence[Image], seconds: Sequence[float], card: str) -> None:
    from PIL import Image as Pillow
    from PIL.PngImagePlugin import PngInfo

    how: dict[str, Any] = {"save_all": True, "duration": [round(1000 * s) for s in seconds], "loop": 0}
    if path.suffix.lower() == ".webp":
        exif = Pillow.Exif()
        exif[_DESCRIPTION] = card
        how |= {"format": "WEBP", "quality": _QUALITY, "method": 4, "exif": exif}
    elif path.suffix.lower() == ".gif":
        frames = _one_palette(frames)
        how |= {"format": "GIF", "comment": card.encode(), "optimize": False, "disposal": 1}
    else:
        info = PngInfo()
        info.add_text("splineviz", card)
        how |= {"format": "PNG", "pnginfo": info}
    frames[0].save(path, append_images=list(frames[1:]), **how)


def _one_palette(frames: Sequence[Image]) -> list[Image]:
    """256 colours that serve all frames, so that none changes its shade from one to the next."""
    from PIL import Image as Pillow

    sample = Pillow.fromarray(np.vstack([np.asarray(frame)[::2, ::2] for frame in frames]))
    palette = sample.quantize(_COLORS)
    return [frame.quantize(palette=palette, dither=Pillow.Dither.NONE) for frame in frames]


def _mp4(path: Path, frames: Sequence[Image], seconds: Sequence[float], card: str) -> None:
    import imageio_ffmpeg

    width, height = (size + size % 2 for size in frames[0].size)  # the codec wants even sizes
    comment = ["-metadata", f"comment={card}"]
    how: dict[str, Any] = {
        "fps": _FPS,
        "codec": "libx264",
        "quality": 8,
        "macro_block_size": 2,
        "output_params": comment,
    }
    writer = imageio_ffmpeg.write_frames(str(path), (width, height), **how)
    writer.send(None)
    try:
        for frame, duration in zip(frames, seconds, strict=True):
            pixels = np.asarray(frame)
            padded = np.pad(
                pixels,
                ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)),
                constant_values=255,
            )
            for _ in range(max(1, round(duration * _FPS))):
                writer.send(np.ascontiguousarray(padded))
    finally:
        writer.close()
