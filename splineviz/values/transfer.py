"""Transfer of live tensors and of the bounds of their errors through the nodes of a program and to new
vertices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.operations.gains import NORM_PRODUCTS, matrix_gain
from splineviz.program.program import Affine, Pointwise
from splineviz.values.extension import TensorErrors, extend_slack, extend_values
from splineviz.values.interpolated_products import NO_DEVIATIONS, Deviations
from splineviz.values.linear_error_bounds import MapSizes, prove_linear, through_linear
from splineviz.values.memory import Buffers
from splineviz.values.vertex_values import Passed, VertexValues, Zeros

__all__ = ["after_affine", "after_pointwise", "extend", "steepest_slopes"]

_NOTHING = np.empty(0)
_SOME = 256
"""Rows that are looked at before all others"""


def after_affine(
    node: Affine,
    inputs: Sequence[VertexValues],
    run: Callable[..., tuple[Tensor, Tensor | None]],
    deviations: Deviations = NO_DEVIATIONS,
) -> VertexValues:
    """Apply an affine node with ``run``; its error is that of its inputs, passed on, and that of its own
    sums.

    ``deviations`` are those of the vertices where ``run`` puts it together from what it is at others.
    """
    gain, proofs = node.gain, [live.proof for live in inputs if live.proof is not None]
    proofs = proofs if len(proofs) == len(inputs) else []
    if gain.kind == "layout":
        # A layout node may return a view, which lives in the storage of its input.
        error = _together([live.error for live in inputs]) * gain.norm
        proof = SAFE * _together(proofs) * gain.norm if proofs else None
        values, zeros = node.run(*(live.values for live in inputs)), min(live.zeros for live in inputs)
        return VertexValues(values, error, storage=inputs[0].storage, proof=proof, zeros=zeros)
    values, storage = run(node, *(live.values for live in inputs))
    if gain.kind == "sum":
        live = VertexValues(
            values, sum((live.error for live in inputs), start=np.zeros(len(values))), storage=storage
        )
        rounding = UNIT_ROUNDOFF * live.norms()
        proof_sum = SAFE * (sum(proofs, start=np.zeros(len(values))) + rounding + FLOOR) if proofs else None
        return replace(live, error=live.error + rounding, proof=proof_sum)
    (live,) = inputs
    magnitude, n_inputs = min(gain.magnitude, gain.row_norm), float(live.values[0].numel())
    norms = gain.norm, gain.row_norm, gain.scale_norm, magnitude, gain.constants_norm
    sizes = MapSizes(*norms, gain.size, float(gain.terms), n_inputs)
    error, slack, rounding = through_linear(
        live.norms(), live.error, sizes, deviations.ends, deviations.n_deviating
    )
    scale, proof, proven, passed = gain.scale, None, None, None
    if live.proof is not None:
        longer = _of_alive(node, live, sizes)
        longer = longer._replace(terms=longer.terms + 1.0)  # the constant
        errors = prove_linear(live.norms(), live.proof, longer, deviations.ends, deviations.n_deviating)
        proof, proven, passed = errors.whole, errors.slack, Passed(live.proof, errors.rounding)
        if live.passed is not None and gain.joint_norm < math.inf:
            own = gain.norm * live.passed.rounding + errors.rounding
            proof = np.minimum(proof, SAFE * (gain.joint_norm * live.passed.entered + own) + FLOOR)
    if gain.kind == "diagonal":
        before, slack_before = live.entrywise()
        scale, slack = scale * np.maximum(before, 1.0), slack_before + rounding
        if live.proof is not None:
            proven = SAFE * live.proven()[0] + errors.slack_rounding
    result = VertexValues(
        values, error, scale, slack, storage, proof=proof, proven_slack=proven, passed=passed
    )
    return _without_dead_entries(node, live, result) if live.zeros and proof is not None else result


def _of_alive(node: Affine, live: VertexValues, sizes: MapSizes) -> MapSizes:
    """Sizes of a map on the entries that are not zero at all vertices: a unit that is off on all faces has no
    errors, and nothing is rounded in products with 0."""
    matrix = node.matrix
    if matrix is None or not live.zeros or live.values.dim() != 2:
        return sizes
    dead = _zero_at_all(live.flat)
    n = live.flat.shape[1] - len(dead)
    # A norm is not to cost more than the products themselves.
    if not len(dead) or NORM_PRODUCTS * n**3 > live.values.numel() * len(matrix):
        return sizes
    alive = torch.ones(live.flat.shape[1], dtype=torch.bool)
    alive[dead] = False
    gain = matrix_gain(matrix[:, alive], None, (len(matrix),))
    assert gain.rows is not None
    share = float(np.max(gain.rows / np.maximum(node.gain.scale, TINY), initial=0.0))
    return sizes._replace(
        norm=min(sizes.norm, gain.norm),
        magnitude=min(sizes.magnitude, gain.row_norm),
        terms=float(gain.terms),
        share=min(1.0, SAFE * share),
    )


def _zero_at_all(flat: np.ndarray) -> np.ndarray:
    """Columns of (V, n) values that are zero in all rows. Few others are in some rows far from each other, so
    that it takes no pass over all values."""
    if not len(flat):
        return np.empty(0, np.int64)
    columns = np.flatnonzero((flat[:: -(-len(flat) // _SOME)] == 0.0).all(0))
    found: np.ndarray = columns[(flat[:, columns] == 0.0).all(0)]
    return found


def _together(errors: Sequence[np.ndarray]) -> np.ndarray:
    """The errors of several tensors as one."""
    result: np.ndarray = errors[0] if len(errors) == 1 else np.sqrt(sum(error**2 for error in errors))
    return result


def _without_dead_entries(node: Affine, before: VertexValues, after: VertexValues) -> VertexValues:
    """With scale 0 for entries that are zero at every vertex since nothing but zeros goes into them: flat
    ground in a picture."""
    form, flat = node.form, after.flat
    if form is None or after.scale is None or not len(flat) or flat[0].all():
        return after
    columns = _zero_at_all(flat)
    if not len(columns):
        return after
    # Counts of what goes in, not sizes: of these a form need not be right, and products may underflow.
    alive = (before.values != 0.0).any(0, keepdim=True).to(torch.float64)
    reach = form.apply(alive, (form.weights != 0.0).to(torch.float64))
    reach = reach if form.constants is None else reach + (form.constants != 0.0)
    dead = columns[reach.expand(1, *after.values.shape[1:]).reshape(-1).numpy()[columns] == 0.0]
    scale = after.scale.copy()
    scale[dead] = 0.0
    return replace(after, scale=scale)


def after_pointwise(
    node: Pointwise,
    before: VertexValues,
    values: Tensor,
    storage: Tensor | None,
    slopes: np.ndarray | None = None,
) -> VertexValues:
    """Apply a pointwise node; no entry errs by more than the steepest slope times the error of its input.

    ``slopes`` (n,) are the steepest that each entry takes at any of these vertices (`steepest_slopes`): where
    errors are estimated entry by entry, and nothing is proven, they stay so.
    """
    steepest, proof = node.steepest, None
    # A flat piece makes zeros of values of either sign that are close to the kink.
    lasting = node.breaks_at_zero and bool(node.slopes.all())
    if before.proof is not None:
        rounding = 4.0 * UNIT_ROUNDOFF * (steepest * before.norms() + node.offset_norm) + FLOOR
        proof = SAFE * (steepest * before.proof + rounding)
    after = VertexValues(values, steepest * before.error, storage=storage, proof=proof, zeros=_bent(lasting))
    if slopes is not None and proof is None and before.scale is not None:
        after.scale, after.slack = slopes * before.scale, before.slack
    return after


def steepest_slopes(node: Pointwise, z: np.ndarray) -> np.ndarray:
    """(n,) the largest absolute slope of a pointwise node over all that each entry of its input (V, n)
    takes."""
    low, high, n = z.min(0), z.max(0), z.shape[1]
    slopes = node.slopes.abs().expand(-1, *node.shape).reshape(len(node.slopes), n).numpy()
    below = np.concatenate([np.full((1, n), -np.inf), node.kinks])
    above = np.concatenate([node.kinks, np.full((1, n), np.inf)])
    result: np.ndarray = np.where((low <= above) & (below <= high), slopes, 0.0).max(0)
    return result


def extend(
    live: VertexValues,
    rows: np.ndarray,
    birth: np.ndarray,
    buffers: Buffers,
    *,
    doubt: np.ndarray | None = None,
    relu: bool = False,
    again: bool = False,
    kept: np.ndarray | None = None,
) -> VertexValues:
    """Extend a tensor, or relu of it, to new vertices between some of its own; it must be affine on every
    face.

    For the tensor whose units make the new vertices, ``doubt`` is that of their `Refinement`. Where more
    units of it are to cut (``again``), its error stays known entry by entry. Of all these vertices those in
    ``kept`` remain, if given.
    """
    values, storage = buffers.take((len(rows) + len(birth), *live.values.shape[1:]))
    scale, slack = live.entrywise()
    flat, zeros = values.view(len(values), -1).numpy(), _bent(relu or live.zeros is Zeros.LASTING)
    shift, switches = np.zeros(len(live.error)), doubt is not None
    if doubt is not None and relu and live.proof is not None:
        # No two exact values of an entry differ by more.
        farthest = 2.0 * (live.norms().max(initial=0.0) + live.proof.max(initial=0.0))
        shift = SAFE * farthest * doubt
    errors = TensorErrors(scale, slack, live.error, *live.proven(), shift)
    error, norm, proof = extend_values(live.flat, rows, birth, flat, errors, relu, switches)
    after = VertexValues(values, error, storage=storage, norm=norm, proof=_few(proof), zeros=zeros)
    if again:
        after.scale = scale
        after.slack, proven = extend_slack(
            flat, birth, scale, slack[rows], _few(live.proven()[0], rows, _NOTHING), switches
        )
        after.proven_slack = _few(proven)
    if kept is not None:
        after = after.only(kept)
        buffers.give(storage)  # only now: another thread may take it at once
    return after


def _bent(lasting: bool) -> Zeros:
    return Zeros.LASTING if lasting else Zeros.UNSURE


def _few(values: np.ndarray, rows: np.ndarray | slice = slice(None), otherwise: Any = None) -> Any:
    """Some of the values, or ``otherwise`` if there are none at all."""
    return values[rows] if len(values) else otherwise
