"""Graphs of plain stacks are those of torch.export, and no other modules are taken for plain stacks."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from splineviz.program.feed_forward import feed_forward_graph, is_feed_forward
from splineviz.program.trace import trace

PLAIN = {
    "one layer": (nn.Sequential(nn.Linear(3, 2)), (3,)),
    "layers": (
        nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8, bias=False), nn.ReLU(), nn.Linear(8, 1)),
        (2,),
    ),
    "images": (nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU()), (3, 2, 2)),
    "vectors made flat": (nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.Flatten()), (4,)),
    "no weights": (nn.Sequential(nn.ReLU()), (2, 3)),
    "over the last axis": (nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Flatten(), nn.ReLU()), (3, 4)),
    "names": (nn.Sequential(OrderedDict(fc1=nn.Linear(4, 3), act=nn.ReLU(), input=nn.Linear(3, 3))), (4,)),
    "stacks in stacks": (
        nn.Sequential(
            nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Sequential(nn.Sequential(nn.Linear(3, 2)))
        ),
        (2,),
    ),
    "float64": (nn.Sequential(nn.Linear(2, 3), nn.ReLU()).double(), (2,)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_the_graph_is_that_of_the_exporter(name: str) -> None:
    module, shape = PLAIN[name]
    dtype = next((weight.dtype for weight in module.parameters()), torch.float32)
    assert is_feed_forward(module)
    assert feed_forward_graph(module, shape) == trace(module, torch.zeros(2, *shape, dtype=dtype))


class Own(nn.Linear):
    """A layer of the user's, which may compute anything."""


def _stack() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))


def _shared_weight() -> nn.Module:
    stack = _stack()
    stack[2].weight = stack[0].weight
    return stack


def _shared_layer() -> nn.Module:
    stack = _stack()
    return nn.Sequential(stack[0], nn.ReLU(), stack[0])


def _hooked(attach: Callable[[nn.Module], object]) -> nn.Module:
    stack = _stack()
    attach(stack)
    return stack


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "a layer alone": lambda: nn.Linear(3, 3),
    "nothing": nn.Sequential,
    "a class of the user's": lambda: nn.Sequential(Own(3, 3)),
    "in place": lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True)),
    "flat in part": lambda: nn.Sequential(nn.Flatten(2), nn.Linear(3, 3)),
    "another layer": lambda: nn.Sequential(nn.Linear(3, 3), nn.Tanh()),
    "a shared weight": _shared_weight,
    "a shared layer": _shared_layer,
    "an odd name": lambda: nn.Sequential(OrderedDict({"Fc_1": nn.Linear(3, 3)})),
    "a hook on the stack": lambda: _hooked(lambda m: m.register_forward_hook(lambda *_: None)),
    "a hook on a layer": lambda: _hooked(lambda m: m[1].register_forward_pre_hook(lambda *_: None)),
    "a forward of its own": lambda: _hooked(lambda m: setattr(m[0], "forward", torch.relu)),
    "a buffer": lambda: _hooked(lambda m: m[0].register_buffer("seen", torch.zeros(1))),
    "a parametrization": lambda: _hooked(lambda m: parametrizations.weight_norm(m[0])),
    "a pruned weight": lambda: _hooked(lambda m: prune.identity(m[0], "weight")),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_modules_are_left_to_the_exporter(name: str) -> None:
    assert not is_feed_forward(OTHERS[name]())


def test_a_hook_on_all_modules_leaves_them_to_the_exporter() -> None:
    handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert not is_feed_forward(_stack())
    finally:
        handle.remove()
    assert is_feed_forward(_stack())


def test_a_plain_stack_loads_no_compiler() -> None:
    """Neither does all that the picture of the demo takes load what is slow to load and used for nothing."""
    script = (
        "import sys, splineviz as sv; sv.slice('demo', sv.demo.load_points()).n_linear_regions; "
        "from splineviz.engine import forecast; "
        "print(*({'torch._dynamo', 'sympy', 'scipy.stats'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
