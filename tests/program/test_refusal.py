"""What is refused, and in which words."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from splineviz.errors import InputError, NotPiecewiseAffineError
from splineviz.program import blockers, load_program
from splineviz.program.operations import GATES, OPERATIONS
from splineviz.program.refusal import why
from splineviz.program.refused import REFUSED as GROUPS

from .nets import Call, noisy

torch.set_num_threads(1)


class Blocked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool, self.norm = nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.LayerNorm(8)
        self.block = nn.Sequential(nn.Linear(8, 8), nn.GELU())
        self.unused = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.pool(self.conv(x)).flatten(1))
        self.unused(h)
        h = self.block(h) * torch.sigmoid(h)
        return functional.softmax(h, dim=1)


def line_of(text: str) -> str:
    lines, first = inspect.getsourcelines(Blocked)
    return f"{__file__}:{first + next(i for i, line in enumerate(lines) if text in line)}"


def test_all_offenders_are_listed_at_once_with_module_and_source() -> None:
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(Blocked().eval(), input_shape=(1, 6, 6))
    error = caught.value
    norm, gelu, sigmoid, product, softmax = error.offenders
    assert norm.startswith("layer_norm in norm (LayerNorm) is not continuous piecewise affine")
    assert gelu.startswith("gelu in block.1 (GELU) is not continuous piecewise affine")
    assert sigmoid.startswith("sigmoid is not continuous piecewise affine")
    assert product.startswith("mul multiplies two activations, which is not piecewise affine")
    assert softmax.startswith("softmax is not continuous piecewise affine")
    assert f"{line_of('self.pool(self.conv')}  h = self.norm(self.pool(self.conv(x)).flatten(1))" in norm
    assert line_of("self.block(h)") in gelu
    assert line_of("self.block(h)") in product
    assert f"{line_of('softmax')}  return functional.softmax(h, dim=1)" in softmax
    assert error.exit_code == 3
    assert str(error).startswith(
        "the network holds 5 operations that keep it from being split into linear regions exactly:\n  - layer"
    )
    assert not any("tanh" in offender for offender in error.offenders), (
        "only operations between input and output count"
    )


def test_a_last_softmax_is_told_to_go() -> None:
    with pytest.raises(
        NotPiecewiseAffineError, match=r"holds an operation .*\n.*softmax in 1 \(Softmax\)"
    ) as caught:
        load_program(nn.Sequential(nn.Linear(3, 3), nn.Softmax(1)))
    assert caught.value.hint == "logits=True cuts off the last softmax and takes what enters it as the output"


def test_blockers_are_found_without_raising() -> None:
    found = blockers(Blocked().eval(), input_shape=(1, 6, 6))
    assert [o.operation for o in found] == ["layer_norm", "gelu", "sigmoid", "mul", "softmax"]
    assert found[1].module == "block.1 (GELU)"
    assert blockers(nn.Linear(3, 2)) == ()


NEVER, LATER = "is not continuous piecewise affine", "is piecewise affine, but not supported yet"
REFUSED: dict[str, tuple[Callable[[Call, Tensor], Tensor], str]] = {
    "silu": (lambda m, x: functional.silu(x), NEVER),
    "tanh": (lambda m, x: x.tanh(), NEVER),
    "hardswish": (lambda m, x: functional.hardswish(x), NEVER),
    "sign": (lambda m, x: x.sign(), "sign is not continuous piecewise affine: it jumps by 2"),
    "comparison": (lambda m, x: (x > 0).to(x.dtype), "gt is not continuous piecewise affine: it jumps"),
    "square": (lambda m, x: x * x, "multiplies two activations"),
    "outer": (lambda m, x: x.unsqueeze(2) @ x.unsqueeze(1), "multiplies two activations"),
    "attention": (lambda m, x: functional.scaled_dot_product_attention(*[x[:, None]] * 3), NEVER),
    "quotient": (lambda m, x: 1 / (x + 10), "(reciprocal is not continuous|divides by an activation)"),
    "floor division": (
        lambda m, x: torch.div(x, 2, rounding_mode="floor"),
        "rounds, which is not continuous",
    ),
    "half": (lambda m, x: x.half().float(), "to rounds to float16"),
    "hardshrink": (lambda m, x: functional.hardshrink(x), "it jumps; instead: softshrink"),
    "threshold": (
        lambda m, x: functional.threshold(x, 0.5, 0.0),
        r"threshold jumps from 0 to 0\.5 at its threshold",
    ),
    "sigmoid": (
        lambda m, x: 2 * x.sigmoid(),
        "sigmoid is not continuous piecewise affine; instead: hardsigmoid; as the last operation it can be",
    ),
    "rounding": (lambda m, x: x.round(), "round is not continuous piecewise affine: it jumps"),
    "whole numbers": (lambda m, x: x.int() * 1.0, "to rounds to int32, which is not continuous"),
    "layer norm": (
        lambda m, x: functional.layer_norm(x, (4,)),
        "layer_norm .* divides by the spread .* instead: batch_norm",
    ),
    "group norm": (
        lambda m, x: functional.group_norm(x, 2),
        "group_norm is not continuous piecewise affine: it divides",
    ),
    "instance norm": (
        lambda m, x: functional.instance_norm(x[:, None]),
        "instance_norm is not continuous piecewise affine",
    ),
    "modulus": (
        lambda m, x: torch.fft.rfft(x).abs(),
        "abs of complex numbers is a root of squares, .* instead: abs of",
    ),
    "argument": (
        lambda m, x: torch.fft.rfft(x).angle(),
        "angle of complex numbers is not continuous .* instead: ",
    ),
    "square of a spectrum": (
        lambda m, x: torch.fft.rfft(x).pow(2).real,
        "pow is not supported on complex numbers: take",
    ),
    "spectra multiplied": (
        lambda m, x: (torch.fft.rfft(x) * torch.fft.rfft(x)).imag,
        "multiplies two activations",
    ),
    "transform of the batch": (
        lambda m, x: torch.fft.fft(x, dim=0).real,
        "mixes the inputs of the batch: give dim",
    ),
    "imaginary parts dropped": (lambda m, x: torch.fft.fft(x).to(x.dtype), "drops imaginary parts: take"),
    "einsum of two": (lambda m, x: torch.einsum("bi,bi->b", x, x), "multiplies two activations"),
    "einsum over the batch": (
        lambda m, x: x + torch.einsum("bi->i", x),
        "einsum mixes the inputs of the batch",
    ),
    "addcmul of two": (lambda m, x: torch.addcmul(m.row, x, x), "addcmul multiplies two activations"),
    "lerp by an activation": (
        lambda m, x: torch.lerp(m.row, m.row + 1, x),
        "lerp multiplies two activations",
    ),
    "index by the first input": (
        lambda m, x: x + x[torch.zeros(len(x), dtype=torch.int64), 1:2],
        "index (takes some|mixes the) inputs of the batch",
    ),
    "number of an input": (
        lambda m, x: x + torch.arange(len(x))[:, None],
        "add reads the place of each input in its batch",
    ),
    "rolled batch": (lambda m, x: x + x.roll(1), "roll mixes the inputs of the batch"),
    "cumulative batch": (lambda m, x: x.cumsum(0), "cumsum mixes the inputs of the batch"),
    "random leaky relu": (lambda m, x: functional.rrelu(x, training=True), "rrelu is random"),
    "topk": (lambda m, x: x.topk(2, sorted=False).values, "topk with sorted=False gives entries in an order"),
    "argmax": (
        lambda m, x: x.argmax(1, keepdim=True) + 0.0,
        "argmax is not continuous piecewise affine: it jumps",
    ),
    "max places": (
        lambda m, x: x.max(1).indices + 0.0,
        "max gives the place of the largest value, which jumps",
    ),
    "max of all": (lambda m, x: x - x.max(), "max mixes the inputs of the batch"),
    "max over the batch": (lambda m, x: x - x.amax(0), "amax mixes the inputs of the batch"),
    "batch mean": (lambda m, x: x - x.mean(0), "mean mixes the inputs of the batch"),
    "batch axis": (
        lambda m, x: x.permute(1, 0).cumsum(1).relu().permute(1, 0),
        "permute mixes the inputs of the batch, or moves",
    ),
    "batch sum": (lambda m, x: x + x.sum(), "sum mixes the inputs of the batch"),
    "batch slice": (lambda m, x: x + x[:1], "slice (takes some|mixes the) inputs of the batch"),
    "batch size": (lambda m, x: x * x.shape[0], "uses the number of inputs in the batch as a value"),
    "random": (lambda m, x: functional.dropout(x), "dropout is random: it is called with training=True"),
    "unknown": (
        lambda m, x: torch.special.i0(x),
        "i0 is not an operation that splineviz knows to be piecewise affine",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    function, words = REFUSED[name]
    with pytest.raises(NotPiecewiseAffineError, match=words) as caught:
        load_program(Call(function, row=torch.tensor([0.5, -2.0, 4.0, 0.25])), input_shape=4)
    assert len(caught.value.offenders) == 1
    assert f"{inspect.getsourcefile(Call)}:" in str(caught.value)


def _mixing(m: Call, x: Tensor) -> Tensor:
    h = x + 1
    h.view(4 * x.shape[0])[:4] = 0
    return h * 2


def test_a_write_through_a_view_that_mixes_the_inputs() -> None:
    with pytest.raises(NotPiecewiseAffineError, match="memory that is read again through another view"):
        load_program(Call(_mixing), input_shape=4)


def test_batch_norm_without_running_statistics() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, track_running_stats=False)).eval()
    with pytest.raises(
        NotPiecewiseAffineError, match=r"batch_norm in 1 .* normalises by the statistics of the batch"
    ):
        load_program(model)


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if float(x.detach().sum()) > 0 else x.relu()


class Hidden(nn.Module):
    """Branches where the exporter cannot see it."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        Hidden.calls += 1
        return x * (1 + Hidden.calls)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.calls.add_(1)
        return x + 1


class Autocast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad(), torch.autocast("cpu"):
            return x.relu()


def test_lower_precision_inside_forward_is_refused() -> None:
    with pytest.raises(
        NotPiecewiseAffineError, match=r"torch\.autocast inside forward\) rounds to lower precision"
    ) as caught:
        load_program(Autocast(), input_shape=3)
    assert "return x.relu()" in str(caught.value)
    assert len(caught.value.offenders) == 1


def _training() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())


def _with(value: float) -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    with torch.no_grad():
        model[0].weight[1, 2] = value
    return model


class Output(nn.Module):
    def __init__(self, kind: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> object:
        return self.kind(x)


BAD: dict[str, tuple[Callable[[], object], int | tuple[int, ...] | None, str, str]] = {
    "training": (
        _training,
        None,
        r"in training mode.*: 1 \(BatchNorm1d\), 2 \(Dropout\)",
        "call model.eval()",
    ),
    "half": (
        lambda: nn.Linear(3, 2).half(),
        None,
        r"half precision: weight \(float16\), bias \(float16\)",
        "float32",
    ),
    "bfloat16": (
        lambda: nn.Linear(3, 2, bias=False).bfloat16(),
        None,
        r"half precision: weight \(bfloat16\)",
        "float32",
    ),
    "complex layer": (lambda: nn.Linear(3, 2, dtype=torch.complex64), None, "must have the same dtype", ""),
    "complex output": (lambda: Output(torch.fft.rfft), 3, "the output of the model is complex", ".real"),
    "complex nan": (
        lambda: (
            nn.Linear(3, 2, dtype=torch.complex64)
            .requires_grad_(False)
            .apply(lambda m: m.weight.fill_(torch.nan))
        ),
        None,
        "NaN or infinite weights: weight",
        "checkpoint",
    ),
    "nan": (lambda: _with(float("nan")), None, "NaN or infinite weights: 0.weight", "checkpoint"),
    "infinite": (lambda: _with(float("-inf")), None, "NaN or infinite weights: 0.weight", "checkpoint"),
    "lazy": (lambda: nn.LazyLinear(3), 3, "weights without values: weight, bias", "once"),
    "shape needed": (lambda: nn.Conv2d(1, 2, 3), None, "shape of one input is needed", "input_shape"),
    "shape wrong": (
        lambda: nn.Linear(3, 2),
        (4,),
        r"does not take inputs of shape \(4,\).*mat1 and mat2",
        "without the batch",
    ),
    "shape odd": (lambda: nn.Linear(3, 2), (0,), "positive whole numbers", ""),
    "tuple": (lambda: Output(lambda x: (x, x)), 3, "must return one tensor, got tuple of 0, 1", "output=0"),
    "dict": (
        lambda: Output(lambda x: {"logits": x}),
        3,
        "must return one tensor, got dict of 'logits'",
        "output='logits'",
    ),
    "scalar": (lambda: Output(lambda x: x.sum()), 3, "one row per input", ""),
    "constant": (lambda: Output(lambda x: torch.zeros(x.shape[0], 2)), 3, "does not depend on its input", ""),
    "branch": (Branching, 3, "cannot be traced", "branch"),
    "fake quantisation": (
        lambda: Output(lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, -128, 127)),
        3,
        "cannot be traced: UnsupportedOperatorException: aten.fake_quantize",
        "disable_fake_quant",
    ),
    "hidden state": (
        Hidden,
        3,
        "the trace does not reproduce the module: outputs differ by",
        "fixed function",
    ),
    "baked batch": (
        lambda: Output(lambda x: x.view(2, 4).relu()),
        4,
        "one fixed number of inputs only",
        "-1",
    ),
    "loop over batch": (
        lambda: Output(lambda x: torch.stack([r.relu() + i for i, r in enumerate(x)])),
        4,
        "for two inputs than for three",
        "loops",
    ),
    "division by zero": (
        lambda: Output(lambda x: x / torch.tensor([1.0, 0.0])),
        2,
        "not finite: a division by zero",
        "",
    ),
    "no model": (
        lambda: {"weight": torch.ones(2)},
        2,
        "'module:factory', an .onnx or .pt2 file or 'demo', got dict",
        "weights",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    make, shape, words, hint = BAD[name]
    with pytest.raises(InputError, match=words) as caught:
        load_program(make(), input_shape=shape)  # type: ignore[arg-type]
    assert caught.value.exit_code == 4
    assert hint in (caught.value.hint or "")
    assert len(caught.value.message) < 400


def test_a_model_without_training_behaviour_is_taken_in_either_mode_and_left_so() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.0), nn.ReLU())
    model[2].eval()
    load_program(model)
    assert [m.training for m in model.modules()] == [True, True, True, False]


def test_the_module_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 3), noisy(nn.BatchNorm1d(3)), nn.ReLU(), Counting()).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    load_program(model)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(
        torch.equal(value, before[name]) and value.dtype == before[name].dtype
        for name, value in model.state_dict().items()
    )
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_no_operation_is_refused_for_two_reasons() -> None:
    names = [name for group in GROUPS for name in group.names]
    assert len(names) == len(set(names))
    assert not set(names) & {*OPERATIONS, *GATES}


ADVISED = "gelu silu mish elu celu selu softplus hardswish sigmoid tanh hardshrink"


@pytest.mark.parametrize("name", ADVISED.split())
def test_what_is_advised_is_supported(name: str) -> None:
    advice = why(name).partition("instead: ")[2].split(";")[0]
    names = advice.replace(",", " ").replace(" or ", " ").split()
    assert names and set(names) <= set(OPERATIONS)
