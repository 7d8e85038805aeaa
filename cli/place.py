"""Where a request looks: the plane and the window, found, with what was chosen for the user."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.plane import Plane, Window

from .location import Location
from .value_types import AutoRadius

if TYPE_CHECKING:
    from splineviz.data import Data
    from splineviz.program import Program

    from .anchors import FoundAnchors
    from .preprocessing import Preprocessing

__all__ = ["Place", "anchor_points", "find_place"]

_FIRST_RADIUS = 2.0**-20
_LARGEST_RADIUS = 2.0**20


@dataclass(frozen=True, eq=False)
class Place:
    """A plane, a window on it, and what of them was chosen for the user."""

    plane: Plane
    window: Window
    chosen: dict[str, dict[str, Any]]
    """For each option the request and what it came to, as JSON"""

    @property
    def extra(self) -> dict[str, Any]:
        """The choices, as an entry of every output beside its provenance; nothing where none was made."""
        return {"chosen": self.chosen} if self.chosen else {}

    @property
    def said(self) -> list[str]:
        """A sentence on each choice, for tables and pictures."""
        sentences = {
            "points": "{said}",
            "jitter": "points moved off the data by jitter {size:g}, seed {seed}",
            "radius": "radius {value:.6g}, which {units:,} units cut",
            "cells": "window scaled by {scale:.4g} for about {asked:,} cells",
        }
        return [sentences[name].format(**choice) for name, choice in self.chosen.items()]


def anchor_points(
    location: Location, input_shape: tuple[int, ...], preprocessing: Preprocessing, anchors: Data
) -> np.ndarray:
    """(n, *input_shape) the points of a plane, as the network takes them, all moved by one perturbation
    if that was asked for.

    One for all: the plane moves as a whole, so that what ties on all of it, such as background that all
    points share, comes apart everywhere alike, and no line comes from that.
    """
    points = preprocessing.apply(anchors, input_shape)
    if len(points) == 3 and preprocessing.transform is None and not anchors.pictures:
        Plane.through(*anchors.points)  # where they lie on one line, the file's own precision tells
    if location.jitter is None:
        return points
    noise = np.random.default_rng(location.seed).standard_normal(input_shape)
    moved: np.ndarray = points + location.jitter * noise
    return moved


def find_place(
    location: Location,
    preprocessing: Preprocessing,
    found: FoundAnchors,
    *,
    stage: int | None = None,
    seconds: float | None = None,
    **resources: Any,
) -> Place:
    """The plane and the window of a request for one or several networks; a radius or a window by what it
    holds is solved for, within ``seconds``."""
    deadline = None if seconds is None else time.monotonic() + seconds
    chosen, programs, anchors = dict(found.choice.chosen), found.programs, found.points
    if anchors is None:
        plane = Plane.identity()
    else:
        points = anchor_points(location, programs[0].input_shape, preprocessing, anchors)
        plane = Plane.at(points[0], seed=location.seed) if location.local else Plane.through(*points)
    if location.jitter is not None:
        chosen["jitter"] = {"size": location.jitter, "seed": location.seed}
    radius = location.radius
    if location.local and radius is None and location.box is None and location.cells is None:
        radius = AutoRadius(_units_found(programs))
    if isinstance(radius, AutoRadius):
        from splineviz.neighbourhoods.radii import radii_for

        units, point = radius.units, plane.origin.reshape(1, *plane.input_shape)
        (size,) = radii_for(
            programs, point, (units,), plane.basis[None], first=_FIRST_RADIUS, seconds=seconds, certify="off"
        )
        chosen["radius"] = {"asked": str(radius), "units": units, "value": size}
        return Place(plane, Window.diamond(size), chosen)
    window, largest = _window(location, plane)
    if location.cells is None:
        return Place(plane, window, chosen)
    from splineviz.neighbourhoods.fit_window import fit_window

    about, windows = (np.zeros(2) if location.local and location.box is None else None), []
    for program in programs:
        left = None if deadline is None else max(1e-9, deadline - time.monotonic())
        how: dict[str, Any] = {
            "about": about,
            "largest": largest,
            "stage": stage,
            "seconds": left,
            **resources,
        }
        windows.append(fit_window(program, plane, window, location.cells, **how))
    smallest = min(windows, key=lambda window: window.area)
    scale = float(np.sqrt(smallest.area / window.area))
    chosen["cells"] = {"asked": location.cells, "scale": scale, "window": smallest.vertices.tolist()}
    return Place(plane, smallest, chosen)


def _units_found(programs: Sequence[Program]) -> int:
    """Units that a neighbourhood cuts by default: 100, or a quarter of those of a small network."""
    fewest = min(program.n_units for program in programs)
    if not fewest:
        raise InputError(
            "the network has no unit, so that nothing is cut at any radius",
            hint="--radius R, for a window of that size",
        )
    return min(AutoRadius().units, max(1, fewest // 4))


def _window(location: Location, plane: Plane) -> tuple[Window, float]:
    """The window of a request before it is fitted, and the largest scale of it that a fit may take."""
    if location.box is not None:
        return Window.box(*location.box), 1.0
    if not location.local:
        return Window.around(plane, location.margin), 1.0
    if location.radius is None:  # by the number of cells alone
        return Window.diamond(1.0), _LARGEST_RADIUS
    assert not isinstance(location.radius, AutoRadius)
    return Window.diamond(location.radius), 1.0
