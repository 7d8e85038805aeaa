"""Integrated gradients, exactly: a finite sum over the cells of the segment from a baseline to an input.

With f the output and b the baseline, the attribution of entry i is (x_i - b_i) times the integral of df/dx_i
over the straight path from b to x (Sundararajan, Taly and Yan 2017, arXiv:1703.01365, equation 1). On a cell
the gradient is constant, so the integral is the sum over cells of its share of the path times its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, derivatives
from splineviz.errors import InputError
from splineviz.inputs import as_inputs, numbers_of
from splineviz.measures.measure import segment_provenance
from splineviz.measures.result import Measured, Quantity
from splineviz.program.models import Model
from splineviz.program.program import Program
from splineviz.program.sources import program_for
from splineviz.segments.segment import Segment, segment

__all__ = ["Attribution", "IntegratedGradients", "attribution", "gradients"]

_STEPS = (20, 50, 200)
"""Steps of the quadratures that the exact sum is held against"""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Attribution(Measured):
    """Integrated gradients of one output along one path.

    Attributes
    ----------
    attributions
        (*input_shape) the attribution of each entry of the input.
    flips
        (K, 2) where a partial derivative changes its sign, by entry: the entry of the flattened input, and
        the knot of the segment; from one sign to the other, zeros between them left out.
    segment
        The path with its cells.
    """

    attributions: Float64[np.ndarray, "..."]
    flips: Int64[np.ndarray, "flip 2"]
    segment: Segment

    @property
    def _about(self) -> str:
        return f"{self.segment.program.name}, {self.segment.n_cells:,} cells of a segment"


class IntegratedGradients:
    """Exact integrated gradients of a piecewise-affine network, with the signature and the shapes of Captum's
    class of this name.

    There are no steps to choose: attributions add up to f(input) - f(baseline), up to rounding. A last
    softmax is not piecewise affine; ``logits=True`` cuts it off.

    Parameters
    ----------
    model
        Whatever :func:`splineviz.load_program` takes, or a program.
    how
        Keywords of :func:`splineviz.load_program`, where ``model`` is no program.

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double()
    >>> x = torch.tensor([[1.0, 2.0], [0.0, -1.0]], dtype=torch.float64)
    >>> found = IntegratedGradients(net).attribute(x, target=1)
    >>> rise = (net(x) - net(torch.zeros_like(x)))[:, 1]
    >>> torch.allclose(found.sum(1), rise, atol=1e-12)
    True
    """

    def __init__(self, model: Model | Program, **how: Any) -> None:
        self.model = model
        self.how = how

    def attribute(
        self,
        inputs: Tensor | np.ndarray,
        baselines: Tensor | np.ndarray | float | None = None,
        target: int | Tensor | np.ndarray | None = None,
    ) -> Tensor:
        """Attributions of each input, of its shape.

        Parameters
        ----------
        inputs
            (N, *input_shape).
        baselines
            (N, *input_shape), (1, *input_shape), or a number for all entries; by default 0.
        target
            Index of the output, or (N,) one for each input; may be left out where there is one output.

        Returns
        -------
        (N, *input_shape) float64; 0 where an input equals its baseline.

        Raises
        ------
        InputError
            If the shapes do not match, or the target is missing or does not exist.
        NotPiecewiseAffineError
            If the network is not continuous piecewise affine.
        """
        x = torch.from_numpy(numbers_of(inputs, "inputs"))
        if x.ndim < 2:
            raise InputError(
                f"inputs have a batch axis, (N, *input_shape); got the shape {tuple(x.shape)}",
                hint="inputs[None] for one input",
            )
        start = torch.from_numpy(numbers_of(0.0 if baselines is None else baselines, "baselines"))
        try:
            start = start.expand_as(x)
        except RuntimeError as error:
            raise InputError(
                f"baselines of the shape {tuple(start.shape)} do not fit inputs of {tuple(x.shape)}",
                hint="the shape of the inputs, one for all (1, ...), or a number",
            ) from error
        shape, program = x.shape, program_for(self.model, [tuple(x.shape[1:])], **self.how)
        x, start = as_inputs(x, program.input_shape), as_inputs(start, program.input_shape)
        targets = _targets(target, len(x), program)
        found = [_exact(program, b, a, t) for a, b, t in zip(x, start, targets, strict=True)]
        return torch.stack(found).reshape(shape) if found else torch.zeros_like(x)


def _targets(target: int | Tensor | np.ndarray | None, n: int, program: Program) -> list[int]:
    """The output of each input."""
    n_outputs = int(np.prod(program.output_shape))
    if target is None:
        if n_outputs > 1:
            raise InputError(
                f"the network has {n_outputs} outputs, so the attribution needs a target",
                hint=f"target=0 .. {n_outputs - 1}",
            )
        target = 0
    given = target.detach().cpu().numpy() if isinstance(target, Tensor) else np.asarray(target)
    if given.dtype.kind not in "iu" or given.ndim > 1 or (given.ndim == 1 and len(given) != n):
        raise InputError(
            f"the target is the index of an output, or one for each of {n} inputs; got {target!r}"[:200]
        )
    if len(outside := given[(given < 0) | (given >= n_outputs)].ravel()):
        raise InputError(f"target must be in 0 .. {n_outputs - 1}, got {outside[0]}")
    return [int(one) for one in np.broadcast_to(given, n)]


def _exact(program: Program, start: Tensor, end: Tensor, target: int) -> Tensor:
    """Attributions of one input, (*input_shape)."""
    if torch.equal(start, end):
        return torch.zeros_like(end)
    path, total = segment(program, start, end), torch.zeros_like(end)
    for cells, gradient in gradients(path, target):
        share = torch.from_numpy(np.diff(path.knots)[cells])
        total += torch.tensordot(share, gradient, 1)
    return (end - start) * total


def gradients(path: Segment, target: int = 0) -> Iterator[tuple[Int64[np.ndarray, "cell"], Tensor]]:
    """Gradients of one output on the cells of a segment, a run of cells at a time: (cells,) and (cells,
    *input_shape).

    They follow from the activation patterns, and are those of all input space, not of the direction of the
    segment."""
    program = path.program
    alive = max(program.values_alive) + sum(int(np.prod(stage.shape)) for stage in program.stages)
    for cells in chunks(path.n_cells, 2 * alive, BUDGET_BYTES):
        with torch.enable_grad():
            x = torch.zeros(len(cells), *program.input_shape, dtype=torch.float64, requires_grad=True)
            y = program.interpret(x, derivatives(path, cells)).reshape(len(cells), -1)[:, target]
            gradient = torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros_like(x)
        yield cells, gradient.detach()


def attribution(path: Segment, target: int = 0) -> Attribution:
    """Integrated gradients of one output along a segment, with what quadratures of 20, 50 and 200 steps miss.

    The quadratures are Gauss and Legendre's rule, as Captum takes it by default. Their error is that of the
    entry where it is largest, over the largest attribution; what they leave is f(input) - f(baseline) less
    the sum of their attributions, over the same.

    Parameters
    ----------
    path
        From the baseline to the input: ``sv.segment(model, baseline, x)``.
    target
        Index of the output.

    Raises
    ------
    InputError
        If there is no such output.

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).double()
    >>> import splineviz as sv
    >>> found = attribution(sv.segment(net, [0.0, 0.0], [1.0, 2.0]))
    >>> abs(found["completeness"]) < 1e-12
    True
    """
    _targets(target, 1, path.program)
    rules = [_rule(path.knots, steps) for steps in _STEPS]
    weights = torch.from_numpy(np.stack([np.diff(path.knots), *rules]))
    sums = torch.zeros(len(weights), *path.program.input_shape, dtype=torch.float64)
    signs, flips = np.zeros(sums[0].numel()), [np.zeros((0, 2), dtype=np.int64)]
    for cells, gradient in gradients(path, target):
        sums += torch.tensordot(weights[:, cells], gradient, 1)
        signs, found = _flips(signs, np.sign(gradient.reshape(len(cells), -1).numpy()), int(cells[0]))
        flips.append(found)
    ends = torch.from_numpy(path.points[[0, -1]])
    attributions = ((ends[1] - ends[0]) * sums).numpy()
    rise = float(path.values[-1, target] - path.values[0, target])
    return Attribution(
        measure="attribution",
        quantities=tuple(_quantities(path, target, attributions, rise, np.concatenate(flips))),
        provenance=segment_provenance(path, {"target": target}),
        attributions=attributions[0],
        flips=np.concatenate(flips),
        segment=path,
    )


def _rule(knots: np.ndarray, steps: int) -> np.ndarray:
    """(cells,) the weights that Gauss and Legendre's rule on [0, 1] gives to the cells of a segment."""
    at, weight = np.polynomial.legendre.leggauss(steps)
    cell = np.clip(np.searchsorted(knots, (at + 1) / 2, side="right") - 1, 0, len(knots) - 2)
    return np.bincount(cell, weights=weight / 2, minlength=len(knots) - 1)


def _flips(before: np.ndarray, signs: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """The last sign of each entry that is not 0, and (entry, knot) of every change of it; ``signs`` are
    (cells, entries), and ``first`` is the number of the first cell."""
    rows = np.vstack([before, signs])
    last = np.maximum.accumulate(np.where(rows != 0, np.arange(len(rows))[:, None], 0), axis=0)
    known = np.take_along_axis(rows, last, 0)
    knot, entry = np.nonzero(known[1:] * known[:-1] < 0)
    return known[-1], np.stack([entry, first + knot], axis=1)


def _quantities(
    path: Segment, target: int, attributions: np.ndarray, rise: float, flips: np.ndarray
) -> list[Quantity]:
    """Rows of the table, from the attributions of the exact sum and of the quadratures."""
    of = f"output {target}"
    exact, largest = attributions[0], float(np.abs(attributions[0]).max())
    found = [
        Quantity("cells", path.n_cells, error=None if path.doubtful else 0),
        Quantity("rise", rise, of),
        Quantity("largest attribution", largest, of),
        Quantity("completeness", float(exact.sum()) - rise),
        Quantity("sign changes", len(flips), of),
        Quantity("entries that change sign", len(np.unique(flips[:, 0])), of),
    ]
    scale = largest if largest > 0 else 1.0
    for steps, estimate in zip(_STEPS, attributions[1:], strict=True):
        found += [
            Quantity(f"error of {steps} steps", float(np.abs(estimate - exact).max()) / scale, of),
            Quantity(f"left by {steps} steps", abs(float(estimate.sum()) - rise) / scale, of),
        ]
    return found
