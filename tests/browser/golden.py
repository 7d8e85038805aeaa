"""Images that pages are compared with; written anew with SPLINEVIZ_NEW_IMAGES=1, and looked at."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["compare"]

BASELINE = Path(__file__).parent / "baseline"


def compare(pixels: np.ndarray, name: str, *, share: float = 0.01) -> None:
    """Refuse an image (rows, columns, 4) that differs in more than this share of its pixels."""
    path = BASELINE / name
    if os.environ.get("SPLINEVIZ_NEW_IMAGES"):
        BASELINE.mkdir(exist_ok=True)
        Image.fromarray(pixels, "RGBA").save(path, optimize=True)
    kept = np.asarray(Image.open(path).convert("RGBA")).astype(int)
    assert kept.shape == pixels.shape
    assert (np.abs(kept - pixels).max(2) > 3).mean() <= share
