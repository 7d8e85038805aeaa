"""Colours as arrays: stable random colours of patterns, colours of classes, of stages. No matplotlib."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, UInt64

from splineviz.arrangement.blocks import by_blocks

__all__ = ["CLASS_TINT", "class_colors", "oklch_to_rgb", "pattern_colors", "stage_colors"]

CLASS_TINT = 0.3
"""White in the fills of classes, so that lines and dots stand out"""

# Near Okabe and Ito's colours, without black and the red of the decision boundary, and three more; moved
# until any two stay apart, as fills and as dots, also for eyes that lack one kind of cone.
_CLASSES = (
    "#53b5eb",
    "#e69f00",
    "#3e9b6b",
    "#f1e542",
    "#0f71b2",
    "#cb78a6",
    "#beb9ad",
    "#8c6d30",
    "#39655a",
    "#7b87f8",
)


def oklch_to_rgb(
    lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray
) -> Float64[np.ndarray, "color 3"]:
    """sRGB in [0, 1], (n, 3), from Oklab's polar coordinates; colours outside the gamut are clipped.

    References
    ----------
    B. Ottosson, "A perceptual color space for image processing", 2020.

    Examples
    --------
    >>> oklch_to_rgb(np.array([1.0]), np.array([0.0]), np.array([0.0])).round(3).tolist()
    [[1.0, 1.0, 1.0]]
    """
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    lab = np.stack(np.broadcast_arrays(lightness, a, b), -1)
    to_lms = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear: np.ndarray = ((lab @ to_lms.T) ** 3 @ to_linear.T).clip(0.0, 1.0)
    encoded: np.ndarray = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded.clip(0.0, 1.0)


def pattern_colors(pattern_hash: UInt64[np.ndarray, "cell 2"]) -> Float64[np.ndarray, "cell 3"]:
    """A soft colour for each activation pattern, read from its hash alone.

    A cell keeps its colour in every picture in which its pattern occurs, whatever the other cells are.
    """

    def colors(part: slice) -> np.ndarray:
        bits = _mix(pattern_hash[part, 0] ^ _mix(pattern_hash[part, 1]))
        a, b, c = (bits >> np.uint64(shift) & np.uint64(0xFFFF) for shift in (0, 16, 32))
        return oklch_to_rgb(0.80 + 0.16 * a / 65536.0, 0.03 + 0.06 * b / 65536.0, 2 * np.pi * c / 65536.0)

    return by_blocks(colors, len(pattern_hash))


def class_colors(classes: np.ndarray, *, tint: float = 0.0) -> Float64[np.ndarray, "class 3"]:
    """A colour per class number; ``tint`` mixes in that share of white. From the eleventh class on hues are
    spread evenly."""
    classes = np.asarray(classes, dtype=np.int64)
    fixed = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in _CLASSES])
    golden = np.pi * (3 - np.sqrt(5))
    spread = oklch_to_rgb(np.where(classes % 2, 0.82, 0.66), np.full(classes.shape, 0.11), classes * golden)
    color = np.where((classes < len(fixed))[..., None], fixed[classes % len(fixed)], spread)
    return color + tint * (1 - color)


def stage_colors(n: int) -> Float64[np.ndarray, "stage 3"]:
    """Line colours of ``n`` stages: from near black through blue to a light green, even steps of
    lightness."""
    t = np.linspace(0.0, 1.0, n) if n > 1 else np.zeros(1)
    return oklch_to_rgb(0.22 + 0.40 * t, 0.02 + 0.10 * np.sqrt(t), np.deg2rad(275 - 105 * t))


def _mix(bits: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: every output bit depends on every input bit."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = bits ^ (bits >> np.uint64(31))
    return mixed
