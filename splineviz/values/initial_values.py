"""The live tensor that a walk starts with: the corners of all windows, or what the first affine map makes of
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.program import Affine, Program
from splineviz.program.rows import as_rows
from splineviz.values.memory import run_in_blocks
from splineviz.values.transfer import after_affine
from splineviz.values.vertex_values import VertexValues, Zeros

__all__ = ["first_live"]


def first_live(
    program: Program,
    origins: np.ndarray,
    bases: Sequence[np.ndarray],
    uv: np.ndarray,
    window_of: np.ndarray,
    reaches: np.ndarray,
    *,
    prove: bool,
    fold: bool = True,
) -> dict[int, VertexValues]:
    """By slot, for windows with these origins (windows, D) and bases (2, D), which are one array where planes
    are parallel.

    ``uv`` is (V, 2), ``window_of`` and ``reaches`` (V,) are the window of each corner and its |origin| + |u|
    + |v|. Where many windows lie on parallel planes, the corners themselves are not needed: z(origin + u b1 +
    v b2) = z(origin) + u W b1 + v W b2 takes one product for each window, and two for all of them. Not so
    without ``fold``, where windows have weights of their own.
    """
    different = list({id(basis): basis for basis in bases}.values())
    several = fold and 2 * (len(bases) + 2 * len(different)) <= len(uv)
    leading = _leading(program) if several else []
    if leading:
        which = {id(basis): k for k, basis in enumerate(different)}
        basis_of = np.array([which[id(basis)] for basis in bases])[window_of]
        return {
            leading[-1].output: _behind(
                leading, program, origins, different, uv, window_of, basis_of, prove=prove
            )
        }
    return {0: _in_input_space(origins, bases, uv, window_of, reaches, program.input_shape, prove=prove)}


def _in_input_space(
    origins: np.ndarray,
    bases: Sequence[np.ndarray],
    uv: np.ndarray,
    window_of: np.ndarray,
    reaches: np.ndarray,
    shape: tuple[int, ...],
    *,
    prove: bool,
) -> VertexValues:
    points, ends = (
        np.empty((len(uv), origins.shape[1])),
        np.searchsorted(window_of, np.arange(len(bases) + 1)),
    )
    for origin, basis, first, last in zip(origins, bases, ends[:-1], ends[1:], strict=True):
        x = points[first:last]
        np.matmul(uv[first:last], basis, out=x)
        x += origin
        if not x.all():
            corner, entry = np.nonzero(x == 0.0)
            # What rounding may have made 0 is made not to be, so that what is 0.0 is zero.
            moved = ((origin != 0) | basis.any(0))[entry] & (reaches[first:last] > 0.0)[corner]
            x[corner[moved], entry[moved]] = TINY
    return _live(points, 3.0 * UNIT_ROUNDOFF * reaches, shape, prove=prove)


def _leading(program: Program) -> list[Affine]:
    """The nodes up to the first that multiplies, where nothing else reads the input or what comes between;
    none otherwise."""
    slot, nodes = 0, []
    for node in program.nodes:
        if not isinstance(node, Affine) or node.inputs != (slot,) or slot not in node.frees:
            break
        nodes.append(node)
        if node.gain.kind != "layout":
            return nodes if node.gain.kind in ("dense", "diagonal") else []
        slot = node.output
    return []


def _behind(
    leading: Sequence[Affine],
    program: Program,
    origins: np.ndarray,
    bases: Sequence[np.ndarray],
    uv: np.ndarray,
    window_of: np.ndarray,
    basis_of: np.ndarray,
    *,
    prove: bool,
) -> VertexValues:
    """Values of the leading nodes at the corners; origins and bases are exact, so that all errors are of
    sums."""

    def run(node: Affine, values: Tensor) -> tuple[Tensor, None]:
        take = partial(torch.empty, dtype=torch.float64)
        return run_in_blocks(node.run, [values], take, into=node.into), None

    start = _live(origins, np.zeros(len(origins)), program.input_shape, prove=prove)
    axes = _live(np.concatenate(bases), np.zeros(2 * len(bases)), program.input_shape, prove=prove)
    for node in leading:
        start, axes = (
            after_affine(node, [start], run),
            after_affine(replace(node, run=node.linear, matrix=None), [axes], run),
        )
    values, steps = as_rows(start.values)[torch.from_numpy(window_of)], torch.from_numpy(uv)
    for k, pair in enumerate(axes.values.reshape(len(bases), 2, -1)):
        if len(bases) == 1:
            values.addmm_(steps, pair)
        else:
            rows = torch.from_numpy(np.flatnonzero(basis_of == k))
            values[rows] = values[rows].addmm_(steps[rows], pair)

    def together(of_start: np.ndarray, of_axes: np.ndarray) -> np.ndarray:
        of_axes = of_axes.reshape(-1, 2)[basis_of]
        result: np.ndarray = of_start[window_of] + (np.abs(uv) * of_axes).sum(1)
        return result

    # Sums of three round by 3 u of what is added. That of n products was given n u of as much: proven, or
    # by estimate its root.
    terms = leading[-1].gain.terms
    proven, likely = SAFE * (1.0 + 3.0 / terms), 1.0 + 3.0 / np.sqrt(terms)
    assert start.scale is not None
    assert axes.scale is not None
    result = VertexValues(
        values.view(len(uv), *start.values.shape[1:]),
        likely * together(start.error, axes.error),
        np.maximum(start.scale, axes.scale),  # 0 where neither has anything but zeros
        likely * together(start.entrywise()[1], axes.entrywise()[1]),
    )
    if start.proof is not None and axes.proof is not None:
        result.proof = proven * together(start.proof, axes.proof)
        result.proven_slack = proven * together(start.proven()[0], axes.proven()[0])
    return result


def _live(points: np.ndarray, error: np.ndarray, shape: tuple[int, ...], *, prove: bool) -> VertexValues:
    """Points of input space."""
    result = VertexValues(torch.from_numpy(points.reshape(-1, *shape)), error)
    if prove:
        result.proof, result.zeros = SAFE * error + FLOOR, Zeros.HERE
    return result
