"""Betti numbers and persistence: closed forms, a cubical complex of a fine grid, and a filtration by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage

from splineviz.measures.persistence import sublevel_persistence
from tests.measures.test_graph import network
from tests.measures.test_regions import arranged, bands


def pyramid(sign: float) -> torch.nn.Module:
    """sign (1/2 - |x| - |y|): a square of one class inside the other."""
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 4, bias=False), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    ).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
        model[2].weight.fill_(-sign)
        model[2].bias.fill_(sign / 2)
    return model


def slow(values: np.ndarray, edges: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Births and deaths of components, vertex by vertex."""
    order = np.lexsort((np.arange(len(values)), values))
    rank = {int(v): r for r, v in enumerate(order)}
    root: dict[int, int] = {}
    pairs = []

    def find(v: int) -> int:
        while root[v] != v:
            v = root[v]
        return v

    for v in map(int, order):
        root[v] = v
        for a, b in edges:
            w = b if a == v else a if b == v else None
            if w is None or w not in root:
                continue
            one, two = sorted((find(v), find(w)), key=rank.__getitem__)
            if one != two:
                root[two] = one
                pairs.append((values[two], values[v]))
    pairs += [(values[v], np.inf) for v in root if find(v) == v]
    return sorted((b, d) for b, d in pairs if b < d)


@pytest.mark.parametrize("seed", range(12))
def test_components_are_those_of_a_filtration_by_hand(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 30
    edges = [(a, b) for a, b in itertools.combinations(range(n), 2) if random.random() < 0.08]
    values = random.integers(0, 12, n).astype(np.float64)
    found = sublevel_persistence(values, np.array(edges).reshape(-1, 2), np.arange(n))
    assert sorted(map(tuple, found.components.tolist())) == slow(values, edges)
    assert not len(found.holes)  # all vertices are on the rim


def test_a_hole_is_born_with_its_ring_and_filled_at_its_peak() -> None:
    arr = arranged(pyramid(1.0), -1, 1, -1, 1)
    found = arr.measure("topology")
    (diagram,) = found.diagrams
    np.testing.assert_allclose(diagram.components, [[-1.5, np.inf], [-1.5, -0.5], [-1.5, -0.5], [-1.5, -0.5]])
    np.testing.assert_allclose(diagram.holes, [[-0.5, 0.5]])
    assert (found["components at 0", "output 0"], found["holes at 0", "output 0"]) == (1, 1)
    assert found["longest persistence of holes", "output 0"] == pytest.approx(1.0, abs=1e-12)
    assert (found["b0", "class 0"], found["b1", "class 0"]) == (1, 1)
    assert (found["b0", "class 1"], found["b1", "class 1"]) == (1, 0)
    assert all(q.error == 0 for q in found.quantities if q.name in ("b0", "b1", "holes at 0"))


def test_a_hole_that_reaches_the_rim_is_none() -> None:
    found = arranged(pyramid(1.0), -1, 0.25, -1, 1).measure("topology")
    assert (found["b0", "class 0"], found["b1", "class 0"]) == (1, 0)
    assert arranged(bands(), -1, 1, -1, 1).measure("topology")["b1", "class 1"] == 0


def test_the_level_parts_classes_and_sublevel_sets() -> None:
    found = arranged(pyramid(1.0), -1, 1, -1, 1).measure("topology", level=-1.0)
    assert (found["b0", "class 0"], found["components at -1", "output 0"]) == (4, 4)


@pytest.mark.parametrize("seed", range(4))
def test_against_a_fine_grid(seed: int) -> None:
    """Components of the pixels below a level, and of those above that do not reach the rim."""
    model = network(seed, 10, 10, outputs=1)
    arr = arranged(model, -2, 2, -2, 2)
    found = arr.measure("topology")
    ticks = np.linspace(-2, 2, 1201)
    grid = torch.tensor(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    with torch.no_grad():
        values = model(grid).numpy().reshape(len(ticks), -1)
    (diagram,) = found.diagrams
    for level in np.quantile(values, [0.1, 0.3, 0.5, 0.7, 0.9]):
        if np.abs(diagram.components - level).min() < 0.02 or (
            len(diagram.holes) and np.abs(diagram.holes - level).min() < 0.02
        ):
            continue
        below = ndimage.label(values <= level)[1]
        n = ndimage.label(np.pad(values > level, 1, constant_values=True), structure=np.ones((3, 3)))[1]
        assert diagram.betti(level) == (below, n - 1), level


@pytest.mark.parametrize("seed", range(4))
def test_betti_numbers_of_classes_are_those_of_a_fine_grid(seed: int) -> None:
    model = network(seed + 20, 10, 10)
    found = arranged(model, -2, 2, -2, 2).measure("topology")
    ticks = np.linspace(-2, 2, 2001)[:-1] + 0.001
    grid = torch.tensor(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    with torch.no_grad():
        classes = model(grid).argmax(1).numpy().reshape(len(ticks), -1)
    for number in np.unique(classes).tolist():
        pixels = np.bincount(ndimage.label(classes == number)[0].ravel())[1:]
        assert found["b0", f"class {number}"] == (pixels > 10).sum()  # a thin corner is dots on a grid
        pixels = np.bincount(ndimage.label(np.pad(classes != number, 1, constant_values=True))[0].ravel())[1:]
        assert found["b1", f"class {number}"] == (pixels > 10).sum() - 1


def test_a_boundary_along_an_edge_joins_what_lies_beyond_it() -> None:
    """Outputs x, relu(-x) - x + y..., whose tie lies on a line of the network."""
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 3)
    ).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0], [-1, 0]]))
        model[2].weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0, 0]]))
        model[2].bias.copy_(torch.tensor([0.0, 0, -0.25]))
    found = arranged(model, -1, 1, -1, 1).measure("topology")
    assert (found["b0", "class 0"], found["b0", "class 1"]) == (1, 1)
    assert (found["b1", "class 0"], found["b1", "class 1"]) == (0, 0)
