"""Running a user's module without leaving traces on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from torch import nn

from splineviz.errors import InputError

__all__ = ["bare", "evaluating", "in_eval_mode", "refuse_training"]

_ACTS_IN_TRAINING = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, nn.RReLU)


def bare(module: nn.Module) -> nn.Module:
    """The user's own module, without the wrappers of data parallelism and compilation."""
    while True:
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            module = module.module
        elif isinstance(inner := getattr(module, "_orig_mod", None), nn.Module):
            module = inner
        else:
            return module


def in_eval_mode(module: nn.Module) -> nn.Module:
    """The module, switched to eval mode where it has modes: one that torch.export made raises for it."""
    with suppress(NotImplementedError):
        module.eval()
    return module


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module in eval mode; every submodule's own mode comes back at the end."""
    modes = [(m, m.training) for m in module.modules()]
    try:
        in_eval_mode(module)
        yield
    finally:
        for submodule, mode in modes:
            submodule.training = mode


def refuse_training(module: nn.Module) -> None:
    """Refuse a module that is in training mode where that changes what it computes."""
    acting = [
        f"{name or '(the model itself)'} ({type(m).__name__})"
        for name, m in module.named_modules()
        if m.training and isinstance(m, _ACTS_IN_TRAINING) and getattr(m, "p", 1.0) != 0.0
    ]
    if acting:
        more = f" and {len(acting) - 3} more" if len(acting) > 3 else ""
        raise InputError(
            f"the model is in training mode, where it is no fixed function of its input: "
            f"{', '.join(acting[:3])}{more}",
            hint="call model.eval()",
        )
