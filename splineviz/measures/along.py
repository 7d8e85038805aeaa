"""Integrals along a segment of input space: class shares, moments and total variation in closed form, and
cross-entropy, entropy and probabilities between bounds.

All means are over the length of the segment. The network is affine between the knots of its walk. That these
and the values there are rounded is part of no error, which is None therefore, unless exact arithmetic tells
them. ``half_widths`` bound the quadrature for the values at the knots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.inputs import numbers_of, one_or_several, real_number, whole_number
from splineviz.measures.asked import LEAST_TOLERANCE
from splineviz.measures.bisection import Simplices, SoftmaxIntegrals, softmax_integrals
from splineviz.measures.line_pieces import Intervals, class_pieces
from splineviz.measures.measure import Request, segment_provenance
from splineviz.measures.path_errors import PathErrors
from splineviz.measures.path_values import PathValues
from splineviz.measures.result import Measured, Quantity
from splineviz.measures.softmax_means import INTERVAL

if TYPE_CHECKING:
    from splineviz.segments.segment import Segment

__all__ = ["IntegralsAlong", "integrals_along"]

_READ = ("level", "truth", "target", "tolerance", "exact")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class IntegralsAlong(Measured):
    """Means along a segment.

    Attributes
    ----------
    means
        (C,) mean of each output.
    covariances
        (C, C) covariances of the outputs along the segment.
    half_widths
        By name, half the width of the interval in which a mean without a closed form lies for certain, if
        the values at the knots are right: ``cross-entropy``, ``entropy``, ``confidence`` and
        ``probability``.
    """

    means: Float64[np.ndarray, "output"]
    covariances: Float64[np.ndarray, "output output"]
    half_widths: dict[str, float]


def integrals_along(segment: Segment, request: Request | None = None) -> IntegralsAlong:
    """Class shares, moments, total variation and cross-entropy along a segment.

    Parameters
    ----------
    segment
        Its cells.
    request
        Its ``level``, ``truth``, ``target``, ``tolerance`` and ``exact`` are read. ``truth`` may be two
        classes: that of the nearer end is right. With ``exact`` all errors are proven.

    Raises
    ------
    InputError
        If something else is asked for, a class or a target does not fit the network, a level is given and
        it has several outputs, or exact arithmetic would take more than a few seconds.

    Examples
    --------
    >>> import splineviz as sv
    >>> a, b, _ = sv.demo.load_points()
    >>> found = sv.segment("demo", a, b).measure("integrals", truth=[3, 8])
    >>> 0 < found["accuracy"] <= 1
    True
    """
    request = Request() if request is None else request
    _check(segment, request)
    path = PathValues.of(segment, exact=request.exact)
    lines = path.lines
    means = _integral(lines)
    about = Intervals(lines.ends, lines.values - means)
    covariances = _products(about) - np.outer(_integral(about), _integral(about))
    logits = path.logits(request.level)
    pieces, classes = class_pieces(logits)
    tolerance = 1e-6 if request.tolerance is None else request.tolerance
    found = softmax_integrals(Simplices(pieces.sizes, pieces.values, classes), INTERVAL, tolerance)
    names = ("cross-entropy", "entropy", "probability", "confidence")
    widths = (found.errors[0], found.errors[1], found.errors[2:-1].max(), found.errors[-1])
    half_widths = dict(zip(names, map(float, widths), strict=True))
    target = None if request.target is None else np.asarray(request.target, dtype=np.float64)
    errors = PathErrors(path, means, pieces, classes, half_widths, target)
    quantities = (
        Quantity("length", segment.length, unit="input distance"),
        *_shares(pieces, classes, request),
        *(Quantity("mean", mean, f"output {k}") for k, mean in enumerate(means.tolist())),
        *(Quantity("variance", x, f"output {k}") for k, x in enumerate(covariances.diagonal().tolist())),
        *_squared_errors(lines, request),
        *_softmax(logits, found, request),
        *_variations(lines),
    )
    return IntegralsAlong(
        measure="integrals",
        quantities=tuple(map(errors.told, quantities)),
        provenance=segment_provenance(segment, request.said),
        means=means,
        covariances=covariances,
        half_widths=half_widths,
    )


def _check(segment: Segment, request: Request) -> None:
    """Refuse what cannot be asked along a segment."""
    n_out = segment.values.shape[1]
    if unread := [name for name in request.said if name not in _READ]:
        raise InputError(
            f"integrals along a segment are not asked with {unread[0]}=", hint=f"they read {', '.join(_READ)}"
        )
    if request.level is not None and n_out > 1:
        raise InputError(
            f"a level belongs to a network with one output, and this one has {n_out}", hint="leave level= out"
        )
    classes = () if request.truth is None else one_or_several(request.truth)
    if isinstance(request.truth, Sequence | np.ndarray) and len(classes) != 2:
        raise InputError(f"truth must be one class, or one for each end, got {len(classes)}")
    for label in classes:
        whole_number(label, "truth, a class,", 0, max(2, n_out) - 1)
    target = None if request.target is None else numbers_of(request.target, "target")
    if target is not None and (target.shape != (n_out,) or not np.isfinite(target).all()):
        raise InputError(f"target must be {n_out} finite outputs, got an array of shape {target.shape}")
    if request.tolerance is not None:
        real_number(request.tolerance, "tolerance", least=LEAST_TOLERANCE)


def _integral(lines: Intervals) -> Float64[np.ndarray, "value"]:
    """(C,) integrals of affine values."""
    integrals: np.ndarray = lines.sizes @ (0.5 * lines.values.sum(1))
    return integrals


def _products(lines: Intervals) -> Float64[np.ndarray, "value value"]:
    """(C, C) integrals of products: size / 6 (a a' + b b' + (a + b) (a' + b')) on each interval."""
    points = np.concatenate([lines.values, lines.values.sum(1, keepdims=True)], axis=1)
    weighted = points * (lines.sizes / 6.0)[:, None, None]
    n_values = points.shape[2]
    products: np.ndarray = weighted.reshape(-1, n_values).T @ points.reshape(-1, n_values)
    return products


def _right(request: Request) -> list[tuple[float, float, int]]:
    """From where to where which class is right."""
    if isinstance(request.truth, Sequence):
        return [(0.0, 0.5, int(request.truth[0])), (0.5, 1.0, int(request.truth[1]))]
    return [] if request.truth is None else [(0.0, 1.0, int(request.truth))]


def _shares(pieces: Intervals, classes: np.ndarray, request: Request) -> Iterator[Quantity]:
    """Share of each class that has one, and of where the class is right."""
    shares = np.bincount(classes, weights=pieces.sizes)
    for c in np.flatnonzero(shares).tolist():
        yield Quantity("share", float(shares[c]), f"class {c}")
    if right := _right(request):
        of = [(pieces.take(np.flatnonzero(classes == c)), low, high) for low, high, c in right]
        accuracy = sum(float(own.within(low, high).sizes.sum()) for own, low, high in of)
        yield Quantity("accuracy", accuracy)


def _squared_errors(lines: Intervals, request: Request) -> Iterator[Quantity]:
    """Mean squared error, as `torch.nn.MSELoss` has it, and of each output."""
    if request.target is None:
        return
    off = Intervals(lines.ends, lines.values - np.asarray(request.target, dtype=np.float64))
    squares = _products(off).diagonal()
    yield Quantity("mean squared error", float(squares.mean()))
    for k, square in enumerate(squares.tolist()):
        yield Quantity("mean squared error", square, f"output {k}")


def _softmax(logits: Intervals, found: SoftmaxIntegrals, request: Request) -> Iterator[Quantity]:
    """Means of the softmax and its logarithm."""
    if right := _right(request):
        own = sum(float(_integral(logits.within(low, high))[c]) for low, high, c in right)
        yield Quantity("cross-entropy", found.log_sum_exp - own, unit="nats")
    for k, logit in enumerate(_integral(logits).tolist()):
        yield Quantity("cross-entropy", found.log_sum_exp - logit, f"class {k}", unit="nats")
    yield Quantity("entropy", found.entropy, unit="nats")
    yield Quantity("confidence", found.confidence)
    for k, probability in enumerate(found.probabilities.tolist()):
        yield Quantity("probability", probability, f"class {k}")


def _variations(lines: Intervals) -> Iterator[Quantity]:
    """Total variation of each output: how far it goes up and down along the segment."""
    steps = np.abs(lines.values[:, 1] - lines.values[:, 0]).sum(0)
    for k, step in enumerate(steps.tolist()):
        yield Quantity("total variation", step, f"output {k}")
