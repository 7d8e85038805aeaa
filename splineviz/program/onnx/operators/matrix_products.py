"""Matrix products, sums of products, and batch-norm."""

from __future__ import annotations

import string
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, operator, unchanged

__all__: list[str] = []

_PRODUCT = "multiplies two activations, which is not piecewise affine"


@operator("Gemm")
def _gemm(node: OnnxNode) -> Made:
    if node.active(0) and node.active(1):
        raise RefusedNodeError(_PRODUCT)
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    flipped = bool(node.attribute("transA", 0)), bool(node.attribute("transB", 0))
    rows = node.shape(0)[1] if flipped[0] else node.shape(0)[0]
    columns = node.shape(1)[0] if flipped[1] else node.shape(1)[1]
    inputs = (0, 1, 2) if node.has(2) else (0, 1)
    bias_shape = node.shape(2) if node.has(2) else ()
    as_bias = node.active(0) and not node.active(2) and (len(bias_shape) < 2 or bias_shape[0] == 1)
    product = _left(node, flipped) if node.active(0) else _right(node, flipped)
    offset = node.aligned(2, 2, leading=rows == 1) if node.has(2) else unchanged

    def run(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        if alpha != 1 and node.active(0):
            b = b * alpha
        elif alpha != 1:
            a = a * alpha
        c = c * beta if c is not None and beta != 1 else c
        if c is None or as_bias:
            return product(a, b, None if c is None else c.reshape(-1).expand(columns))
        made = product(a, b, None)
        return (made.reshape(made.shape[0], columns) if rows == 1 else made) + offset(c)

    return Made(run, (2,), inputs)


def _left(node: OnnxNode, flipped: tuple[bool, bool]) -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
    """a b + bias with a constant b, on one axis of rows at least where ``a`` is transposed."""
    view, _ = node.along([0]) if flipped[0] else (unchanged, 0)

    def run(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
        a = view(a).mT if flipped[0] else a
        return functional.linear(a, b if flipped[1] else b.t(), bias)

    return run


def _right(node: OnnxNode, flipped: tuple[bool, bool]) -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
    """a b with a constant a."""
    view, _ = node.along([0], 1)

    def run(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
        b = view(b) if flipped[1] else view(b).mT
        return functional.linear(b, a.t() if flipped[0] else a, bias).mT

    return run


@operator("MatMul")
def _matmul(node: OnnxNode) -> Made:
    if node.active(0) and node.active(1):
        raise RefusedNodeError(_PRODUCT)
    left, right = node.shape(0), node.shape(1)
    rank = max(len(left), len(right)) - (len(left) == 1) - (len(right) == 1)
    constant = right if node.active(0) else left
    if all(n == 1 for n in constant[:-2]):
        matrix = constant[-2:]
        function = _times_matrix(node, matrix) if node.active(0) else _matrix_times(node, matrix)
        return Made(function, (rank if len(left) > 1 and len(right) > 1 else max(rank, 0),), (0, 1))
    # a stack of matrices, one for each entry of the leading axes
    if len(left) == 1:
        row = (*(1,) * (len(right) - 1), *left)
        return Made(lambda a, b: (a.reshape(-1, *row) @ b).squeeze(-2), (rank,), (0, 1))
    if len(right) == 1:
        column = (*(1,) * (len(left) - 2), *right, 1)
        return Made(lambda a, b: (a @ b.reshape(-1, *column)).squeeze(-1), (rank,), (0, 1))
    views = [node.aligned(i, max(len(left), len(right)), leading=False) for i in (0, 1)]
    return Made(lambda a, b: torch.matmul(views[0](a), views[1](b)), (rank,), (0, 1))


def _times_matrix(node: OnnxNode, matrix: tuple[int, ...]) -> Callable[[Tensor, Tensor], Tensor]:
    """x w for a constant matrix or vector."""
    view, _ = node.along([0]) if len(node.shape()) == 1 else (unchanged, 0)
    return lambda x, w: torch.matmul(view(x), w.reshape(matrix))


def _matrix_times(node: OnnxNode, matrix: tuple[int, ...]) -> Callable[[Tensor, Tensor], Tensor]:
    """w x for a constant matrix or vector."""
    shape = node.shape(1)
    view, _ = node.along([0], 1) if len(shape) <= 2 else (unchanged, 0)
    if len(shape) == 1 or len(matrix) == 1:
        last = len(shape) == 1
        return lambda w, x: torch.matmul(
            view(x) if last else view(x).mT, w.reshape(matrix).mT if len(matrix) == 2 else w
        )
    if shape[-1] == 1:
        return lambda w, x: functional.linear(view(x).squeeze(-1), w.reshape(matrix)).unsqueeze(-1)
    return lambda w, x: functional.linear(view(x).mT, w.reshape(matrix)).mT


@operator("Einsum")
def _einsum(node: OnnxNode) -> Made:
    terms, result = _equation(node.attribute("equation"))
    batch = next(letter for letter in string.ascii_letters if letter not in "".join((*terms, result)))
    active = [node.active(i) for i in range(len(node.inputs))]
    views = [node.along([0], i)[0] if is_active else unchanged for i, is_active in enumerate(active)]
    equation = (
        ",".join(batch + t if is_active else t for t, is_active in zip(terms, active, strict=True))
        + f"->{batch}{result}"
    )
    # an ellipsis stands for as many axes as the largest of its operands has there
    spare = [len(node.shape(i)) - len(t.replace("...", "")) for i, t in enumerate(terms) if "..." in t]
    rank = len(result.replace("...", "")) + (max(spare) if "..." in result else 0)

    def run(*tensors: Tensor) -> Tensor:
        return torch.einsum(equation, *(view(x) for view, x in zip(views, tensors, strict=True)))

    return Made(run, (rank,), tuple(range(len(terms))))


def _equation(text: str) -> tuple[list[str], str]:
    """Operands and result; without an arrow the result is what comes once, in alphabetical order."""
    text = text.replace(" ", "")
    terms, arrow, result = text.partition("->")
    if not arrow:
        letters = terms.replace(",", "").replace(".", "")
        result = ("..." if "..." in terms else "") + "".join(
            sorted(c for c in letters if letters.count(c) == 1)
        )
    return terms.split(","), result


@operator("BatchNormalization")
def _batch_norm(node: OnnxNode) -> Made:
    node.only_active()
    if node.attribute("training_mode", 0) or sum(map(bool, node.proto.output)) > 1:
        raise RefusedNodeError(
            "normalises by the statistics of the batch it is in: the file was written in training mode"
        )
    if node.shape()[0] != 1:
        raise RefusedNodeError("is supported only with a batch axis")
    epsilon, by_entry = node.attribute("epsilon", 1e-5), node.attribute("spatial", 1) == 0

    def run(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        if by_entry:
            mean, variance, scale, bias = (p.reshape(-1) for p in (mean, variance, scale, bias))
        flat = x.flatten(1) if by_entry else x
        return functional.batch_norm(flat, mean, variance, scale, bias, False, 0.0, epsilon).reshape(x.shape)

    return Made(run, (len(node.shape()),), (0, 1, 2, 3, 4))
