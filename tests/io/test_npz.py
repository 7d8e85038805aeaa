"""The native file: nothing is lost, nothing foreign is taken, and redrawing needs no torch."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from torch import nn

import splineviz as sv
from splineviz.checking.claim import read_claim
from splineviz.errors import InputError
from splineviz.io import npz
from splineviz.io.npz import load, save
from tests.render.artists import filled_polygons
from tests.render.samples import images_slice, program, two_windows

ARRAYS = ("vertices", "cell_edges", "cell_window", "cell_stage", "pattern_hash", "edges", "edge_cells")


def rewritten(source, target, **changes):
    with np.load(source) as file:
        content = dict(file) | changes
    np.savez(target, **{name: value for name, value in content.items() if value is not None})


@pytest.mark.parametrize("sample", [images_slice, two_windows])
def test_round_trip(tmp_path, sample):
    arr = dataclasses.replace(sample())
    save(arr, tmp_path / "a.npz")
    back = load(tmp_path / "a.npz")
    for name in ARRAYS:
        one, other = getattr(arr, name), getattr(back, name)
        assert one.dtype == other.dtype and np.array_equal(one, other), name
    for name in ("cells", "edge_units"):
        assert np.array_equal(getattr(arr, name).offsets, getattr(back, name).offsets)
        assert np.array_equal(getattr(arr, name).values, getattr(back, name).values)
    for one, other in zip(arr.planes, back.planes, strict=True):
        assert np.array_equal(one.origin, other.origin) and np.array_equal(one.basis, other.basis)
        assert np.array_equal(one.anchors, other.anchors) and one.input_shape == other.input_shape
    for one, other in zip(arr.windows, back.windows, strict=True):
        assert np.array_equal(one.vertices, other.vertices)
    assert (back.status, back.stats, back.info, back.program) == (arr.status, arr.stats, arr.info, None)
    back.check()


@pytest.mark.parametrize("sample", [images_slice, two_windows])
def test_files_of_earlier_versions_are_read(tmp_path, sample):
    """They give rows by offsets, all of each edge, and wide integers."""
    arr = dataclasses.replace(sample())
    save(arr, tmp_path / "a.npz", affine=True)
    with np.load(tmp_path / "a.npz") as file:
        content = {
            name: array.astype(np.int64) if array.dtype.kind == "i" else array for name, array in file.items()
        }
    for name in [name for name in content if name.endswith("_lengths")]:
        content[name.replace("_lengths", "_offsets")] = np.concatenate([[0], np.cumsum(content.pop(name))])
    del content["edge_against"]
    content |= {
        "edges": arr.edges,
        "edge_cells": arr.edge_cells,
        "schema": np.array("splineviz.arrangement/2"),
    }
    np.savez_compressed(tmp_path / "old.npz", **content)
    save(load(tmp_path / "old.npz"), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()
    claims = [read_claim(tmp_path / name) for name in ("old.npz", "a.npz")]
    for name in ("offsets", "edges", "edge_cells", "unit_offsets", "units"):
        one, other = (getattr(claim, name) for claim in claims)
        assert one.dtype == other.dtype and np.array_equal(one, other), name


def test_edges_that_do_not_fit_their_cells_are_kept_as_they_are(tmp_path):
    arr = images_slice()
    wrong = arr.edge_cells.copy()
    wrong[7] = wrong[7, ::-1]
    save(dataclasses.replace(arr, edge_cells=wrong), tmp_path / "a.npz")
    assert np.array_equal(load(tmp_path / "a.npz").edge_cells, wrong)
    assert np.array_equal(read_claim(tmp_path / "a.npz").edge_cells, wrong)


def test_a_cell_takes_little_room(tmp_path):
    arr = sv.arrange(
        sv.load_program(nn.Sequential(nn.Linear(2, 60), nn.ReLU(), nn.Linear(60, 3))),
        sv.Plane.identity(),
        sv.Window.box(-1, 1, -1, 1),
    )
    save(arr, tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        sizes = {info.filename: info.compress_size for info in archive.infolist()}
    told = sum(
        size for name, size in sizes.items() if not name.startswith(("meta", "plane", "windows", "schema"))
    )
    assert told < 60 * arr.n_cells + 2000


def test_identical_bytes(tmp_path):
    for name in ("one.npz", "two.npz"):
        save(images_slice(), tmp_path / name, affine=False)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_saving_computes_nothing_unless_asked(tmp_path):
    arr = dataclasses.replace(images_slice())
    before = set(vars(arr))
    save(arr, tmp_path / "bare.npz")
    assert set(vars(arr)) == before
    with pytest.raises(InputError, match=r"affine|network"):
        _ = load(tmp_path / "bare.npz").affine

    save(arr, tmp_path / "full.npz", affine=True)
    back = load(tmp_path / "full.npz")
    assert np.array_equal(back.affine, arr.affine)
    assert np.array_equal(back.decision_boundary(), arr.decision_boundary())


def test_a_bare_file_is_drawn_without_the_boundary(tmp_path):
    save(images_slice(), tmp_path / "bare.npz", affine=False)
    back = load(tmp_path / "bare.npz")
    with pytest.raises(InputError, match="decision boundary needs the affine maps") as caught:
        back.draw()
    assert "boundary=False" in caught.value.hint
    assert len(filled_polygons(back.draw(boundary=False))) == back.n_cells


def test_kinks_and_linear_regions_are_kept_once_computed(tmp_path):
    arr = dataclasses.replace(images_slice())
    n = arr.n_linear_regions
    save(arr, tmp_path / "a.npz")
    back = load(tmp_path / "a.npz")
    assert back.n_linear_regions == n
    assert np.array_equal(back.edge_jump, arr.edge_jump)


@pytest.mark.parametrize("sample", [images_slice, two_windows])
def test_with_its_network_a_file_gives_back_all_that_was_there(tmp_path, sample):
    arr = dataclasses.replace(sample())
    save(arr, tmp_path / "a.npz", affine=False)
    back = load(tmp_path / "a.npz", program=program())
    assert "affine" not in vars(back), "nothing is computed before it is asked for"
    assert np.array_equal(back.affine, arr.affine)
    assert np.array_equal(back.jacobian_norms(), arr.jacobian_norms())
    assert np.array_equal(back.linear_regions, arr.linear_regions)
    assert back.n_decision_regions == arr.n_decision_regions
    assert (back.certified, back.exact) == (arr.certified, arr.exact)
    assert all(np.array_equal(one, other) for one, other in zip(back.pattern(3), arr.pattern(3), strict=True))


def test_a_network_without_units_needs_no_patterns(tmp_path):
    flat = sv.load_program(nn.Linear(2, 3))
    arr = sv.arrange(flat, sv.Plane.identity(), sv.Window.box(0, 1, 0, 1))
    save(arr, tmp_path / "a.npz")
    assert np.array_equal(load(tmp_path / "a.npz", program=flat).affine, arr.affine)


def test_another_network_is_refused(tmp_path):
    save(images_slice(), tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"a.npz is an arrangement of .* with digest .*, and not of"):
        load(tmp_path / "a.npz", program=program(3))
    rewritten(tmp_path / "a.npz", tmp_path / "old.npz", pattern_0=None, pattern_1=None)
    with pytest.raises(InputError, match="holds no activation patterns"):
        load(tmp_path / "old.npz", program=program())


def test_what_needs_the_network_says_so(tmp_path):
    save(images_slice(), tmp_path / "a.npz", affine=False)
    back = load(tmp_path / "a.npz")
    for ask in (lambda: back.affine, back.jacobian_norms):
        with pytest.raises(InputError) as caught:
            ask()
        assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"no zip file at all", "cannot be read"),
        (b"PK\x03\x04 broken", "cannot be read"),
        (b"\x93NUMPY", "cannot be read"),
    ],
)
def test_unreadable_files(tmp_path, content, message):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.npz")


def test_a_cut_file_is_refused(tmp_path):
    save(images_slice(), tmp_path / "a.npz")
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "cut.npz")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (None, "holds no arrangement: expected schema splineviz.arrangement/3, got none"),
        ("somebody.else/1", "holds no arrangement"),
        ("splineviz.arrangement/4", "reads up to splineviz.arrangement/3"),
    ],
)
def test_foreign_and_newer_files(tmp_path, schema, message):
    save(images_slice(), tmp_path / "a.npz")
    rewritten(tmp_path / "a.npz", tmp_path / "b.npz", schema=None if schema is None else np.array(schema))
    with pytest.raises(InputError, match=message):
        load(tmp_path / "b.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"vertices": None},
        {"vertices": np.zeros((2, 2))},
        {"cells_lengths": np.array([3])},
        {"cells_lengths": None},
        {"meta": np.array("{")},
        {"meta": np.array(json.dumps({"status": "BORED"}))},
        {"edge_against": np.zeros(1, dtype=np.uint8)},
        {"edge_against": None},
        {
            "edge_against": None,
            "edges": np.zeros((1, 2), dtype=np.int64),
            "edge_cells": np.zeros((1, 2), dtype=np.int64),
        },
        {"cell_edges": np.zeros(3, dtype=np.int64)},
        {"pattern_0": np.zeros((3, 1), dtype=np.uint64)},
        {"parent_1": np.full(226, 999)},
        {"parent_0": None},
        {"pattern_1": None, "parent_1": None},
    ],
)
def test_damaged_files(tmp_path, changes):
    save(images_slice(), tmp_path / "a.npz")
    rewritten(tmp_path / "a.npz", tmp_path / "b.npz", **changes)
    with pytest.raises(InputError, match="is damaged"):
        load(tmp_path / "b.npz")


def test_pickled_arrays_are_never_loaded(tmp_path):
    save(images_slice(), tmp_path / "a.npz")
    rewritten(tmp_path / "a.npz", tmp_path / "b.npz", meta=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError):
        load(tmp_path / "b.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")
    monkeypatch.setattr(npz, "write_array", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(images_slice(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_redrawing_a_saved_slice_imports_neither_torch_nor_pyplot(tmp_path):
    save(images_slice(), tmp_path / "a.npz", affine=True)
    script = (
        "import sys, splineviz as sv\n"
        "from splineviz.render import save_figure\n"
        "arr = sv.load('a.npz')\n"
        "for color in ('random', 'norm', 'class'): save_figure(arr, 'a.png', color=color, dpi=40)\n"
        "print(sorted({'torch', 'numba', 'matplotlib.pyplot'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_public_names():
    assert sv.save is save
    assert sv.load is load
