"""Live tensors: values at every vertex, each with running bounds of its distance from exact arithmetic."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from splineviz.geometry.rounding import FLOOR, SAFE
from splineviz.values.row_products import row_norms

__all__ = ["Passed", "VertexValues", "Zeros"]

_NOTHING = np.empty(0)

_UNEVEN = 4.0
"""Multiple of the root mean square that the error of one entry may be, where only the error of the whole
tensor is known."""


class Zeros(enum.IntEnum):
    """Whether entries that are 0.0 are zero in exact arithmetic."""

    UNSURE = 0
    HERE = 1
    """At these vertices, but new ones may lie near where an entry changes its sign"""
    LASTING = 2
    """No entry changes its sign on a face, so at new vertices, too"""


class Passed(NamedTuple):
    """Proven errors of a tensor that a linear map has just made, in two parts."""

    entered: np.ndarray
    """(V,) of what entered the map"""
    rounding: np.ndarray
    """(V,) those of the map itself"""


@dataclass(slots=True, eq=False)
class VertexValues:
    """A tensor of the network at all vertices, with estimates of its distance from exact arithmetic at the
    nominal place of the vertex (`geometry.places`), with the affine map of any of its faces.

    ``error[v]`` is for the norm of the whole tensor; ``scale[i] * slack[v]``, where known, for entry ``i``,
    and is sharper.
    """

    values: Tensor
    """(V, *shape) float64"""
    error: np.ndarray
    """(V,)"""
    scale: np.ndarray | None = None
    """(n,)"""
    slack: np.ndarray | None = None
    """(V,)"""
    storage: Tensor | None = None
    """The buffer that the values live in, if they came from one"""
    norm: np.ndarray | None = None
    """(V,) Euclidean norm of each row, where known already"""
    proof: np.ndarray | None = None
    """(V,) like ``error``, but proven; None where nothing is"""
    proven_slack: np.ndarray | None = None
    """(V,) ``scale[i] * proven_slack[v]`` is proven for entry ``i``, where known"""
    zeros: Zeros = Zeros.UNSURE
    passed: Passed | None = None
    """Parts of ``proof``, as long as nothing has happened to the values since"""

    @property
    def flat(self) -> np.ndarray:
        """(V, n) view of the values."""
        values: np.ndarray = self.values.reshape(len(self.values), -1).numpy()
        return values

    def norms(self) -> np.ndarray:
        """(V,) Euclidean norm of each row."""
        if self.norm is not None:
            return self.norm
        norms: np.ndarray = row_norms(self.flat)
        return norms

    def entrywise(self) -> tuple[np.ndarray, np.ndarray]:
        """(scale, slack): the estimate for every entry is their product."""
        if self.scale is None or self.slack is None:
            n = self.values[0].numel()
            return np.ones(n), self.error * min(1.0, _UNEVEN / np.sqrt(max(1, n)))
        return self.scale, self.slack

    def proven(self) -> tuple[np.ndarray, np.ndarray]:
        """(slack, proof): proven for every entry, times the ``scale`` of `entrywise`, and for the whole;
        empty where nothing is."""
        if self.proof is None:
            return _NOTHING, _NOTHING
        return (
            self.proof if self.scale is None or self.proven_slack is None else self.proven_slack,
            self.proof,
        )

    def shares_memory(self, other: VertexValues) -> bool:
        """Whether another tensor is a view of this one, or both of a third."""
        mine, its = (live.values.untyped_storage().data_ptr() for live in (self, other))
        return self is not other and mine == its

    def amend(self, moved: np.ndarray) -> None:
        """Count changes of its values, `Refinement.moved`, as errors: on one side of a bend they are."""
        if not moved.any():
            return
        norm, share = (
            2.0 * SAFE * moved.T
        )  # what a slope differs by from another at most, in units of the steepest
        self.error, self.passed = np.hypot(self.error, norm), None
        self.slack = None if self.slack is None else self.slack + share
        if self.proof is not None:
            self.proof = self.proof + norm + FLOOR
            self.proven_slack = None if self.proven_slack is None else self.proven_slack + share

    def only(self, kept: np.ndarray) -> VertexValues:
        """The tensor at some of the vertices, in memory of its own."""
        columns = (self.error, self.slack, self.norm, self.proof, self.proven_slack)
        error, slack, norm, proof, proven_slack = (
            None if column is None else column[kept] for column in columns
        )
        assert error is not None
        return VertexValues(
            self.values[torch.from_numpy(kept)],
            error,
            self.scale,
            slack,
            None,
            norm,
            proof,
            proven_slack,
            self.zeros,
        )
