"""The form of a measure: from an arrangement and a request to what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

import splineviz
from splineviz.errors import InputError
from splineviz.io.provenance import encode_array, provenance
from splineviz.measures.result import Measured

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.segments.segment import Segment

__all__ = ["Measure", "Request", "provenance_of", "require_outputs", "segment_provenance"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What is asked of a measure, beside the arrangement; each measure reads what concerns it.

    Attributes
    ----------
    window
        Number of the window that is measured; all of them together where it is left out.
    level
        For a network with one output: the value that parts its two classes, by default 0.
    points
        (n, *input_shape) data points in input space.
    labels
        (n,) their classes.
    polygon
        (k, 2) uv of the corners of a convex polygon: only what lies in it is measured.
    centre, sigma
        (2,) uv and standard deviation of a Gaussian by which means are weighted.
    truth
        The class that is right on all that is measured, or a class for each anchor of the plane: then that of
        the nearest anchor is right.
    target
        (C,) the outputs that are wanted, or (C, 3) as an affine map of [u, v, 1].
    tolerance
        How far means that have no closed form may be off, at most; by default 1e-6.
    input_norms
        Whether Jacobians by all inputs are measured, too, which takes several times as long as arranging.
    grids
        Points along either side of the grids that are looked at; by default 50, 500 and 5000.
    margins
        Margins below which the boundary is near; by default 0.1, 1 and 10.
    between
        Two differences of probabilities between which a path is within the boundary; by default 0 and 0.75.
    exact
        Whether exact arithmetic tells knots and outputs along a segment, which proves errors.
    """

    window: int | None = None
    level: float | None = None
    points: np.ndarray | None = None
    labels: np.ndarray | None = None
    polygon: np.ndarray | Sequence[Sequence[float]] | None = None
    centre: np.ndarray | Sequence[float] | None = None
    sigma: float | None = None
    truth: int | Sequence[int] | None = None
    target: np.ndarray | Sequence[float] | Sequence[Sequence[float]] | None = None
    tolerance: float | None = None
    input_norms: bool = False
    grids: Sequence[int] | None = None
    margins: Sequence[float] | None = None
    between: Sequence[float] | None = None
    exact: bool = False

    @classmethod
    def of(cls, **how: Any) -> Request:
        """A request from keywords.

        Raises
        ------
        InputError
            For a keyword that no measure reads.
        """
        known = [one.name for one in fields(cls)]
        if unknown := [name for name in how if name not in known]:
            raise InputError(
                f"no measure is asked with {unknown[0]}=", hint=f"measures read {', '.join(known)}"
            )
        return cls(**how)

    @property
    def said(self) -> dict[str, Any]:
        """What was asked, as JSON."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: encode_array(value) if isinstance(value, np.ndarray) else value
            for name, value in given.items()
            if value is not None and value is not False
        }


@dataclass(frozen=True)
class Measure:
    """A measure by name.

    Attributes
    ----------
    name
        By which it is asked for.
    about
        One line on what it tells.
    of
        Computes it.
    reads
        Names of what it reads of the request, beside ``window``, ``points`` and ``labels``.
    needs
        Names of what the request has to hold: ``points``, ``labels``.
    """

    name: str
    about: str
    of: Callable[[Arrangement, Request], Measured]
    reads: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def unread(self, request: Request) -> list[str]:
        """Names of what the request asks and the measure does not read."""
        known = (*self.reads, "window", "points", "labels")
        return [name for name in request.said if name not in known]

    def missing(self, request: Request) -> list[str]:
        """Names of what the request lacks."""
        return [name for name in self.needs if getattr(request, name) is None]


def provenance_of(arr: Arrangement, request: Request) -> dict[str, Any]:
    """Where the numbers of a measure come from: the card of the slice, and the request."""
    return {**provenance(arr, window=request.window), "asked": request.said}


def segment_provenance(segment: Segment, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Where the numbers of a measure along a segment come from: the network, its cells, and the request."""
    program = segment.program
    return {
        "schema": "splineviz.provenance/1",
        "version": splineviz.__version__,
        "program": {"name": program.name, "digest": program.digest, "cut_off": program.info.cut_off},
        "cells": segment.n_cells,
        "doubtful": segment.doubtful,
        "asked": dict(asked),
    }


def require_outputs(arr: Arrangement, measure: str) -> None:
    """Refuse cells of an earlier stage, on which the outputs of the network are not affine.

    Raises
    ------
    InputError
        If that is so.
    """
    if not arr.has_outputs:
        raise InputError(
            f"{measure} is about the outputs of the network, and these cells are those of stage "
            f"{len(arr.stats.cells_per_stage) - 1}",
            hint="arrange without stage=",
        )
