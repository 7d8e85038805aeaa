"""Sums of products of one activation with constants, written as an equation of Einstein's: einsum and all
that it can say."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from splineviz.program.operations.base import PRODUCT, Active, Constant, RefusedError, Step, operation
from splineviz.program.operations.gains import coefficient_gain, matrix_norm
from splineviz.program.program import Form

__all__ = ["contract", "product"]

_MATRICES = 64  # up to this many spectral norms are worth their time


@operation("einsum", makes="dense")
def _einsum(step: Step) -> Active:
    operands = list(step.arguments["tensors"])
    return contract(
        step,
        *_letters(str(step["equation"]).replace(" ", ""), [_rank(operand) for operand in operands]),
        operands,
    )


@operation("tensordot", makes="dense")
def _tensordot(step: Step) -> Active:
    operands = [step.arguments["self"], step.arguments["other"]]
    names = iter(string.ascii_letters)
    left = [next(names) for _ in range(_rank(operands[0]))]
    right = [next(names) for _ in range(_rank(operands[1]))]
    for i, j in zip(step["dims_self"], step["dims_other"], strict=True):
        right[j] = left[i]
    output = [letter for letter in (*left, *right) if (letter in left) != (letter in right)]
    return contract(step, ["".join(left), "".join(right)], "".join(output), operands)


@operation("inner", "linalg_vecdot", makes="dense")
def _inner(step: Step) -> Active:
    """The sum of products along one axis, for every pair of rows (inner) or for rows side by side
    (vecdot)."""
    paired = step.call.op == "linalg_vecdot"
    left, right = ("x", "y") if paired else ("self", "other")
    operands = [step.arguments[left], step.arguments[right]]
    ranks = [_rank(operand) for operand in operands]
    names = string.ascii_letters[: max(ranks)]
    if paired:
        dim = step["dim"] if step["dim"] < 0 else step["dim"] - max(ranks)
        return contract(
            step, [names[len(names) - rank :] for rank in ranks], names[:dim] + names[dim:][1:], operands
        )
    first, second = names[len(names) - ranks[0] :], names[: ranks[1] - 1].upper() + names[-1]
    return contract(step, [first, second], first[:-1] + second[:-1], operands)


def product(step: Step, left: str, right: str) -> Active:
    """The matrix product of two arguments, broadcast over all axes but the last two."""
    operands = [step.arguments[left], step.arguments[right]]
    ranks = [_rank(operand) for operand in operands]
    batch = string.ascii_lowercase[: max(0, *(rank - 2 for rank in ranks))]
    first = "K" if ranks[0] == 1 else batch[len(batch) - ranks[0] + 2 :] + "IK"
    second = "K" if ranks[1] == 1 else batch[len(batch) - ranks[1] + 2 :] + "KJ"
    output = batch + "I" * (ranks[0] > 1) + "J" * (ranks[1] > 1)
    return contract(step, [first, second], output, operands)


def contract(step: Step, letters: Sequence[str], output: str, operands: Sequence[Any]) -> Active:
    """The node that sums products of one activation with constants.

    ``letters`` name the axes of each operand, the batch axis of the activation included; ``output`` those of
    the result. An axis of length one stands in for any length.
    """
    which = [i for i, operand in enumerate(operands) if isinstance(operand, Active)]
    if len(which) != 1:
        raise RefusedError(PRODUCT)
    x, of_x = operands[which[0]], letters[which[0]]
    fixed = [
        (value, names)
        for i, (operand, names) in enumerate(zip(operands, letters, strict=True))
        if i not in which
        for value in [_tensor(operand)]
    ]
    sizes = dict(zip(of_x, (1, *x.shape), strict=True))
    for value, names in fixed:
        for name, size in zip(names, value.shape, strict=True):
            sizes[name] = max(sizes.get(name, 1), size)
    if output[:1] != of_x[0] or of_x.count(of_x[0]) != 1 or sizes[of_x[0]] != 1:
        raise RefusedError("mixes the inputs of the batch")
    spare = iter(name for name in string.ascii_letters if name not in sizes)
    of_x = of_x[0] + "".join(
        name if sizes[name] == size else next(spare) for name, size in zip(of_x[1:], x.shape, strict=True)
    )
    constant, of_c = _one_constant(fixed, sizes, of_x, output)
    equation = f"{of_x},{of_c}->{output}"

    def apply(x: Tensor, constant: Tensor) -> Tensor:
        return torch.einsum(equation, x, constant)

    summed = set(of_x) - set(output)
    terms = math.prod(sizes.get(name, 1) for name in summed) + 1
    gain = coefficient_gain(apply, constant, x.shape, None, terms)
    alone = math.prod(sizes.get(name, 1) for name in summed - set(of_c))
    gain = replace(gain, norm=min(gain.norm, _spectral(constant, of_c, of_x, output) * math.sqrt(alone)))
    return step.affine([x], step.shape, lambda x: apply(x, constant), gain, form=Form(apply, constant))


def _one_constant(
    fixed: list[tuple[Tensor, str]], sizes: dict[str, int], of_x: str, output: str
) -> tuple[Tensor, str]:
    """The product of all constants, with the axes that only they have summed."""
    plain = []
    for value, names in fixed:
        # the batch axis of a constant has length one, too
        broadcast = [
            i for i, name in enumerate(names) if value.shape[i] == 1 and (sizes[name] > 1 or name == of_x[0])
        ]
        shape = [n for i, n in enumerate(value.shape) if i not in broadcast]
        plain.append(
            (value.reshape(shape), "".join(name for i, name in enumerate(names) if i not in broadcast))
        )
    present = sorted({name for _, names in plain for name in names})
    kept = "".join(name for name in present if name in of_x or name in output)
    if not plain:
        return torch.ones((), dtype=torch.float64), ""
    return torch.einsum(
        f"{','.join(names for _, names in plain)}->{kept}", *(value for value, _ in plain)
    ).contiguous(), kept


def _spectral(constant: Tensor, of_c: str, of_x: str, output: str) -> float:
    """The largest norm of the matrices that a constant consists of, one for each index that input and output
    share."""
    shared = "".join(name for name in of_c if name in of_x and name in output)
    rows = "".join(name for name in of_c if name in of_x and name not in output)
    columns = "".join(name for name in of_c if name not in of_x)
    matrices = torch.einsum(f"{of_c}->{shared}{rows}{columns}", constant)
    count = math.prod(matrices.shape[: len(shared)])
    if count > _MATRICES:
        return math.inf
    height = math.prod(matrices.shape[len(shared) : len(shared) + len(rows)])
    return max((matrix_norm(matrix) for matrix in matrices.reshape(count, height, -1)), default=0.0)


def _letters(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of an equation's operands and of its result, with dots and a missing right side spelled
    out."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    dots = max(
        (rank - len(term) + 3 for term, rank in zip(terms, ranks, strict=True) if "..." in term), default=0
    )
    spare = [name for name in string.ascii_letters if name not in equation][:dots]

    def spelled(term: str, count: int) -> str:
        return term.replace("...", "".join(spare[len(spare) - count :]))

    if not arrow:
        once = sorted(name for name in set(left) - set(",.") if left.count(name) == 1)
        right = "..." * ("..." in left) + "".join(once)
    operands = [spelled(term, rank - len(term) + 3) for term, rank in zip(terms, ranks, strict=True)]
    return operands, spelled(right, dots)


def _rank(operand: Any) -> int:
    return len(operand.shape) + 1 if isinstance(operand, Active) else _tensor(operand).dim()


def _tensor(operand: Any) -> Tensor:
    value = operand.value if isinstance(operand, Constant) else operand
    return torch.as_tensor(value).to(torch.float64)
