"""Weights of convolutions, dense layers and batch-norms in the number formats that networks come in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from tests.oracles.maps import Shape, channels_normed, normed
from tests.oracles.network import Linear, linear

__all__ = ["FORMATS", "Numbers"]

FORMATS = ("integer", "int8", "float32")
"""-2 to 2; -127 to 127 times a float32 step; normal with the variance of He et al., rounded to float32."""


@dataclass(frozen=True)
class Numbers:
    """Draws weights of one format from a seeded generator. All are float64 numbers exactly."""

    form: str
    rng: np.random.Generator

    def weights(self, *shape: int, fan_in: int) -> Any:
        """Nested lists of shape ``shape``, in size such that a layer of ``fan_in`` inputs neither grows nor
        shrinks what it is given; integers do as they like."""
        spread = np.sqrt(2 / fan_in)
        if self.form == "integer":
            return self.rng.integers(-2, 3, shape).tolist()
        if self.form == "float32":
            return self._float32(spread * self.rng.standard_normal(shape)).tolist()
        step = Fraction(float(np.float32(spread / 64)))
        levels = self.rng.integers(-127, 128, shape)
        return np.vectorize(lambda level: int(level) * step, otypes=[object])(levels).tolist()

    def biases(self, n: int) -> list[Any]:
        """None at all half of the time: then layers are homogeneous, and lines meet where all inputs vanish."""
        if self.rng.random() < 0.5:
            return [0] * n
        found: list[Any] = self.weights(n, fan_in=8)
        return found

    def dense(self, inputs: int, outputs: int) -> Linear:
        return linear(self.weights(outputs, inputs, fan_in=inputs), self.biases(outputs))

    def norm(self, channels: int) -> tuple[list[float], ...]:
        """Scale, shift, mean and variance of a trained batch-norm: some scales negative, variances apart."""
        if self.form == "integer":
            rows = (
                self.rng.choice([1.0, 2.0, -1.0], channels),
                self.rng.integers(-1, 2, channels).astype(float),
                self.rng.integers(-1, 2, channels).astype(float),
                self.rng.choice([1.0, 4.0], channels),
            )
        else:
            rows = (
                self._float32(self.rng.uniform(-0.5, 1.5, channels)),
                self._float32(0.2 * self.rng.standard_normal(channels)),
                self._float32(0.2 * self.rng.standard_normal(channels)),
                self._float32(self.rng.uniform(0.5, 2, channels)),
            )
        return tuple(row.tolist() for row in rows)

    def normed(self, width: int) -> Linear:
        return normed(*self.norm(width))

    def channels_normed(self, shape: Shape) -> Linear:
        return channels_normed(shape, *self.norm(shape[0]))

    def _float32(self, values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32).astype(np.float64)
