"""Products at new vertices from those at others: within the bounds of their rounding, whatever deviates."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.geometry.records import BIRTH
from splineviz.program import Affine
from splineviz.values import interpolated_products, propagation
from splineviz.values.interpolated_products import deviations_between, interpolate_products
from splineviz.values.linear_error_bounds import MapSizes, prove_linear, through_linear
from splineviz.values.propagation import Propagator
from splineviz.values.vertex_values import VertexValues
from tests.engine.libraries import unsteady
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
    """(V, WIDTH) relu of values that are interpolated at new vertices; of units that change, more where
    ``spread`` is larger."""
    z = rng.normal(size=WIDTH) + spread * rng.normal(size=(n_old + len(born), WIDTH))
    for k, (a, b, t) in enumerate(zip(born["a"], born["b"], born["t"], strict=True)):
        z[n_old + k] = z[a] + t * (z[b] - z[a])
    return np.maximum(z, 0.0)


def layer(rng: np.random.Generator, *, bias: bool) -> Affine:
    linear = nn.Linear(WIDTH, HEIGHT, bias=bias).double()
    with torch.no_grad():
        for weight in linear.parameters():
            weight.copy_(torch.from_numpy(rng.normal(size=weight.shape)))
    (node,) = [
        node for node in sv.load_program(nn.Sequential(linear, nn.ReLU())).nodes if isinstance(node, Affine)
    ]
    return node


def applied(node: Affine, x: np.ndarray, born: np.ndarray, shared: np.ndarray | None = None) -> VertexValues:
    live = {node.inputs[0]: VertexValues(torch.from_numpy(x), np.zeros(len(x)), proof=np.zeros(len(x)))}
    Propagator().affine(live, node, born, shared)
    return live[node.output]


def errors(node: Affine, x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(V, HEIGHT) distance from exact products."""
    assert node.matrix is not None and node.form is not None
    matrix = np.vectorize(Fraction, otypes=[object])(node.matrix.numpy())
    constants = (
        0
        if node.form.constants is None
        else np.vectorize(Fraction, otypes=[object])(node.form.constants.numpy())
    )
    exact = np.vectorize(Fraction, otypes=[object])(x) @ matrix.T + constants
    return np.abs(np.vectorize(Fraction, otypes=[object])(values) - exact)


def assert_within(live: VertexValues, wrong: np.ndarray) -> None:
    slack, proof = live.proven()
    assert (wrong <= np.vectorize(Fraction, otypes=[object])(live.entrywise()[0] * slack[:, None])).all()
    assert all(
        sum(row * row) <= Fraction(bound) ** 2 for row, bound in zip(wrong, proof.tolist(), strict=True)
    )


@pytest.mark.parametrize("size", [1e-170, 1e-30, 1.0, 1e90])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.4, 2.0])
def test_products_are_within_their_bounds(spread: float, bias: bool, size: float) -> None:
    rng, n_old = np.random.default_rng(int(10 * spread)), 5
    born, node = born_between(n_old, 40, rng), layer(rng, bias=bias)
    x = size * activations(born, n_old, rng, spread)
    with small_as_large():
        found = deviations_between(x, np.linalg.norm(x, axis=1), born, 3, alone=False)
        live = applied(node, x, born)
    assert (found.n_deviating >= 0).any() or spread > 1.0
    wrong = errors(node, x, live.flat)
    assert_within(live, wrong)
    assert live.proven()[0].max() < 8.0 * applied(node, x, born).proven()[0].max(), (
        "which are no worlds above those of products"
    )


U = 2.0**-53


def allowed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far the entries of a vertex between two others may be off and count as straight."""
    largest = max(np.linalg.norm(a), np.linalg.norm(b))
    off: np.ndarray = interpolated_products._OWN * (
        abs(a) + abs(b)
    ) + interpolated_products._ALL * largest / np.sqrt(len(a))
    return off


@pytest.mark.parametrize("terms", [0.0, 65.0])
@pytest.mark.parametrize("n_deviating", [0, 1, 5])
@pytest.mark.parametrize("kind", ["flat", "steep", "uneven"])
def test_bounds_hold_where_all_goes_wrong_together(kind: str, n_deviating: int, terms: float) -> None:
    """Products at the ends are as wrong as may be, and all entries off by what just counts as none, in one
    direction."""
    rng, width, n = np.random.default_rng(n_deviating), 64, 12
    matrix = rng.choice([-1.0, 1.0], size=(4, width))
    ends = np.full((2, width), 3.0) if kind == "flat" else rng.integers(-1000, 1000, (2, width)).astype(float)
    born = np.zeros(n, BIRTH)
    born["b"], born["t"] = 1, rng.random(n)
    if kind == "uneven":
        ends[0] /= 64.0
        born["t"] = rng.uniform(0.9, 1.0, n)
    x = np.vstack([ends, ends[0] + born["t"][:, None] * (ends[1] - ends[0])])
    x[2:] += 0.999 * allowed(*ends) * np.sign(matrix[0])
    for row in x[2:]:
        row[rng.choice(width, n_deviating, replace=False)] += 5.0
    norms, scale, size = (
        np.linalg.norm(x, axis=1),
        np.linalg.norm(matrix, axis=1),
        float(np.linalg.norm(matrix)),
    )
    found = deviations_between(x, norms, born, 40, alone=True)
    assert (found.n_deviating >= n_deviating).all() and (
        kind != "flat" or (found.n_deviating == n_deviating).all()
    ), "or what rounding lifts over it"
    out, between = np.zeros((len(x), 4)), (found.ends, found.n_deviating)
    sizes = MapSizes(size, size, size, size, 0.0, 0.0, terms, float(width))
    proof, _, rounding, _ = prove_linear(norms, np.zeros(len(x)), sizes, *between)
    wrong = 0.99 * rounding[:2, None] * scale if terms else 0.0
    out[:2] = ends @ matrix.T + wrong
    interpolate_products(out, np.ascontiguousarray(matrix.T), *found)
    exact = np.vectorize(Fraction, otypes=[object])(x) @ np.vectorize(Fraction, otypes=[object])(matrix.T)
    errors = np.abs(np.vectorize(Fraction, otypes=[object])(out) - exact)[2:].astype(float)
    assert (errors <= scale * rounding[2:, None]).all() and (
        np.linalg.norm(errors, axis=1) <= proof[2:]
    ).all()
    if terms or kind == "flat":
        assert errors.max() > 0.1 * (scale * rounding[2:, None]).min(), "the bound is no wide one here"


def test_bounds_are_what_the_documentation_says() -> None:
    """Of vertices between two others, also of such as lie between these: docs/certification.md."""
    rng, n_old = np.random.default_rng(0), 4
    ends, n_deviating = born_between(n_old, 30, rng), rng.integers(0, 9, 30)
    norms, (size, constants, terms) = 10.0 ** rng.uniform(-2, 2, n_old + 30), (0.5, 0.25, 12.0)
    sizes, none = MapSizes(2.0, 3.0, 3.0, 3.0, constants, size, terms, 9.0), np.zeros(n_old + 30)
    direct = prove_linear(norms, none, sizes, ends, np.full(30, -1))
    proof, slack, rounding, _ = prove_linear(norms, none, sizes, ends, n_deviating)
    guess = through_linear(norms, none, sizes, ends, n_deviating)[2]
    own, whole = direct[2].copy(), direct[0].copy()
    for k, (a, b, count) in enumerate(zip(ends["a"], ends["b"], n_deviating, strict=True)):
        largest, v = max(norms[a], norms[b], norms[n_old + k]), n_old + k
        gamma, before, before_whole = (
            (count + 3) * U / (1 - (count + 3) * U),
            max(own[a], own[b]),
            max(whole[a], whole[b]),
        )
        own[v] = before + 5 * gamma * (max(largest, size) + before) + 25 * U * largest
        whole[v] = before_whole + 5 * gamma * (3 * largest + constants + before_whole) + 25 * U * 3 * largest
        assert guess[v] > max(guess[a], guess[b]), "estimates grow as well"
    np.testing.assert_allclose(rounding, own, rtol=1e-6)
    np.testing.assert_allclose(proof, whole, rtol=1e-6)
    assert (slack >= rounding).all()


def test_one_that_is_farther_off_deviates() -> None:
    """Twice what rounding may make of it, and not a thousand times."""
    rng = np.random.default_rng(1)
    ends, born = rng.uniform(1.0, 2.0, (2, WIDTH)), np.zeros(1, BIRTH)
    born["b"], born["t"] = 1, 0.3
    straight = ends[0] + 0.3 * (ends[1] - ends[0])
    assert (allowed(*ends) < 100.0 * U * ends.max()).all(), "it is of the size of rounding"
    for share, count in ((0.0, 0), (0.5, 0), (2.0, WIDTH)):
        x = np.vstack([ends, straight + share * allowed(*ends)])
        assert deviations_between(
            x, np.linalg.norm(x, axis=1), born, WIDTH, alone=True
        ).n_deviating.tolist() == [count]


def test_all_deviations_are_found_however_many() -> None:
    rng, n_old = np.random.default_rng(0), 5
    born = born_between(n_old, 60, rng)
    x = activations(born, n_old, rng, 3.0)
    found = deviations_between(x, np.linalg.norm(x, axis=1), born, WIDTH, alone=True)
    off = x[n_old:] - (x[born["a"]] + born["t"][:, None] * (x[born["b"]] - x[born["a"]]))
    row, entry = np.nonzero(np.abs(off) > 1e-12)
    assert (
        found.n_deviating.tolist() == np.bincount(row, minlength=len(born)).tolist()
        and found.n_deviating.sum() > 4 * len(born) + WIDTH
    )
    deviation = np.concatenate(
        [found.deviation[first : first + n] for first, n in zip(found.first, found.n_deviating, strict=True)]
    )
    assert deviation["entry"].tolist() == entry.tolist()
    np.testing.assert_allclose(deviation["off"], off[row, entry], rtol=1e-12)
    few = deviations_between(x, np.linalg.norm(x, axis=1), born, 5, alone=True)
    assert (few.n_deviating == np.where(found.n_deviating <= 5, found.n_deviating, -1)).all()


def test_many_between_two_ends_are_between_closer_ones() -> None:
    rng, n_old = np.random.default_rng(0), 2
    born = born_between(n_old, 60, rng)[:30]
    x = activations(born, n_old, rng, 1.0)
    norms = np.linalg.norm(x, axis=1)
    alone = deviations_between(x, norms, born, MOST, alone=True)
    found = deviations_between(x, norms, born, MOST, alone=False)
    assert (alone.n_deviating < 0).all() and (found.n_deviating >= 0).sum() > 15
    between = np.flatnonzero(found.n_deviating >= 0)
    for k in between:
        a, b, t = found.ends[k]["a"], found.ends[k]["b"], found.ends[k]["t"]
        for end in (a, b):
            assert end < n_old or found.n_deviating[end - n_old] < 0, "an end has a product, or had it before"
        np.testing.assert_allclose(
            t * (place(b, born) - place(a, born)), born["t"][k] - place(a, born), rtol=1e-12
        )


def place(vertex: int, born: np.ndarray) -> float:
    return [0.0, 1.0, *born["t"]][vertex]


def test_rows_do_not_depend_on_others_where_they_must_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of faces have vertices in common, and libraries round as they like."""
    unsteady(monkeypatch)
    rng, n_old = np.random.default_rng(3), 5
    born, node = born_between(n_old, 60, rng), layer(rng, bias=True)
    x = activations(born, n_old, rng, 0.4)
    kept = np.arange(n_old + len(born)) % 7 != 6
    for k in range(len(born) - 1, -1, -1):  # with all that is between them
        if kept[n_old + k]:
            kept[born[k]["a"]] = kept[born[k]["b"]] = True
    rows, names = np.flatnonzero(kept), np.cumsum(kept) - 1
    some = born[kept[n_old:]]
    some["a"], some["b"] = names[some["a"]], names[some["b"]]
    assert 0 < len(some) < len(born) and (some["a"] >= n_old).any()
    with small_as_large():
        whole = applied(node, x, born, rows)
        part = applied(node, x[rows], some, np.arange(len(rows)))
    assert (
        deviations_between(x[rows], np.linalg.norm(x[rows], axis=1), some, 3, alone=True).n_deviating >= 0
    ).any()
    for one, other in (
        (whole.flat, part.flat),
        (whole.proven()[0], part.proven()[0]),
        (whole.error, part.error),
    ):
        np.testing.assert_array_equal(one[rows], other)
    assert (applied(node, x, born).flat != applied(node, x, born).flat).any(), (
        "it is unsteady, or this shows nothing"
    )


def test_batches_interpolate_as_much_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their births name the right ends: with wrong ones nearly everything would deviate, unnoticed."""
    counts: list[tuple[int, int]] = []

    def counted(*arguments: Any, **options: Any) -> interpolated_products.Deviations:
        found = deviations_between(*arguments, **options)
        if len(found.ends):
            counts.append((int((found.n_deviating >= 0).sum()), len(found.ends)))
        return found

    monkeypatch.setattr(propagation, "deviations_between", counted)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()
    )
    request = sv.load_program(net), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    whole = sv.arrange(*request, jobs=1)
    assert len(counts) == 2 and counts[1][0] > 0.95 * counts[1][1]
    counts.clear()
    parts = sv.arrange(*request, jobs=1, max_memory=30_000_000)
    assert parts.stats.batches > 5 and parts.n_cells == whole.n_cells
    # On the first long chords too many entries deviate everywhere.
    later = [(interpolated, born) for interpolated, born in counts if interpolated]
    interpolated, born = np.sum(later, axis=0)
    assert len(later) > 5 and interpolated > 0.95 * born and born > 5000


def test_vertices_at_one_place_of_an_edge_keep_their_products() -> None:
    born = np.zeros(5, BIRTH)
    born["b"], born["t"] = 1, 0.5
    rng = np.random.default_rng(0)
    x = activations(born, 2, rng, 3.0)
    with small_as_large():
        found = deviations_between(x, np.linalg.norm(x, axis=1), born, 3, alone=False)
    assert np.isfinite(found.ends["t"]).all() and ((found.ends["t"] > 0.0) & (found.ends["t"] < 1.0)).all()


def test_it_pays_for_wide_layers_alone() -> None:
    assert propagation.most_deviations(500, 200) == 25
    assert propagation.most_deviations(10, 500) == 0 == propagation.most_deviations(64, 64)
    assert interpolated_products._APART > 2
