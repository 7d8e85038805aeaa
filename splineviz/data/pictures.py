"""Image files, as integers the way they are stored."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from splineviz.data.collection import Collection
from splineviz.errors import InputError, SplinevizWarning
from splineviz.sizes import ensure_fits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["SUFFIXES", "Pictures", "decoded", "read_picture", "values_of"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_FORMATS = ("PNG", "JPEG", "WEBP")
_ORIENTATION = 0x0112
_DEPTH_AT = 24  # of the header of a PNG file: bits a channel


@dataclass(frozen=True, eq=False, kw_only=True)
class Pictures(Collection):
    """Image files, which are opened when they are taken."""

    paths: Sequence[Path]
    pictures: bool = True

    @property
    def count(self) -> int:
        return len(self.paths)

    def fetch(self, rows: Sequence[int]) -> Sequence[np.ndarray]:
        return [read_picture(self.paths[row]) for row in rows]

    def name(self, row: int) -> str:
        return str(self.paths[row])


def read_picture(path: Path) -> np.ndarray:
    """The values of an image file: (height, width), or (height, width, 3), of 8 or of 16 bits.

    Raises
    ------
    InputError
        If it cannot be read, or its values are no plain grey or colours.
    """
    try:
        with path.open("rb") as file:
            return decoded(file, str(path))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def decoded(file: IO[bytes], name: str) -> np.ndarray:
    """The values of a picture from its file.

    Raises
    ------
    InputError
        As for `read_picture`.
    """
    from PIL import Image, UnidentifiedImageError

    head = file.read(_DEPTH_AT + 1)
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # sizes are looked at here
            with Image.open(file, formats=_FORMATS) as image:
                bands = len(image.getbands())
                ensure_fits((*image.size, bands), 8, name, hint="a smaller picture")
                if image.format == "PNG" and bands > 1 and head[_DEPTH_AT] == 16:
                    raise InputError(
                        f"{name} has 16 bits a channel, of which 8 could be read",
                        hint="save it with 8 bits, or as .npy",
                    )
                return values_of(image, name)
    except UnidentifiedImageError as error:
        raise InputError(
            f"cannot read {name}: it is no PNG, JPEG or WebP picture, or is damaged",
            hint="save it as PNG, or as .npy",
        ) from error
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read {name}: {str(error) or type(error).__name__}") from error


def values_of(image: object, name: str) -> np.ndarray:
    """The values of a picture of Pillow: grey, or red, green and blue; only what loses nothing is converted.

    Raises
    ------
    InputError
        If something is transparent, it has several frames, or its colours are not these.
    """
    from PIL.Image import Image

    assert isinstance(image, Image)
    if getattr(image, "n_frames", 1) > 1:
        raise InputError(f"{name} has {getattr(image, 'n_frames', 1)} frames", hint="save one of them")
    if image.getexif().get(_ORIENTATION, 1) != 1:
        warnings.warn(
            "pictures that ask to be turned (EXIF) are taken as they are stored",
            SplinevizWarning,
            stacklevel=2,
        )
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        return _opaque(image, name)
    if image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode not in ("L", "RGB") and not image.mode.startswith("I;16"):
        raise InputError(
            f"{name} is of mode {image.mode}, neither grey nor red, green and blue",
            hint="convert it, as it was done for training",
        )
    values = np.asarray(image)
    return values.astype(np.uint16) if image.mode.startswith("I;16") else values


def _opaque(image: Image, name: str) -> np.ndarray:
    """Colours of a picture whose alpha channel says nothing."""
    values = np.asarray(image.convert("RGBA"))
    through = int((values[..., 3] != 255).sum())
    if through:
        raise InputError(
            f"{name} has an alpha channel, and {through} of its {values[..., 3].size} pixels let through "
            "what nothing tells",
            hint="put it on the background that was used for training, and save it without alpha",
        )
    warnings.warn("alpha channels are left out: they are opaque everywhere", SplinevizWarning, stacklevel=2)
    return values[..., 0] if image.mode in ("LA", "L") else values[..., :3]
