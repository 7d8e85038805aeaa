"""Programs put together by hand from torch layers, without tracing."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

from splineviz.program.program import Affine, Gain, Pointwise, Program, Stage
from splineviz.program.state_dicts import Weights


def program_of(*layers: nn.Module, input_shape: tuple[int, ...] | None = None) -> Program:
    """A chain of nn.Linear, nn.ReLU, nn.Hardtanh and nn.Flatten; the input shape can be left out where the
    first is linear."""
    input_shape = (layers[0].in_features,) if input_shape is None else input_shape
    nodes: list[Affine | Pointwise] = []
    stages: list[Stage] = []
    shape = input_shape
    for slot, layer in enumerate(layers):
        place = {
            "name": str(slot),
            "module": str(slot),
            "source": "",
            "inputs": (slot,),
            "output": slot + 1,
            "frees": (slot,),
        }
        if isinstance(layer, nn.Linear):
            nodes.append(_linear(layer, place))
            shape = (layer.out_features,)
        elif isinstance(layer, nn.Flatten):
            nodes.append(
                Affine(
                    **place, run=lambda x: x.flatten(1), linear=lambda x: x.flatten(1), gain=Gain("layout")
                )
            )
            shape = (math.prod(shape),)
        else:
            table = (
                ([0.0], [0.0, 1.0], [0.0, 0.0])
                if isinstance(layer, nn.ReLU)
                else ([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])
            )
            tensors = (torch.tensor(x, dtype=torch.float64).reshape(-1, *[1] * len(shape)) for x in table)
            columns = dict(zip(("breakpoints", "slopes", "intercepts"), tensors, strict=True))
            stages.append(
                Stage(len(stages), str(slot), type(layer).__name__.lower(), shape, len(table[0]), "")
            )
            nodes.append(Pointwise(**place, stage=len(stages) - 1, shape=shape, run=layer, **columns))
    parameters = sum(p.numel() for layer in layers for p in layer.parameters())
    n = len(layers)
    return Program(
        tuple(nodes), tuple(stages), n + 1, n, input_shape, shape, "hand-made", "", parameters, _no_rebind
    )


def random_mlp(*sizes: int, seed: int = 0, hardtanh: bool = False) -> Program:
    """A multi-layer perceptron with torch's own initial weights."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.Hardtanh() if hardtanh else nn.ReLU()]
    return program_of(*layers[:-1], input_shape=(sizes[0],))


def linear(weight: list[list[float]], bias: list[float] | None = None) -> nn.Linear:
    """A layer with the given coefficients."""
    w = torch.tensor(weight, dtype=torch.float64)
    layer = nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(w)
        layer.bias.copy_(torch.zeros(w.shape[0]) if bias is None else torch.tensor(bias))
    return layer


def _linear(layer: nn.Linear, place: dict[str, object]) -> Affine:
    weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
    norm = float(torch.linalg.matrix_norm(weight, 2)) * (1 + 1e-12)
    gain = Gain("dense", norm, weight.norm(dim=1).numpy(), bias.abs().numpy(), terms=layer.in_features + 1)
    return Affine(**place, run=lambda x: x @ weight.T + bias, linear=lambda x: x @ weight.T, gain=gain)  # type: ignore[arg-type]


def _no_rebind(_weights: Weights, _key: str | None) -> Program:
    raise AssertionError("a hand-made program has one set of weights")
