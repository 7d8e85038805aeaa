"""A study: the proxy and the exact counts of the same neighbourhoods, side by side, as plain arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, get_type_hints

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from splineviz.arrangement.result import Arrangement
from splineviz.errors import InputError
from splineviz.neighbourhoods.counts import UNCOUNTED
from splineviz.stage import Stage

__all__ = ["Example", "Study"]


@dataclass(frozen=True, eq=False)
class Example:
    """One neighbourhood, kept with its exact cells to be drawn."""

    kind: str
    """``"best"`` or ``"worst"`` agreement."""
    checkpoint: int
    radius: int
    plane: int
    point: int
    """Places on the axes of the study."""
    n_sep: int
    cut: int
    arrangement: Arrangement


@dataclass(frozen=True, eq=False)
class Study:
    """The neighbourhoods of points at checkpoints: what the proxy counts there, and what is there.

    A neighbourhood of radius r round x is conv{x ± r v_1, ..., x ± r v_P}, v_1 .. v_P the first P directions
    of a frame. The exact counts are on the diamond of P = 2; plane p is that of frame p, so that ``n_sep[:,
    :, directions.index(2), p]`` is the proxy on the very set whose cells ``cells[:, :, p]`` are. Exact counts
    of neighbourhoods that were given up hold -1, ``UNCOUNTED``, throughout.

    Attributes
    ----------
    design
        All that was asked for, as JSON: ``frame`` (``"shared"`` or ``"per-point"``), ``seed``, ``dtype``,
        ``command``, ``data``, ``versions`` (an object), and whatever else tells how to do it again.
    model, digest, stages
        Name, program digest and stages of the network.
    steps, names
        (checkpoint,) training step, 0 of a single model; file or name.
    metrics
        Name -> (checkpoint,), such as ``train_accuracy``; NaN where it is not known.
    radii, radius_labels
        (radius,) in input distance, and how each was asked for: ``"r = 0.001"``, ``"median 5 cuts"``.
    directions
        The numbers of directions P, ascending, 2 among them.
    n_sep
        The proxy: units whose state is not the same at all 2P vertices.
    zeros
        Units whose smallest or largest value at the vertices is exactly their breakpoint.
    cells
        Cells after each stage; the last are R.
    cut
        n_cut of each stage: units whose state differs between two cells.
    first
        Units of each stage that split a cell when units are inserted in their order.
    regions
        Linear regions.
    decisions, undecided
        Combinatorial decisions of the exact counts, and those of them that rest on estimates.
    in_doubt
        Neighbourhoods, of all points and planes, some of whose cells contradict each other.
    first_order, patterns, distance
        Baselines: units with abs(z) < r abs(grad z), distinct patterns among samples of the ball, mean
        abs(z). The first and the last hold -1 throughout where the network has maxima, which have no
        breakpoint to be near.
    eccentricity, diameter
        Of the embedded neighbourhood that enters each stage, mean over points.
    disagreements, compared
        Signs at the proxy's vertices that float32 sees differently than float64, and all that were compared.
    seconds
        Name -> (checkpoint, radius) wall time: ``"exact"`` (cells, all planes), ``"regions"`` (their linear
        regions, on top), ``"proxy"`` (the largest P, one frame), ``"plain"`` (a plain forward pass over the
        vertices of that P).
    examples
        Neighbourhoods of best and of worst agreement.

    Raises
    ------
    InputError
        If the axes do not fit each other, or P = 2 is missing.
    """

    design: dict[str, Any]
    model: str
    digest: str
    stages: tuple[Stage, ...]
    steps: Int64[np.ndarray, "checkpoint"]
    names: tuple[str, ...]
    metrics: dict[str, Float64[np.ndarray, "checkpoint"]]
    radii: Float64[np.ndarray, "radius"]
    radius_labels: tuple[str, ...]
    directions: tuple[int, ...]
    n_sep: Int32[np.ndarray, "checkpoint radius directions frame point stage"]
    zeros: Int32[np.ndarray, "checkpoint radius directions frame point"]
    cells: Int32[np.ndarray, "checkpoint radius plane point stage"]
    cut: Int32[np.ndarray, "checkpoint radius plane point stage"]
    first: Int32[np.ndarray, "checkpoint radius plane point stage"]
    regions: Int32[np.ndarray, "checkpoint radius plane point"]
    decisions: Int64[np.ndarray, "checkpoint radius"]
    undecided: Int64[np.ndarray, "checkpoint radius"]
    in_doubt: Int64[np.ndarray, "checkpoint radius"]
    first_order: Int32[np.ndarray, "checkpoint radius point"]
    patterns: Int32[np.ndarray, "checkpoint radius point"]
    distance: Float64[np.ndarray, "checkpoint point"]
    eccentricity: Float64[np.ndarray, "checkpoint radius stage"]
    diameter: Float64[np.ndarray, "checkpoint radius stage"]
    disagreements: Int64[np.ndarray, "checkpoint radius stage"]
    compared: Int64[np.ndarray, "checkpoint radius stage"]
    seconds: dict[str, Float64[np.ndarray, "checkpoint radius"]]
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        sizes = {"stage": len(self.stages), "directions": len(self.directions)}
        for name, axes, dtype in array_fields():
            array = getattr(self, name)
            if array.ndim != len(axes) or array.dtype != dtype:
                raise InputError(
                    f"{name} of a study must be {dtype} of axes ({', '.join(axes)}), got {array.dtype} "
                    f"{array.shape}"
                )
            self._fit(name, dict(zip(axes, array.shape, strict=True)), sizes)
        self._fit("names", {"checkpoint": len(self.names)}, sizes)
        self._fit("radius_labels", {"radius": len(self.radius_labels)}, sizes)
        for name, series in self.metrics.items():
            self._fit(f"metric {name}", {"checkpoint": len(series)}, sizes)
        for name, times in self.seconds.items():
            self._fit(
                f"seconds of {name}", dict(zip(("checkpoint", "radius"), times.shape, strict=True)), sizes
            )
        if 2 not in self.directions or list(self.directions) != sorted(set(self.directions)):
            raise InputError(f"the directions of a study must ascend and hold 2, got {self.directions}")
        if sizes["plane"] > sizes["frame"] or not all(sizes.values()):
            raise InputError(
                f"a study needs at least one of everything, and no more planes than frames, got {sizes}"
            )

    @staticmethod
    def _fit(name: str, found: dict[str, int], sizes: dict[str, int]) -> None:
        for axis, size in found.items():
            if sizes.setdefault(axis, size) != size:
                raise InputError(
                    f"{name} has {size} entries along its axis {axis}, other arrays have {sizes[axis]}"
                )

    @property
    def n_checkpoints(self) -> int:
        """Number of checkpoints."""
        return len(self.steps)

    @property
    def n_radii(self) -> int:
        """Number of radii."""
        return len(self.radii)

    @property
    def n_frames(self) -> int:
        """Number of frames of the proxy."""
        return int(self.n_sep.shape[3])

    @property
    def n_planes(self) -> int:
        """Number of exact planes through each point."""
        return int(self.cells.shape[2])

    @property
    def n_points(self) -> int:
        """Number of points."""
        return int(self.cells.shape[3])

    @cached_property
    def counted(self) -> Bool[np.ndarray, "checkpoint radius plane point"]:
        """Whether the exact count was finished."""
        found: np.ndarray = self.cells[..., -1] != UNCOUNTED
        return found

    def proxy(self, directions: int) -> Int64[np.ndarray, "checkpoint radius frame point"]:
        """n_sep of one P, summed over the stages."""
        if directions not in self.directions:
            raise InputError(f"the study has directions {self.directions}, got {directions}")
        total: np.ndarray = self.n_sep[:, :, self.directions.index(directions)].sum(-1, dtype=np.int64)
        return total

    def exact(self, quantity: str) -> Float64[np.ndarray, "checkpoint radius plane point"]:
        """``"cells"`` (R), ``"cut"`` (n_cut) or ``"regions"`` as numbers, NaN where the count was given
        up."""
        values = {
            "cells": self.cells[..., -1],
            "cut": self.cut.sum(-1, dtype=np.int64),
            "regions": self.regions,
        }
        if quantity not in values:
            raise InputError(f"the exact quantities are {', '.join(values)}, got {quantity!r}")
        return np.where(self.counted, values[quantity], np.nan)

    def table(self) -> dict[str, np.ndarray]:
        """Tidy columns, a row for each checkpoint, radius, frame and point; see
        :mod:`splineviz.validation.table`."""
        from splineviz.validation.table import columns_of

        return columns_of(self)

    def save_table(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a ``.csv`` or ``.parquet`` file."""
        from splineviz.validation.table import save_table

        save_table(self, path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all of the study to one NPZ file; see :mod:`splineviz.validation.study_files`."""
        from splineviz.validation.study_files import save_study

        save_study(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """Read what :meth:`save` wrote."""
        from splineviz.validation.study_files import load_study

        return load_study(path)


def array_fields() -> Iterator[tuple[str, tuple[str, ...], np.dtype[Any]]]:
    """Name, axes and type of each array of a study, as its annotation says."""
    hints = get_type_hints(Study)
    for field in fields(Study):
        axes = getattr(hints[field.name], "dim_str", None)
        if axes is not None:
            yield field.name, tuple(axes.split()), np.dtype(hints[field.name].dtypes[0])
