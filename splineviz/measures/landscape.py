"""The loss on a plane of weights: cells of the network on the data, and a quadratic function on each.

On a cell every output is affine in (s, t), y = y0 + J (x - x0). So the mean squared error over n data points
and C outputs, mean |y - target|^2, is quadratic with the Hessian 2 J'J / (n C), and the least loss is found
on each cell. The cross-entropy, mean log sum exp(y) - y of the class, is convex on each cell.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.result import Arrangement
from splineviz.errors import InputError
from splineviz.inputs import SQUARABLE, numbers_of
from splineviz.measures.convex_minimum import least_cross_entropy
from splineviz.measures.losses import Loss, losses, taylor
from splineviz.measures.measure import Request, provenance_of, require_outputs
from splineviz.measures.quadratics import Minima, Quadratics, minima_on_cells
from splineviz.measures.result import Measured, Quantity
from splineviz.measures.weight_plane import WeightPlane

__all__ = ["Landscape", "Loss", "loss_landscape"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Landscape(Measured):
    """The loss on the cells of a plane of weights.

    Attributes
    ----------
    arrangement
        The cells, on the plane of (s, t).
    loss
        ``squared error`` or ``cross-entropy``.
    functions
        For each cell the Taylor polynomial of degree 2 of the loss at a point inside; of the squared error it
        is the loss itself.
    minimum
        (2,) where the least loss was found.
    conditions
        (F,) condition number of each Hessian, of the squared error everywhere on the cell; infinite where it
        is singular.
    """

    arrangement: Arrangement
    loss: Loss
    functions: Quadratics
    minimum: Float64[np.ndarray, "2"]
    conditions: Float64[np.ndarray, "cell"]
    plane: WeightPlane
    _targets: np.ndarray

    def at(self, uv: Any) -> Float64[np.ndarray, "*point"]:
        """The loss at points (..., 2) of the plane of weights, from the quadratic function of their cell; of
        the cross-entropy from the network. NaN outside of the window."""
        points = np.asarray(uv, dtype=np.float64)
        flat = points.reshape(-1, 2)
        cells = self.arrangement.locate(flat)
        values, known = np.full(len(flat), np.nan), cells >= 0
        if self.loss == "squared error":
            values[known] = self.functions(cells[known], flat[known])
        else:
            values[known] = losses(self.plane, flat[known], self._targets, self.loss)
        return values.reshape(points.shape[:-1])

    def draw(self, ax: Any = None, **how: Any) -> Any:
        """Draw the cells over the colours and the contours of the loss; see
        :func:`splineviz.render.landscape.draw_landscape`."""
        from splineviz.render.landscape import draw_landscape

        return draw_landscape(self, ax, **how)

    def save_figure(self, path: str | os.PathLike[str], *, dpi: float = 200, **how: Any) -> None:
        """Write the picture as .png, .svg or .pdf, with what `draw` takes."""
        from splineviz.render.landscape import save_landscape

        save_landscape(self, path, dpi=dpi, **how)


def loss_landscape(
    arr: Arrangement, plane: WeightPlane, *, loss: Loss = "squared error", targets: Any = None
) -> Landscape:
    """The loss on all cells of a plane of weights, its least value, and its Hessians.

    Parameters
    ----------
    arr
        The cells of ``plane.program``, on ``Plane.identity()``.
    plane
        The plane of weights, with the data.
    loss
        ``squared error``, mean over data points and outputs as torch's ``mse_loss``; or ``cross-entropy``,
        mean over data points.
    targets
        (n, C) of the squared error; by default 1 for the class of a data point and 0 for the others.

    Raises
    ------
    InputError
        If the cells are those of another network, or neither labels nor targets say what is right.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    >>> plane = sv.weight_plane(net, "0", data=np.eye(2), labels=[0, 2])
    >>> arr = sv.arrange(plane.program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> found = loss_landscape(arr, plane)
    >>> bool(found["least loss"] <= found.at([0.0, 0.0]))
    True
    """
    for given, kind in ((arr, Arrangement), (plane, WeightPlane)):
        if not isinstance(given, kind):
            raise InputError(
                f"expected the cells of a plane of weights, and the plane, got {type(given).__name__}",
                hint="loss_landscape(sv.arrange(plane.program, ...), plane)",
            )
    require_outputs(arr, "the landscape of a loss")
    if arr.info is None or arr.info.digest != plane.program.digest:
        raise InputError(
            "the cells are not those of the plane of weights", hint="sv.arrange(plane.program, ...)"
        )
    if loss not in get_args(Loss):
        raise InputError(f"there is no loss {loss!r}", hint=f"one of {', '.join(get_args(Loss))}")
    wanted = _targets(plane, targets, loss)
    functions = taylor(arr, plane, wanted, loss)
    squared = loss == "squared error"
    found = minima_on_cells(functions, arr.vertices, arr.cells)
    least, where, below = _least(found) if squared else least_cross_entropy(arr, plane, wanted, functions)
    conditions = _conditions(functions.hessian)
    return Landscape(
        measure="landscape",
        quantities=tuple(_quantities(arr, functions, conditions, least, where, below, squared)),
        provenance={**provenance_of(arr, Request()), "layer": plane.layer, "loss": loss},
        arrangement=arr,
        loss=loss,
        functions=functions,
        minimum=where,
        conditions=conditions,
        plane=plane,
        _targets=wanted,
    )


def _targets(plane: WeightPlane, targets: Any, loss: Loss) -> np.ndarray:
    """What is right: (n, C) of the squared error, (n,) classes of the cross-entropy."""
    n, n_outputs = len(plane.data), plane.n_outputs
    if targets is not None:
        given = numbers_of(targets, "targets")
        if loss == "cross-entropy" or given.size != n * n_outputs:
            raise InputError(
                f"targets of the squared error are ({n}, {n_outputs}); got {given.shape} for {loss}",
                hint="labels for the cross-entropy",
            )
        if not (np.abs(given) <= SQUARABLE).all():
            raise InputError(
                "targets hold NaN, or numbers whose squares are beyond float64",
                hint="outputs that are wanted, finite",
            )
        return given.reshape(n, -1)
    if plane.labels is None:
        raise InputError(
            f"the {loss} needs what is right", hint="labels=..., or targets=... for a squared error"
        )
    labels = np.asarray(plane.labels)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= n_outputs:
        raise InputError(
            f"labels are whole numbers from 0 to {n_outputs - 1}, got {labels.min()} to {labels.max()}"
        )
    return np.eye(n_outputs)[labels] if loss == "squared error" else labels


def _least(found: Minima) -> tuple[float, np.ndarray, float]:
    """The least of all minima, where it is, and a lower bound: itself."""
    cell = int(found.value.argmin())
    return float(found.value[cell]), found.uv[cell], float(found.value[cell])


def _conditions(hessian: np.ndarray) -> np.ndarray:
    """(F,) largest over smallest eigenvalue of symmetric matrices (F, 2, 2)."""
    values = np.linalg.eigvalsh(hessian)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = values[:, 1] / values[:, 0]
    return np.where(values[:, 0] > 2.0**-48 * values[:, 1], found, np.inf)


def _quantities(
    arr: Arrangement,
    functions: Quadratics,
    conditions: np.ndarray,
    least: float,
    where: np.ndarray,
    below: float,
    squared: bool,
) -> list[Quantity]:
    """Rows of the table."""
    curvature = np.linalg.eigvalsh(functions.hessian)[:, 1]
    finite = conditions[np.isfinite(conditions)]
    found = [
        Quantity("cells", arr.n_cells, error=0 if arr.stats.certified else None),
        Quantity("least loss", least),
        *([] if squared else [Quantity("lower bound of the least loss", below)]),
        Quantity("s of the least loss", float(where[0])),
        Quantity("t of the least loss", float(where[1])),
        Quantity("largest curvature", float(curvature.max()), of="cells"),
        Quantity("median curvature", float(np.median(curvature)), of="cells"),
        Quantity("share with a singular Hessian", float(np.isinf(conditions).mean()), of="cells"),
    ]
    if len(finite):
        found.append(Quantity("median condition number", float(np.median(finite)), of="cells"))
        found.append(Quantity("largest condition number", float(finite.max()), of="cells"))
    return found
