"""What must hold for every arrangement, whatever the network, checked from the public arrays and a forward
pass alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import torch

from splineviz.arrangement.result import Arrangement
from splineviz.program.program import Maximum, Pointwise, Program
from tests.oracles.compare import patterns_of

__all__ = ["Checked", "assert_valid", "forward_states"]


@dataclass(frozen=True)
class Checked:
    """How much could be checked: thin cells are those whose interior point lies within rounding of a
    boundary."""

    n_thin: int
    n_states_skipped: int
    """States at interior points that rounding does not decide, nearly all of units that vanish on a whole
    cell."""


def assert_valid(arr: Arrangement, program: Program, *, tolerance: float = 1e-9, seed: int = 0) -> Checked:
    """All invariants of one arrangement; ``tolerance`` is relative to the windows' size and the network's
    values."""
    arr.check()
    _assert_subdivision(arr, tolerance)
    _assert_coverage(arr)
    patterns = patterns_of(arr)
    for window in range(len(arr.windows)):
        inside = arr.cell_window == window
        assert len(np.unique(patterns[inside], axis=0)) == inside.sum(), (
            "two cells of one window have one pattern"
        )
        assert len(np.unique(arr.pattern_hash[inside], axis=0)) == inside.sum(), (
            "two cells of one window have one hash"
        )
    _assert_edge_units(arr, patterns)
    checked = _assert_function(arr, program, patterns, tolerance)
    if len(arr.windows) == 1:
        _assert_locate(arr, program, patterns, tolerance, seed)
    return checked


def _size(arr: Arrangement) -> float:
    return max(float(np.ptp(window.vertices, axis=0).max()) for window in arr.windows)


def _assert_subdivision(arr: Arrangement, tolerance: float) -> None:
    assert arr.n_vertices - arr.n_edges + arr.n_cells == len(arr.windows), (
        "V - E + F must be the number of windows"
    )
    assert arr.areas.shape == (arr.n_cells,)
    assert (arr.areas > 0).all(), "a cell has no area"
    for number, window in enumerate(arr.windows):
        total = float(arr.areas[arr.cell_window == number].sum())
        assert abs(total - window.area) <= tolerance * window.area, (
            f"areas sum to {total}, the window has {window.area}"
        )

    cell, here = arr.cells.row_of, arr.cells.values
    last = arr.cells.offsets[1:] - 1
    after = np.append(here[1:], 0)
    after[last] = here[arr.cells.offsets[:-1]]
    side = arr.vertices[after] - arr.vertices[here]
    turned = np.empty_like(side)
    turned[:-1] = side[1:]
    turned[last] = side[arr.cells.offsets[:-1]]
    cross = side[:, 0] * turned[:, 1] - side[:, 1] * turned[:, 0]
    reach = np.hypot(*side.T) + np.hypot(*turned.T)
    # A vertex is known to about the rounding of its coordinates, so a turn at it to that times the lengths
    # beside it.
    assert (cross >= -1e-12 * (_size(arr) + np.abs(arr.vertices).max()) * reach).all(), (
        "a cell turns clockwise"
    )

    ends = np.sort(arr.edges, axis=1)
    assert len(np.unique(ends, axis=0)) == arr.n_edges, "two edges have the same ends"
    np.testing.assert_array_equal(ends[arr.cell_edges], np.sort(np.stack([here, after], axis=1), axis=1))
    forward = arr.edges[arr.cell_edges, 0] == here
    np.testing.assert_array_equal(arr.edge_cells[arr.cell_edges, np.where(forward, 0, 1)], cell)
    assert (arr.edge_cells >= 0).sum() == len(here), "an edge names a cell that does not have it"
    assert (arr.edge_cells >= 0).any(axis=1).all(), "an edge belongs to no cell"
    assert len(np.unique(np.append(arr.edges.ravel(), here))) == arr.n_vertices, "a vertex is not used"


def _assert_coverage(arr: Arrangement) -> None:
    """Vertices compared bit by bit, so a seam between two cells cannot hide. Where cells are thin, rounded
    vertices may fold them and their neighbours."""
    rings = shapely.linearrings(arr.vertices[arr.cells.values], indices=arr.cells.row_of)
    polygons = shapely.polygons(rings)
    for number in range(len(arr.windows)):
        near = np.isin(arr.cells.values, arr.cells.take(arr.thin_cells).values)
        thick = np.setdiff1d(np.flatnonzero(arr.cell_window == number), arr.cells.row_of[near])
        assert shapely.coverage_is_valid(polygons[thick]), "the cells are not watertight"


def _assert_edge_units(arr: Arrangement, patterns: np.ndarray) -> None:
    assert arr.program is not None
    start = np.concatenate([[0], np.cumsum([stage.n_units for stage in arr.program.stages])]).astype(np.int64)
    inner = (arr.edge_cells >= 0).all(axis=1)
    claimed = np.zeros((arr.n_edges, int(start[-1])), dtype=bool)
    if len(arr.edge_units.values):
        claimed[arr.edge_units.row_of, start[arr.edge_units.values[:, 0]] + arr.edge_units.values[:, 1]] = (
            True
        )
    left, right = arr.edge_cells[inner].T
    np.testing.assert_array_equal(claimed[inner], patterns[left] != patterns[right])
    assert claimed[inner].any(axis=1).all(), "an inner edge belongs to no unit"
    assert not claimed[~inner].any(), "an edge on the rim belongs to a unit"


def forward_states(program: Program, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(N, n_units) the state of every unit, and how far it is from another, as a share of the largest
    distance up to its stage.

    A pointwise unit is as far as its pre-activation from its breakpoint, a maximum as its largest candidate
    from the second.
    """
    slots: dict[int, torch.Tensor] = {0: x}
    largest = torch.zeros(len(x), 1)
    states, shares = [torch.zeros(len(x), 0, dtype=torch.int64)], [torch.zeros(len(x), 0)]

    def note(state: torch.Tensor, gap: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        states.append(state.long())
        size = torch.maximum(largest, size.abs().amax(dim=1, keepdim=True))
        shares.append(gap.abs() / torch.where(size > 0, size, 1.0))
        return size

    for node in program.nodes:
        values = [slots[slot] for slot in node.inputs]
        if isinstance(node, Pointwise):
            for breakpoint_ in node.breakpoints:
                switch = (values[0] - breakpoint_).reshape(len(x), -1)
                largest = note(switch > 0, switch, switch)
        if isinstance(node, Maximum):
            flat = values[0].reshape(len(x), -1)
            missing = torch.from_numpy(node.windows < 0)
            candidates = torch.where(missing, -torch.inf, flat[:, node.windows])
            # The first of equal ones, which argmax does not promise.
            state = (candidates == candidates.amax(2, keepdim=True)).to(torch.uint8).argmax(2)
            rest = candidates.scatter(2, state[:, :, None], -torch.inf).amax(2)
            gap = torch.where(rest > -torch.inf, candidates.amax(2) - rest, torch.inf)
            largest = note(state, gap, flat)
        slots[node.output] = node.run(*values)
    return torch.cat(states, dim=1).numpy(), torch.cat(shares, dim=1).detach().numpy()


def _lifted(arr: Arrangement, uv: np.ndarray, window: np.ndarray) -> torch.Tensor:
    """(N, *input_shape) input points, each through the plane of its own window."""
    shape = arr.planes[0].input_shape
    x = np.empty((len(uv), *shape))
    for number in range(len(arr.windows)):
        plane = arr.planes[number if len(arr.planes) > 1 else 0]
        x[window == number] = plane.lift(uv[window == number])
    return torch.from_numpy(x)


def _assert_function(arr: Arrangement, program: Program, patterns: np.ndarray, tolerance: float) -> Checked:
    uv = arr.interior_points
    x = _lifted(arr, uv, arr.cell_window).requires_grad_()
    states, share = forward_states(program, x)
    doubtful = share <= 1e-12
    doubtful[arr.thin_cells] = True  # the mean of rounded vertices need not lie in them
    wrong = (states != patterns) & ~doubtful
    assert not wrong.any(), (
        f"{wrong.any(axis=1).sum()} cells have another pattern than a forward pass inside them"
    )

    output = program.forward(x.reshape(len(uv), *program.input_shape)).reshape(len(uv), -1)
    affine = arr.affine
    assert affine.shape == (arr.n_cells, output.shape[1], 3)
    homogeneous = np.column_stack([uv, np.ones(len(uv))])
    terms = np.einsum("fck,fk->fc", np.abs(affine), np.abs(homogeneous))
    scale = tolerance * max(
        float(output.detach().abs().max()), float(np.abs(affine).max()), float(terms.max())
    )
    np.testing.assert_allclose(
        np.einsum("fck,fk->fc", affine, homogeneous), output.detach().numpy(), rtol=0, atol=scale
    )

    steady = (states == patterns).all(axis=1)
    basis = np.stack([plane.basis for plane in arr.planes])[
        arr.cell_window if len(arr.planes) > 1 else np.zeros(len(uv), int)
    ]
    for c in range(output.shape[1]):
        (gradient,) = torch.autograd.grad(output[:, c].sum(), x, retain_graph=True)
        along = np.einsum("fd,fkd->fk", gradient.reshape(len(uv), -1).numpy(), basis)
        np.testing.assert_allclose(affine[steady, c, :2], along[steady], rtol=0, atol=scale)

    inner = (arr.edge_cells >= 0).all(axis=1)
    left, right = arr.edge_cells[inner].T
    for end in arr.edges[inner].T:
        here = np.column_stack([arr.vertices[end], np.ones(len(end))])
        jump = np.einsum("eck,ek->ec", affine[left] - affine[right], here)
        assert np.abs(jump).max(initial=0.0) <= 10 * scale, (
            f"the function jumps by {np.abs(jump).max()} across an edge"
        )
    return Checked(int((~_clear(arr)).sum()), int(doubtful.sum()))


def _clear(arr: Arrangement) -> np.ndarray:
    """(F,) whether the interior point lies inside its cell by more than the rounding of coordinates."""
    a, b = arr.vertices[arr.edges[arr.cell_edges, 0]], arr.vertices[arr.edges[arr.cell_edges, 1]]
    p = arr.interior_points[arr.cells.row_of]
    area = (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
    distance = np.abs(area) / np.hypot(*(b - a).T)
    margin = np.minimum.reduceat(distance, arr.cells.offsets[:-1])
    return np.asarray(margin > 1e-12 * (_size(arr) + np.abs(arr.vertices).max()))


def _assert_locate(
    arr: Arrangement, program: Program, patterns: np.ndarray, tolerance: float, seed: int
) -> None:
    clear = _clear(arr)
    np.testing.assert_array_equal(arr.locate(arr.interior_points)[clear], np.flatnonzero(clear))
    x0, x1, y0, y1 = arr.windows[0].bounds
    points = np.random.default_rng(seed).uniform((x0, y0), (x1, y1), (500, 2))
    corners = shapely.Polygon(arr.windows[0].vertices)
    inside = shapely.contains_xy(corners, points[:, 0], points[:, 1])
    found = arr.locate(points)
    rim = shapely.distance(corners.exterior, shapely.points(points)) <= tolerance * _size(arr)
    np.testing.assert_array_equal((found >= 0)[~rim], inside[~rim])
    points, found = points[inside & ~rim], found[inside & ~rim]
    states, share = forward_states(program, _lifted(arr, points, np.zeros(len(points), dtype=np.int64)))
    assert not ((states != patterns[found]) & (share > tolerance)).any(), (
        "a random point has another pattern than its cell"
    )
