"""What cannot be part of a program, and how to say so: all offenders at once, each with its place in the user's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from splineviz.errors import NotPiecewiseAffineError
from splineviz.program.trace import Call

__all__ = ["Offender", "offender", "refusal", "why"]

_NEVER = "is not continuous piecewise affine"
_LATER = "is piecewise affine, but not supported yet"
_UNKNOWN = "is not an operation that splineviz knows to be piecewise affine"

_SMOOTH = """
softmax log_softmax logsumexp softmin gelu silu mish sigmoid log_sigmoid logsigmoid tanh softplus softsign elu celu selu glu erf exp
expm1 log log1p log2 log10 sqrt rsqrt square pow sin cos tan atan asin acos sinh cosh reciprocal norm linalg_vector_norm
linalg_norm renorm layer_norm rms_norm group_norm instance_norm local_response_norm native_layer_norm native_group_norm
cosine_similarity scaled_dot_product_attention multi_head_attention_forward _native_multi_head_attention bmm baddbmm einsum bilinear
lstm gru rnn_tanh var std var_mean std_mean prod cumprod dist cdist hardswish addcmul addcdiv lp_pool2d
""".split()
_JUMPS = """
sign sgn round floor ceil trunc frac fmod remainder heaviside hardshrink threshold gt lt ge le eq ne where argmax argmin
bool int bernoulli floor_divide masked_fill one_hot embedding
""".split()
_PIECEWISE = """
aminmax topk sort median kthvalue cummax cummin hardsigmoid softshrink rrelu rnn_relu
pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im unfold cumsum roll gather scatter index_put take tril triu diagonal
copy fill select_scatter slice_scatter repeat_interleave tile outer dot kron grid_sampler lerp addmv tensordot atleast_1d
atleast_2d vstack dstack
""".split()
_REGIONS = {
    "wrap_with_autocast": "(torch.autocast inside forward) rounds to lower precision, which is not continuous",
    "wrap_with_set_grad_enabled": "(torch.enable_grad or set_grad_enabled inside forward) is not supported yet",
}
_PIECEWISE_KINDS = ("fractional_max_pool", "conv_transpose", "upsample_", "_upsample_")
_LAST = {"softmax": "logits", "log_softmax": "logits", "sigmoid": "logits", "log_sigmoid": "logits", "tanh": "pre-activations"}


@dataclass(frozen=True)
class Offender:
    """One operation that blocks exactness."""

    operation: str
    reason: str
    """Words that follow the operation's name."""
    module: str
    """Path and class of the module that called it; empty at the root."""
    source: str
    """The user's own ``file:line  text``; empty if the call came from torch's containers alone."""

    def __str__(self) -> str:
        place = f" in {self.module}" if self.module else ""
        return f"{self.operation}{place} {self.reason}" + (f"\n      {self.source}" if self.source else "")


def why(op: str) -> str:
    """Why an operation without an entry in the table is refused."""
    if op in _SMOOTH:
        return _NEVER
    if op in _PIECEWISE or op.startswith(_PIECEWISE_KINDS):
        return _LATER
    if op in _JUMPS:
        return f"{_NEVER}: it jumps"
    return _REGIONS.get(op, _UNKNOWN)


def offender(call: Call, reason: str) -> Offender:
    """The offender that a call is."""
    kind = call.module_class.rsplit(".", 1)[-1]
    return Offender(call.op, reason, f"{call.module} ({kind})" if call.module else "", call.source)


def refusal(offenders: Sequence[Offender], last: str) -> NotPiecewiseAffineError:
    """The error that lists every offender; ``last`` is the operation that makes the network's output."""
    count = "an operation that keeps" if len(offenders) == 1 else f"{len(offenders)} operations that keep"
    lines = "".join(f"\n  - {o}" for o in offenders)
    hint = "replace them: relu, leaky_relu, prelu, abs, hardtanh, clamp, relu6 and maximum are supported, and so is pooling"
    if last in _LAST and len(offenders) == 1:
        hint = f"let the model return its {_LAST[last]}: leave out the last {last}"
    return NotPiecewiseAffineError(
        f"the network holds {count} it from being split into linear regions exactly:{lines}",
        offenders=tuple(str(o) for o in offenders),
        hint=hint,
    )
