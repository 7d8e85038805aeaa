"""Operations that are read as others, which they are composed of: sort as maxima, a norm of order 1 as abs
and sum, a recurrent layer as linear layers and relu."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.export import ExportedProgram, default_decompositions

from splineviz.program import order_statistics
from splineviz.program.stacks import without_stacks

__all__ = ["COMPOSED", "composed"]

_BY_TORCH = frozenset(
    """
    atleast_1d atleast_2d atleast_3d chain_matmul cross cumulative_trapezoid diff ger gradient l1_loss
    linalg_matrix_norm linalg_multi_dot linalg_norm margin_ranking_loss norm outer pairwise_distance
    rnn_relu_cell trapezoid trapz
    fft_fft fft_fft2 fft_fftn fft_ifft fft_ifft2 fft_ifftn fft_rfft fft_rfft2 fft_rfftn fft_irfft fft_irfft2
    fft_irfftn fft_hfft fft_hfft2 fft_hfftn fft_ihfft fft_ihfft2 fft_ihfftn fft_fftshift fft_ifftshift
    stft istft
    """.split()
)
"""Operations that torch itself composes of others."""


def composed(exported: ExportedProgram) -> ExportedProgram:
    """A traced network with such operations replaced; as it is if it has none.

    Each of the others keeps the module and the source line of the one that it comes from.
    """
    names = {
        str(node.target).removeprefix("aten.") for node in exported.graph.nodes if node.op == "call_function"
    }
    if not names & _BY_US.keys() and not {name.partition(".")[0] for name in names} & _BY_TORCH:
        return exported
    known = default_decompositions()
    table: dict[torch._ops.OperatorBase, Callable[..., object]] = {}
    for packet in (getattr(torch.ops.aten, name) for name in _BY_TORCH):
        overloads = [getattr(packet, overload) for overload in packet.overloads()]
        table |= {op: known[op] for op in overloads if op in known}
    table |= {_operation(name): function for name, function in _BY_US.items()}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's remarks are for those who deploy what it makes
        replaced: ExportedProgram = exported.run_decompositions(table)
    without_stacks(replaced.graph)
    return replaced


def _operation(name: str) -> torch._ops.OperatorBase:
    packet, _, overload = name.partition(".")
    found: torch._ops.OperatorBase = getattr(getattr(torch.ops.aten, packet), overload)
    return found


def _vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> object:
    x = x if dtype is None else x.to(dtype)
    axes = list(range(x.dim()) if dim is None else dim)
    if ord == 1:
        return x.abs().sum(axes, keepdim)
    if math.isinf(ord):
        return x.abs().amax(axes, keepdim) if ord > 0 else x.abs().amin(axes, keepdim)
    return NotImplemented


def _distances(x: Tensor, y: Tensor, p: float = 2.0, compute_mode: int | None = None) -> object:
    """Norms of the differences of every row of one tensor and every row of another."""
    if p != 1 and not math.isinf(p):
        return NotImplemented
    return torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, -1)


def _power(x: Tensor, exponent: float) -> object:
    return x.clone() if exponent == 1 else NotImplemented


def _scaled(factor: float) -> Callable[[Tensor], Tensor]:
    return lambda x: x * factor


def _by_powers_of_two(x: Tensor, exponents: Tensor) -> Tensor:
    return x * torch.pow(2.0, exponents)


def _kronecker(x: Tensor, y: Tensor) -> Tensor:
    """Blocks x_i y, an axis of length one in either of them being left as it is."""
    rank = max(x.dim(), y.dim())
    sizes = [(*(1,) * (rank - a.dim()), *a.shape) for a in (x, y)]
    left, right, result = [], [], []
    for m, n in zip(*sizes, strict=True):
        alone = 1 in (m, n)
        left += [m] if alone else [m, 1]
        right += [n] if alone else [1, n]
        result.append(m * n)
    return (x.reshape(left) * y.reshape(right)).reshape(result)


def _cross(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """x_{i+1} y_{i+2} - x_{i+2} y_{i+1}."""
    return x.roll(-1, dim) * y.roll(-2, dim) - x.roll(-2, dim) * y.roll(-1, dim)


def _recurrent(
    x: Tensor,
    hx: Tensor,
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> object:
    """h_t = relu(W x_t + b + V h_{t-1} + c), layer after layer, in both directions if asked for."""
    if train and dropout:
        return NotImplemented
    axis = 1 if batch_first else 0
    steps, starts, weights = list(x.unbind(axis)), iter(hx.unbind(0)), iter(params)
    ends: list[Tensor] = []
    for _ in range(num_layers):
        ways = []
        for backward in (False, True)[: 1 + bidirectional]:
            own = [next(weights) for _ in range(4 if has_biases else 2)]
            way = list(_unrolled(steps[::-1] if backward else steps, next(starts), own))
            ends.append(way[-1])
            ways.append(way[::-1] if backward else way)
        steps = [torch.cat(both, -1) for both in zip(*ways, strict=True)] if bidirectional else ways[0]
    return torch.stack(steps, axis), torch.stack(ends)


def _unrolled(steps: Sequence[Tensor], state: Tensor, weights: Sequence[Tensor]) -> Iterator[Tensor]:
    for step in steps:
        entered = torch.nn.functional.linear(step, weights[0], *weights[2:3])
        state = (entered + torch.nn.functional.linear(state, weights[1], *weights[3:4])).relu()
        yield state


_BY_US: dict[str, Callable[..., object]] = {
    "linalg_vector_norm.default": _vector_norm,
    "cdist.default": _distances,
    "_cdist_forward.default": _distances,
    "pow.Tensor_Scalar": _power,
    "linalg_cross.default": _cross,
    "kron.default": _kronecker,
    "ldexp.Tensor": _by_powers_of_two,
    "deg2rad.default": _scaled(math.pi / 180.0),
    "rad2deg.default": _scaled(180.0 / math.pi),
    "rnn_relu.input": _recurrent,
    **order_statistics.COMPOSITIONS,
}
"""Overload of an operation of torch -> function of its arguments; NotImplemented where they are refused."""

COMPOSED = _BY_TORCH | {name.partition(".")[0] for name in _BY_US}
"""Names of all operations that are read so."""
