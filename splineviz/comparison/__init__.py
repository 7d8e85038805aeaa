"""Several networks on one window of a plane: their exact common refinement, and numbers that say how they
differ."""

from __future__ import annotations

from splineviz.comparison.comparing import compare
from splineviz.comparison.comparison_result import Comparison, Pair
from splineviz.comparison.over_planes import reproducibility

__all__ = ["Comparison", "Pair", "compare", "reproducibility"]
