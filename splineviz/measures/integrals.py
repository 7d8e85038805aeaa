"""Integrals over a slice, or over a convex polygon of it: shares, moments and norms in closed form, and
cross-entropy, entropy and probabilities between proven bounds.

Cells are convex and the network is affine on each, so that every integral is a sum over triangles (see
:mod:`splineviz.measures.moments` and :mod:`splineviz.measures.softmax_means`). Its error follows from how
far corners and maps may be off (see :mod:`splineviz.measures.deviation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.measures.asked import Asked
from splineviz.measures.deviation import deviation_of, swept_areas
from splineviz.measures.gaussian_integrals import gaussian_quantities
from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.output_moments import OutputMoments
from splineviz.measures.result import Measured, Quantity, proven
from splineviz.measures.shares import ClassAreas, class_parts, logit_maps
from splineviz.measures.slope_integrals import slope_quantities
from splineviz.measures.softmax_quantities import SoftmaxTerms

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "Integrals", "integrals"]

_AREA = "squared input distance"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Integrals(Measured):
    """Means over a slice, with what they are summed from.

    Attributes
    ----------
    means
        (C,) mean of each output.
    covariances
        (C, C) covariances of the outputs over the slice.
    covariance_error
        Proven bound of the error of any of them; infinite where none is proven.
    areas
        (K,) area of each class, in squared input distance.
    """

    means: Float64[np.ndarray, "output"]
    covariances: Float64[np.ndarray, "output output"]
    covariance_error: float
    areas: Float64[np.ndarray, "class"]


def integrals(arr: Arrangement, request: Request | None = None) -> Integrals:
    """Class shares, means, variances, errors against a target and total variation, in closed form; and
    cross-entropy, entropy, confidence and probabilities, whose ``error`` is half the width of the interval in
    which they lie for certain.

    All means are over the area that is measured: the slice, one of its windows, or a polygon of it. Errors
    are proven where the arrangement is, and not known else. The softmax is that of the outputs, or of a
    single output's level and the output: a sigmoid. With a Gaussian weight shares, accuracy, means,
    variances, squared errors and cross-entropy are told, under the weight; the arrays of the result are
    without it.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window``, ``polygon``, ``level``, ``centre``, ``sigma``, ``truth``, ``target``, ``tolerance``
        and ``input_norms`` are read.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage; if a polygon is not convex or misses the slice, a class
        or a target does not fit the network, or a level is given and it has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> arr = sv.slice("demo", sv.demo.load_points())
    >>> found = integrals(arr, Request(truth=3))
    >>> round(found["accuracy"], 3) == round(found["share", "class 3"], 3)
    True
    """
    request = Request() if request is None else request
    require_outputs(arr, "integrals")
    if not np.isfinite(arr.affine).all():
        raise InputError(
            "outputs are beyond the largest float64 on some cells, and so are their integrals",
            hint="a smaller window, or the network with its last weights divided by a power of 2",
        )
    asked = Asked.of(arr, request)
    decisions = arr.decision_regions(level=request.level)
    parts = asked.cut(class_parts(arr, decisions, request.window))
    swept = swept_areas(arr, parts.measured(arr.n_cells))
    deviation = deviation_of(arr, parts.cells, swept, cut=asked.half_planes is not None)
    logits = logit_maps(arr, request.level)
    shares = ClassAreas.of(arr, parts, decisions, logits, swept, deviation)
    triangles = parts.cells.triangles
    cells = parts.cells.cells[triangles.parts]
    moments = OutputMoments(triangles.areas, triangles.values(arr.affine[cells]), deviation)
    wanted = None if asked.target is None else triangles.values(asked.target[None])
    areas = np.bincount(cells, weights=triangles.areas, minlength=arr.n_cells)
    covariances, covariance_error = moments.covariances
    if asked.weight is None:
        means = (
            *shares.quantities(asked.truth),
            *moments.quantities(wanted),
            *SoftmaxTerms.of(logits, shares, asked.tolerance).quantities(asked.truth),
            *slope_quantities(arr, areas, deviation, swept, input_norms=request.input_norms),
        )
    else:
        means = tuple(
            gaussian_quantities(
                asked.weight,
                shares,
                arr.affine,
                logits,
                moments.means,
                asked.truth,
                asked.target,
                asked.tolerance,
            )
        )
    return Integrals(
        measure="integrals",
        quantities=(
            Quantity("area", deviation.area, "", proven(deviation.integral(0.0, 1.0)), _AREA),
            *means,
        ),
        provenance=provenance_of(arr, request),
        means=moments.means,
        covariances=covariances,
        covariance_error=covariance_error,
        areas=shares.areas,
    )


MEASURE = Measure(
    "integrals",
    "means over the slice: class shares, outputs, gradients",
    integrals,
    ("level", "polygon", "centre", "sigma", "truth", "target", "tolerance", "input_norms"),
)
