"""Operations that are refused by name: why, and what to take instead."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["JUMPS", "REFUSED", "Refused"]

_NEVER = "is not continuous piecewise affine"
JUMPS = "is not continuous piecewise affine: it jumps"
_LATER = "is piecewise affine, but not supported yet"
_BEND = "relu, leaky_relu or prelu"


@dataclass(frozen=True)
class Refused:
    """Operations that have one thing in common."""

    names: tuple[str, ...]
    reason: str
    """Words that follow the operation's name."""
    instead: str
    """Continuous piecewise-affine operation that does a similar thing; empty if there is none."""
    at_end: bool
    """Whether it may be cut off as the last operation of a network."""

    @property
    def advice(self) -> str:
        """Advice to the user; empty where there is nothing to do."""
        instead = f"instead: {self.instead}" if self.instead else ""
        cut = (
            "as the last operation it can be cut off: --logits, in Python logits=True" if self.at_end else ""
        )
        return "; ".join(part for part in (instead, cut) if part)


def _refused(names: str, reason: str, instead: str = "", *, at_end: bool = False) -> Refused:
    return Refused(tuple(names.split()), reason, instead, at_end)


REFUSED = (
    _refused("gelu silu mish hardswish", _NEVER, _BEND),
    _refused("elu celu selu softplus", _NEVER, _BEND, at_end=True),
    _refused("exp expm1", _NEVER, at_end=True),
    _refused(
        "exp2 log log1p log2 log10 logit sqrt rsqrt reciprocal sin cos tan asin acos sinh cosh",
        _NEVER,
    ),
    _refused("sigmoid", _NEVER, "hardsigmoid", at_end=True),
    _refused("log_sigmoid logsigmoid", _NEVER, "minus relu of minus x", at_end=True),
    _refused("tanh atan erf", _NEVER, "hardtanh", at_end=True),
    _refused("softsign", _NEVER, "hardtanh"),
    _refused("softmax log_softmax _softmax _log_softmax", _NEVER, at_end=True),
    _refused("logsumexp softmin", _NEVER),
    _refused(
        "layer_norm rms_norm group_norm instance_norm local_response_norm native_layer_norm "
        "native_group_norm",
        f"{_NEVER}: it divides by the spread of its own input",
        "batch_norm, which in eval mode divides by constants",
    ),
    _refused(
        "std var std_mean var_mean", f"{_NEVER}: it is the root of squares, or squares", "a mean of abs"
    ),
    _refused(
        "norm linalg_norm linalg_vector_norm linalg_matrix_norm renorm dist cdist _cdist_forward "
        "cosine_similarity pow square float_power",
        f"{_NEVER}: it takes powers",
        "abs, and sums of it, or norms of order 1 or infinity",
    ),
    _refused("lp_pool1d lp_pool2d lp_pool3d", f"{_NEVER}: it takes powers", "avg_pool"),
    _refused(
        "scaled_dot_product_attention multi_head_attention_forward _native_multi_head_attention",
        f"{_NEVER}: it multiplies activations, and its softmax is smooth",
        "a mixing of positions by constant matrices",
    ),
    _refused("glu prod cumprod logcumsumexp", f"{_NEVER}: it multiplies activations"),
    _refused(
        "lstm gru rnn_tanh", f"{_NEVER}: its gates are smooth", "a loop over its steps, with linear and relu"
    ),
    _refused("hardshrink", JUMPS, "softshrink"),
    _refused("round floor ceil trunc fix frac fmod remainder floor_divide bool int", JUMPS),
    _refused("isclose nonzero masked_select", JUMPS, "relu, abs or clamp"),
    _refused("argmax", JUMPS, at_end=True),
    _refused("argmin argsort one_hot embedding bincount searchsorted bucketize", JUMPS),
    _refused("bernoulli rand_like randn_like multinomial normal", "is random"),
    _refused(
        "fractional_max_pool2d fractional_max_pool3d",
        _LATER,
    ),
    _refused(
        "topk", "with sorted=False gives entries in an order that is not defined: leave sorted=False out"
    ),
    _refused(
        "median nanmedian quantile nanquantile", "takes one number of all inputs of the batch: give dim"
    ),
    _refused("addbmm flipud vsplit", "mixes the inputs of the batch"),
    _refused(
        "dot as_strided max_unpool2d max_unpool3d masked_scatter take put as_strided_scatter vstack",
        "may be affine, but is not supported yet",
    ),
    _refused(
        "wrap_with_autocast",
        "(torch.autocast inside forward) rounds to lower precision, which is not continuous",
    ),
)
