"""Means, covariances and squared errors of the outputs, in closed form, each with its proven error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.measures.deviation import Deviation
from splineviz.measures.moments import integral, integrals_of_products
from splineviz.measures.result import Quantity, proven

__all__ = ["OutputMoments"]


@dataclass(frozen=True, eq=False)
class OutputMoments:
    """Moments of outputs that are affine on each triangle."""

    areas: Float64[np.ndarray, "triangle"]
    values: Float64[np.ndarray, "triangle 3 output"]
    """At the corners"""
    deviation: Deviation

    @cached_property
    def means(self) -> Float64[np.ndarray, "output"]:
        """(C,) mean of each output."""
        means: np.ndarray = integral(self.areas, self.values) / self.deviation.area
        return means

    @property
    def mean_errors(self) -> list[float]:
        """Error of each mean.

        It is that of the mean of the output minus its middle, which is smaller than the output itself.
        """
        low, high = self.values.min((0, 1)), self.values.max((0, 1))
        middle, half = 0.5 * (low + high), 0.5 * (high - low) * (1.0 + 8.0 * UNIT_ROUNDOFF)
        return [
            self.deviation.mean(mean - about, self.deviation.integral(1.0, size))
            + 200.0 * UNIT_ROUNDOFF * (abs(about) + size)
            for mean, about, size in zip(self.means.tolist(), middle.tolist(), half.tolist(), strict=True)
        ]

    @cached_property
    def covariances(self) -> tuple[Float64[np.ndarray, "output output"], float]:
        """(C, C) covariances over the slice, about the means, and the largest error of any."""
        about = self.values - self.means
        products = integrals_of_products(self.areas, about) / self.deviation.area
        rest = integral(self.areas, about) / self.deviation.area
        size = float(np.abs(about).max(initial=0.0))
        error = self.deviation.integral(2.0 * size, size * size)
        mean = self.deviation.integral(1.0, size)
        wrong = self.deviation.mean(size * size, error) + 2.0 * size * self.deviation.mean(size, mean)
        return products - np.outer(rest, rest), wrong

    def squared_errors(
        self, wanted: Float64[np.ndarray, "triangle 3 output"]
    ) -> tuple[Float64[np.ndarray, "output"], float]:
        """(C,) mean of the square of each output minus what is wanted at corners, and the largest error."""
        off = self.values - wanted
        squares = np.square(off).sum(1) + np.square(off.sum(1))
        found = np.ascontiguousarray(((self.areas / 12.0)[:, None] * squares).T).sum(1) / self.deviation.area
        size = float(np.abs(off).max(initial=0.0) + np.abs(wanted).max(initial=0.0) * 4.0 * UNIT_ROUNDOFF)
        rounding = 16.0 * UNIT_ROUNDOFF * float(np.abs(wanted).max(initial=0.0) + size) * 2.0 * size
        error = self.deviation.integral(2.0 * size, size * size)
        return found, self.deviation.mean(size * size, error) + rounding

    def quantities(self, wanted: Float64[np.ndarray, "triangle 3 output"] | None) -> Iterator[Quantity]:
        """Rows of the table."""
        for k, (mean, error) in enumerate(zip(self.means.tolist(), self.mean_errors, strict=True)):
            yield Quantity("mean", mean, f"output {k}", proven(error))
        covariances, error = self.covariances
        for k, variance in enumerate(covariances.diagonal().tolist()):
            yield Quantity("variance", variance, f"output {k}", proven(error))
        if wanted is not None:
            squares, error = self.squared_errors(wanted)
            yield Quantity("mean squared error", float(squares.mean()), "", proven(error))
            for k, square in enumerate(squares.tolist()):
                yield Quantity("mean squared error", square, f"output {k}", proven(error))
