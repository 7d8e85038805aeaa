"""Arrays of whatever holds the numbers of a point: tensors of any kind, arrays, lists, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from splineviz.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["as_array", "is_tensor"]


def as_array(value: object) -> np.ndarray:
    """The numbers of a tensor, an array, a list or a picture, none of them changed.

    Raises
    ------
    InputError
        If it is none of these, or its rows have several lengths.
    """
    if is_tensor(value):
        return _of_tensor(value)
    if hasattr(value, "getbands"):
        from splineviz.data.pictures import values_of

        return values_of(value, "a picture")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(
            f"expected an array of numbers, got a {type(value).__name__} that is none"
        ) from error
    if array.dtype.kind == "O":
        raise InputError(f"expected an array, a tensor or a list of numbers, got {type(value).__name__}")
    return array


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Tell a tensor of torch, without torch where there is none."""
    return hasattr(value, "detach") and hasattr(value, "is_sparse")


def _of_tensor(tensor: Tensor) -> np.ndarray:
    import torch

    tensor = tensor.detach().cpu()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # NumPy knows no bfloat16 or float8; float32 holds them exactly
    return np.asarray(tensor.resolve_conj().resolve_neg().numpy())
