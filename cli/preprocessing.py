"""The way from points as they lie in a source to the form that the network takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.data import Data
from splineviz.data.stacking import in_its_colors, stacked
from splineviz.data.values import as_array
from splineviz.errors import InputError, SplinevizWarning
from splineviz.inputs import as_inputs
from splineviz.own_code import current_folder_first, named_object
from splineviz.showing import condensed

if TYPE_CHECKING:
    from splineviz.program import Origin, Program

__all__ = ["Preprocessing"]


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """The way from the data to the network: ``transform``, then (x - mean) / std, then the network's input
    shape."""

    transform: Callable[[Any], Any] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    told: bool = True
    """Whether the request says how data come to the scale of the network, be it by naming a default"""
    whole: str | None = None
    """Kind of whole numbers that the network is made for, such as ``uint8``"""

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

    def apply(self, data: Data, input_shape: tuple[int, ...]) -> np.ndarray:
        """(n, *input_shape) float64 of points as they lie in their source."""
        points, levels = self._stacked(data, input_shape)
        with np.errstate(over="ignore"):
            found = self._normalised(points / levels, input_shape)
        if np.isinf(found).any() and np.isfinite(points).all():
            raise InputError(
                "(data - mean) / std is beyond the largest float64",
                hint="--mean and --std of the size that the data have",
            )
        return found

    def before(self, networks: Iterable[Program | Origin]) -> Preprocessing:
        """The way to some networks, of which all may say that they take whole numbers as they are."""
        kinds = {network.input_dtype for network in networks}
        return replace(self, whole=kinds.pop() if len(kinds) == 1 else None)

    def transformed(self, data: Data) -> Data:
        """The data after the transform."""
        if self.transform is None:
            return data
        return replace(data, points=[self._transformed(point) for point in data.points], pictures=False)

    def shapes(self, data: Data) -> list[tuple[int, ...]]:
        """Shapes that a network for these points may take, the likeliest first: channels of pictures are
        first."""
        first = self.transformed(replace(data, points=data.points[:1]))
        shape = first.points[0].shape
        if not first.pictures:
            return [shape]
        channels = (1, 3) if len(shape) == 2 else (3, 1)
        return [(channel, *shape[:2]) for channel in channels]

    def range(
        self, low: float, high: float, input_shape: tuple[int, ...], data: Data | None
    ) -> tuple[float | np.ndarray, float | np.ndarray]:
        """The range [low, high] of the data as the network sees it: numbers where that changes nothing, else
        (*input_shape,)."""
        if set(self.mean) == {0.0} and set(self.std) == {1.0}:
            return low, high
        points, levels = (
            (np.empty((1, *input_shape)), 1.0) if data is None else self._stacked(data, input_shape)
        )
        bounds = [np.full(points[:1].shape, bound / levels) for bound in (low, high)]
        lower, upper = (self._normalised(bound, input_shape)[0] for bound in bounds)
        return lower, upper

    def _stacked(self, data: Data, input_shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
        """The points as one array, and what they are divided by before --mean and --std."""
        data = self.transformed(data)
        points = stacked(data.points, data.names, pictures=data.pictures)
        if points.dtype.kind not in "fiub":
            raise InputError(f"the points must hold real numbers, got dtype {points.dtype}")
        if self.whole is not None and not self.told:
            _tell_as_they_are(points, self.whole)
            levels = 1.0
        else:
            levels = self._levels(points, pictures=data.pictures) if points.dtype.kind in "iub" else 1.0
        return in_its_colors(points, input_shape) if data.pictures else points, levels

    def _transformed(self, point: np.ndarray) -> np.ndarray:
        assert self.transform is not None
        try:
            return as_array(self.transform(point))
        except Exception as error:
            raise InputError(
                f"--transform failed on a point of shape {point.shape}: {condensed(error)}",
                hint="call it in Python on one point, to see where it fails",
            ) from error

    def _levels(self, points: np.ndarray, *, pictures: bool) -> float:
        """Divisor of integers, taken first: 255 for bytes where --std can only be meant for 0 to 1."""
        if not self.told:
            raise InputError(
                f"the data are integers ({points.dtype}, {points.min()} to {points.max()}), and nothing says "
                "how they come to the scale of the network",
                hint=f"--std {_levels_of(points.dtype) or 255:g} for raw pixels, --mean and --std, or "
                "--transform; --std 1 if the network takes them as they are",
            )
        levels, largest = _levels_of(points.dtype), int(points.max())
        pixels = pictures or (points.ndim >= 3 and largest > 1)
        small_mean, small_std = 0 < max(map(abs, self.mean)) <= 1, max(self.std) < 1
        if levels is None or self.transform is not None or not pixels or not (small_mean or small_std):
            return 1.0
        if not small_std or not (pictures or largest > levels / 2):
            raise InputError(
                f"the data are integers up to {largest}, and --mean {_listing(self.mean)} --std "
                f"{_listing(self.std)} are for smaller numbers: what are they divided by before?",
                hint="--mean and --std in units of the data, or --transform",
            )
        warnings.warn(
            f"pixels are divided by {levels:g} before --mean and --std, which are for 0 to 1",
            SplinevizWarning,
            stacklevel=2,
        )
        return levels

    def _normalised(self, points: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
        """(x - mean) / std of points (n, ...) in their own layout, in that of the network."""
        many = max(len(self.mean), len(self.std))
        axis = _channel_axis(input_shape, many)
        within = None if axis is not None else _channel_axis(points.shape[1:], many)
        if axis is None and within is None:
            raise InputError(
                f"--mean and --std take one value, or one per channel of the input {input_shape}; got "
                f"{many} values"
            )
        if within is not None:  # channels are told by the points, and a flat network hides them
            points = (points - _spread(self.mean, points.shape[1:], within)) / _spread(
                self.std, points.shape[1:], within
            )
            return as_inputs(points, input_shape).astype(np.float64)
        assert axis is not None
        shaped = as_inputs(points, input_shape).astype(np.float64)
        normalised: np.ndarray = (shaped - _spread(self.mean, input_shape, axis)) / _spread(
            self.std, input_shape, axis
        )
        return normalised


def _tell_as_they_are(points: np.ndarray, kind: str) -> None:
    """Say that a network of whole numbers takes the data as they are; refuse those that it cannot hold."""
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    if points.min() < low or points.max() > high:
        raise InputError(
            f"the network takes {kind} numbers, {low} to {high}, and the data go from {points.min():g} to "
            f"{points.max():g}",
            hint="--mean and --std, or --transform",
        )
    small = points.dtype.kind == "f" and points.max() <= 1
    scale = f", though none is above 1: --std {1 / high:.8g} for 0 to {high}" if small else ""
    warnings.warn(
        f"the network takes {kind} numbers, {low} to {high}, and gets the data as they are{scale}",
        SplinevizWarning,
        stacklevel=2,
    )


def _levels_of(kind: np.dtype) -> float | None:
    """Largest value of a pixel of this type, where pixels are of it."""
    return {"u1": 255.0, "u2": 65535.0}.get(f"{kind.kind}{kind.itemsize}")


def _channel_axis(shape: tuple[int, ...], many: int) -> int | None:
    """The axis of a point that has so many channels: the first, or else the last."""
    return next((axis for axis in (0, -1) if many == 1 or (shape and shape[axis] == many)), None)


def _spread(values: tuple[float, ...], shape: tuple[int, ...], axis: int) -> np.ndarray:
    """One value for all entries, or one per channel, shaped to broadcast against a point."""
    if len(values) == 1:
        return np.array(values[0])
    return np.array(values).reshape(-1, *(1,) * (len(shape) - 1)) if axis == 0 else np.array(values)


def _import_function(reference: str) -> Callable[[Any], Any]:
    module_name, _, name = reference.partition(":")
    if not module_name or not name:
        raise InputError(f"--transform must be module:function, got {reference!r}")
    try:
        with current_folder_first():
            function = named_object(reference)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"cannot import --transform {reference}: {condensed(error)}",
            hint="run where the module can be imported",
        ) from error
    if not callable(function):
        raise InputError(
            f"--transform {reference} is not callable",
            hint="name a function of one point: --transform module:function",
        )
    transform: Callable[[Any], Any] = function
    return transform


def _listing(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
