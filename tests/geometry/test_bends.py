"""Products at new vertices from those at others: within what is said of their rounding, whatever bends."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement import carrier
from splineviz.arrangement.buffers import Buffers
from splineviz.arrangement.carrier import Carrier
from splineviz.arrangement.live import Live
from splineviz.geometry import bends
from splineviz.geometry.bends import bends_between
from splineviz.geometry.records import BIRTH
from splineviz.program import Affine
from tests.oracles.harness import small_as_large

WIDTH, HEIGHT, MOST = 23, 9, 4


def born_between(n_old: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """New vertices, many of them between the same two, the later ones between earlier ones."""
    born = np.zeros(n, BIRTH)
    for k in range(n):
        born["a"][k], born["b"][k] = (0, 1) if k < n // 2 else rng.choice(n_old + n // 2, 2, replace=False)
    born["t"] = rng.uniform(0.02, 0.98, n)
    born["t"][: n // 2].sort()
    return born


def activations(born: np.ndarray, n_old: int, rng: np.random.Generator, spread: float) -> np.ndarray:
    """(V, WIDTH) relu of values that are interpolated at new vertices; of units that change, more where ``spread`` is larger."""
    z = rng.normal(size=WIDTH) + spread * rng.normal(size=(n_old + len(born), WIDTH))
    for k, (a, b, t) in enumerate(zip(born["a"], born["b"], born["t"], strict=True)):
        z[n_old + k] = z[a] + t * (z[b] - z[a])
    return np.maximum(z, 0.0)


def layer(rng: np.random.Generator, *, bias: bool) -> Affine:
    linear = nn.Linear(WIDTH, HEIGHT, bias=bias).double()
    with torch.no_grad():
        for weight in linear.parameters():
            weight.copy_(torch.from_numpy(rng.normal(size=weight.shape)))
    (node,) = [node for node in sv.load_program(nn.Sequential(linear, nn.ReLU())).nodes if isinstance(node, Affine)]
    return node


def applied(node: Affine, x: np.ndarray, born: np.ndarray, *, padded: bool = False) -> Live:
    live = {node.inputs[0]: Live(torch.from_numpy(x), np.zeros(len(x)), proof=np.zeros(len(x)))}
    Carrier(torch.device("cpu"), Buffers()).affine(live, node, born, padded=padded)
    return live[node.output]


def errors(node: Affine, x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(V, HEIGHT) distance from exact products."""
    assert node.matrix is not None and node.form is not None
    matrix = np.vectorize(Fraction, otypes=[object])(node.matrix.numpy())
    constants = 0 if node.form.constants is None else np.vectorize(Fraction, otypes=[object])(node.form.constants.numpy())
    exact = np.vectorize(Fraction, otypes=[object])(x) @ matrix.T + constants
    return np.abs(np.vectorize(Fraction, otypes=[object])(values) - exact)


def assert_within(live: Live, wrong: np.ndarray) -> None:
    slack, proof = live.proven()
    assert (wrong <= np.vectorize(Fraction, otypes=[object])(live.entrywise()[0] * slack[:, None])).all()
    assert all(sum(row * row) <= Fraction(bound) ** 2 for row, bound in zip(wrong, proof.tolist(), strict=True))


@pytest.mark.parametrize("size", [1e-170, 1e-30, 1.0, 1e90])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.4, 2.0])
def test_products_are_within_their_bounds(spread: float, bias: bool, size: float) -> None:
    rng, n_old = np.random.default_rng(int(10 * spread)), 5
    born, node = born_between(n_old, 40, rng), layer(rng, bias=bias)
    x = size * activations(born, n_old, rng, spread)
    with small_as_large():
        found = bends_between(x, np.linalg.norm(x, axis=1), born, 3, alone=False)
        live = applied(node, x, born)
    assert (found.n_bent >= 0).any() or spread > 1.0
    wrong = errors(node, x, live.flat)
    assert_within(live, wrong)
    assert live.proven()[0].max() < 8.0 * applied(node, x, born).proven()[0].max(), "which are no worlds above those of products"


@pytest.mark.parametrize("seed", range(6))
def test_entries_may_be_off_by_all_that_counts_as_none(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, n_old = np.random.default_rng(seed), 5
    born, node = born_between(n_old, 40, rng), layer(rng, bias=True)
    x = activations(born, n_old, rng, 0.1)
    norms = np.linalg.norm(x, axis=1)
    with small_as_large():
        usual = bends_between(x, norms, born, 3, alone=True)
        at = np.flatnonzero(usual.n_bent[: len(born) // 2] >= 0)
        moved = x.copy()
        own = x[0] + x[1]
        allowed = 4.0 * 2.0**-53 * own + 8.0 * 2.0**-53 / np.sqrt(WIDTH) * norms[:2].max()
        moved[n_old + at] += 0.5 * allowed * np.sign(node.columns[:, 0])
        found = bends_between(moved, norms, born, 3, alone=True)
        assert (found.n_bent[at] <= usual.n_bent[at]).all(), "so they are neglected"
        assert_within(applied(node, moved, born), errors(node, moved, applied(node, moved, born).flat))


def test_all_bends_are_found_however_many() -> None:
    rng, n_old = np.random.default_rng(0), 5
    born = born_between(n_old, 60, rng)
    x = activations(born, n_old, rng, 3.0)
    found = bends_between(x, np.linalg.norm(x, axis=1), born, WIDTH, alone=True)
    off = x[n_old:] - (x[born["a"]] + born["t"][:, None] * (x[born["b"]] - x[born["a"]]))
    row, entry = np.nonzero(np.abs(off) > 1e-12)
    assert found.n_bent.tolist() == np.bincount(row, minlength=len(born)).tolist() and found.n_bent.sum() > 4 * len(born) + WIDTH
    bend = np.concatenate([found.bend[first : first + n] for first, n in zip(found.first, found.n_bent, strict=True)])
    assert bend["entry"].tolist() == entry.tolist()
    np.testing.assert_allclose(bend["off"], off[row, entry], rtol=1e-12)
    few = bends_between(x, np.linalg.norm(x, axis=1), born, 5, alone=True)
    assert (few.n_bent == np.where(found.n_bent <= 5, found.n_bent, -1)).all()


def test_many_between_two_ends_are_between_closer_ones() -> None:
    rng, n_old = np.random.default_rng(0), 2
    born = born_between(n_old, 60, rng)[:30]
    x = activations(born, n_old, rng, 1.0)
    norms = np.linalg.norm(x, axis=1)
    alone = bends_between(x, norms, born, MOST, alone=True)
    found = bends_between(x, norms, born, MOST, alone=False)
    assert (alone.n_bent < 0).all() and (found.n_bent >= 0).sum() > 15
    between = np.flatnonzero(found.n_bent >= 0)
    for k in between:
        a, b, t = found.ends[k]["a"], found.ends[k]["b"], found.ends[k]["t"]
        for end in (a, b):
            assert end < n_old or found.n_bent[end - n_old] < 0, "an end has a product, or had it before"
        np.testing.assert_allclose(t * (place(b, born) - place(a, born)), born["t"][k] - place(a, born), rtol=1e-12)


def place(vertex: int, born: np.ndarray) -> float:
    return [0.0, 1.0, *born["t"]][vertex]


def test_rows_do_not_depend_on_others_where_they_must_not() -> None:
    """Batches of faces have vertices in common."""
    rng, n_old = np.random.default_rng(3), 5
    born, node = born_between(n_old, 60, rng), layer(rng, bias=True)
    x = activations(born, n_old, rng, 0.4)
    kept = np.r_[np.arange(n_old), n_old + np.arange(0, 30, 2)]
    with small_as_large():
        whole = applied(node, x, born, padded=True)
        some = applied(node, x[kept], born[0:30:2], padded=True)
    assert (bends_between(x, np.linalg.norm(x, axis=1), born, 3, alone=True).n_bent[:30:2] >= 0).any()
    for one, other in ((whole.flat, some.flat), (whole.proven()[0], some.proven()[0]), (whole.error, some.error)):
        np.testing.assert_array_equal(one[kept], other)


def test_vertices_at_one_place_of_an_edge_keep_their_products() -> None:
    born = np.zeros(5, BIRTH)
    born["b"], born["t"] = 1, 0.5
    rng = np.random.default_rng(0)
    x = activations(born, 2, rng, 3.0)
    with small_as_large():
        found = bends_between(x, np.linalg.norm(x, axis=1), born, 3, alone=False)
    assert np.isfinite(found.ends["t"]).all() and ((found.ends["t"] > 0.0) & (found.ends["t"] < 1.0)).all()


def test_it_pays_for_wide_layers_alone() -> None:
    assert carrier.most_bends(500, 200) == 25
    assert carrier.most_bends(10, 500) == 0 == carrier.most_bends(64, 64)
    assert bends._APART > 2
