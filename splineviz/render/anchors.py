"""The points that the plane was made from: a letter at each, and its picture beside the data."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.render.panel import Panel
from splineviz.render.style import INK, SMALL
from splineviz.showing import in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.plane import Plane

__all__ = ["anchor_images", "anchor_letters", "as_picture", "draw_anchors", "is_pictured"]


def draw_anchors(
    ax: Axes,
    panel: Panel | None,
    plane: Plane,
    images: Sequence[Any] | bool | None,
    labels: Sequence[str] | None,
) -> None:
    """A lettered disc at each anchor; thumbnails and captions in the panel.

    Raises
    ------
    InputError
        If the number of images or labels is not that of the anchors.
    """
    uv = plane.anchors
    letters = anchor_letters(len(uv))
    ax.plot(uv[:, 0], uv[:, 1], "o", ms=8.5, mfc="white", mec=INK, mew=0.8, zorder=6, label="anchors")
    for (u, v), letter in zip(uv, letters, strict=True):
        ax.text(
            u,
            v,
            letter,
            size=SMALL,
            weight="bold",
            color=INK,
            ha="center",
            va="center_baseline",
            zorder=7,
            clip_on=True,
        )
    captions = ["" for _ in letters] if labels is None else [in_picture(str(label)) for label in labels]
    if len(captions) != len(letters):
        raise InputError(f"expected one label for each of the {len(letters)} anchors, got {len(captions)}")
    pictures = anchor_images(plane, images)
    if panel is None:
        return
    if pictures:
        low = min(float(p.min()) for p in pictures)
        high = max(float(p.max()) for p in pictures)
        panel.images(pictures, letters, captions, (low, high))
    elif labels is not None:
        for letter, caption in zip(letters, captions, strict=True):
            panel.heading(f"{letter}  {caption}")
        panel.space()


def anchor_images(plane: Plane, images: Sequence[Any] | bool | None) -> list[np.ndarray]:
    """Pictures (H, W) or (H, W, 3) of the anchors: given ones, or lifted from the plane if its inputs are
    images.

    Raises
    ------
    InputError
        If there is not one picture per anchor, or one has a shape that is none of (H, W), (H, W, 3), (3, H,
        W), (1, H, W).
    """
    if images is False:
        return []
    if images is None or images is True:
        shape = plane.input_shape
        if not is_pictured(shape):
            if images:
                raise InputError(
                    f"inputs of shape {shape} are no images", hint="give images as arrays of shape (H, W)"
                )
            return []
        images = list(plane.lift(plane.anchors))
    pictures = [_shown(as_picture(image)) for image in images]
    if len(pictures) != len(plane.anchors):
        raise InputError(
            f"expected one image for each of the {len(plane.anchors)} anchors, got {len(pictures)}"
        )
    return pictures


def anchor_letters(n: int) -> list[str]:
    """The letter of each of so many anchors, from A; a number beyond Z."""
    return [string.ascii_uppercase[i] if i < 26 else str(i + 1) for i in range(n)]


def is_pictured(shape: tuple[int, ...]) -> bool:
    """Whether inputs of this shape are images: (H, W), (1, H, W) or (3, H, W), of at least four pixels."""
    return ((len(shape) == 3 and shape[0] in (1, 3)) or len(shape) == 2) and min(shape[-2:]) >= 4


def as_picture(image: Any) -> np.ndarray:
    """An image as (H, W) or (H, W, 3), in its own scale.

    Raises
    ------
    InputError
        If its shape is none of (H, W), (H, W, 3), (3, H, W), (1, H, W).
    """
    if hasattr(image, "detach"):
        image = image.detach().cpu().numpy()
    array = np.asarray(image, dtype=np.float64)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] == 3):
        raise InputError(f"an image must have shape (H, W), (H, W, 3) or (3, H, W), got {np.shape(image)}")
    return array


def _shown(array: np.ndarray) -> np.ndarray:
    """A picture whose colours are from 0 to 1."""
    if array.ndim == 3:
        low, high = float(array.min()), float(array.max())
        if low < 0 or high > 1:
            array = (array - low) / ((high - low) or 1.0)
    return array
