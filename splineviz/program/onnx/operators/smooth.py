"""Operators that no program can hold: those of single entries still run, so that the trace refuses them by
name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from onnx import NodeProto
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import (
    OPERATORS,
    Made,
    OnnxNode,
    RefusedNodeError,
    held,
    key_of,
    operator,
    unchanged,
)
from splineviz.program.refusal import why

__all__ = ["refusal_of"]

_ENTRYWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Softplus": functional.softplus,
    "Softsign": functional.softsign,
    "Mish": functional.mish,
    "HardSwish": functional.hardswish,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Log": torch.log,
    "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
}
_ATEN = {
    "LayerNormalization": "layer_norm",
    "RMSNormalization": "rms_norm",
    "GroupNormalization": "group_norm",
    "InstanceNormalization": "instance_norm",
    "MeanVarianceNormalization": "instance_norm",
    "LpNormalization": "norm",
    "LRN": "local_response_norm",
    "Attention": "scaled_dot_product_attention",
    "Swish": "silu",
    "LSTM": "lstm",
    "GRU": "gru",
    "RNN": "rnn_tanh",
    "ReduceL2": "norm",
    "ReduceProd": "prod",
    "ReduceSumSquare": "square",
    "ReduceLogSum": "log",
    "ReduceLogSumExp": "logsumexp",
    "Hardmax": "one_hot",
    "ArgMin": "argmin",
    "Mod": "remainder",
    "OneHot": "one_hot",
    "OneHotEncoder": "one_hot",
    "LabelEncoder": "bucketize",
    "Binarizer": "bucketize",
    "TreeEnsemble": "bucketize",
    "TreeEnsembleClassifier": "bucketize",
    "TreeEnsembleRegressor": "bucketize",
    "SVMClassifier": "exp",
    "GridSample": "grid_sampler",
}
"""Operators without an entry, and what torch calls the like."""
_CONTROL = ("If", "Loop", "Scan")
_QUANTISED = (
    "QuantizeLinear DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul QLinearConv".split()
)


def refusal_of(proto: NodeProto) -> str:
    """Reason why an operator cannot be part of a program; empty if it can."""
    kind = proto.op_type
    if kind in _CONTROL:
        return "chooses what to compute while the network runs, which is not supported"
    if kind in _QUANTISED:
        return (
            "rounds to whole numbers, which is not continuous; instead: the network before it was quantised"
        )
    if kind in _ENTRYWISE or kind in _OF_AXES or kind in _WITH_PARAMETER or kind == "ArgMax":
        return why(kind.lower())
    return "" if key_of(proto) in OPERATORS else why(_ATEN.get(kind, kind.lower()))


def _smooth(node: OnnxNode) -> Made:
    return Made(_ENTRYWISE[node.proto.op_type], (len(node.shape()),))


operator(*_ENTRYWISE)(_smooth)

_OF_AXES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "Softmax": torch.softmax,
    "LogSoftmax": torch.log_softmax,
}


@operator(*_OF_AXES)
def _softmax(node: OnnxNode) -> Made:
    shape, function = node.shape(), _OF_AXES[node.proto.op_type]
    axis = node.axis(node.attribute("axis", -1 if node.opset >= 13 else 1))
    view, shift = node.along([axis])
    if node.opset >= 13 or axis == len(shape) - 1:
        return Made(lambda x: function(view(x), axis + shift), (len(shape),))
    # before opset 13 over all axes from that one on
    last = axis + shift
    return Made(lambda x: function(view(x).flatten(last), last).reshape(view(x).shape), (len(shape),))


@operator("ArgMax")
def _argmax(node: OnnxNode) -> Made:
    if node.attribute("select_last_index", 0):
        raise RefusedNodeError("takes the last of equal entries; splineviz gives ties to the first")
    shape, keep = node.shape(), bool(node.attribute("keepdims", 1))
    axis = node.axis(node.attribute("axis", 0))
    view, shift = node.along([axis])
    left = tuple(1 if i == axis else n for i, n in enumerate(shape) if keep or i != axis)
    return Made(lambda x: view(x).argmax(axis + shift).reshape(-1, *held(left)), (len(left),))


_WITH_PARAMETER = ("Elu", "Selu", "Celu", "Gelu", "Pow")


@operator(*_WITH_PARAMETER)
def _with_parameter(node: OnnxNode) -> Made:
    kind, rank = node.proto.op_type, len(node.shape())
    if kind == "Pow":
        exponent = node.array(1)
        if exponent is None or exponent.size != 1:
            raise RefusedNodeError(why("pow"))
        power = float(exponent.reshape(()))
        if power == 1:
            return Made(unchanged, (rank,))
        return Made(lambda x: torch.pow(x, power), (rank,))
    if kind == "Gelu":
        approximate = node.attribute("approximate", "none")
        return Made(lambda x: functional.gelu(x, approximate=approximate), (rank,))
    if kind == "Selu":
        alpha, gamma = node.attribute("alpha", 1.67326319), node.attribute("gamma", 1.05070102)
        return Made(lambda x: functional.elu(x, alpha) * gamma, (rank,))
    alpha = node.attribute("alpha", 1.0)
    function: Callable[[Tensor, float], Tensor] = functional.elu if kind == "Elu" else functional.celu
    return Made(lambda x: function(x, alpha), (rank,))
