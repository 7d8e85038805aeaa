"""Functions of tensors as they are held, from what an entry of the table makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from splineviz.program.onnx.node import Made, held

__all__ = ["fitted", "on_constants"]


def fitted(made: Made, examples: list[Tensor]) -> tuple[Callable[..., Any], list[tuple[int, ...]]]:
    """A node's function with results as they are held, and their ONNX shapes, found on examples."""
    results = made.run(*examples)
    several = isinstance(results, tuple)
    shapes = []
    for result, rank in zip(results if several else (results,), made.ranks, strict=True):
        shape = tuple(result.shape[1:])
        assert len(shape) <= rank
        shapes.append((1,) * (rank - len(shape)) + shape)
    targets = [held(shape) for shape in shapes]
    if all(tuple(r.shape[1:]) == t for r, t in zip(results if several else (results,), targets, strict=True)):
        return made.run, shapes

    def run(*tensors: Tensor) -> Any:
        results = made.run(*tensors)
        fitting = [
            r.reshape(r.shape[0], *t)
            for r, t in zip(results if several else (results,), targets, strict=True)
        ]
        return tuple(fitting) if several else fitting[0]

    return run, shapes


def on_constants(
    made: Made, position: int, tensors: list[Tensor], shape: tuple[int, ...]
) -> tuple[Callable[..., Tensor], Tensor]:
    """The function of a node with one result where the tensor at ``position``, of ``shape``, has no batch;
    and its result."""

    def as_one(tensors: list[Tensor]) -> list[Tensor]:
        return [x.reshape(1, *held(shape)) if i == position else x for i, x in enumerate(tensors)]

    of_one, (result_shape,) = fitted(made, as_one(tensors))

    def run(*tensors: Tensor) -> Tensor:
        result: Tensor = of_one(*as_one(list(tensors))).reshape(result_shape)
        return result

    return run, run(*tensors)
