"""Any small network put together from the operation table: the program is the module's own forward pass, with
any weights."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from hypothesis import event, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from splineviz.program import load_program

Shape = tuple[int, int, int]

_LAYERS: dict[str, Callable[[Shape], nn.Module]] = {
    "conv": lambda s: nn.Conv2d(s[0], 2, 3, padding=1),
    "strided": lambda s: nn.Conv2d(s[0], 3, 2, stride=2, padding=1, dilation=1),
    "depthwise": lambda s: nn.Conv2d(s[0], 2 * s[0], (1, 2), padding=(0, 1), groups=s[0], bias=False),
    "transposed": lambda s: nn.ConvTranspose2d(s[0], 2, 3, stride=2, padding=1, output_padding=1),
    "batch norm": lambda s: _used(nn.BatchNorm2d(s[0])),
    "rows": lambda s: nn.Linear(s[2], 3),
    "average pool": lambda s: nn.AvgPool2d(2, stride=1, padding=1, count_include_pad=False),
    "adaptive pool": lambda s: nn.AdaptiveAvgPool2d((2, 3)),
    "nearest": lambda s: nn.Upsample(size=(3, 4)),
    "bilinear": lambda s: nn.Upsample(size=(4, 3), mode="bilinear"),
    "bicubic": lambda s: nn.Upsample(size=(3, 5), mode="bicubic", align_corners=True),
    "pad": lambda s: nn.ReplicationPad2d((1, 0, 0, 1)),
    "constant pad": lambda s: nn.ConstantPad2d((0, 1, 1, 0), 0.5),
    "unshuffle": lambda s: nn.Sequential(
        nn.Upsample(size=(2, 4)), nn.PixelUnshuffle(2), nn.Conv2d(4 * s[0], 2, 1)
    ),
    "shuffle": lambda s: nn.Sequential(nn.Conv2d(s[0], 4, 1), nn.PixelShuffle(2), nn.AvgPool2d(2)),
    "relu": lambda s: nn.ReLU(),
    "relu in place": lambda s: nn.ReLU(inplace=True),
    "leaky relu": lambda s: nn.LeakyReLU(-0.25),
    "prelu": lambda s: nn.PReLU(s[0], init=1.5),
    "hardtanh": lambda s: nn.Hardtanh(-0.5, 1.0),
    "relu6": lambda s: nn.ReLU6(),
    "hardsigmoid": lambda s: nn.Hardsigmoid(),
    "softshrink": lambda s: nn.Softshrink(0.25),
    "rrelu": lambda s: nn.RReLU(),
    "dropout": lambda s: nn.Dropout2d(0.3),
}
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "flip": lambda x: x.flip(-1),
    "roll": lambda x: x.roll(1, 2),
    "transpose": lambda x: x.transpose(2, 3),
    "channels": lambda x: torch.cat([x[:, 1:], -x[:, :1]], 1),
    "every other": lambda x: x[..., ::2],
    "centred": lambda x: x - x.mean((2, 3), keepdim=True),
    "cumulative": lambda x: x.cumsum(2) / 4,
    "triangle": lambda x: x.tril(),
    "doubled": lambda x: x.repeat_interleave(2, 1)[:, : x.shape[1] + 1],
    "clamped": lambda x: x.clamp(-1, 2),
    "halves": lambda x: x.chunk(2, 1)[0],
    "rotated": lambda x: x.rot90(1, (2, 3)),
    "rows gathered": lambda x: x[:, :, [-1, 0]],
    "moments": lambda x: torch.einsum(
        "bchw,hk->bckw", x, torch.arange(2.0 * x.shape[2], dtype=x.dtype).reshape(-1, 2) - 1
    ),
}
_JOINS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "residual": lambda new, old: new + functional.interpolate(old, new.shape[2:])[:, :1],
    "dense": lambda new, old: torch.cat([new, functional.adaptive_avg_pool2d(old, new.shape[2:])], 1),
    "difference": lambda new, old: functional.relu(new) - 2 * old.mean((1, 2, 3), keepdim=True),
}


class Assembled(nn.Module):
    """Steps one after another, each of which may be joined with the value of any step before it; then a
    linear layer."""

    def __init__(self, shape: Shape, steps: list[tuple[str, str, int]], outputs: int) -> None:
        super().__init__()
        self.steps, self.layers = steps, nn.ModuleDict()
        for i, (name, _, _) in enumerate(steps):
            if name in _LAYERS:
                self.layers[str(i)] = _LAYERS[name](self._shape(shape, i))
        flat = self._values(torch.zeros(1, *shape), len(steps))[-1].numel()
        self.last = nn.Linear(flat, outputs)

    def _shape(self, shape: Shape, count: int) -> Shape:
        return tuple(self._values(torch.zeros(1, *shape), count)[-1].shape[1:])

    def _values(self, x: Tensor, count: int) -> list[Tensor]:
        values = [x]
        for i, (name, join, back) in enumerate(self.steps[:count]):
            # a layer in place must not reach what is joined later
            new = self.layers[str(i)](values[-1] + 0) if name in _LAYERS else _FUNCTIONS[name](values[-1])
            values.append(_JOINS[join](new, values[back % len(values)]) if join else new)
        return values

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self._values(x, len(self.steps))[-1].flatten(1))


def _used(norm: nn.BatchNorm2d) -> nn.Module:
    with torch.no_grad():
        for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
            value.copy_(torch.rand(value.shape) + 0.5)
    return norm.eval()


_steps = st.lists(
    st.tuples(
        st.sampled_from([*_LAYERS, *_FUNCTIONS]),
        st.sampled_from(["", "", "", *_JOINS]),
        st.integers(min_value=0, max_value=6),
    ),
    min_size=1,
    max_size=6,
)


@given(_steps, st.integers(0, 2**16), st.integers(1, 3))
def test_the_program_is_the_module(steps: list[tuple[str, str, int]], seed: int, outputs: int) -> None:
    torch.manual_seed(seed)
    module = Assembled((2, 4, 3), steps, outputs).eval()
    other = {
        name: value + 0.1 * torch.randn_like(value) if value.is_floating_point() else value
        for name, value in module.state_dict().items()
    }
    other |= {name: value.abs() + 0.1 for name, value in other.items() if "running_var" in name}
    smooth, ties = torch.randn(5, 2, 4, 3), torch.randint(-2, 3, (5, 2, 4, 3)) / 2
    x = torch.cat([smooth, ties]).double()
    program = load_program(module, input_shape=(2, 4, 3))
    for stage in program.stages:
        event(stage.kind)
    exact = copy.deepcopy(module).double()
    torch.testing.assert_close(program.forward(x), exact(x), rtol=1e-11, atol=1e-11)
    exact.load_state_dict(other)
    torch.testing.assert_close(program.rebind(other).forward(x), exact(x), rtol=1e-11, atol=1e-11)
