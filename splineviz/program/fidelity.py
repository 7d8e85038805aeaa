"""The trace beside the module's own forward pass."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.constants import cast
from splineviz.program.modes import evaluating
from splineviz.program.program import Fidelity, Program

__all__ = ["measure", "sample"]

Finish = Callable[[Tensor], Tensor]

_SAMPLES = 4
_MAGNITUDES = (1.0, 0.01, 10.0)
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-2}
"""Differences above these are no rounding. That of float32 counts only where the module cannot run in
float64."""


def sample(shape: tuple[int, ...], count: int, seed: int = 0) -> Tensor:
    """Seeded standard normal inputs, (count, *shape) float64, without touching the global generator."""
    return torch.randn(count, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def measure(
    program: Program, module: nn.Module, dynamic_batch: bool, finish: Finish | None = None
) -> Fidelity:
    """Compare a program with its module on random inputs; ``finish`` is what the module does after the
    program's end.

    Raises
    ------
    InputError
        If they disagree by more than rounding: the trace does not reproduce the module.
    """
    count = _SAMPLES if dynamic_batch else 2
    batches = [sample(program.input_shape, count, seed) * m for seed, m in enumerate(_MAGNITUDES)]
    differences = {dtype: _difference(program, module, batches, dtype, finish) for dtype in _TOLERANCE}
    decisive = torch.float64 if differences[torch.float64] is not None else torch.float32
    worst = differences[decisive]
    if worst is None or not worst <= _TOLERANCE[decisive]:
        by = "" if worst is None else f": outputs differ by {worst:.2g} of their size"
        raise InputError(
            f"the trace does not reproduce the module{by}",
            hint="forward() must be a fixed function of its input: no randomness, and no branch on the "
            "values in a tensor",
        )
    return Fidelity(
        differences[torch.float64], differences[torch.float32], count * len(batches), dynamic_batch
    )


def _difference(
    program: Program, module: nn.Module, batches: list[Tensor], dtype: torch.dtype, finish: Finish | None
) -> float | None:
    """max |program - module| / max |program|, worst over the batches; ``None`` if the module does not run in
    ``dtype``."""
    own = (*module.named_parameters(), *module.named_buffers())
    weights = {n: cast(v.detach(), dtype, v.device).clone() for n, v in own}
    device = next((v.device for v in weights.values()), torch.device("cpu"))
    worst = 0.0
    with evaluating(module), torch.no_grad():
        for x in batches:
            x = x.to(dtype)
            try:
                theirs = torch.func.functional_call(module, weights, (x.to(device).clone(),))
            except Exception:  # a tensor held outside parameters and buffers keeps its own data type
                return None
            ours = program.forward(x.double())
            ours = ours if finish is None else finish(ours)
            if theirs.shape != ours.shape:
                return float("inf")
            gap = float((ours - theirs.cpu().double()).abs().max()) if ours.numel() else 0.0
            size = float(ours.abs().max()) if ours.numel() else 1.0
            worst = max(worst, gap / size if size else gap)
            if gap != gap:
                return float("nan")
    return worst
