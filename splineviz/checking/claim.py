"""Claims of an arrangement: the arrays of a saved file, or of an arrangement in memory, and nothing computed
from a network."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.checking.claim_words import check_words
from splineviz.checking.file_arrays import in_full
from splineviz.errors import InputError
from splineviz.plane import Plane, Window
from splineviz.sound_arrays import sound_arrays

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["Claim", "read_claim"]

_SCHEMAS = tuple(f"splineviz.arrangement/{version}" for version in (1, 2, 3))
_DERIVED = ("affine", "edge_jump", "linear_regions")
_PLACE, _ROUNDING = 1e-12, 2.0**-44


@dataclass(frozen=True, eq=False)
class Claim:
    """The arrays of an arrangement, named as there. Rows of a ragged array are given by offsets."""

    vertices: np.ndarray
    offsets: np.ndarray
    """(F + 1,) where the sides of each cell begin; a side goes from ``corner`` to the next corner of its
    cell."""
    corner: np.ndarray
    """(S,) vertex at which each side begins."""
    side_edge: np.ndarray
    """(S,) edge of each side."""
    cell_window: np.ndarray
    cell_stage: np.ndarray
    pattern_hash: np.ndarray
    edges: np.ndarray
    edge_cells: np.ndarray
    unit_offsets: np.ndarray
    units: np.ndarray
    """(N, 2) stage and unit, for each edge the rows from its unit offset to the next."""
    planes: tuple[Plane, ...]
    """Windows, one for each plane."""
    windows: tuple[Window, ...]
    status: str
    in_doubt: np.ndarray
    """Cells that the arrangement itself puts in doubt, ascending."""
    thin_cells: np.ndarray
    """Cells whose areas are given apart, since stored corners do not tell them."""
    thin_areas: np.ndarray
    stats: Mapping[str, Any]
    """The figures of the certificate, by the names of `arrangement.verdict.Stats`."""
    card: Mapping[str, Any]
    """The name card of the network, by the names of `stage.ProgramInfo`."""
    patterns: tuple[tuple[np.ndarray, np.ndarray], ...]
    """For each stage the states of its cells, as words of bits, and of which cell of the stage before, or of
    which window, each is a part; none where they are not there."""
    derived: Mapping[str, np.ndarray]
    """Affine maps, kinks and linear regions, as far as they were saved."""

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.offsets) - 1

    @property
    def cells_per_stage(self) -> tuple[int, ...]:
        """Number of cells after each stage that was arranged."""
        return tuple(self.stats["cells_per_stage"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the inputs of the network."""
        return tuple(self.card["input_shape"])

    @property
    def cut_off(self) -> bool:
        """Whether the network's last operation was left out, so that its logits are the output."""
        return self.card["cut_off"] is not None

    @property
    def n_stages(self) -> int:
        """Number of stages of the network that were arranged."""
        return len(self.stats["cells_per_stage"])

    @property
    def covers(self) -> bool:
        """Whether the cells are said to cover their windows."""
        return self.status not in ("INCOMPLETE", "BATCH")

    @cached_property
    def side_cell(self) -> np.ndarray:
        """(S,)"""
        return np.repeat(np.arange(self.n_cells), np.diff(self.offsets))

    @cached_property
    def next_side(self) -> np.ndarray:
        """(S,) the side that follows round the cell."""
        following: np.ndarray = np.arange(1, len(self.corner) + 1)
        following[self.offsets[1:] - 1] = self.offsets[:-1]
        return following

    @cached_property
    def side_end(self) -> np.ndarray:
        """(S,) vertex at which each side ends."""
        ends: np.ndarray = self.corner[self.next_side]
        return ends

    @cached_property
    def inner(self) -> np.ndarray:
        """(E,) whether an edge has two cells."""
        return np.asarray((self.edge_cells >= 0).all(1))

    @cached_property
    def slack(self) -> np.ndarray:
        """(windows,) how far a stored vertex may be from its place, in uv.

        1e-12 of the window's diameter; and 2^-44 of the largest numbers on the way from uv to input space,
        since no float64 arithmetic places a kink better than a few of their last bits.
        """
        result = np.empty(len(self.windows))
        for number, (plane, window) in enumerate(zip(self.planes, self.windows, strict=True)):
            size = np.linalg.norm(plane.origin) + np.abs(window.vertices).max()
            result[number] = _PLACE * np.linalg.norm(np.ptp(window.vertices, axis=0)) + _ROUNDING * size
        return result

    @cached_property
    def points(self) -> np.ndarray:
        """(F, 2) the mean of the corners of each cell, formed from its first corner."""
        base = self.vertices[self.corner[self.offsets[:-1]]]
        steps = self.vertices[self.corner] - base[self.side_cell]
        centre: np.ndarray = base + np.add.reduceat(steps, self.offsets[:-1]) / np.diff(self.offsets)[:, None]
        return centre

    def lift(self, uv: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flat points of input space (N, D) of points of windows, and (N, D) a bound for the rounding of the
        lift."""
        x, size = (np.empty((len(uv), self.planes[0].dim)) for _ in range(2))
        for number in np.unique(window):  # windows, not points: each has its own plane
            rows, plane = window == number, self.planes[number]
            x[rows] = plane.lift(uv[rows]).reshape(-1, plane.dim)
            size[rows] = np.abs(plane.origin) + np.abs(uv[rows]) @ np.abs(plane.basis)
        return x, 2.0**-51 * size

    def directions(self, window: np.ndarray) -> np.ndarray:
        """(N, 2, D) the basis of the plane of each of the windows."""
        basis = np.stack([plane.basis for plane in self.planes])
        rows: np.ndarray = basis[window]
        return rows


def read_claim(source: str | os.PathLike[str] | Arrangement) -> Claim:
    """Read the claims of a file or of an arrangement.

    Raises
    ------
    InputError
        If the file cannot be read or holds no arrangement, if it has no cells or does not name its network,
        or if its arrays do not fit together so far that it could not be read at all.
    """
    if isinstance(source, str | os.PathLike):
        what, content = str(source), _content(Path(source))
        with _damaged(what):
            claim = _from_file(content)
    else:
        what, claim = "the arrangement", _from_memory(source)
    with _damaged(what):
        check_words(claim.stats, claim.card)
        n_cells = claim.n_cells
    if not n_cells:
        raise InputError(
            f"{what} has no cells, so there is nothing to check",
            hint="compute it again, with a larger budget",
        )
    with _damaged(what):
        _are_such(claim)
        _fit(claim)
    return claim


@contextmanager
def _damaged(what: str) -> Iterator[None]:
    """Say of which file it is that its content does not fit together."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise InputError(f"{what} is damaged: {error}", hint="write it again with splineviz.save") from error


def _content(path: Path) -> dict[str, np.ndarray]:
    content = sound_arrays(path, "splineviz.save")
    schema = str(content["schema"]) if content else "none"
    if schema not in _SCHEMAS:
        raise InputError(
            f"{path} holds no arrangement that can be checked: expected schema {' or '.join(_SCHEMAS)}, got "
            f"{schema}",
            hint="a file of splineviz.save, of this version or an earlier one",
        )
    return content


def _from_file(stored: Mapping[str, np.ndarray]) -> Claim:
    content = in_full(stored)
    meta = json.loads(str(content["meta"]))
    shapes = meta["input_shapes"]
    frames = zip(content["plane_origin"], content["plane_basis"], shapes, strict=True)
    planes = [
        Plane(origin, basis, tuple(map(int, shape)), np.zeros((0, 2))) for origin, basis, shape in frames
    ]
    ends, corners = content["windows_offsets"], content["windows_values"]
    if ends.ndim != 1 or ends.dtype.kind != "i" or ends[0] != 0 or ends[-1] != len(corners):
        raise ValueError("the rows of windows do not fit")
    card = meta["program"]
    if card is None:
        raise ValueError("it does not name its network")
    return Claim(
        **{
            name: content[name]
            for name in ("vertices", "cell_window", "cell_stage", "pattern_hash", "edges", "edge_cells")
        },
        offsets=content["cells_offsets"],
        corner=content["cells_values"],
        side_edge=content["cell_edges"],
        unit_offsets=content["edge_units_offsets"],
        units=content["edge_units_values"],
        planes=tuple(planes[k] for k in content["plane_of_window"]),
        windows=tuple(Window(corners) for corners in np.split(corners, ends[1:-1])),
        status=str(meta["status"]),
        in_doubt=content.get("in_doubt", np.empty(0, np.int64)),
        thin_cells=content.get("thin_cells", np.empty(0, np.int64)),
        thin_areas=content.get("thin_areas", np.empty(0)),
        stats=meta["stats"],
        card=card,
        patterns=tuple(
            (content[f"pattern_{stage}"], content[f"parent_{stage}"])
            for stage in range(sum(name.startswith("parent_") for name in content))
        ),
        derived={name: content[name] for name in _DERIVED if name in content},
    )


def _from_memory(arr: Arrangement) -> Claim:
    if arr.info is None:
        raise InputError(
            "the arrangement does not name its network, so it cannot be checked against one",
            hint="check what sv.arrange made, or sv.load read",
        )
    return Claim(
        **{
            name: getattr(arr, name)
            for name in ("vertices", "cell_window", "cell_stage", "pattern_hash", "edges", "edge_cells")
        },
        offsets=arr.cells.offsets,
        corner=arr.cells.values,
        side_edge=arr.cell_edges,
        unit_offsets=arr.edge_units.offsets,
        units=arr.edge_units.values,
        planes=arr.planes,
        windows=arr.windows,
        status=arr.status.name,
        in_doubt=arr.in_doubt,
        thin_cells=arr.thin_cells,
        thin_areas=arr.thin_areas,
        stats=asdict(arr.stats),
        card=asdict(arr.info),
        patterns=arr.patterns,
        # Lazy members live in the instance once they were asked for: what was not, is not claimed.
        derived={name: vars(arr)[name] for name in _DERIVED if name in vars(arr)},
    )


def _are_such(claim: Claim) -> None:
    """Arrays have the kinds of numbers, and the sizes, that their names mean."""
    f, v, e = claim.n_cells, len(claim.vertices), len(claim.edges)
    s, n = len(claim.corner), len(claim.units)
    for name, array, kind, shape in (
        ("vertices", claim.vertices, "f", (v, 2)),
        ("cells", claim.corner, "i", (s,)),
        ("cells", claim.offsets, "i", (f + 1,)),
        ("cell_edges", claim.side_edge, "i", (s,)),
        ("cell_window", claim.cell_window, "i", (f,)),
        ("cell_stage", claim.cell_stage, "i", (f,)),
        ("pattern_hash", claim.pattern_hash, "u", (f, 2)),
        ("edges", claim.edges, "i", (e, 2)),
        ("edge_cells", claim.edge_cells, "i", (e, 2)),
        ("edge_units", claim.unit_offsets, "i", (e + 1,)),
        ("edge_units", claim.units, "i", (n, 2)),
        ("in_doubt", claim.in_doubt, "i", (claim.in_doubt.size,)),
        ("thin_cells", claim.thin_cells, "i", (claim.thin_cells.size,)),
        ("thin_areas", claim.thin_areas, "f", (claim.thin_cells.size,)),
        *(("pattern", words, "u", (len(parents), words.shape[-1])) for words, parents in claim.patterns),
        *(("parent", parents, "i", (len(parents),)) for _, parents in claim.patterns),
        *(("plane_origin", plane.origin, "f", None) for plane in claim.planes),
        *(("plane_basis", plane.basis, "f", None) for plane in claim.planes),
        *(("windows", window.vertices, "f", None) for window in claim.windows),
        *(
            (name, array, "f" if name != "linear_regions" else "fi", None)
            for name, array in claim.derived.items()
        ),
    ):
        half = array.dtype.kind == "f" and array.dtype != np.float64
        if half or array.dtype.kind not in kind or shape not in (None, array.shape):
            raise ValueError(f"{name} has numbers of type {array.dtype} and shape {array.shape}")
    if not all(isinstance(count, int) for count in claim.cells_per_stage):
        raise ValueError("the numbers of cells after each stage are none")


def _fit(claim: Claim) -> None:
    """Indices fit together, so that no check reads beyond an array."""
    f, v, e, w = claim.n_cells, len(claim.vertices), len(claim.edges), len(claim.windows)
    sizes = len(claim.corner), len(claim.units)
    before = [w, *(len(parents) for _, parents in claim.patterns)]
    if claim.patterns and before[-1] < f:
        raise ValueError("patterns and cells disagree")
    for name, offsets, total in zip(
        ("cells", "edge_units"), (claim.offsets, claim.unit_offsets), sizes, strict=True
    ):
        if offsets[0] != 0 or offsets[-1] != total or (np.diff(offsets) < 0).any():
            raise ValueError(f"the rows of {name} do not fit")
    if (np.diff(claim.offsets) < 3).any():
        raise ValueError("a cell has fewer than three corners")
    if len(claim.planes) != w or len(np.unique(claim.thin_cells)) != len(claim.thin_cells):
        raise ValueError("sizes of arrays disagree")
    for name, index, low, high in (
        ("cells", claim.corner, 0, v),
        ("cell_edges", claim.side_edge, 0, e),
        ("edges", claim.edges, 0, v),
        ("edge_cells", claim.edge_cells, -1, f),
        ("cell_window", claim.cell_window, 0, w),
        ("cell_stage", claim.cell_stage, -1, claim.n_stages),
        ("in_doubt", claim.in_doubt, 0, f),
        ("thin_cells", claim.thin_cells, 0, f),
        *(("parent", parents, 0, n) for (_, parents), n in zip(claim.patterns, before, strict=False)),
    ):
        if index.size and not (index.min() >= low and index.max() < high):
            raise ValueError(f"{name} points outside")
    for number, (plane, window) in enumerate(zip(claim.planes, claim.windows, strict=True)):
        shapes = plane.origin.shape, plane.basis.shape, math.prod(plane.input_shape)
        if shapes != ((plane.dim,), (2, plane.dim), plane.dim):
            raise ValueError(f"plane {number} does not fit its input shape {plane.input_shape}")
        if not np.array_equal(Window.polygon(window.vertices).vertices, window.vertices):
            raise ValueError(f"window {number} is not counter-clockwise")
    if not np.isfinite(claim.vertices).all():
        raise ValueError("a vertex is not finite")
