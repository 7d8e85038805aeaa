"""Building blocks of small ONNX graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


@dataclass(frozen=True, eq=False)
class Case:
    name: str
    shape: tuple[int | str, ...]
    nodes: tuple[NodeProto, ...]
    opset: int
    arrays: dict[str, np.ndarray]
    same: tuple[NodeProto, ...] = ()
    """The same function at opset 17, where the reference is wrong or empty at the case's own opset."""
    tolerance: float = 1e-11
    """Larger where the reference computes in single precision."""


def op(kind: str, inputs: str, outputs: str = "y", name: str = "", **attributes: Any) -> NodeProto:
    """A node; inputs and outputs by name with blanks between them, ``-`` for one that is left out."""
    split = [["" if part == "-" else part for part in text.split()] for text in (inputs, outputs)]
    return helper.make_node(kind, *split, name=name, **attributes)


def model_of(
    nodes: Sequence[NodeProto],
    shape: Sequence[int | str | None] | None,
    arrays: dict[str, np.ndarray] | None = None,
    opset: int = 17,
    output_shape: Sequence[int | str] | None = None,
    kind: int = TensorProto.DOUBLE,
) -> onnx.ModelProto:
    """A model from ``x`` to ``y``."""
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    outputs = [helper.make_tensor_value_info("y", kind, output_shape)]
    weights = [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()]
    graph = helper.make_graph(list(nodes), "net", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, *arguments: Any, **options: Any) -> Path:
    path = folder / "net.onnx"
    onnx.save(model_of(*arguments, **options), path)
    return path


_random = np.random.default_rng(0)


def reals(*shape: int) -> np.ndarray:
    """Random weights that float32 does not hold, so that the comparison is in float64."""
    return _random.normal(size=shape)


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


class Cases(list[Case]):
    """Cases of one family of operators."""

    def add(
        self,
        name: str,
        shape: tuple[int | str, ...],
        *nodes: NodeProto,
        opset: int = 17,
        same: Sequence[NodeProto] = (),
        tolerance: float = 1e-11,
        **arrays: np.ndarray,
    ) -> None:
        self.append(Case(f"{name} ({opset})", shape, nodes, opset, arrays, tuple(same), tolerance))


ROW, SERIES, IMAGE = (1, 6), (1, 3, 6), (1, 4, 6, 5)
"""Shapes of inputs, with a batch of one"""
