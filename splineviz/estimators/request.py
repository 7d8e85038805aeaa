"""Requests to the estimators, checked: networks, points, radii, directions, devices."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splineviz.choices import DIRECTIONS
from splineviz.errors import InputError, SplinevizWarning
from splineviz.inputs import as_inputs, one_or_several, real_number, whole_number
from splineviz.program import Origin, Program, models
from splineviz.program.devices import named_device
from splineviz.program.sources import network_for, program_for
from splineviz.showing import condensed

__all__ = [
    "Model",
    "Points",
    "batch_for",
    "checked_points",
    "device_of",
    "directions_of",
    "dtype_of",
    "numbers",
    "origin_of",
    "program_at",
    "whole_numbers",
]

Model = Program | Origin | models.Model
"""A network, as a caller has it: read already, or whatever :func:`splineviz.load_program` takes."""
Points = Tensor | np.ndarray | Sequence[Any]
"""(n, *input_shape) points of input space, as a caller has them."""

_BUDGET = {"cpu": 32 << 20, "cuda": 1 << 30}
"""Bytes of activations at once. On a CPU more of them only leave the cache."""


def origin_of(model: Model, points: Points) -> Origin:
    """The traced network of whatever names one; the points tell the input shape where nothing else does."""
    if isinstance(model, Program):
        if model.origin is None:
            raise InputError(
                "this program was made by hand, without the network that it came from",
                hint="sv.load_program(module)",
            )
        return model.origin
    if isinstance(model, Origin):
        return model
    return network_for(model, [tuple(_tensor(points).shape[1:])])


def program_at(model: Program | models.Model, points: Points) -> Program:
    """The exact program of whatever names one; the points tell the input shape where nothing else does."""
    return model if isinstance(model, Program) else program_for(model, [tuple(_tensor(points).shape[1:])])


def checked_points(points: Points, input_shape: tuple[int, ...]) -> Tensor:
    """(n, *input_shape) float64 where the points are."""
    tensor = _tensor(points)
    if tensor.is_complex():
        raise InputError(f"points must hold real numbers, got {str(tensor.dtype).removeprefix('torch.')}")
    if not tensor.is_floating_point():
        raise InputError(
            f"points must hold floating-point numbers, got {str(tensor.dtype).removeprefix('torch.')}: the "
            "network was trained on something else than raw integers",
            hint="scale and normalise images as for the network itself, points.float() / 255 for example",
        )
    if tensor.dim() < 2:
        raise InputError(
            f"points must have shape (n, {', '.join(map(str, input_shape))}), got {tuple(tensor.shape)}",
            hint="points[None] for a single one" if tensor.dim() == 1 else None,
        )
    if not len(tensor):
        raise InputError("there is no point")
    tensor = as_inputs(tensor, input_shape)
    if not bool(torch.isfinite(tensor).all()):
        bad = (~torch.isfinite(tensor.flatten(1)).all(1)).nonzero().flatten().tolist()
        raise InputError(
            f"{len(bad)} of {len(tensor)} points hold NaN or infinite values, the first is point {bad[0]}",
            hint="clean the data, or leave those points out",
        )
    return tensor.double()


def _tensor(points: Points) -> Tensor:
    """Points (n, ...) as one tensor, from whatever holds them."""
    if isinstance(points, Tensor):
        return points.detach()
    try:
        if isinstance(points, (list, tuple)) and points and isinstance(points[0], Tensor):
            return torch.stack([point.detach() for point in points])
        array = np.asarray(points)
        if array.dtype.kind in "fiubc":
            return torch.as_tensor(array)
        reason = f"got {type(points).__name__} of {array.dtype}"
    except (TypeError, ValueError, RuntimeError) as error:
        reason = condensed(error)
    raise InputError(f"points must be an array of shape (n, ...), or a list of points of one shape: {reason}")


def numbers(given: float | Iterable[float], what: str) -> tuple[float, ...]:
    """One or several numbers > 0, as they were given."""
    several = tuple(real_number(one, what, above=0.0) for one in one_or_several(given))
    if not several:
        raise InputError(f"{what} must be one number > 0 or several, got none")
    return several


def whole_numbers(given: int | Iterable[int], what: str, most: int) -> tuple[int, ...]:
    """One or several whole numbers from 1 to ``most``."""
    several = tuple(whole_number(one, what, 1) for one in one_or_several(given))
    if not several:
        raise InputError(f"{what} must be whole numbers of at least 1, got none")
    if max(several) > most:
        raise InputError(
            f"{max(several)} orthonormal {what} do not fit into an input space of {most} dimensions",
            hint=f"choose at most {most}",
        )
    return several


def directions_of(given: int | Iterable[int] | None, dim: int) -> tuple[int, ...]:
    """Numbers of directions as asked for; by default 25, or, with a warning, as many as the input has
    dimensions."""
    if given is not None:
        return whole_numbers(given, "directions", dim)
    if dim < DIRECTIONS:
        warnings.warn(
            f"{dim} directions are taken, as many as the input has dimensions, not {DIRECTIONS}",
            SplinevizWarning,
            stacklevel=3,
        )
    return (min(DIRECTIONS, dim),)


def device_of(device: str | torch.device | None, points: Points) -> torch.device:
    """The device asked for, or that of the points."""
    if device is None:
        return points.device if isinstance(points, Tensor) else torch.device("cpu")
    return named_device(device, torch.float32)


def dtype_of(dtype: torch.dtype | str) -> torch.dtype:
    """A floating-point data type, also by its name."""
    chosen = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(chosen, torch.dtype) or not chosen.is_floating_point:
        raise InputError(f"dtype must be float64, float32, float16 or bfloat16, got {dtype}")
    return chosen


def batch_for(batch: int | None, n_points: int, bytes_per_point: int, device: torch.device) -> int:
    """Number of points that go at once: as asked for, or as many as the budget holds."""
    if batch is None:
        return max(1, min(n_points, _BUDGET.get(device.type, _BUDGET["cpu"]) // max(1, bytes_per_point)))
    return min(whole_number(batch, "batch", 1), n_points)
