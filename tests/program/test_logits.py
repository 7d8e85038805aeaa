"""Cutting off the softmax or sigmoid at the end of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.errors import NotPiecewiseAffineError, SplinevizError
from splineviz.program import blockers, describe, load_program
from splineviz.program.refusal import why
from splineviz.program.refused import REFUSED

from .nets import Call

torch.set_num_threads(1)


def _body(outputs: int) -> list[nn.Module]:
    return [nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, outputs)]


LAST = {
    "softmax": (nn.Softmax(1), 4),
    "log_softmax": (nn.LogSoftmax(-1), 4),
    "sigmoid": (nn.Sigmoid(), 1),
    "log_sigmoid": (nn.LogSigmoid(), 2),
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_operation_is_cut_off_and_told(name: str) -> None:
    last, outputs = LAST[name]
    torch.manual_seed(0)
    model = nn.Sequential(*_body(outputs), last)
    program, x = load_program(model, logits=True), torch.randn(5, 3, dtype=torch.float64)
    assert program.cut_off == f"{name} in 3 ({type(last).__name__})"
    assert program.info.cut_off == describe(program).cut_off == program.cut_off
    torch.testing.assert_close(program.forward(x), model[:3].double()(x), rtol=1e-12, atol=1e-12)
    assert (
        program.fidelity is not None
        and program.fidelity.float64 is not None
        and program.fidelity.float64 < 1e-12
    )
    assert blockers(model.float(), logits=True) == ()
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(model)
    assert caught.value.hint == f"logits=True cuts off the last {name} and takes what enters it as the output"


CHOICES: dict[str, Callable[[Tensor], Tensor]] = {
    "argmax": lambda x: x.argmax(-1),
    "argmax kept": lambda x: x.argmax(1, keepdim=True),
    "max": lambda x: x.max(1).indices,
    "topk": lambda x: x.topk(1).indices.squeeze(1),
    "argmax of softmax": lambda x: x.softmax(1).argmax(1),
    "argmax as a number": lambda x: x.argmax(1).to(torch.float32),
}


@pytest.mark.parametrize("name", CHOICES)
def test_the_choice_of_the_largest_is_cut_off(name: str) -> None:
    torch.manual_seed(0)
    model = Call(lambda m, x: CHOICES[name](m.body(x)))
    model.body = nn.Sequential(*_body(4))
    program, x = load_program(model, input_shape=3, logits=True), torch.randn(50, 3, dtype=torch.float64)
    last = "argmax" if name == "topk" else name.split(maxsplit=1)[0]
    assert (program.cut_off or "").endswith(last)
    assert ("softmax" in (program.cut_off or "")) == ("softmax" in name)
    torch.testing.assert_close(program.forward(x), model.body.double()(x), rtol=1e-12, atol=1e-12)
    assert program.fidelity is not None and program.fidelity.float64 == 0
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(model.float(), input_shape=3)
    assert f"cuts off the last {last}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "choose",
    [
        lambda x: x.argmax(),
        lambda x: x.argmax(0),
        lambda x: x.topk(2).indices,
        lambda x: x.topk(1, largest=False).indices,
    ],
)
def test_other_choices_stay_refused(choose: Callable[[Tensor], Tensor]) -> None:
    model = Call(lambda m, x: choose(m.body(x)).expand(len(x)) if choose(x).dim() == 0 else choose(m.body(x)))
    model.body = nn.Sequential(*_body(2))
    with pytest.raises(SplinevizError):
        load_program(model, input_shape=3, logits=True)


def test_all_that_can_be_cut_off_is_said_to_be() -> None:
    said = {name for group in REFUSED if group.at_end for name in group.names}
    assert set(LAST) <= said
    assert all("--logits" in why(name) for name in said)


class Scaled(nn.Module):
    """An actor whose buffers bring its actions to their range."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(*_body(2))
        self.register_buffer("scale", torch.tensor([scale, 2.0]))
        self.register_buffer("bias", torch.tensor([0.5, -1.0]))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).tanh() * (2 * self.scale) + self.bias


ENDS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "tanh": (lambda x: x.tanh(), "tanh"),
    "softplus": (nn.functional.softplus, "softplus"),
    "elu": (nn.functional.elu, "elu"),
    "exp": (lambda x: x.exp(), "exp"),
    "three sigmoids": (lambda x: 3 * torch.sigmoid(x), "sigmoid, then mul"),
    "shifted": (lambda x: (torch.tanh(x) + 1) / 2, "tanh, then add, then div"),
    "pixels": (lambda x: x.sigmoid() * 255 - 1, "sigmoid, then mul, then sub"),
    "from the left": (lambda x: 1.0 + 2.0 * x.tanh(), "tanh, then mul, then add"),
    "reshaped": (lambda x: (x.unsqueeze(-1).tanh() * 2).flatten(1), "tanh, then mul"),
    "scaled probabilities": (lambda x: 100 * x.softmax(1), "softmax, then mul"),
    "sigmoid of tanh": (lambda x: x.tanh().sigmoid(), "tanh, then sigmoid"),
    "exp of log_softmax": (lambda x: x.log_softmax(1).exp(), "log_softmax, then exp"),
}


@pytest.mark.parametrize("name", ENDS)
def test_increasing_ends_are_cut_off_with_what_scales_them(name: str) -> None:
    end, said = ENDS[name]
    torch.manual_seed(0)
    model = Call(lambda m, x: end(m.body(x)))
    model.body = nn.Sequential(*_body(2))
    program, x = load_program(model, input_shape=3, logits=True), torch.randn(5, 3, dtype=torch.float64)
    assert program.cut_off == said
    assert program.fidelity is not None and (program.fidelity.float64 or 0) < 1e-9
    torch.testing.assert_close(program.forward(x), model.body.double()(x), rtol=1e-12, atol=1e-12)
    assert sv.local_complexity(program, x, radius=0.1, directions=2).counts.shape[-1] == 1


def test_weights_that_scale_the_end() -> None:
    torch.manual_seed(0)
    model, x = Scaled(3.0).eval(), torch.randn(5, 3)
    program = load_program(model, logits=True)
    assert program.cut_off == "tanh, then mul, then add"
    with torch.no_grad():
        torch.testing.assert_close(program.forward(x.double()).float(), model.body(x))
    assert blockers(Scaled(-3.0).eval(), logits=True)[0].operation == "tanh", (
        "it turns larger and smaller round"
    )


@pytest.mark.parametrize(
    "end",
    [
        lambda x: 1 - x.sigmoid(),
        lambda x: -x.tanh(),
        lambda x: x.tanh() * -2,
        lambda x: x.tanh() + x,
        lambda x: x.sigmoid().relu() + x.sigmoid(),
        lambda x: x.tanh() @ torch.ones(2, 2),
        lambda x: x.tanh().sum(1),
        lambda x: nn.functional.elu(x, alpha=-1.0),
        lambda x: 1 / (1 + x.exp()),
    ],
)
def test_ends_that_exchange_or_mix_entries_are_left(end: Callable[[Tensor], Tensor]) -> None:
    model = Call(lambda m, x: end(m.body(x)))
    model.body = nn.Sequential(*_body(2))
    assert blockers(model.eval(), input_shape=3, logits=True)


def test_other_weights_stay_without_it() -> None:
    model, other = (nn.Sequential(*_body(4), nn.Softmax(1)) for _ in range(2))
    program = load_program(model, logits=True).rebind(other.state_dict())
    x = torch.randn(5, 3)
    assert program.cut_off == "softmax in 3 (Softmax)"
    torch.testing.assert_close(program.forward(x.double()).float(), other[:3](x))


def test_a_reshape_after_a_sigmoid_stays() -> None:
    torch.manual_seed(0)
    body = nn.Sequential(*_body(1))
    model = Call(lambda m, x: m.body(x).sigmoid().squeeze(1).clone())
    model.body = body
    program = load_program(model, input_shape=3, logits=True)
    assert program.output_shape == ()
    assert program.cut_off == "sigmoid"


def test_only_the_end_is_cut_off() -> None:
    middle = nn.Sequential(nn.Linear(3, 3), nn.Softmax(1), nn.Linear(3, 2), nn.Softmax(1))
    assert [o.operation for o in blockers(middle, logits=True)] == ["softmax"]
    across = nn.Sequential(nn.Linear(3, 3), nn.Softmax(0))
    assert [o.operation for o in blockers(across, logits=True)] == ["softmax"]
    shaped = nn.Sequential(nn.Linear(3, 4), nn.Softmax(1), nn.Unflatten(1, (2, 2)))
    assert [o.operation for o in blockers(shaped, logits=True)] == ["softmax"]


def test_a_network_that_returns_logits_is_left_alone() -> None:
    model = nn.Sequential(*_body(4))
    assert load_program(model, logits=True).cut_off is None
    assert load_program(model, logits=True).digest == load_program(model).digest


def test_several_offenders_are_listed_with_the_way_out_for_the_last() -> None:
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Softmax(1)))
    assert len(caught.value.offenders) == 2
    assert (caught.value.hint or "").endswith("cuts off the last softmax")


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid(), nn.LogSigmoid()], ids=repr)
def test_estimators_see_the_network_without_its_end(end: nn.Module) -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3)).eval()
    whole, points = nn.Sequential(*body, end).eval(), np.random.default_rng(0).standard_normal((20, 2))
    cut, plain = load_program(whole, logits=True), load_program(body)
    how: dict[str, Any] = {"radius": 0.2, "directions": 2}
    np.testing.assert_array_equal(
        sv.local_complexity(cut, points, **how).counts, sv.local_complexity(plain, points, **how).counts
    )
