"""Data sets, loaders and arrays of a program: items, batches, seeds and limits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import splineviz as sv
from splineviz.data import Data, read_data

X = np.random.default_rng(0).standard_normal((7, 3))
Y = np.array([0, 1, 2, 0, 1, 2, 1])
PAIR = TensorDataset(torch.tensor(X), torch.tensor(Y))


class Counted:
    """A data set that knows which of its items were asked for."""

    def __init__(self, size: int) -> None:
        self.size, self.asked = size, list[int]()

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, row: int) -> tuple[list[float], int]:
        self.asked.append(row)
        if not 0 <= row < self.size:
            raise IndexError(row)
        return [float(row), 1.0], row % 3


class Noisy(Counted):
    def __getitem__(self, row: int) -> tuple[list[float], int]:
        return [float(torch.rand(())), float(np.random.random())], 0  # noqa: NPY002


class Named(Dataset[dict[str, object]]):
    classes = ("cat", "dog", "bee")

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, row: int) -> dict[str, object]:
        return {"image": X[row], "label": self.classes[Y[row]]}


class Stream(IterableDataset[tuple[np.ndarray, int]]):
    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        return zip(itertools.cycle(X), itertools.cycle(Y.tolist()))


class Drawn(Dataset[tuple[Image.Image, int]]):
    targets = Y.tolist()

    def __len__(self) -> int:
        return len(Y)

    def __getitem__(self, row: int) -> tuple[Image.Image, int]:
        return Image.fromarray(np.full((2, 4), row, dtype=np.uint8)), self.targets[row]


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield X[:4], Y[:4]
    yield X[4:], Y[4:]


SOURCES = {
    "pair": lambda: (X, Y),
    "pair of tensors": lambda: (torch.tensor(X), torch.tensor(Y)),
    "pair of lists": lambda: (X.tolist(), Y.tolist()),
    "dict": lambda: {"x": X, "y": Y},
    "data set": lambda: PAIR,
    "subset": lambda: torch.utils.data.Subset(PAIR, range(7)),
    "list of pairs": lambda: list(zip(X, Y.tolist(), strict=True)),
    "loader": lambda: DataLoader(PAIR, batch_size=3),
    "loader of single points": lambda: DataLoader(PAIR, batch_size=None),
    "generator of batches": batches,
    "dicts": Named,
}


@pytest.mark.parametrize("source", SOURCES)
def test_points_and_classes_are_those_of_the_source(source: str) -> None:
    found = read_data(SOURCES[source]())
    taken = found.take(range(7))
    np.testing.assert_array_equal(np.stack(list(taken.points)), X)
    np.testing.assert_array_equal(taken.labels, Y)
    assert found.classes is not None
    np.testing.assert_array_equal(found.classes.numbers, Y)
    assert len(found) == 7


@pytest.mark.parametrize("source", [X, torch.tensor(X), list(X), X.tolist(), {"x": X}], ids=type)
def test_points_without_classes(source: object) -> None:
    found = read_data(source).take([-1, 2])
    np.testing.assert_array_equal(np.stack(list(found.points)), X[[-1, 2]])
    assert found.labels is None


def test_items_are_read_when_they_are_taken() -> None:
    items = Counted(10**9)
    found = read_data(items).take([5, -1])
    np.testing.assert_array_equal(np.stack(list(found.points)), [[5, 1], [10**9 - 1, 1]])
    np.testing.assert_array_equal(found.labels, [2, 0])
    assert sorted(set(items.asked)) == [5, 10**9 - 1]
    with pytest.raises(sv.InputError, match="the class of each is found by reading it") as caught:
        read_data(items).classes  # noqa: B018
    assert "limit=N" in str(caught.value) and "--limit N" in caught.value.for_command()
    few = read_data(items, limit=4).classes
    assert few is not None
    np.testing.assert_array_equal(few.numbers, [0, 1, 2, 0])


def test_what_is_drawn_by_chance_comes_from_the_seed_and_leaves_no_trace() -> None:
    def draw(seed: int) -> np.ndarray:
        found = read_data(Noisy(9), seed=seed)
        first = found.take([3, 4])
        np.testing.assert_array_equal(np.stack(list(first.points)), np.stack(list(found.take([3, 4]).points)))
        return np.stack(list(first.points))

    torch.manual_seed(0)
    before = torch.rand(2)
    torch.manual_seed(0)
    first = draw(1)
    assert torch.equal(torch.rand(2), before)
    np.testing.assert_array_equal(first, draw(1))
    assert not np.array_equal(first, draw(2))


def test_a_shuffled_loader_has_the_order_of_the_seed() -> None:
    def order(seed: int) -> list[int]:
        found = read_data(DataLoader(PAIR, batch_size=2, shuffle=True), seed=seed)
        return [int(np.flatnonzero((point == X).all(1))[0]) for point in found.take(range(7)).points]

    assert order(1) == order(1) != order(2)
    assert sorted(order(2)) == list(range(7))


def test_an_endless_stream_is_read_as_far_as_the_limit() -> None:
    found = read_data(Stream(), limit=9)
    assert len(found) == 9
    np.testing.assert_array_equal(found.take([8]).points[0], X[1])
    with pytest.warns(sv.errors.SplinevizWarning, match="the first 10,000 points are read"):
        assert len(read_data(Stream())) == 10_000


def test_pictures_and_targets_as_vision_data_sets_have_them() -> None:
    found = read_data(Drawn())
    np.testing.assert_array_equal(found.take([5]).points[0], np.full((2, 4), 5))
    assert found.classes is not None
    np.testing.assert_array_equal(found.classes.numbers, Y)


def test_changed_targets_are_read_from_the_items() -> None:
    class Changed(Drawn):
        target_transform = staticmethod(lambda label: 2 - label)

        def __getitem__(self, row: int) -> tuple[Image.Image, int]:
            picture, label = super().__getitem__(row)
            return picture, self.target_transform(label)

    found = read_data(Changed()).classes
    assert found is not None
    np.testing.assert_array_equal(found.numbers, 2 - Y)


def test_nested_lists_are_points() -> None:
    points = np.arange(24.0).reshape(3, 2, 4)
    np.testing.assert_array_equal(read_data(points.tolist()).take([1]).points[0], points[1])


def test_two_points_are_no_pair() -> None:
    assert len(read_data((X[0].tolist(), X[1].tolist()))) == 2
    assert len(read_data((X[0], X[1]))) == len(read_data((X, X + 1))) == 2
    np.testing.assert_array_equal(read_data((X, np.eye(3)[Y])).take([2]).labels, Y[2:3])


def test_names_of_arrays_where_there_are_none_are_refused() -> None:
    with pytest.raises(sv.InputError, match="no arrays by name, so there is nothing for --key to choose"):
        read_data(list(zip(X, Y, strict=True)), key="x").take([0])


def test_module_and_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "points_of_mine.py").write_text(
        "import numpy as np\n"
        "x = np.eye(3)\n"
        "def pair(): return x, np.arange(3)\n"
        "class Data:\n"
        "    def __len__(self): return 3\n"
        "    def __getitem__(self, row): return 2 * x[row]\n"
        "data = Data()\n"
        "def broken(): raise RuntimeError('no disk')\n"
        "def number(): return 3\n"
    )
    for name, factor in (("pair", 1), ("x", 1), ("Data", 2), ("data", 2)):
        found = read_data(f"points_of_mine:{name}")
        np.testing.assert_array_equal(np.stack(list(found.take([0, 1, 2]).points)), factor * np.eye(3))
        assert found.source == f"points_of_mine:{name}"
    for name, message in (
        ("broken", "cannot load the data points_of_mine:broken: RuntimeError: no disk"),
        ("gone", "AttributeError"),
        ("number", "gives int, and neither arrays, a data set nor an iterable"),
    ):
        with pytest.raises(sv.InputError, match=message):
            read_data(f"points_of_mine:{name}")
    with pytest.raises(sv.InputError, match="ModuleNotFoundError"):
        read_data("no_such_module:data")


def breaking() -> Iterator[np.ndarray]:
    yield X
    raise OSError("no disk")


class Failing(Counted):
    def __getitem__(self, row: int) -> tuple[list[float], int]:
        raise OSError("no disk")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Failing(3), "reading point 0 failed: OSError: no disk"),
        (breaking(), "reading it failed: OSError: no disk"),
        ([("a", "b", "c")] * 3, "point 0 has 3 parts, expected x or"),
        ([object()] * 3, "expected an array, a tensor or a list of numbers, got object"),
        ([{"a": X, "b": X}], "point 0 holds several arrays and none is called 'x'; it has a, b"),
        ([], "holds no point"),
        (iter(()), "gives no point"),
        (3, "gives int, and neither arrays"),
        ((X, Y[:3]), r"must have shape \(7,\)"),
    ],
)
def test_what_is_no_data_set(source: object, message: str) -> None:
    with pytest.raises(sv.InputError, match=message):
        taken: Data = read_data(source, labels_key="y" if isinstance(source, tuple) else None).take([0])
        assert taken is None
