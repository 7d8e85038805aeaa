"""Operators of the domain ai.onnx.ml, in which pipelines of scalers and linear models are written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, operator, unchanged

__all__: list[str] = []

_DOMAIN = "ai.onnx.ml::"


@operator(_DOMAIN + "Scaler")
def _scaler(node: OnnxNode) -> Made:
    """(x - offset) * scale, by columns."""
    offset, scale = _numbers(node, "offset"), _numbers(node, "scale")
    return Made(lambda x: (x - offset.to(x.dtype)) * scale.to(x.dtype), (len(node.shape()),))


@operator(_DOMAIN + "LinearRegressor")
def _linear_regressor(node: OnnxNode) -> Made:
    if node.attribute("post_transform", "NONE") != "NONE":
        raise RefusedNodeError(
            f"with the post_transform '{node.attribute('post_transform')}' is not supported"
        )
    return Made(_scores(node, node.attribute("targets", 1)), (2,))


@operator(_DOMAIN + "SVMRegressor")
def _linear_support_vectors(node: OnnxNode) -> Made:
    """A sum over support vectors, which for the linear kernel is a product with one vector."""
    count, kernel = node.attribute("n_supports", 0), node.attribute("kernel_type", "LINEAR")
    if count and kernel != "LINEAR":
        raise RefusedNodeError(f"has the kernel {kernel}, which is not piecewise affine; instead: LINEAR")
    if node.attribute("one_class", 0) or node.attribute("post_transform", "NONE") != "NONE":
        raise RefusedNodeError("is supported only with its sum as the output")
    row, offset = _numbers(node, "coefficients"), float(node.attribute("rho")[0])
    if count:
        row = row @ _numbers(node, "support_vectors").reshape(count, -1)
    return Made(lambda x: (x @ row.to(x.dtype)).unsqueeze(-1) + offset, (2,))


@operator(_DOMAIN + "LinearClassifier")
def _linear_classifier(node: OnnxNode) -> Made:
    """Place of the largest score, which stands for the label, and scores after what is done to them last."""
    labels = node.attribute("classlabels_ints") or node.attribute("classlabels_strings") or []
    rows = len(node.attribute("coefficients")) // node.shape()[-1]
    scores, last = _scores(node, rows), node.attribute("post_transform", "NONE")
    finish = _LAST.get(last)
    if finish is None:
        raise RefusedNodeError(f"with the post_transform '{last}' is not supported")
    two_sided = rows == 1 and len(labels) == 2

    def run(x: Tensor) -> tuple[Tensor, Tensor]:
        z = scores(x)
        z = finish(torch.cat([-z, z], -1) if two_sided else z)
        return z.argmax(-1), z

    return Made(run, (1, 2))


_LAST: dict[str, Callable[[Tensor], Tensor]] = {
    "NONE": unchanged,
    "LOGISTIC": torch.sigmoid,
    "SOFTMAX": lambda z: torch.softmax(z, -1),
}


def _scores(node: OnnxNode, rows: int) -> Callable[[Tensor], Tensor]:
    """Sums of the columns by the coefficients, a row for each result, and intercepts."""
    matrix = _numbers(node, "coefficients").reshape(rows, -1)
    intercepts = node.attribute("intercepts")
    bias = None if intercepts is None else torch.tensor(intercepts, dtype=torch.float64)
    return lambda x: functional.linear(x, matrix.to(x.dtype), None if bias is None else bias.to(x.dtype))


def _numbers(node: OnnxNode, name: str) -> Tensor:
    return torch.tensor(node.attribute(name), dtype=torch.float64)


@operator(_DOMAIN + "Imputer")
def _imputer(node: OnnxNode) -> Made:
    """Nothing where it stands for missing numbers: an input of real numbers has none."""
    if not np.isnan(node.attribute("replaced_value_float", 0.0)):
        raise RefusedNodeError("replaces one number by another, which is not continuous")
    return Made(unchanged, (len(node.shape()),))


@operator(_DOMAIN + "ArrayFeatureExtractor")
def _array_feature_extractor(node: OnnxNode) -> Made:
    """Columns at constant places."""
    places = node.array(1)
    assert places is not None
    index, rank = torch.from_numpy(places.astype(np.int64).reshape(-1)), max(2, len(node.shape()))
    view, _ = node.along([0]) if len(node.shape()) == 1 else (unchanged, 0)
    return Made(lambda x: view(x).index_select(-1, index), (rank,))


@operator(_DOMAIN + "FeatureVectorizer")
def _feature_vectorizer(node: OnnxNode) -> Made:
    """Tables of columns side by side."""
    inputs = range(len(node.inputs))
    lengths = node.attribute("inputdimensions", [node.shape(i)[-1] for i in inputs])
    if any(len(node.shape(i)) != 2 or node.shape(i)[1] != lengths[i] or not node.active(i) for i in inputs):
        raise RefusedNodeError("is supported only on tables of activations, taken whole")
    return Made(lambda *xs: torch.cat(xs, -1), (2,), tuple(inputs))


@operator(_DOMAIN + "Normalizer")
def _normalizer(node: OnnxNode) -> Made:
    raise RefusedNodeError(
        f"divides by the size of its own input, which is not piecewise affine; "
        f"what enters it can be read: output='{node.proto.input[0]}', --output-name {node.proto.input[0]}"
    )
