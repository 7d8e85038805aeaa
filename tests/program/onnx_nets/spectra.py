"""Fourier transforms, complex numbers as pairs on the last axis."""

from __future__ import annotations

import numpy as np

from .building import Cases, op

__all__ = ["CASES"]

CASES = Cases()

_REAL, _PAIRS = (1, 6, 1), (1, 3, 6, 2)

CASES.add("DFT", _REAL, op("DFT", "x"))
CASES.add("DFT of one side", _REAL, op("DFT", "x", onesided=1, axis=1))
CASES.add("DFT of pairs", _PAIRS, op("DFT", "x", axis=2))
CASES.add("DFT inverse", _PAIRS, op("DFT", "x", axis=1, inverse=1))
CASES.add("DFT of another length", _PAIRS, op("DFT", "x n", axis=-2), n=np.array(4))
CASES.add("DFT of a padded signal", (6, 1), op("DFT", "x n", axis=0), n=np.array(9))
CASES.add("DFT of an axis given", _PAIRS, op("DFT", "x - a"), opset=20, a=np.array(1))
CASES.add("DFT of the last axis", _REAL, op("DFT", "x", onesided=1), opset=20)
