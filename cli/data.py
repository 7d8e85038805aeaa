"""Points for the plane: read from a data file, or one file each, and brought to the form that the network
takes."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from splineviz.errors import InputError
from splineviz.inputs import as_inputs

__all__ = ["Data", "Preprocessing", "read_data", "read_literal"]

_READERS = ".npy, .npz or .pt"


@dataclass(frozen=True, eq=False)
class Data:
    """Points as they lie in the file, (n, ...), and their classes where known, (n,)."""

    points: np.ndarray
    labels: np.ndarray | None
    source: str

    def __len__(self) -> int:
        return len(self.points)

    def take(self, rows: Sequence[int]) -> Data:
        """The chosen points; every index has to lie in the data."""
        if outside := [row for row in rows if not -len(self) <= row < len(self)]:
            raise InputError(
                f"{self.source} holds {len(self)} points, 0 to {len(self) - 1}; there is no "
                f"{_listing(outside)}"
            )
        chosen = np.asarray(rows, dtype=np.int64)
        return replace(
            self, points=self.points[chosen], labels=None if self.labels is None else self.labels[chosen]
        )


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """The way from the data to the network: ``transform``, then (x - mean) / std, then the network's input
    shape."""

    transform: Callable[[Any], Any] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    told: bool = True
    """Whether the request says how data come to the scale of the network, be it by naming a default"""

    @classmethod
    def make(
        cls, transform: str | None, mean: tuple[float, ...], std: tuple[float, ...], *, told: bool = True
    ) -> Preprocessing:
        """Check the numbers, and import the function ``module:function``."""
        if not all(np.isfinite(value) for value in mean):
            raise InputError(f"--mean must be finite, got {_listing(mean)}")
        if not all(np.isfinite(value) and value > 0 for value in std):
            raise InputError(f"--std must be greater than 0, got {_listing(std)}")
        return cls(None if transform is None else _import_function(transform), mean, std, told)

    def apply(self, points: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
        """(n, *input_shape) float64 of points as they lie in the file."""
        if self.transform is not None:
            points = np.stack([_as_array(self._transformed(point)) for point in points])
        if points.dtype.kind not in "fiub":
            raise InputError(f"the points must hold real numbers, got dtype {points.dtype}")
        if points.dtype.kind in "iub" and not self.told:
            raise InputError(
                f"the data are integers ({points.dtype}, {points.min()} to {points.max()}), and nothing says "
                "how they come to the scale of the network",
                hint="--std 255 for raw pixels, --mean and --std, or --transform; --std 1 if the network "
                "takes them as they are",
            )
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            shaped = as_inputs(points, input_shape).astype(np.float64)
        for warning in said:  # whatever is quiet: it is about which function of the data is seen
            click.echo(f"note: {warning.message}", err=True)
        normalised: np.ndarray = (shaped - self._spread(self.mean, input_shape)) / self._spread(
            self.std, input_shape
        )
        return normalised

    def range(
        self, low: float, high: float, input_shape: tuple[int, ...]
    ) -> tuple[float | np.ndarray, float | np.ndarray]:
        """The range [low, high] of the data as the network sees it: numbers where that changes nothing, else
        (*input_shape,)."""
        if set(self.mean) == {0.0} and set(self.std) == {1.0}:
            return low, high
        mean, std = self._spread(self.mean, input_shape), self._spread(self.std, input_shape)
        lower, upper = (np.broadcast_to((bound - mean) / std, input_shape) for bound in (low, high))
        return lower, upper

    def _transformed(self, point: np.ndarray) -> Any:
        assert self.transform is not None
        try:
            return self.transform(point)
        except Exception as error:
            raise InputError(
                f"--transform failed on a point of shape {point.shape}: {type(error).__name__}: {error}"
            ) from error

    def _spread(self, values: tuple[float, ...], input_shape: tuple[int, ...]) -> np.ndarray:
        """One value for all entries, or one per channel, shaped to broadcast against the input."""
        if len(values) == 1:
            return np.array(values[0])
        if len(input_shape) < 2 or len(values) != input_shape[0]:
            raise InputError(
                f"--mean and --std take one value, or one per channel of the input {input_shape}; got "
                f"{len(values)} values"
            )
        return np.array(values).reshape(-1, *(1,) * (len(input_shape) - 1))


def read_data(
    path: str | os.PathLike[str], key: str | None = None, labels: str | os.PathLike[str] | None = None
) -> Data:
    """Read a data file.

    Parameters
    ----------
    path
        ``.npy``, or ``.pt`` with one tensor: the points, (n, ...). ``.npz``, or ``.pt`` with a dict of
        tensors: the points are the array ``key``, by default ``x`` or the only one, and the classes the array
        ``y`` if present.
    labels
        A file with the classes, (n,), instead.

    Raises
    ------
    InputError
        If a file cannot be read, or does not hold what is asked for.
    """
    content = _read(Path(path))
    name, points = _choose(content, key, str(path))
    found = content.get("y") if name != "y" and content.get("y") is not None else None
    if labels is not None:
        found = _choose(_read(Path(labels)), None, str(labels), default="y")[1]
    if points.ndim < 2 or len(points) == 0:
        raise InputError(f"{path} must hold an array of points, (n, ...), got shape {points.shape}")
    if found is not None and found.shape != (len(points),):
        raise InputError(
            f"the labels must have shape ({len(points)},), one for each point of {path}, got {found.shape}"
        )
    if found is not None and not (
        found.dtype.kind in "iub" or (found.dtype.kind == "f" and np.all(found == np.floor(found)))
    ):
        raise InputError(f"the labels must be class numbers, got {found.dtype} such as {found[0]!s}")
    return Data(points, None if found is None else found.astype(np.int64), str(path))


def read_literal(paths: Sequence[str]) -> Data:
    """Points given as one file each."""
    points = [_choose(_read(Path(path)), None, path)[1] for path in paths]
    if len({point.shape for point in points}) != 1:
        raise InputError(
            f"the points must have one shape, got {', '.join(str(point.shape) for point in points)}"
        )
    return Data(np.stack(points), None, ", ".join(paths))


def _read(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a file by name; the name is empty where the file holds one array."""
    if path.suffix.lower() not in (".npy", ".npz", ".pt"):
        raise InputError(f"cannot read {path}: expected a file {_READERS}")
    try:
        if path.suffix.lower() == ".pt":
            return _read_tensors(path)
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            return {"": content} if isinstance(content, np.ndarray) else dict(content)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:
        reason = str(error).strip().splitlines()
        # NumPy takes whatever it does not know for a pickle, and recommends to load it unsafely.
        what = (
            "it is damaged, or holds Python objects"
            if "pickle" in str(error)
            else reason[0]
            if reason
            else type(error).__name__
        )
        raise InputError(f"cannot read {path}: {what}") from error


def _read_tensors(path: Path) -> dict[str, np.ndarray]:
    import torch

    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, dict):
        return {
            str(name): _as_array(value) for name, value in content.items() if isinstance(value, torch.Tensor)
        }
    return {"": _as_array(content)}


def _choose(
    content: dict[str, np.ndarray], key: str | None, source: str, default: str = "x"
) -> tuple[str, np.ndarray]:
    if not content:
        raise InputError(f"{source} holds no array")
    if key is None:
        key = default if default in content else next(iter(content)) if len(content) == 1 else None
    if key is None or key not in content:
        wanted = f"no array {key!r}" if key is not None else f"several arrays and none is called {default!r}"
        names = ", ".join(name or "(unnamed)" for name in content)
        raise InputError(f"{source} holds {wanted}; it has {names}", hint="--key NAME")
    return key, content[key]


def _import_function(reference: str) -> Callable[[Any], Any]:
    module_name, _, name = reference.partition(":")
    if not module_name or not name:
        raise InputError(f"--transform must be module:function, got {reference!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        function = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"cannot import --transform {reference}: {error}", hint="run where the module can be imported"
        ) from error
    if not callable(function):
        raise InputError(f"--transform {reference} is not callable")
    return function  # type: ignore[no-any-return]


def _as_array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _listing(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
