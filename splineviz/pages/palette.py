"""Colours of a page: those of the pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.render.cellcolor import even_steps, stage_fills
from splineviz.render.palette import CLASS_TINT, class_colors, stage_colors
from splineviz.render.style import BOUNDARY

__all__ = ["palette"]


def palette(n_stages: int, outputs: Sequence[int], cmap: str | None) -> dict[str, Any]:
    """Colours as a page reads them: the scale of quantities, fills and lines by stage, and classes; of a
    single output the two sides of its level."""
    scale = (even_steps(cmap, 256) * 255).round().astype(np.uint8)
    return {
        "scale": base64.b64encode(scale.tobytes()).decode("ascii"),
        "fills": _hex(stage_fills(n_stages, cmap)),
        "lines": _hex(stage_colors(n_stages)),
        "classes": _hex(
            class_colors(np.array(outputs if len(outputs) > 1 else [0, 1], dtype=np.int64), tint=CLASS_TINT)
        ),
        "boundary": BOUNDARY,
    }


def _hex(rgb: Float64[np.ndarray, "color 3"]) -> list[str]:
    rows = (np.asarray(rgb).reshape(-1, 3) * 255).round().astype(int).tolist()
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in rows]
