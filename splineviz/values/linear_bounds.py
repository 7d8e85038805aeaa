"""Linear bounds of a network's outputs over faces, carried back from the outputs.

For a row a of coefficients, a x >= (W' a) x_in + a c where x = W x_in + c, and where y = f(z) bends, a y >=
sum of a_i (s_i z_i + t_i) with a line below f for a_i > 0 and one above it for a_i < 0. What arrives at the
tensors that are affine on the face is an affine function there, which is least at a corner. This is CROWN
(Zhang et al. 2018) and DeepPoly (Singh et al. 2019), with the convex hull of a face's corners in place of a
ball.

Every computed row is taken as it is: its line is chosen by the sign that it has, and what rounding made of it
counts as an error, its norm times that of the tensor that it meets.

References: H. Zhang et al., Efficient neural network robustness certification with general activation
functions, NeurIPS 2018, arXiv:1811.00866, eq. 3 to 6. G. Singh et al., An abstract domain for certifying
neural networks, POPL 2019, doi:10.1145/3290354.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int16, Int64
from torch import Tensor

from splineviz.geometry.compiled import kernel
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.transposes import transposed
from splineviz.values.bent_entries import lines_of
from splineviz.values.face_bounds import FaceBounds
from splineviz.values.vertex_values import VertexValues

__all__ = ["lower_bounds"]


def lower_bounds(
    nodes: Sequence[Affine | Pointwise | Maximum],
    bounds: FaceBounds,
    start: Mapping[int, VertexValues],
    shapes: Mapping[int, tuple[int, ...]],
    output: int,
    rows: Float64[np.ndarray, "face output"],
) -> Float64[np.ndarray, "face"]:
    """(F,) less than the least value of ``rows`` times the output, anywhere on each face.

    Parameters
    ----------
    nodes
        Those from the tensors of ``start`` to the ``output``, a slot.
    bounds
        Has been through these nodes.
    start
        By slot: tensors that are affine on every face; proofs count from exact places.
    shapes
        Of the tensor in every slot.
    rows
        Coefficients of the flattened output.
    """
    n = len(rows)
    adjoint: dict[int, Tensor] = {output: torch.from_numpy(rows).reshape(n, *shapes[output])}
    constant, error, at_sides = np.zeros(n), np.zeros(n), np.zeros(len(bounds.faces.values))

    def arrive(slot: int, part: Tensor) -> None:
        if slot in adjoint:
            error[:] += 2.0 * UNIT_ROUNDOFF * (_norms(adjoint[slot]) + _norms(part)) * bounds.sizes[slot]
            part = adjoint[slot] + part
        adjoint[slot] = part

    for node in reversed(nodes):
        own = adjoint.pop(node.output, None)
        if own is None:
            continue
        if isinstance(node, Affine) and node.output in bounds.corners.bent:
            more, lost = _at_bends(node, own, bounds)
            at_sides += more
            error += lost
            continue
        if isinstance(node, Affine):
            parts, more, lost = _through_affine(node, own, shapes, bounds)
        elif isinstance(node, Pointwise):
            parts, more, lost = _through_pointwise(node, own, bounds)
        else:
            parts, more, lost = _through_maximum(node, own, bounds)
        error += lost + 2.0 * UNIT_ROUNDOFF * (np.abs(constant) + np.abs(more))
        constant += more
        for slot, part in zip(node.inputs, parts, strict=True):
            arrive(slot, part)
    for slot, part in adjoint.items():
        more, lost = _at_corners(start[slot], part, slot, bounds)
        at_sides += more
        error += lost
    least = np.minimum.reduceat(at_sides, bounds.faces.offsets[:-1])
    # Sums of what several tensors have at corners: no partial one is larger than they are all together.
    error += (4.0 + len(nodes)) * UNIT_ROUNDOFF * (np.abs(least) + np.abs(constant))
    result: np.ndarray = least + constant - (SAFE * error + FLOOR)
    return np.where(np.isnan(result), -np.inf, result)


def _at_corners(
    values: VertexValues, part: Tensor, slot: int, bounds: FaceBounds
) -> tuple[Float64[np.ndarray, "side"], Float64[np.ndarray, "face"]]:
    """Products of rows with a tensor at the corners of their face, and their error."""
    flat, rows = np.ascontiguousarray(values.flat), np.ascontiguousarray(part.reshape(len(part), -1).numpy())
    found = side_products(rows, flat, bounds.faces.offsets, bounds.faces.values)
    terms = (2.0 * flat.shape[1] + 64.0) * UNIT_ROUNDOFF
    return found, _norms(part) * (bounds.errors(values) + terms * bounds.sizes[slot])


def _at_bends(
    node: Affine, own: Tensor, bounds: FaceBounds
) -> tuple[Float64[np.ndarray, "side"], Float64[np.ndarray, "face"]]:
    """Rows of the product of a matrix with y = f(z), z being affine on faces: an affine function that is
    less, at the corners of their face, and its error.

    Only entries that bend differ from the combination of their values at corners, so that the product at the
    corners does, and only these columns c of the matrix are met by the row a. For a c > 0 (and for a c < 0
    with letters exchanged) y is no less than that combination where f is concave; else no less than a line.
    """
    bent, values = bounds.corners.bent[node.output]
    entering, bends = bounds.corners.entering[bent.stage], bounds.bends[bent.stage]
    found, error = _at_corners(values, own, node.output, bounds)
    rows = np.ascontiguousarray(own.reshape(len(own), -1).numpy())
    effect = bend_products(rows, node.columns, bends.offsets, bends.entry)
    least, most = bends.least, bends.most
    bound = np.where(effect > 0.0, least, most)
    by_line = bound != 0.0
    slope, offset = lines_of(bent, bends, effect < 0.0)
    flat = np.ascontiguousarray(entering.flat)
    add_lines(
        found,
        effect,
        by_line,
        slope,
        offset,
        flat,
        bends.offsets,
        bends.entry,
        *bent.pieces,
        bent.kinks,
        bounds.faces.offsets,
        bounds.faces.values,
    )
    face = bends.face
    # Off the exact effect by rounding, times the deviation; and at corners that are off their exact places.
    largest, steepest = np.maximum(np.abs(least), np.abs(most)), np.abs(bent.pieces[0]).max(0)[bends.entry]
    terms = 2.0 * (rows.shape[1] + 2) * UNIT_ROUNDOFF
    spread = np.maximum(np.abs(bends.low), np.abs(bends.high))
    moved = 2.0 * (steepest + np.abs(slope)) * bounds.errors(entering)[face]
    rounded = 64.0 * UNIT_ROUNDOFF * ((steepest + np.abs(slope)) * spread + np.abs(offset) + largest)
    norms = _norms(own)
    lost = np.bincount(face, np.abs(effect) * (moved + rounded), len(own))
    lost += terms * norms * node.gain.norm * np.bincount(face, largest + moved, len(own))
    return found, error + SAFE * lost + FLOOR


@kernel
def bend_products(
    rows: Float64[np.ndarray, "face output"],
    columns: Float64[np.ndarray, "entry output"],
    offsets: Int64[np.ndarray, "face+1"],
    entry: Int64[np.ndarray, "bend"],
) -> Float64[np.ndarray, "bend"]:
    """The row of each face times the columns of its bends."""
    found = np.empty(len(entry))
    for f in range(len(rows)):
        for k in range(offsets[f], offsets[f + 1]):
            found[k] = np.dot(rows[f], columns[entry[k]])
    return found


@kernel
def add_lines(
    found: Float64[np.ndarray, "side"],
    effect: Float64[np.ndarray, "bend"],
    by_line: Bool[np.ndarray, "bend"],
    slope: Float64[np.ndarray, "bend"],
    offset: Float64[np.ndarray, "bend"],
    values: Float64[np.ndarray, "vertex entry"],
    offsets: Int64[np.ndarray, "face+1"],
    entry: Int64[np.ndarray, "bend"],
    slopes: Float64[np.ndarray, "piece entry"],
    intercepts: Float64[np.ndarray, "piece entry"],
    kinks: Float64[np.ndarray, "kink entry"],
    face_offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
) -> None:
    """Add, at each corner of a face, the effect of every bend times how far its line is from the function
    there."""
    for f in range(len(offsets) - 1):
        for k in range(offsets[f], offsets[f + 1]):
            if not by_line[k]:
                continue
            i = entry[k]
            for side in range(face_offsets[f], face_offsets[f + 1]):
                z, piece = values[side_vertex[side], i], 0
                for kink in kinks:
                    piece += z > kink[i]
                own = slopes[piece, i] * z + intercepts[piece, i]
                found[side] += effect[k] * (slope[k] * z + offset[k] - own)


_Step = tuple[list[Tensor], np.ndarray, np.ndarray]
"""Rows for each input, what is added for each face, and the error of both"""


def _through_affine(
    node: Affine, own: Tensor, shapes: Mapping[int, tuple[int, ...]], bounds: FaceBounds
) -> _Step:
    nothing = [torch.zeros(1, *shapes[slot], dtype=torch.float64) for slot in node.inputs]
    constants = node.run(*nothing)
    parts = transposed(node, own, [shapes[slot] for slot in node.inputs])
    more = (own * constants).flatten(1).sum(1).numpy()
    gain, terms = node.gain, (math.prod(shapes[node.output]) + 2) * UNIT_ROUNDOFF
    size = sum(bounds.sizes[slot] for slot in node.inputs)
    magnitude = gain.norm if gain.rows is None else min(gain.magnitude, gain.row_norm)
    reach = magnitude * size + float(constants.norm())
    return parts, more, SAFE * 2.0 * terms * _norms(own) * reach + FLOOR


def _through_pointwise(node: Pointwise, own: Tensor, bounds: FaceBounds) -> _Step:
    bends, (slot,) = bounds.bends[node.stage], node.inputs
    flat = np.ascontiguousarray(own.reshape(len(own), -1).numpy())
    rows, more, terms = through_pieces(flat, bends.piece, *node.pieces)
    face = bends.face
    at = face, bends.entry
    slope, offset = lines_of(node, bends, flat[at] < 0.0)
    rows[at], added = flat[at] * slope, flat[at] * offset
    more += np.bincount(face, added, len(flat))
    terms += np.bincount(face, np.abs(added), len(flat))
    part = torch.from_numpy(rows).reshape(own.shape)
    lost = 2.0 * (flat.shape[1] + 2) * UNIT_ROUNDOFF * terms
    return [part], more, lost + 2.0 * UNIT_ROUNDOFF * _norms(part) * bounds.sizes[slot] + FLOOR


@kernel
def through_pieces(
    rows: Float64[np.ndarray, "face entry"],
    piece: Int16[np.ndarray, "face entry"],
    slopes: Float64[np.ndarray, "piece entry"],
    intercepts: Float64[np.ndarray, "piece entry"],
) -> tuple[Float64[np.ndarray, "face entry"], Float64[np.ndarray, "face"], Float64[np.ndarray, "face"]]:
    """(rows, constants, magnitudes): rows of coefficients of a pointwise function as those of what enters it,
    where that is on one piece, and 0 elsewhere; the constants that come with it, and their magnitudes added
    up."""
    n_faces, width = rows.shape
    result, constants, magnitudes = np.zeros((n_faces, width)), np.zeros(n_faces), np.zeros(n_faces)
    for f in range(n_faces):
        for i in range(width):
            k = piece[f, i]
            if k >= 0:
                result[f, i] = rows[f, i] * slopes[k, i]
                constants[f] += rows[f, i] * intercepts[k, i]
                magnitudes[f] += abs(rows[f, i] * intercepts[k, i])
    return result, constants, magnitudes


def _through_maximum(node: Maximum, own: Tensor, bounds: FaceBounds) -> _Step:
    found, flat = bounds.extremes[node.stage], own.reshape(len(own), -1)
    part = torch.zeros(len(own), math.prod(node.shape), dtype=torch.float64)
    part.scatter_add_(1, torch.from_numpy(found.candidate), flat)
    added = np.minimum(flat.numpy(), 0.0) * found.above
    (slot,) = node.inputs
    terms = 2.0 * (flat.shape[1] + node.copies + 2) * UNIT_ROUNDOFF
    lost = terms * (np.abs(added).sum(1) + node.copies * _norms(own) * bounds.sizes[slot])
    return [part.reshape(len(own), *node.shape)], added.sum(1), lost + FLOOR


def _norms(rows: Tensor) -> Float64[np.ndarray, "face"]:
    """(F,) norm of each row, at least."""
    norms: np.ndarray = SAFE * rows.flatten(1).norm(dim=1).numpy() + FLOOR
    return norms


@kernel
def side_products(
    rows: Float64[np.ndarray, "face entry"],
    values: Float64[np.ndarray, "vertex entry"],
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
) -> Float64[np.ndarray, "side"]:
    """(S,) the row of each face times the values at each of its corners."""
    found = np.empty(len(side_vertex))
    for f in range(len(offsets) - 1):
        for k in range(offsets[f], offsets[f + 1]):
            found[k] = np.dot(rows[f], values[side_vertex[k]])
    return found
