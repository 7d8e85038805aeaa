"""The jump of the affine map across each edge, and the linear regions that edges without a jump join."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.derivative_bounds import steepness
from splineviz.arrangement.proof import Proof
from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, complete_program, slopes_and_intercepts
from splineviz.arrangement.unread_units import without_effect
from splineviz.geometry.compiled import kernel
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows
from splineviz.values.threads import each

__all__ = ["edge_jump", "edge_jumps", "joined_cells", "linear_regions"]

# Below this share of the two gradients their difference is not trusted, and the jump itself is carried
# through the network.
_DOUBTFUL = 2.0**-24
_SAFETY = 8.0
_DECISIVE = 2.0**20  # times its rounding, and a jump is one
_TINY = float(np.finfo(np.float64).tiny)
_SQUARED = 2.0**-480  # below, squares of a number that counts may be none
_ANY = np.array([0.6, 0.8])


def linear_regions(arr: Cells, edge_jump: Float64[np.ndarray, "edge"]) -> Int64[np.ndarray, "cell"]:
    """(F,) the linear region of each cell, numbered by first cell: cells joined across edges where
    its jump is zero.

    Continuity makes the constants agree where the gradients do, so gradients decide, and no constant can
    drown a difference.
    """
    return joined_cells(arr, edge_jump == 0)


def joined_cells(arr: Cells, edges: np.ndarray) -> Int64[np.ndarray, "cell"]:
    """(F,) the set of each cell, numbered by first cell, if cells are joined across edges, a mask (E,)."""
    if not arr.n_cells:
        return np.zeros(0, dtype=np.int64)
    joined = arr.edge_cells[edges & (arr.edge_cells >= 0).all(1)]
    graph = coo_array(
        (np.ones(len(joined), dtype=np.int8), (joined[:, 0], joined[:, 1])), shape=(arr.n_cells, arr.n_cells)
    )
    labels = connected_components(graph, directed=False)[1].astype(np.int64)
    _, first, renamed = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[renamed].astype(np.int64)


def edge_jump(
    arr: Cells, affine: Float64[np.ndarray, "cell output 3"], program: Program | None
) -> Float64[np.ndarray, "edge"]:
    """(E,) bend of the function at each edge, by estimates of rounding; see `edge_jumps`."""
    return edge_jumps(arr, affine, program, None)[0]


def edge_jumps(
    arr: Cells, affine: Float64[np.ndarray, "cell output 3"], program: Program | None, proof: Proof | None
) -> tuple[Float64[np.ndarray, "edge"], int]:
    """(E,) bend of the function at each edge: Frobenius norm of the jump of its in-slice gradient (C, 2); and
    at how many edges it is not proven whether it is 0.

    Exactly 0 where the function does not bend, and on the rim. Where the difference of the two gradients is
    below 2^-24 of them, or within what is proven of their rounding, it may be rounding alone. There it is 0
    if the output reads none of the edge's units (`without_effect`). Else the jump itself is carried from the
    units of the edge to the output. Where it is within its proven rounding (`steepness`), too, exact
    gradients tell (`Proof.bends`); where these would take too long, or nothing is to be proven, it counts as
    zero if it does not exceed the rounding that is carried along with it. That rounding is the bound of each
    node for its own rounding, n u |row| |x| for a sum of n products, with fixed arbitrary signs, mapped by
    the rest of the network.

    Raises
    ------
    InputError
        If an edge is doubtful and there is no network, as after loading from a file.
    """
    jump = np.zeros(arr.n_edges)
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    left, right = arr.edge_cells[inner].T
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        every = np.arange(arr.n_cells)
        size, found = _steps(affine, every, np.full(arr.n_cells, -1)), _steps(affine, left, right)
        least = _DOUBTFUL * np.maximum(size[left], size[right])
        if proof is not None:
            error = np.hypot(*proof.errors[:, :2].T)
            least = np.maximum(least, SAFE * (error[left] + error[right]) + FLOOR)
        doubtful = ~(found > least)
    n_open = 0 if proof is not None else len(inner)
    if doubtful.any():
        doubtful, program = np.flatnonzero(doubtful), complete_program(arr, program)
        unread = without_effect(arr, program, inner[doubtful])
        found[doubtful[unread]] = 0.0
        asked = doubtful[~unread]
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            found[asked], decided = _carried_jump(arr, program, inner[asked], proof is not None)
        if proof is not None:
            left_open = asked[~decided]
            bent = proof.bends(inner[left_open])
            for row, edge in zip(left_open.tolist(), inner[left_open].tolist(), strict=True):
                if edge in bent:
                    # A bend that rounding hides, or that float64 cannot hold, is one all the same.
                    found[row] = max(found[row], _TINY) if bent[edge] else 0.0
            n_open = len(left_open) - len(bent)
    jump[inner] = np.where(np.isnan(found), np.inf, found)
    return jump, n_open


def _steps(affine: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n,) norms of the differences of the gradients on two cells each; -1 for a gradient of 0."""
    result: np.ndarray = np.sqrt(_squares(affine, one, other))
    extreme = np.flatnonzero(~((result > _SQUARED) & (result < 1.0 / _SQUARED)))
    if len(extreme):
        a, b = (affine[cells[extreme], :, :2].reshape(len(extreme), -1) for cells in (one, other))
        result[extreme] = _lengths(a - np.where(other[extreme, None] >= 0, b, 0.0))
    return result


@kernel
def _squares(
    affine: Float64[np.ndarray, "cell output 3"],
    one: Int64[np.ndarray, "pair"],
    other: Int64[np.ndarray, "pair"],
) -> Float64[np.ndarray, "pair"]:
    """Squared norms of the differences of gradients; see `_steps`."""
    result = np.zeros(len(one))
    for i in range(len(one)):
        a, b, total = affine[one[i]], affine[other[i]], 0.0
        for output in range(affine.shape[1]):
            for k in range(2):
                step = a[output, k] - (b[output, k] if other[i] >= 0 else 0.0)
                total += step * step
        result[i] = total
    return result


def _lengths(rows: np.ndarray) -> np.ndarray:
    """(n,) Euclidean norms, also where squares of numbers are too small or too large for float64."""
    result: np.ndarray = np.linalg.norm(rows, axis=1)
    extreme = np.flatnonzero(~((result > _SQUARED) & (result < 1.0 / _SQUARED)))
    if len(extreme):
        exponent = np.frexp(np.abs(rows[extreme]).max(1, initial=0.0))[1]
        scaled = np.ldexp(rows[extreme], -exponent[:, None])
        result[extreme] = np.ldexp(np.linalg.norm(scaled, axis=1), exponent)
    return result


class _Carried(NamedTuple):
    """Derivatives of a tensor along the normals of edges, (edges, *shape) each, and their rounding."""

    jump: Tensor
    """Derivative on the left of the edge minus derivative on the right."""
    right: Tensor
    """Derivative on the right."""
    jump_error: Tensor
    """Rounding of either, with the arbitrary signs that it was given."""
    right_error: Tensor


def _carried_jump(
    arr: Cells, program: Program, edges: np.ndarray, prove: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(jump, proven), (n,) each: jump across some inner edges, carried through the network; 0 where it is
    rounding. What is proven is that it is none."""
    jump, decided = np.empty(len(edges)), np.zeros(len(edges), dtype=bool)
    proven = steepness(program).jump_error if prove else math.inf

    def fill(rows: np.ndarray) -> None:
        result = _carry(arr, program, edges[rows])
        size, error = (_lengths(x.reshape(len(rows), -1).numpy()) for x in (result.jump, result.jump_error))
        jump[rows] = np.where(size > _SAFETY * error, size, 0.0)
        decided[rows] = size > np.maximum(_DECISIVE * error, proven)

    each(fill, chunks(len(edges), 4 * max(program.values_alive), BUDGET_BYTES))
    return jump, decided


def _across(arr: Cells, program: Program, edges: np.ndarray) -> Tensor:
    """(n, *shape) unit vectors in input space that lie in the plane, across each of some edges."""
    along = arr.vertices[arr.edges[edges, 1]] - arr.vertices[arr.edges[edges, 0]]
    length = np.linalg.norm(along, axis=1, keepdims=True)
    # An edge whose ends are rounded to one point has lost its direction: most directions are across it.
    along = np.where(length > 0, along / np.where(length > 0, length, 1.0), _ANY)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    direction = np.empty((len(edges), np.prod(program.input_shape, dtype=np.int64)))
    windows = arr.cell_window[arr.edge_cells[edges, 0]]
    for window in np.unique(windows):  # windows, not edges: each has its own plane
        rows = windows == window
        direction[rows] = normal[rows] @ arr.planes[window].basis
    return torch.from_numpy(direction).reshape(len(edges), *program.input_shape)


def _carry(arr: Cells, program: Program, edges: np.ndarray) -> _Carried:
    """The derivatives of the output across some inner edges."""
    left, right = arr.edge_cells[edges].T
    start = _across(arr, program, edges)

    def affine(node: Affine, values: Sequence[_Carried]) -> _Carried:
        mapped = node.linear(*(torch.cat(value) for value in values))
        jump, right, jump_error, right_error = mapped.reshape(4, -1, *mapped.shape[1:])
        return _Carried(
            jump,
            right,
            jump_error + _rounding(node, [value.jump for value in values], jump),
            right_error + _rounding(node, [value.right for value in values], right),
        )

    def pointwise(node: Pointwise, value: _Carried) -> _Carried:
        on_left, on_right = (
            slopes_and_intercepts(arr, node, left)[0],
            slopes_and_intercepts(arr, node, right)[0],
        )
        step = on_left - on_right
        jump = on_left * value.jump + step * value.right
        error = on_left * value.jump_error + step * value.right_error
        return _Carried(
            jump, on_right * value.right, error + 2 * UNIT_ROUNDOFF * jump, on_right * value.right_error
        )

    def maximum(node: Maximum, value: _Carried) -> _Carried:
        on_left, on_right = arr.winners(node.stage, left), arr.winners(node.stage, right)
        # what the winner on the left sees on the right, which is not what the winner on the right sees if
        # they differ
        stays, stays_error = (node.pick(x, on_left) for x in (value.right, value.right_error))
        ahead, ahead_error = (node.pick(x, on_right) for x in (value.right, value.right_error))
        jump = node.pick(value.jump, on_left) + (stays - ahead)
        error = node.pick(value.jump_error, on_left) + (stays_error - ahead_error)
        return _Carried(jump, ahead, error + 2 * UNIT_ROUNDOFF * jump, ahead_error)

    zero = torch.zeros_like(start)
    entering = _Carried(zero, start, zero, 2 * UNIT_ROUNDOFF * start)
    return program.interpret(entering, Interpreter(affine, pointwise, maximum))


def _rounding(node: Affine, inputs: Sequence[Tensor], output: Tensor) -> Tensor:
    """A bound for the rounding of each output entry of an affine node, with signs that alternate
    irregularly."""
    gain = node.gain
    if gain.kind == "layout":
        return torch.zeros_like(output)
    column = (-1, *[1] * (output.ndim - 1))
    if gain.kind == "sum":
        bound = torch.stack([as_rows(x).abs().amax(1) for x in inputs]).sum(0).reshape(column)
    else:
        norm = torch.stack([as_rows(x).norm(dim=1) for x in inputs]).norm(dim=0).reshape(column)
        bound = norm * (
            gain.norm
            if gain.rows is None
            else torch.from_numpy(gain.rows).to(output).reshape(output.shape[1:])
        )
    index = torch.arange(output[0].numel()).reshape(output.shape[1:])
    signs = 1.0 - 2.0 * ((index * 0x9E3779B1 >> 16) & 1)
    return gain.terms * UNIT_ROUNDOFF * bound * signs
