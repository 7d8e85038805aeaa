"""Complex activations as pairs of real ones: what is linear over the real numbers is done with both parts.

Their modulus and argument are not piecewise affine, so that programs begin and end with real tensors.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from splineviz.program.constants import computed
from splineviz.program.operations.base import OPERATIONS, Active, Constant, RefusedError, Step
from splineviz.program.operations.contraction import contract
from splineviz.program.operations.elementwise import combined
from splineviz.program.operations.fourier import transforms
from splineviz.program.operations.layout import moved, placed
from splineviz.program.operations.moves import MOVES

__all__ = ["COMPLEX", "Complex", "is_complex", "lost", "why_not_complex"]

Part = Active | Constant


@dataclass(frozen=True, eq=False)
class Complex:
    """A tensor of complex numbers that depends on the network's input; ``shape`` without batch.

    A part that is constant has the same shape, with a batch axis of length one.
    """

    real: Part
    imag: Part
    shape: tuple[int, ...]


_PRODUCTS = "mul multiply einsum matmul mm mv bmm linalg_matmul tensordot inner".split()
_BY_PARTS = [
    *(name for name in MOVES if name not in ("mH", "adjoint")),  # which conjugate
    *"add sub subtract rsub neg negative sum mean cumsum".split(),
    *"view _unsafe_view reshape flatten unflatten squeeze unsqueeze view_as reshape_as".split(),
    *"expand expand_as broadcast_to slice index gather pad constant_pad_nd".split(),
    *"split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unsafe_chunk".split(),
    *"tensor_split unbind cat concat concatenate stack hstack where masked_fill".split(),
    *"select_scatter slice_scatter index_copy index_put scatter copy fill zero read_view write_view".split(),
    *"contiguous clone detach alias lift_fresh_copy positive resolve_conj resolve_neg _neg_view".split(),
]
_LAYERS = [
    "linear",
    *(f"conv{of}{axes}d" for of in ("", "_transpose") for axes in (1, 2, 3)),
]
_OPERANDS = frozenset("self other src source value values tensors vec mat2 input weight".split())
"""Arguments that hold numbers to compute with; others say how"""
_MAKE_REAL = frozenset("real imag view_as_real _fft_c2r abs angle".split())
_INSTEAD = "take .real and .imag, or torch.view_as_real, before"
_REFUSED = {
    "abs": "of complex numbers is a root of squares, which is not piecewise affine; instead: abs of .real "
    "and of .imag, and the sum or the maximum of the two",
    "angle": "of complex numbers is not continuous piecewise affine; instead: .real and .imag",
}


def is_complex(op: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call on activations reads or makes complex numbers."""
    dtype = arguments.get("dtype")
    asked = isinstance(dtype, torch.dtype) and dtype.is_complex
    return (
        asked
        or op in _MAKERS
        or any(_has_two_parts(v) for value in arguments.values() for v in _items(value))
    )


def why_not_complex(op: str) -> str:
    """Reason why an operation on complex numbers is refused, and what to take instead.

    Examples
    --------
    >>> why_not_complex("angle")
    'of complex numbers is not continuous piecewise affine; instead: .real and .imag'
    """
    return _REFUSED.get(op, f"is not supported on complex numbers: {_INSTEAD}")


def lost(op: str, after: Active, *, of_pairs: bool) -> Active | Complex:
    """Stand-in for the result of a refused operation."""
    return Complex(after, after, after.shape) if of_pairs and op not in _MAKE_REAL else after


def _real(step: Step) -> Part:
    return _pair(step, step.arguments["self"]).real


def _imag(step: Step) -> Part:
    return _pair(step, step.arguments["self"]).imag


def _view_as_real(step: Step) -> Part:
    z = _pair(step, step.arguments["self"])
    if isinstance(z.real, Constant) and isinstance(z.imag, Constant):
        return Constant(torch.stack([z.real.value, z.imag.value], -1), per_batch=True)
    return placed(step, [z.real, z.imag], lambda *parts: torch.stack(parts, -1))


def _view_as_complex(step: Step) -> Complex:
    x = step.active("self")
    real, imag = (moved(step, [x], lambda x, i=i: x[..., i]) for i in (0, 1))
    return Complex(real, imag, step.shape)


def _complex(step: Step) -> Complex:
    real, imag = (_whole(step.arguments[name], step.shape) for name in ("real", "imag"))
    return Complex(real, imag, step.shape)


def _cast(step: Step) -> Complex:
    dtype, other = step.arguments.get("dtype"), step.arguments.get("other")
    dtype = other.value.dtype if isinstance(other, Constant) else dtype
    if isinstance(dtype, torch.dtype) and not dtype.is_complex:
        raise RefusedError(f"drops imaginary parts: {_INSTEAD}")
    return _pair(step, step.arguments["self"])


def _conjugate(step: Step) -> Complex:
    z = _pair(step, step.arguments["self"])
    return replace(z, imag=_sum(step, _zero(step.shape), z.imag, -1.0))


def _by_parts(step: Step) -> Complex:
    if any(_has_two_parts(v) for name, v in step.arguments.items() if name not in _OPERANDS):
        raise RefusedError(f"takes a complex factor: {_INSTEAD}")
    real, imag = ({name: _part(name, v, i) for name, v in step.arguments.items()} for i in (0, 1))
    return Complex(_lowered(step, real), _lowered(step, imag), step.shape)


def _product(step: Step) -> Complex:
    """(a + i b) (c + i d) = (a c - b d) + i (a d + b c)."""
    names = [name for name in step.arguments if name in _OPERANDS]
    factors = [_parts(v) for name in names for v in _items(step.arguments[name])]
    if len(factors) != 2:
        raise RefusedError("of complex numbers is supported with two factors: write it as several")

    def of(i: int, j: int) -> Part:
        chosen = [factors[0][i], factors[1][j]]
        if any(_is_zero(x) for x in chosen):
            return _zero(step.shape)
        joined = {names[0]: chosen} if len(names) == 1 else dict(zip(names, chosen, strict=True))
        return _lowered(step, {**step.arguments, **joined})

    return Complex(_sum(step, of(0, 0), of(1, 1), -1.0), _sum(step, of(0, 1), of(1, 0), 1.0), step.shape)


def _layer(step: Step) -> Complex:
    """A linear layer or convolution, its bias added last."""
    made, bias = _product(replace(step, arguments={**step.arguments, "bias": None})), step.arguments["bias"]
    if bias is None:
        return made
    axes = (1,) * (0 if step.call.op == "linear" else len(step.shape) - 1)
    shifts = [Constant(part.value.reshape(-1, *axes)) for part in _parts(bias)]
    real, imag = (
        _sum(step, part, _whole(shift, step.shape), 1.0)
        for part, shift in zip((made.real, made.imag), shifts, strict=True)
    )
    return Complex(real, imag, step.shape)


def _divide(step: Step) -> Complex:
    """Both parts divided by a real constant; or times the inverse of a complex one."""
    divisor = step.arguments["other"]
    if isinstance(divisor, (Active, Complex)):
        raise RefusedError("divides by an activation, which is not piecewise affine; divide by a constant")
    if not _has_two_parts(divisor):
        real, imag = (
            _lowered(step, {**step.arguments, "self": part}) for part in _parts(step.arguments["self"])
        )
        return Complex(real, imag, step.shape)
    value = torch.as_tensor(divisor.value if isinstance(divisor, Constant) else divisor).to(torch.complex128)
    times = replace(step.call, op="mul", target=torch.ops.aten.mul.Tensor)
    inverse = Constant(1.0 / value, isinstance(divisor, Constant) and divisor.per_batch)
    return _product(replace(step, call=times, arguments={"self": step.arguments["self"], "other": inverse}))


def _transform(step: Step) -> Complex | Part:
    """A discrete Fourier transform along some axes, one after the other."""
    of = step.arguments["self"]
    z = Complex(*_parts(of), of.shape)
    for waves in transforms(step, z.shape):
        shape = (*z.shape[: waves.axis - 1], waves.cosines.shape[1], *z.shape[waves.axis :])
        at = replace(step, shape=shape)

        def along(x: Part, matrix: Tensor, at: Step = at, axis: int = waves.axis) -> Part:
            return _along(at, x, axis, matrix)

        real = _sum(at, along(z.real, waves.cosines), along(z.imag, waves.sines), -1.0)
        imag = _sum(at, along(z.real, waves.sines), along(z.imag, waves.cosines), 1.0)
        z = Complex(real, imag, shape)
    return z.real if step.call.op == "_fft_c2r" else z


def _along(step: Step, x: Part, axis: int, matrix: Tensor) -> Part:
    """Sums along an axis with the entries of a matrix, (in, out), for factors."""
    if _is_zero(x):
        return _zero(step.shape)
    if isinstance(x, Constant):
        return Constant(torch.tensordot(x.value, matrix, ([axis], [0])).movedim(-1, axis), per_batch=True)
    letters = string.ascii_letters[: len(x.shape) + 1]
    output = letters[:axis] + "Z" + letters[axis + 1 :]
    return contract(step, [letters, letters[axis] + "Z"], output, [x, Constant(matrix)])


def _lowered(step: Step, arguments: dict[str, Any]) -> Part:
    """A call on real tensors, as the operation table has it; ahead where all are constant."""
    step = replace(step, arguments=arguments)
    if any(isinstance(v, Active) for value in arguments.values() for v in _items(value)):
        return step.recognised(OPERATIONS[step.call.op].lower(step))
    made = computed(step.call, {name: _plain(value) for name, value in arguments.items()})
    made = made if step.part is None else made[step.part[1]]
    return Constant(made[:1], per_batch=True)


def _sum(step: Step, a: Part, b: Part, sign: float) -> Part:
    """a + b or a - b."""
    if _is_zero(b):
        return a
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(a.value + sign * b.value, per_batch=True)
    if _is_zero(a):
        assert isinstance(b, Active)
        return b if sign > 0 else step.negative(b)
    return combined(step, a, 1.0, b, sign)


def _pair(step: Step, value: Any) -> Complex:
    """Both parts of an argument, in the shape of the argument."""
    if isinstance(value, Complex):
        return value
    shape = value.shape if isinstance(value, Active) else step.shape
    real, imag = (_whole(part, shape) for part in _parts(value))
    return Complex(real, imag, shape)


def _parts(value: Any) -> tuple[Any, Any]:
    """Real and imaginary part of an operand."""
    if isinstance(value, Complex):
        return value.real, value.imag
    if isinstance(value, Active):
        return value, _zero(value.shape)
    number = torch.as_tensor(value.value if isinstance(value, Constant) else value)
    per_batch = isinstance(value, Constant) and value.per_batch
    real, imag = (number.real, number.imag) if number.is_complex() else (number, torch.zeros_like(number))
    return Constant(real.double(), per_batch), Constant(imag.double(), per_batch)


def _part(name: str, value: Any, which: int) -> Any:
    """Real or imaginary part of an argument, if it holds numbers to compute with."""
    if name not in _OPERANDS:
        return value
    if isinstance(value, list):
        return [_part(name, item, which) for item in value]
    return value if value is None else _parts(value)[which]


def _whole(value: Any, shape: tuple[int, ...]) -> Part:
    if isinstance(value, Active):
        return value
    return Constant(value.value.expand(1, *shape), per_batch=True)


def _zero(shape: tuple[int, ...]) -> Constant:
    return Constant(torch.zeros(1, *shape, dtype=torch.float64), per_batch=True)


def _is_zero(value: Part) -> bool:
    return isinstance(value, Constant) and not bool(value.value.any())


def _has_two_parts(value: Any) -> bool:
    value = value.value if isinstance(value, Constant) else value
    return isinstance(value, (Complex, complex)) or (isinstance(value, Tensor) and value.is_complex())


def _items(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.of_batch if isinstance(value, Constant) else value


_MAKERS: dict[str, Callable[[Step], Complex | Part]] = {
    **dict.fromkeys(("_fft_r2c", "_fft_c2c", "_fft_c2r"), _transform),
    "view_as_complex": _view_as_complex,
    "complex": _complex,
}
"""Operations of which complex numbers come out, or go in, whatever their arguments"""

COMPLEX: dict[str, Callable[[Step], Complex | Part]] = {
    **_MAKERS,
    "real": _real,
    "imag": _imag,
    "view_as_real": _view_as_real,
    **dict.fromkeys(("_conj", "conj", "_conj_physical", "conj_physical"), _conjugate),
    **dict.fromkeys(("to", "_to_copy", "type_as"), _cast),
    **dict.fromkeys(_PRODUCTS, _product),
    **dict.fromkeys(_LAYERS, _layer),
    **dict.fromkeys(("div", "divide", "true_divide"), _divide),
    **dict.fromkeys(_BY_PARTS, _by_parts),
}
"""Name of an ATen operation on complex numbers -> what it makes"""
