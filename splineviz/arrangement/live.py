"""Live tensors: values at every vertex, each with a running bound of its distance from exact arithmetic."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.buffers import Buffers
from splineviz.geometry.extend import extend_slack, extend_values
from splineviz.geometry.maxima import Births, Proven, refine_by_maxima
from splineviz.geometry.predicates import EPS
from splineviz.geometry.refine import Refinement
from splineviz.geometry.rounding import SAFE, prove_linear, through_linear
from splineviz.geometry.subdivision import Subdivision
from splineviz.geometry.verdicts import Exact
from splineviz.program.program import Affine, Maximum, Pointwise

__all__ = ["Live", "Zeros", "after_affine", "after_maximum", "after_pointwise", "extend"]

_NOTHING = np.empty(0)

_UNEVEN = 4.0
"""How many times its root mean square the error of an entry may be, where only the error of the whole tensor is known."""


class Zeros(enum.IntEnum):
    """Whether entries that are 0.0 are zero in exact arithmetic."""

    UNSURE = 0
    HERE = 1
    """At these vertices, but new ones may lie near where an entry changes its sign"""
    LASTING = 2
    """No entry changes its sign on a face, so at new vertices, too"""


@dataclass(slots=True, eq=False)
class Live:
    """A tensor of the network at all vertices, with estimates of its distance from exact arithmetic at the exact vertex.

    ``error[v]`` is for the norm of the whole tensor; ``scale[i] * slack[v]``, where known, for entry ``i``, and is sharper.
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

    @property
    def flat(self) -> np.ndarray:
        """(V, n) view of the values."""
        values: np.ndarray = self.values.reshape(len(self.values), -1).numpy()
        return values

    def norms(self) -> np.ndarray:
        """(V,) Euclidean norm of each row."""
        if self.norm is not None:
            return self.norm
        norms: np.ndarray = torch.linalg.vector_norm(self.values.reshape(len(self.values), -1), dim=1).numpy()
        return norms

    def entrywise(self) -> tuple[np.ndarray, np.ndarray]:
        """(scale, slack): the estimate for every entry is their product."""
        if self.scale is None or self.slack is None:
            n = self.values[0].numel()
            return np.ones(n), self.error * min(1.0, _UNEVEN / np.sqrt(max(1, n)))
        return self.scale, self.slack

    def proven(self) -> tuple[np.ndarray, np.ndarray]:
        """(slack, proof): proven for every entry, times the ``scale`` of `entrywise`, and for the whole; empty where nothing is."""
        if self.proof is None:
            return _NOTHING, _NOTHING
        return self.proof if self.scale is None or self.proven_slack is None else self.proven_slack, self.proof


def after_affine(node: Affine, inputs: Sequence[Live], run: Callable[..., tuple[Tensor, Tensor | None]]) -> Live:
    """Apply an affine node with ``run``; its error is that of its inputs, passed on, and that of its own sums."""
    gain, proofs = node.gain, [live.proof for live in inputs if live.proof is not None]
    if gain.kind == "layout":
        # A layout node may return a view, which lives in the storage of its input.
        error, *proof = (_together(errors) * gain.norm for errors in ([live.error for live in inputs], proofs) if errors)
        values, zeros = node.run(*(live.values for live in inputs)), min(live.zeros for live in inputs)
        return Live(values, error, storage=inputs[0].storage, proof=SAFE * proof[0] if proof else None, zeros=zeros)
    values, storage = run(node, *(live.values for live in inputs))
    if gain.kind == "sum":
        live = Live(values, sum((live.error for live in inputs), start=np.zeros(len(values))), storage=storage)
        rounding = EPS * live.norms()
        proof_sum = SAFE * (sum(proofs, start=np.zeros(len(values))) + rounding) if proofs else None
        return replace(live, error=live.error + rounding, proof=proof_sum)
    (live,) = inputs
    norms, n_inputs = (gain.norm, gain.row_norm, gain.scale_norm), float(live.values[0].numel())
    error, slack, rounding = through_linear(live.norms(), live.error, *norms, gain.size, float(gain.terms), n_inputs)
    scale, proof, proven = gain.scale, None, None
    if live.proof is not None:
        magnitude = min(gain.magnitude, gain.row_norm)
        proof, proven, proven_rounding = prove_linear(
            live.norms(), live.proof, gain.norm, magnitude, gain.constants_norm, gain.size, float(gain.terms + 1)
        )
    if gain.kind == "diagonal":
        before, slack_before = live.entrywise()
        scale, slack = scale * np.maximum(before, 1.0), slack_before + rounding
        if live.proof is not None:
            proven = SAFE * live.proven()[0] + proven_rounding
    result = Live(values, error, scale, slack, storage, proof=proof, proven_slack=proven)
    return _without_dead_entries(node, live, result) if live.zeros and proof is not None else result


def _together(errors: Sequence[np.ndarray]) -> np.ndarray:
    """The errors of several tensors as one."""
    result: np.ndarray = errors[0] if len(errors) == 1 else np.sqrt(sum(error**2 for error in errors))
    return result


def _without_dead_entries(node: Affine, before: Live, after: Live) -> Live:
    """With scale 0 for entries that are zero at every vertex since nothing but zeros goes into them: flat ground in a picture."""
    form, flat = node.form, after.flat
    if form is None or after.scale is None or not len(flat):
        return after
    columns = np.flatnonzero(flat[0] == 0.0)
    columns = columns[(flat[:, columns] == 0.0).all(0)]
    if not len(columns):
        return after
    reach = form.apply(before.values.abs().amax(0, keepdim=True).to(form.weights.device), form.weights.abs())
    reach = reach if form.constants is None else reach + form.constants.abs()
    dead = columns[reach.cpu().expand(1, *after.values.shape[1:]).reshape(-1).numpy()[columns] == 0.0]
    scale = after.scale.copy()
    scale[dead] = 0.0
    return replace(after, scale=scale)


def after_pointwise(node: Pointwise, before: Live, values: Tensor, storage: Tensor | None) -> Live:
    """The result of a pointwise node; no entry of it errs by more than the steepest slope times that of its input."""
    proof = None
    if before.proof is not None:
        rounding = 4.0 * EPS * (node.steepest * before.norms() + node.offset_norm)
        proof = SAFE * (node.steepest * before.proof + rounding)
    return Live(values, node.steepest * before.error, storage=storage, proof=proof, zeros=_bent(node.breaks_at_zero))


def after_maximum(
    node: Maximum, live: Live, subdivision: Subdivision, judges: Callable[[int, Births], Exact] | None
) -> tuple[Refinement, Live]:
    """Refine by the maxima of a node, and the maxima at the new vertices; each errs by no more than its worst candidate.

    ``judges`` tell, for each round and what was born before it, what is not proven.
    """
    scale, slack = live.entrywise()
    proven = None
    if live.proof is not None:
        # Candidates take the values of those that they tie with, so all entries must be as good as each other.
        scale = np.where(scale > 0.0, scale.max(initial=0.0), 0.0)
        proven = Proven(*live.proven(), live.zeros > Zeros.UNSURE, judges)
    result = refine_by_maxima(subdivision, live.flat, scale, slack, live.error, node.windows, node.rounds, node.stage, proven)
    values = torch.from_numpy(result.values).reshape(len(result.values), *node.output_shape)
    own = np.where(node.windows >= 0, scale[node.windows], 0.0).max(1)
    error = np.minimum(np.sqrt(node.copies) * result.error, np.linalg.norm(own) * result.slack)
    proof = proven_slack = None
    if proven is not None:
        proven_slack = result.proven_slack
        proof = SAFE * np.minimum(np.sqrt(node.copies) * result.proof, np.linalg.norm(own) * proven_slack)
    return result.refinement, Live(values, error, own, result.slack, proof=proof, proven_slack=proven_slack, zeros=live.zeros)


def extend(
    live: Live,
    rows: np.ndarray,
    birth: np.ndarray,
    buffers: Buffers,
    *,
    relu: bool = False,
    again: bool = False,
    kept: np.ndarray | None = None,
) -> Live:
    """The same tensor, or relu of it, at some vertices and new ones between them; it must be affine on every face.

    Where more units of it are to cut (``again``), its error stays known entry by entry. Of all these vertices those in ``kept``
    remain, if given.
    """
    values, storage = buffers.take((len(rows) + len(birth), *live.values.shape[1:]))
    scale, slack = live.entrywise()
    flat, zeros = values.view(len(values), -1).numpy(), _bent(relu or live.zeros is Zeros.LASTING)
    error, norm, proof = extend_values(live.flat, rows, birth, flat, scale, slack, live.error, relu, *live.proven())
    if kept is not None:
        few = Live(values[torch.from_numpy(kept)], error[kept], norm=norm[kept], proof=_few(proof, kept), zeros=zeros)
        buffers.give(storage)  # only now: another thread may take it at once
        return few
    result = Live(values, error, storage=storage, norm=norm, proof=_few(proof), zeros=zeros)
    if again:
        slack, proven = extend_slack(flat, birth, scale, slack[rows], _few(live.proven()[0], rows, _NOTHING))
        return replace(result, scale=scale, slack=slack, proven_slack=_few(proven))
    return result


def _bent(lasting: bool) -> Zeros:
    return Zeros.LASTING if lasting else Zeros.UNSURE


def _few(values: np.ndarray, rows: np.ndarray | slice = slice(None), otherwise: Any = None) -> Any:
    """Some of the values; something else if there are none at all."""
    return values[rows] if len(values) else otherwise
