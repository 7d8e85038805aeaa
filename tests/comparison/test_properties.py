"""What holds for any networks: against shapely's overlay, a forward pass on a grid, and the laws of a
metric."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import torch
from sklearn.metrics import adjusted_rand_score

import splineviz as sv
from splineviz.comparison.partitions import partition_distance
from tests.comparison.nets import PLANE, SQUARE, random_net
from tests.oracles.overlay import overlaps, variation_of_information
from tests.oracles.polygonize import grid

WIDTHS = [(2, 8, 8, 3), (2, 12, 3), (2, 6, 6, 6, 3)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("other", WIDTHS, ids=str)
def test_overlay_is_that_of_shapely(seed: int, other: tuple[int, ...]) -> None:
    both = sv.compare([random_net(seed), random_net(seed + 100, other)], PLANE, SQUARE)
    pair = both.pair(0, 1)
    areas = overlaps(*(arr.to_shapely() for arr in both.arrangements))
    found = np.bincount(pair.overlay.cells, weights=pair.overlay.areas)
    assert pair.overlay.n_cells == (areas > 0).sum()
    assert np.allclose(np.sort(found), np.sort(areas[areas > 0]), atol=1e-12)
    assert found.sum() == pytest.approx(SQUARE.area, rel=1e-14)
    assert pair.partitions.variation_of_information == pytest.approx(
        variation_of_information(areas), abs=1e-9
    )


@pytest.mark.parametrize("seed", range(3))
def test_decisions_and_changes_are_those_of_forward_passes(seed: int) -> None:
    programs = random_net(seed), random_net(seed + 50)
    pair = sv.compare(programs, PLANE, SQUARE).pair(0, 1)
    points = torch.from_numpy(grid(-1, 1, -1, 1, 400))
    first, second = (program.forward(points).numpy() for program in programs)
    assert pair.decisions is not None and pair.change is not None
    assert pair.decisions.agreement == pytest.approx((first.argmax(1) == second.argmax(1)).mean(), abs=5e-3)
    assert pair.decisions.confusion.sum() == pytest.approx(1.0)
    gap = np.linalg.norm(second - first, axis=1)
    assert pair.change.output.value == pytest.approx(gap.mean(), rel=2e-4)
    assert pair.change.output_rms**2 == pytest.approx((gap**2).mean(), rel=2e-4)
    at = pair.overlay.arrangement.locate(points.numpy())
    maps = pair.overlay.change[at]
    assert np.allclose(
        np.einsum("pcd,pd->pc", maps[:, :, :2], points.numpy()) + maps[:, :, 2], second - first, atol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_variation_of_information_is_a_metric(seed: int) -> None:
    a, b, c = (random_net(3 * seed + k, WIDTHS[k]) for k in range(3))
    forth, back = sv.compare([a, b, c], PLANE, SQUARE), sv.compare([c, b, a], PLANE, SQUARE)

    def distance(i: int, j: int) -> float:
        return forth.pair(i, j).partitions.variation_of_information

    for i, j in ((0, 1), (0, 2), (1, 2)):
        one, other = forth.pair(i, j), back.pair(2 - i, 2 - j)
        assert distance(i, j) == pytest.approx(other.partitions.variation_of_information, abs=1e-12)
        assert one.partitions.adjusted_rand_index == pytest.approx(
            other.partitions.adjusted_rand_index, abs=1e-12
        )
        assert one.partitions.entropies == pytest.approx(other.partitions.entropies[::-1])
        assert one.overlay.n_cells == other.overlay.n_cells
    assert distance(0, 1) <= distance(0, 2) + distance(2, 1) + 1e-12
    assert distance(0, 2) <= distance(0, 1) + distance(1, 2) + 1e-12
    assert distance(1, 2) <= distance(1, 0) + distance(0, 2) + 1e-12


def test_adjusted_rand_index_is_the_limit_of_the_one_for_many_points() -> None:
    rng = np.random.default_rng(0)
    first, second, areas = rng.integers(0, 5, 60), rng.integers(0, 4, 60), rng.integers(1, 9, 60)
    second[:30] = first[:30] % 4
    found = partition_distance(first, second, areas.astype(float)).adjusted_rand_index
    errors = []
    for copies in (10, 100):
        count = areas * copies
        errors.append(abs(adjusted_rand_score(np.repeat(first, count), np.repeat(second, count)) - found))
    assert found > 0.1 and errors[1] < 1e-4 and errors[1] == pytest.approx(errors[0] / 10, rel=0.05)


def test_cells_of_each_network_are_unions_of_pieces() -> None:
    """Joined across edges that a network does not draw, the pieces are its cells: same polygons."""
    both = sv.compare([random_net(7), random_net(8)], PLANE, SQUARE)
    pair = both.pair(0, 1)
    pieces = pair.overlay.arrangement.to_shapely()
    for cells, arr in zip((pair.overlay.first, pair.overlay.second), both.arrangements, strict=True):
        joined = [shapely.union_all(pieces[cells == k]) for k in range(cells.max() + 1)]
        whole = arr.to_shapely()[
            arr.locate(np.array([part.representative_point().coords[0] for part in joined]))
        ]
        assert len(joined) == arr.n_cells
        assert max(shapely.area(shapely.symmetric_difference(joined, whole))) < 1e-12
