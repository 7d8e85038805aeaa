"""Several programs of one structure as one: the checkpoints of a small network, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from splineviz.program.nodes import Affine, Form, Gain, Pointwise
from splineviz.program.program import Program

__all__ = ["OneByOneError", "Several"]

_WIDE = 128
"""Rows and columns of matrices from which on products cost more than what calls of Python do"""


class OneByOneError(Exception):
    """Programs have to be asked one by one: a question is exact arithmetic's, which knows one program."""


class _NoForm:
    """The exact form of an affine node of several programs, which there is not."""

    def __getattr__(self, name: str) -> Any:
        raise OneByOneError(name)


@dataclass(frozen=True)
class Several:
    """Programs with the same nodes but for their weights: chains of matrix products and relu.

    ``joint`` has their structure, and bounds of errors that hold for each of them. Its affine nodes run by
    `apply`, and have no exact form: who reads that gets `OneByOneError`.
    """

    programs: tuple[Program, ...]
    joint: Program
    _runs: dict[int, list[Callable[..., Tensor]]]
    """By output slot what each program's node runs"""

    @classmethod
    def of(cls, programs: Sequence[Program]) -> Several | None:
        """Programs side by side; None where they are not chains of small layers, or differ in more than
        weights."""
        if not all(_is_small_chain(program) for program in programs):
            return None
        nodes: list[Affine | Pointwise] = []
        runs: dict[int, list[Callable[..., Tensor]]] = {}
        for alike in zip(*(program.nodes for program in programs), strict=False):
            first = alike[0]
            if isinstance(first, Affine):
                affine = [node for node in alike if isinstance(node, Affine)]
                gain = _joint([node.gain for node in affine]) if len(affine) == len(alike) else None
                if gain is None:
                    return None
                runs[first.output] = [node.run for node in affine]
                nodes.append(
                    replace(first, gain=gain, matrix=None, form=cast("Form", _NoForm()), by_products=None)
                )
            elif isinstance(first, Pointwise):
                nodes.append(first)
        one = programs[0]
        if any(_structure(program) != _structure(one) for program in programs):
            return None
        return cls(tuple(programs), replace(one, nodes=tuple(nodes), origin=None), runs)

    def apply(self, node: Affine, x: Tensor, owner: np.ndarray) -> Tensor:
        """Run an affine node on rows (V, *shape) of which each belongs to the program of that number.

        The rows of one program are taken together, in their order, as if there were no others.
        """
        order = torch.from_numpy(np.argsort(owner.astype(np.int16), kind="stable"))
        ends = np.cumsum(np.bincount(owner, minlength=len(self.programs))).tolist()
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order))
        together, parts, first = x.index_select(0, order), [], 0
        for run, last in zip(self._runs[node.output], ends, strict=True):
            parts.append(run(together[first:last]))
            first = last
        return torch.cat(parts).index_select(0, place)


def _structure(program: Program) -> tuple[object, ...]:
    """All but weights."""
    nodes = tuple(
        (type(node), node.inputs, node.output, node.frees, getattr(node, "stage", None))
        for node in program.nodes
    )
    return nodes, program.stages, program.input_shape, program.output_shape


def _is_small_chain(program: Program) -> bool:
    """Whether each node reads what the one before it made, and multiplies by a small matrix, bends by relu,
    or moves entries."""
    slot = 0
    if not program.stages:
        return False
    for node in program.nodes:
        if node.inputs != (slot,) or slot not in node.frees:
            return False
        if isinstance(node, Affine):
            if node.matrix is not None and min(node.matrix.shape) >= _WIDE:
                return False
            moves = node.gain.kind == "layout" and not node.run(torch.zeros(1, *program.shapes[slot])).any()
            if not moves and (node.gain.kind != "dense" or node.matrix is None):
                return False
        elif not (isinstance(node, Pointwise) and node.is_relu):
            return False
        slot = node.output
    return True


def _joint(gains: Sequence[Gain]) -> Gain | None:
    """Bounds that hold for each of some nodes; None where these are of different kinds."""
    first = gains[0]
    if any(gain.kind != first.kind for gain in gains):
        return None
    if first.rows is None or first.kind == "layout":
        return replace(first, norm=max(gain.norm for gain in gains))
    rows = [gain.rows for gain in gains if gain.rows is not None]
    constants = [gain.constants for gain in gains if gain.constants is not None]
    if any(len(row) != len(first.rows) for row in rows):
        return None
    return Gain(
        first.kind,
        norm=max(gain.norm for gain in gains),
        rows=np.max(rows, axis=0),
        constants=np.max(constants, axis=0) if constants else None,
        terms=max(gain.terms for gain in gains),
        magnitude=max(gain.magnitude for gain in gains),
    )
