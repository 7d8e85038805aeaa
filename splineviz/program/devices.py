"""Devices that torch computes on."""

from __future__ import annotations

import torch

from splineviz.errors import InputError

__all__ = ["named_device"]


def named_device(device: str | torch.device, dtype: torch.dtype = torch.float64) -> torch.device:
    """The device of that name, with its number where devices have one.

    Raises
    ------
    InputError
        If there is none, or it has no numbers of that type.
    """
    try:
        there = torch.ones(1, dtype=dtype, device=torch.device(device))
        there.item()  # not all that torch calls a device holds numbers
    except (RuntimeError, AssertionError, TypeError, ValueError, ImportError) as error:
        raise InputError(
            f"the device '{device}' cannot be used: {str(error).splitlines()[0]}",
            hint="one that this build of torch can use; cpu always is",
        ) from error
    return there.device
