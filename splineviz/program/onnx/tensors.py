"""Tensors and sequences of tensors, by name, as far as a graph has been walked over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from splineviz.errors import InputError
from splineviz.program.onnx.folding import exact
from splineviz.program.onnx.node import Value
from splineviz.program.onnx.validity import WRITE_AGAIN

__all__ = ["Tensors"]


class Tensors:
    """Values by name; a sequence is a list of names."""

    def __init__(self) -> None:
        self.sequences: dict[str, list[str]] = {}
        self._values: dict[str, Value] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            raise InputError(
                f"the ONNX file is broken: nothing makes the tensor '{name}' that is read in it",
                hint=WRITE_AGAIN,
            )
        return self._values[name]

    def __setitem__(self, name: str, value: Value) -> None:
        self._values[name] = value

    def constant(self, name: str) -> np.ndarray | None:
        """Array of a tensor that does not depend on the network's input."""
        return self[name].array

    def define(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take arrays as constants; real ones are weights."""
        for name, array in arrays.items():
            real = exact(array)
            weights = frozenset([name]) if real.dtype == np.float64 else frozenset[str]()
            self[name] = Value(name, real.shape, real, weights)

    def alias(self, name: str, of: str) -> None:
        """Give a tensor or sequence one more name."""
        if of in self.sequences:
            self.sequences[name] = self.sequences[of]
        else:
            self[name] = self[of]
