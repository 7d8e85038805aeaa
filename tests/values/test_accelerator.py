"""Products on an accelerator: the same cells, proofs that hold, and layers that stay on the CPU where they
could not.

The CPU stands in for one wherever there is none, trips and all.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.engine.arrange import arrange_with
from splineviz.engine.budget import Budget
from splineviz.errors import InputError
from splineviz.program.program import Affine
from splineviz.values import accelerator
from splineviz.values.accelerator import Accelerator
from splineviz.values.propagation import Propagator
from tests.engine.referee import Referee
from tests.engine.same import assert_equal_cells, assert_identical
from tests.engine.test_batches import BOX, FAMILY, Request, dense, request_of, residual, whole
from tests.oracles.harness import small_as_large

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
SMALL = 48  # values of a trip, fewer than a row of some layers has
MANY = 5_000_000  # bytes that make many batches of the largest request, and do not cut its stages by groups


class Mixed(nn.Module):
    """Layers of all kinds that multiply by weights, and some that do not."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.norm = nn.ConvTranspose2d(1, 2, 3, 2, 1), nn.BatchNorm2d(2)
        self.grouped, self.point = nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.Conv2d(4, 3, 1, bias=False)
        self.line, self.last = nn.Conv1d(3, 4, 3), nn.Linear(4, 3)
        nn.init.uniform_(self.norm.weight, -1.5, 1.5)
        self.mixing = nn.Parameter(torch.randn(9, 5))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.up(x)))
        x = torch.relu(self.point(self.grouped(x))).mean(2)
        x = torch.relu(self.line(torch.einsum("bcn,nm->bcm", x, self.mixing)))
        return self.last(nn.functional.avg_pool1d(x, 3).flatten(1))


class Summed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 7))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bnc,cd->bd", x, self.weight)


def mixed() -> Request:
    plane = sv.Plane.at(np.random.default_rng(0).normal(size=(1, 5, 5)))
    return sv.load_program(Mixed().eval(), input_shape=(1, 5, 5)), [plane], [sv.Window.diamond(1.5)]


def accelerated(
    make: Callable[[], Request], device: str, max_memory: int = 1 << 32, jobs: int = 1
) -> sv.Arrangement:
    program, planes, window = request_of(make)
    propagator = Propagator(accelerator=Accelerator(torch.device(device)))
    return arrange_with(propagator, Budget.of(max_memory, None, None, jobs), program, planes, window)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_TRIP", SMALL)


def taken(make: Callable[[], Request], device: str) -> list[str]:
    """Names of the nodes that run there."""
    program, there, shapes = (
        request_of(make)[0],
        Accelerator(torch.device(device)),
        shapes_of(request_of(make)[0]),
    )
    affine = [node for node in program.nodes if isinstance(node, Affine)]
    return [
        node.name for node in affine if len(node.inputs) == 1 and there.product(node, shapes[node.inputs[0]])
    ]


def shapes_of(program: sv.Program) -> dict[int, tuple[int, ...]]:
    slots = {0: torch.zeros(1, *program.input_shape, dtype=torch.float64)}
    for node in program.nodes:
        slots[node.output] = node.run(*(slots[i] for i in node.inputs))
    return {slot: tuple(value.shape[1:]) for slot, value in slots.items()}


@pytest.mark.parametrize("device", DEVICES)
def test_what_multiplies_by_weights_runs_there(device: str) -> None:
    assert taken(mixed, device) == ["conv_transpose2d", "conv2d", "conv2d", "einsum", "conv1d", "linear"]
    assert taken(residual, device) == ["conv2d", "conv2d", "linear"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", [*FAMILY, mixed], ids=lambda make: make.__name__)
def test_the_same_cells_in_one_batch_and_in_many(make: Callable[[], Request], device: str) -> None:
    one, many = accelerated(make, device), accelerated(make, device, MANY if make is mixed else 60_000)
    assert one.stats.batches == 1 < many.stats.batches
    for arr in (one, many):
        arr.check()
        assert_equal_cells(arr, whole(make))
    assert one.stats.undecided == whole(make).stats.undecided


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", [residual, mixed], ids=lambda make: make.__name__)
def test_workers_share_it(make: Callable[[], Request], device: str) -> None:
    assert_identical(accelerated(make, device, MANY, jobs=3), accelerated(make, device, MANY))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", [residual, mixed, FAMILY[0]], ids=lambda make: make.__name__)
def test_bounds_hold_for_what_comes_from_there(
    make: Callable[[], Request], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_as_large():
        referee = Referee(monkeypatch, sample=200)
        accelerated(make, device)
    assert referee.seen > 1000


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("trip", [SMALL, 1 << 20])
def test_a_row_alone_is_the_same_to_the_last_bit(
    device: str, trip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerator, "_TRIP", trip)
    program, shapes = request_of(mixed)[0], shapes_of(request_of(mixed)[0])
    there = Accelerator(torch.device(device))
    for node in program.nodes:
        product = (
            there.product(node, shapes[node.inputs[0]])
            if isinstance(node, Affine) and len(node.inputs) == 1
            else None
        )
        if product is None:
            continue
        x = torch.randn(50, *shapes[node.inputs[0]], dtype=torch.float64)
        out = product.into(x, torch.full((50, *shapes[node.output]), torch.nan, dtype=torch.float64))
        alone = product.alone(x)
        for result in (out, alone):
            np.testing.assert_allclose(result, node.run(x), rtol=1e-12, atol=1e-12)
        for rows in (slice(0, 1), slice(7, 50), slice(49, 50)):
            assert torch.equal(product.alone(x[rows]), alone[rows])


def fourier(x: Tensor, kernel: Tensor) -> Tensor:
    """A convolution of length 3, padding 1, by products of frequencies."""
    n = x.shape[-1] + 4
    spectrum = torch.einsum("bcf,ocf->bof", torch.fft.rfft(x, n), torch.fft.rfft(kernel.flip(-1), n))
    return torch.fft.irfft(spectrum, n)[..., 1 : x.shape[-1] + 1]


def winograd(x: Tensor, kernel: Tensor) -> Tensor:
    """The same by Winograd's F(2, 3), which adds entries before it multiplies."""
    tiles = nn.functional.pad(x, (1, 1)).unfold(-1, 4, 2)  # (b, c, t, 4)
    a, b, c, d = tiles.unbind(-1)
    f, g, h = kernel.unbind(-1)
    data = torch.stack([a - c, b + c, c - b, b - d])
    weights = torch.stack([f, (f + g + h) / 2, (f - g + h) / 2, h])
    p, q, r, s = torch.einsum("kbct,koc->kbot", data, weights).unbind(0)
    return torch.stack([p + q + r, q - r - s], -1).flatten(-2)


def rounded(x: Tensor, kernel: Tensor) -> Tensor:
    return nn.functional.conv1d(x.float(), kernel.float(), padding=1).double()


@pytest.mark.parametrize("other", [fourier, winograd, rounded])
def test_a_layer_that_a_library_does_not_sum_up_plainly_stays_on_the_cpu(
    other: Callable[[Tensor, Tensor], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    program = sv.load_program(nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU()), input_shape=(3, 6))
    (node, _) = program.nodes
    assert isinstance(node, Affine)
    assert node.form is not None
    x, kernel = torch.randn(5, 3, 6, dtype=torch.float64), node.form.weights
    torch.testing.assert_close(other(x, kernel), node.form.apply(x, kernel), rtol=1e-5, atol=1e-5)
    here, there = node.form.apply, Accelerator(torch.device("cpu"))

    def apply(x: Tensor, kernel: Tensor) -> Tensor:  # the choice falls by size
        return (other if len(x) > 100 else here)(x, kernel)

    assert there.product(node, (3, 6)) is not None
    monkeypatch.setitem(node.form.__dict__, "apply", apply)
    assert Accelerator(torch.device("cpu")).product(node, (3, 6)) is None
    x = torch.randn(200, 3, 6, dtype=torch.float64)
    values, _ = Propagator(accelerator=Accelerator(torch.device("cpu")))._run(node, x)
    torch.testing.assert_close(values, node.run(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("network", "shape"),
    [(nn.Conv2d(1, 1, 15, padding=7), (1, 1, 1)), (Summed(), (100, 5))],
    ids=["only padding", "an axis that is summed without weights"],
)
def test_a_layer_of_which_it_cannot_be_told_stays_on_the_cpu(
    network: nn.Module, shape: tuple[int, ...]
) -> None:
    program = sv.load_program(nn.Sequential(network, nn.ReLU()), input_shape=shape)
    there = Accelerator(torch.device("cpu"))
    found = [
        there.product(node, shape)
        for node in program.nodes
        if isinstance(node, Affine) and node.inputs == (0,)
    ]
    assert found == [None]


@pytest.mark.parametrize("make", [residual, mixed, FAMILY[0]], ids=lambda make: make.__name__)
def test_rows_that_depend_on_their_place_change_no_cell(
    make: Callable[[], Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerator, "_TRIP", 20 * SMALL)
    one, several = whole(make), []
    for node in request_of(make)[0].nodes:
        if isinstance(node, Affine) and node.form is not None and node.form.divisors is None:
            monkeypatch.setitem(node.form.__dict__, "apply", by_place(node.form.apply, several))
    arr = accelerated(make, "cpu", MANY if make is mixed else 60_000)
    assert arr.stats.batches > 1 and any(several)
    arr.check()
    assert_equal_cells(arr, one)
    assert arr.stats.undecided == one.stats.undecided


def by_place(
    apply: Callable[[Tensor, Tensor], Tensor], several: list[bool]
) -> Callable[[Tensor, Tensor], Tensor]:
    """Every second row is summed in another order: first one half of the terms, then the other."""

    def other(x: Tensor, weights: Tensor) -> Tensor:
        result = apply(x, weights)
        if len(x) > 1:
            first = torch.arange(weights.numel()).view(weights.shape) % 2 == 0
            parts = (apply(x[1::2], torch.where(own, weights, 0.0)) for own in (first, ~first))
            again = sum(parts, start=torch.zeros_like(result[1::2]))
            several.append(not torch.equal(again, result[1::2]))
            result[1::2] = again
        return result

    return other


def test_it_travels_without_weights() -> None:
    there = Accelerator(torch.device("cpu"))
    program = request_of(FAMILY[0])[0]
    assert isinstance(program.nodes[0], Affine)
    assert there.product(program.nodes[0], (2,)) is not None
    again = pickle.loads(pickle.dumps(there))
    assert again.device == there.device and not again._products


@pytest.mark.parametrize(
    "ask", [sv.arrange, lambda *request, device: next(sv.stream(*request, device=device))]
)
@pytest.mark.parametrize("device", ["cuda:77", "meta", "nonsense"])
def test_devices_that_cannot_be_used(ask: Callable[..., Any], device: str) -> None:
    with pytest.raises(InputError, match=f"the device '{device}' cannot be used"):
        ask(*request_of(FAMILY[0]), device=device)


def test_the_cpu_by_name_is_no_accelerator() -> None:
    assert Propagator.on("cpu").accelerator is Propagator.on(None).accelerator is None


@pytest.mark.gpu
def test_a_network_that_lies_on_a_device() -> None:
    torch.manual_seed(0)
    net = dense(2, 24, 16, 2)
    here = sv.arrange(sv.load_program(net), sv.Plane.identity(), BOX)
    there = sv.arrange(sv.load_program(net.cuda()), sv.Plane.identity(), BOX, device="cuda")
    assert_equal_cells(there, here)


@pytest.mark.gpu
@pytest.mark.parametrize("make", FAMILY, ids=lambda make: make.__name__)
def test_by_name(make: Callable[[], Request]) -> None:
    program, planes, window = request_of(make)
    assert_equal_cells(sv.arrange(program, planes, window, device="cuda"), whole(make))
    batches: Iterator[sv.Arrangement] = sv.stream(program, planes, window, device="cuda", max_memory=20_000)
    assert sum(batch.n_cells for batch in batches) == whole(make).n_cells
