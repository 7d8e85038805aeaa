"""Numbers that are known to lie between two others."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Within"]


@dataclass(frozen=True)
class Within:
    """A number that is at most ``error`` from ``value``; what rounding adds is not in it."""

    value: float
    error: float

    @classmethod
    def between(cls, low: float, high: float) -> Within:
        """The middle of two bounds."""
        return cls((low + high) / 2, max(0.0, high - low) / 2)

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.error:.0e}"
