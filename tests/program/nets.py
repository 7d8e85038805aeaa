"""Small networks, one or more for each operation, that every differential test goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import families


class Call(nn.Module):
    """A function of the input as a module, with tensors it may use as buffers."""

    def __init__(self, function: Callable[[Call, Tensor], Tensor], **buffers: Tensor) -> None:
        super().__init__()
        self.function = function
        for name, value in buffers.items():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


class Residual(nn.Module):
    """A batch-normalised residual block with in-place activations, as in image networks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = (
            nn.Conv2d(2, 2, 3, padding=1, bias=False),
            nn.Conv2d(2, 2, 3, padding=1, bias=False),
        )
        self.bn1, self.bn2 = noisy(nn.BatchNorm2d(2)), noisy(nn.BatchNorm2d(2))
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(self.drop(out)))
        out += x
        return self.relu(out)


class Concatenated(nn.Module):
    """Two branches that read one pre-activation, one of them in place, and a module used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.act, self.last = nn.Linear(4, 4), nn.LeakyReLU(0.25), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc(x)
        both = torch.cat([self.act(h), functional.relu(-h)], dim=1)
        both.relu_()
        return self.last(self.act(both + 0.0))


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]


def noisy(module: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """A batch norm whose statistics and weights are not those of a fresh one."""
    for value in (module.running_mean, module.running_var, module.weight, module.bias):
        with torch.no_grad():
            value.copy_(torch.rand(value.shape) + 0.5)
    return module


def _seed(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def seeded() -> nn.Module:
        torch.manual_seed(0)
        return make().eval()

    return seeded


_V, _M, _I = (4,), (2, 6, 5), (3, 4)
_MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(4, 3), _V),
    "linear on rows": (lambda: nn.Linear(4, 5, bias=False), _I),
    "conv1d": (lambda: nn.Conv1d(3, 2, 2), _I),
    "conv2d": (lambda: nn.Conv2d(2, 3, 3, padding=1), _M),
    "conv2d grouped": (lambda: nn.Conv2d(2, 4, (3, 2), stride=2, dilation=(1, 2), groups=2, bias=False), _M),
    "conv2d same": (lambda: nn.Conv2d(2, 3, (3, 5), padding="same"), _M),
    "conv2d reflect": (lambda: nn.Conv2d(2, 1, 3, padding=2, padding_mode="reflect"), _M),
    "conv2d circular": (lambda: nn.Conv2d(2, 1, 3, padding=1, padding_mode="circular"), _M),
    "batch norm 1d": (lambda: nn.Sequential(nn.Linear(4, 4), noisy(nn.BatchNorm1d(4))), _V),
    "batch norm 2d": (lambda: noisy(nn.BatchNorm2d(2)), _M),
    "batch norm plain": (lambda: nn.BatchNorm2d(2, affine=False), _M),
    "average pool": (lambda: nn.AvgPool2d(2), _M),
    "average pool overlapping": (lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), _M),
    "average pool without padding": (
        lambda: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
        _M,
    ),
    "average pool divisor": (lambda: nn.AvgPool2d(2, divisor_override=3), _M),
    "average pool 1d": (lambda: nn.AvgPool1d(2), _I),
    "adaptive pool": (lambda: nn.AdaptiveAvgPool2d((4, 1)), _M),
    "adaptive pool 1d": (lambda: nn.AdaptiveAvgPool1d(3), _I),
    "dropout": (lambda: nn.Sequential(nn.Dropout(), nn.Linear(4, 2), nn.AlphaDropout(), nn.Identity()), _V),
    "feature dropout": (lambda: nn.Sequential(nn.Dropout2d(), nn.ReLU()), _M),
    "flatten": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 2), nn.Unflatten(1, (2, 1))), _I),
    "zero pad": (lambda: nn.ZeroPad2d((1, 0, 2, 1)), _M),
    "relu": (nn.ReLU, _V),
    "relu in place": (lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True)), _V),
    "leaky relu": (lambda: nn.LeakyReLU(0.1), _M),
    "leaky relu without a kink": (lambda: nn.LeakyReLU(1.0), _V),
    "prelu": (lambda: nn.PReLU(init=-0.5), _V),
    "prelu per channel": (lambda: nn.Sequential(nn.Conv2d(2, 3, 1), nn.PReLU(3)), _M),
    "prelu per feature": (lambda: nn.PReLU(4), _V),
    "hardtanh": (lambda: nn.Hardtanh(-0.5, 2.0), _V),
    "relu6": (lambda: nn.Sequential(nn.ReLU6(), nn.ReLU6(inplace=True)), _V),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), _V),
    "spectral norm": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)), _V),
    "residual": (Residual, _M),
    "concatenated": (Concatenated, _V),
    "identity": (nn.Identity, _V),
}
_row, _table = torch.tensor([0.5, -2.0, 4.0, 0.25]), torch.arange(12.0).reshape(3, 4) - 5.0
_FUNCTIONS: dict[str, tuple[Callable[[Call, Tensor], Tensor], tuple[int, ...]]] = {
    "abs": (lambda m, x: x.abs(), _V),
    "abs in place": (lambda m, x: torch.absolute(x * 1.0).abs_(), _V),
    "functional relu": (lambda m, x: functional.relu(x) - torch.relu(-x) + (x + 0).relu_(), _V),
    "functional leaky relu": (lambda m, x: functional.leaky_relu(x + 0, 0.3, inplace=True), _V),
    "functional hardtanh": (lambda m, x: functional.hardtanh_(x + 0) + functional.relu6(x), _V),
    "functional prelu": (lambda m, x: functional.prelu(x, m.row[:1]), _V),
    "clamp": (lambda m, x: torch.clamp(x, -0.5, 1), _V),
    "clamp one side": (
        lambda m, x: x.clamp(min=0.5) + x.clamp(max=1.5) + x.clamp_min(0.5) + torch.clamp_max(x, -1),
        _V,
    ),
    "clamp in place": (lambda m, x: (x * 2).clamp_(-1, 1).clamp_min_(0).clip_(max=0.5), _V),
    "clamp reversed": (lambda m, x: x.clamp(1.0, -1.0), _V),
    "clamp infinite": (lambda m, x: x.clamp(0.0, float("inf")), _V),
    "clamp tensor": (lambda m, x: torch.clamp(x, m.row - 1, m.row + 1), _I),
    "clamp broadcast": (lambda m, x: torch.maximum(x[:, None], m.table), _V),
    "maximum with constant": (lambda m, x: torch.minimum(torch.maximum(x, m.row), torch.tensor(3.0)), _V),
    "add": (lambda m, x: x + 1 + m.row + m.table + x, _I),
    "add scaled": (lambda m, x: torch.add(x, x.flip(1), alpha=0.5) + torch.add(m.row, x, alpha=-3), _I),
    "sub": (lambda m, x: (2.0 - x) - m.row - (m.table - x), _I),
    "sub activations": (lambda m, x: x.relu() - 3 * x - torch.sub(x, x.abs(), alpha=2) - (-x), _I),
    "rsub": (lambda m, x: torch.rsub(x, 3, alpha=2) + torch.rsub(x, m.row), _I),
    "mul": (lambda m, x: 2 * x * m.row * (x.new_ones(()) * 3) * True, _I),
    "mul in place": (lambda m, x: (x + 0).mul_(2).sub_(1).div_(4).neg_(), _I),
    "div": (lambda m, x: x / 3 / m.row, _I),
    "broadcast": (lambda m, x: x.mean((1, 2), keepdim=True) + x + x[:, :, :1], _I),
    "mean": (lambda m, x: x.mean(dim=(2, 3)).mean(1, keepdim=True), _M),
    "sum": (lambda m, x: x.sum(-1) + torch.sum(x, 2, keepdim=False), _I),
    "matmul": (lambda m, x: x @ m.row + torch.matmul(x, m.table.t()) @ m.row[:3], _I),
    "matmul left": (lambda m, x: m.table @ x.transpose(1, 2), _I),
    "addmm": (
        lambda m, x: torch.addmm(m.row[:3], x, m.table.T, beta=2, alpha=0.5) + torch.mm(x, m.table.T),
        _V,
    ),
    "masked weight": (lambda m, x: functional.linear(x, m.table * (m.table > 0), m.row[:3].exp()), _V),
    "view": (lambda m, x: x.view(x.size(0), -1).reshape(x.shape[0], 2, 6).reshape(-1, 12), _I),
    "permute": (lambda m, x: x.permute(0, 2, 3, 1).transpose(1, -1).swapaxes(2, 3).movedim(1, 3).mT, _M),
    "squeeze": (lambda m, x: x.unsqueeze(1).squeeze(1)[..., None].squeeze(), _V),
    "slice": (lambda m, x: x[:, 1:, ::2, 1:4] + x[..., :1, -3:, 1:4], _M),
    "select": (lambda m, x: x[:, -1] + x.select(2, 1)[:, :1].narrow(1, 0, 1), _I),
    "index": (lambda m, x: x[:, [0, 2, 2]] + x.index_select(1, torch.tensor([1, 1, 0])), _I),
    "split": (lambda m, x: x.split(3, dim=1)[0] + x.split([1, 3], 1)[1], _V),
    "chunk": (
        lambda m, x: torch.cat([p.relu() if i else -p for i, p in enumerate(x.chunk(3, 1))], 1) + x,
        _V,
    ),
    "unbind": (lambda m, x: x.unbind(1)[2] - x.unbind(-1)[0].sum(1, keepdim=True), _I),
    "cat": (lambda m, x: torch.cat([x, x.relu(), x[:, :1]], 1), _M),
    "cat with constants": (
        lambda m, x: torch.cat([m.row.expand(x.size(0), 4), x, torch.ones(x.shape[0], 2)], -1),
        _V,
    ),
    "batch size as a constant": (
        lambda m, x: torch.cat([m.row.expand(len(x), 4), x.reshape(len(x), 4)], 1).relu(),
        (2, 2),
    ),
    "stack": (lambda m, x: torch.stack([x, x.abs(), -x], 2), _I),
    "pad": (
        lambda m, x: functional.pad(x, (1, 2), value=3.0) + functional.pad(x, (0, 3), mode="replicate"),
        _I,
    ),
    "expand": (lambda m, x: x[:, None].expand(-1, 3, -1) + x[:, None].repeat(1, 3, 1), _V),
    "casts": (lambda m, x: x.contiguous().clone().to(torch.float64).detach().type_as(x), _V),
    "dropout functional": (lambda m, x: functional.dropout(x, 0.5, m.training) + 1, _V),
    "scalar per input": (lambda m, x: x.sum(1).relu(), _V),
    "read after a write in place": (lambda m, x: _written(x), _V),
    "zeros like": (lambda m, x: torch.cat([x, torch.zeros_like(x.softmax(1))], 1), _V),
}


def _written(x: Tensor) -> Tensor:
    h = x * 2
    g = h.detach()
    functional.relu_(g)
    return h + 1


def _call(function: Callable[[Call, Tensor], Tensor]) -> Callable[[], nn.Module]:
    return lambda: Call(function, row=_row, table=_table)


CASES = [
    Case(name, _seed(make), shape) for name, (make, shape) in (*_MODULES.items(), *families.MODULES.items())
]
CASES += [
    Case(name, _seed(_call(function)), shape)
    for name, (function, shape) in (*_FUNCTIONS.items(), *families.FUNCTIONS.items())
]
