"""Where torch computes."""

from __future__ import annotations

import torch

from splineviz.errors import InputError

__all__ = ["named_device"]


def named_device(device: str | torch.device) -> torch.device:
    """The device of that name.

    Raises
    ------
    InputError
        If there is none, or it has no float64.
    """
    try:
        chosen = torch.device(device)
        torch.ones(1, dtype=torch.float64, device=chosen).item()
    except (RuntimeError, AssertionError, TypeError) as error:  # a build without CUDA; an unknown name; one without float64
        raise InputError(f"the device '{device}' cannot be used: {str(error).splitlines()[0]}", hint="cpu, or cuda") from error
    return chosen
