"""Faults in every field of the file format, made from the file itself so that a new field cannot be forgotten."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.checking.certificate import NOT_VERIFIED
from tests.checking.networks import mlp, unit_square

_FREE = {
    "edge_against",
    "plane_anchors_lengths",
    "plane_anchors_values",
    "schema",
    "meta.version",
    "meta.extra",
    "meta.program.name",
    "meta.stats.seconds",
    "meta.stats.seconds_affine",
    "meta.stats.batches",
    "meta.stats.decisions",
    "meta.stats.zeros",
    "meta.stats.largest_bound",
    "meta.stats.largest_displacement",
    "meta.stats.re_evaluated",
}
"""Fields that may say something else, of the right kind, without being found out: they are in `NOT_VERIFIED`"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], Any]:
    """The content of a file with all that a file can hold, and its network."""
    torch.manual_seed(1)
    program = sv.load_program(mlp(2, 6, 6, 3))
    arr = sv.arrange(program, sv.Plane.identity(), unit_square(), certify="full")
    assert arr.stats.certified
    assert arr.edge_jump.size and arr.n_linear_regions
    path = tmp_path_factory.mktemp("saved") / "cells.npz"
    sv.save(arr, path, affine=True)
    with np.load(path) as file:
        return dict(file), program


def leaves(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the numbers and texts in nested JSON, and of what is empty."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from leaves(value, (*at, key))
    if not isinstance(tree, dict | list) or not tree:
        yield at


def with_leaf(tree: Any, at: tuple[Any, ...], value: Any) -> Any:
    tree = copy.deepcopy(tree)
    here = tree
    for key in at[:-1]:
        here = here[key]
    here[at[-1]] = value
    return tree


def faults_of(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays of the right kind with other numbers."""
    if not array.size:
        yield "longer", np.zeros((1, *array.shape[1:]), array.dtype)
        return
    where = np.unravel_index(array.size // 2, array.shape)
    largest = np.iinfo(array.dtype).max if array.dtype.kind == "i" else 0
    values: dict[str, list[Any]] = {
        "f": [np.nan, np.inf, -1e300, 1e9, float(array[where]) * 1.001 + 1e-3],
        "i": [-5, largest, int(array[where]) + 1],
        "u": [int(array[where]) ^ 1],
    }
    for value in values[array.dtype.kind]:
        other = array.copy()
        other[where] = value
        yield "another" if array.dtype.kind == "u" else f"{value}", other
    yield "shorter", array[:-1]
    yield "one for all", np.full_like(array, array.flat[0])


def found_out(path: Path, program: Any, content: dict[str, np.ndarray]) -> bool:
    """Whether a check of this content fails or is refused; `load` must do nothing but read or refuse it."""
    np.savez(path, allow_pickle=False, **content)
    with suppress(sv.InputError):
        sv.load(path)
    try:
        with np.errstate(all="ignore"):
            return not sv.check(path, program, points=200, segments=8).ok
    except sv.InputError:
        return True


def test_without_a_fault_all_holds(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    assert not found_out(tmp_path / "same.npz", program, content)
    assert sv.load(tmp_path / "same.npz").n_linear_regions


def test_faults_in_arrays(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    missed = [
        (name, how)
        for name, array in content.items()
        if name not in {"meta", "schema"} | _FREE
        for how, other in faults_of(array)
        if not np.array_equal(other, array)
        and (name, how) != ("pattern_hash", "another")
        and not found_out(tmp_path / "bad.npz", program, {**content, name: other})
    ]
    assert missed == []


def test_arrays_of_another_kind(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    for name, array in content.items():
        if name not in {"meta", "schema"} | _FREE:
            kinds = array.astype("U8"), array.astype(complex), array.reshape(*array.shape, 1), np.float64(3.0)
            for other in (*kinds, array.ravel()[:1].sum()):
                assert found_out(tmp_path / "bad.npz", program, {**content, name: np.asarray(other)}), name


def test_turned_edges_are_the_same_edges(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    bits = content["edge_against"]
    assert not found_out(tmp_path / "turned.npz", program, {**content, "edge_against": ~bits})
    turned, n_edges = sv.load(tmp_path / "turned.npz"), len(content["edge_units_lengths"])
    np.savez(tmp_path / "same.npz", allow_pickle=False, **content)
    arr = sv.load(tmp_path / "same.npz")
    np.testing.assert_array_equal(turned.edges, arr.edges[:, ::-1])
    np.testing.assert_array_equal(turned.edge_cells, arr.edge_cells[:, ::-1])
    assert len(bits) == -(-n_edges // 8)
    for other in (bits[:-1], np.append(bits, bits[:1]), bits.astype(np.int8), bits.astype(float), bits[None]):
        assert found_out(tmp_path / "bad.npz", program, {**content, "edge_against": other})


def test_faults_in_figures_and_names(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    meta = json.loads(str(content["meta"]))
    missed = []
    for at in leaves(meta):
        name = "meta." + ".".join(map(str, at))
        value: Any = meta
        for key in at:
            value = value[key]
        wrong: list[Any] = ["nonsense"] if isinstance(value, str) else [-3, "nonsense", [None]]
        if isinstance(value, int | float) and not isinstance(value, bool):
            wrong.append(value + 1)
        if any(name.startswith(free) for free in _FREE) or at[:3:2] == ("program", "name"):
            continue
        if at[0] == "program" and at[-1] in ("name", "source"):
            continue
        for other in wrong:
            changed = np.array(json.dumps(with_leaf(meta, at, other)))
            if not found_out(tmp_path / "bad.npz", program, {**content, "meta": changed}):
                missed.append((name, other))
    assert missed == []


@pytest.mark.parametrize(
    "at",
    [
        ("stats",),
        ("stats", "cells_per_stage"),
        ("stats", "decisions_per_stage"),
        ("stats", "proven_per_stage"),
        ("program",),
        ("program", "digest"),
        ("program", "stages"),
        ("program", "stages", 0),
        ("program", "stages", 0, "shape"),
        ("program", "stages", 0, "candidates"),
        ("program", "input_shape"),
        ("input_shapes",),
        ("input_shapes", 0),
    ],
    ids=str,
)
def test_words_of_another_kind(
    at: tuple[Any, ...], saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path
) -> None:
    content, program = saved
    meta = json.loads(str(content["meta"]))
    for other in (None, 3, 1e308, True, "x", [[1]], {"a": 1}):
        changed = np.array(json.dumps(with_leaf(meta, at, other)))
        assert found_out(tmp_path / "bad.npz", program, {**content, "meta": changed}), other


def test_what_is_taken_on_trust_is_named(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    np.savez(tmp_path / "same.npz", allow_pickle=False, **content)
    note = sv.check(tmp_path / "same.npz", program)["trust"].note
    named = " ".join(NOT_VERIFIED).replace(",", " ").split()
    assert all(word in note for word in named)
    assert {name.rpartition(".")[2].removesuffix("_lengths").removesuffix("_values") for name in _FREE} - set(
        named
    ) <= {"largest_displacement"}, "of which too small a value is found out"


def test_a_schema_to_come_is_refused(saved: tuple[dict[str, np.ndarray], Any], tmp_path: Path) -> None:
    content, program = saved
    np.savez(tmp_path / "bad.npz", **{**content, "schema": np.array("splineviz.arrangement/99")})
    with pytest.raises(sv.InputError, match="arrangement/99"):
        sv.check(tmp_path / "bad.npz", program)
