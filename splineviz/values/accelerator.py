"""Products with weights on an accelerator. Everything else of a walk stays on the CPU, where the geometry
is."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import cycle

import torch
from torch import Tensor

from splineviz.program.program import Affine, Form

__all__ = ["Accelerator", "Product"]

_TRIP = 1 << 20  # values of the larger of input and output; 8 MiB
_UNFOLDED = 8  # times as much memory as a trip has, and no more, for that
_PROBED, _DRAWS = 16, 3  # rows, weights
_TRIPS = 6  # of which each has two stops; more only take memory


class Accelerator:
    """The dense nodes of one program, with their weights on a device. For all threads."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._products: dict[int, tuple[Affine, Product | None]] = {}
        self._lock = threading.Lock()
        self._stops: queue.LifoQueue[_Stops | None] = queue.LifoQueue()
        for _ in range(_TRIPS):
            self._stops.put(None)

    def __reduce__(self) -> tuple[type[Accelerator], tuple[torch.device]]:
        return Accelerator, (self.device,)  # weights travel with the program

    def product(self, node: Affine, shape: tuple[int, ...]) -> Product | None:
        """The product that a node is for inputs (V, *shape) there; None where it is for the CPU."""
        with self._lock:
            if id(node) not in self._products:
                self._products[id(node)] = node, self._prepared(node, shape)
            return self._products[id(node)][1]

    def _prepared(self, node: Affine, shape: tuple[int, ...]) -> Product | None:
        form = node.form
        if form is None or node.gain.kind != "dense" or form.divisors is not None or form.weights.numel() < 2:
            return None  # no products, or not by weights: as fast where the values are
        output_shape = tuple(form.apply(torch.zeros(1, *shape, dtype=torch.float64), form.weights).shape[1:])
        # What a convolution makes of its input on the way, as a matrix product, may be larger than both.
        unfolded = math.prod(output_shape) * node.gain.terms // len(form.weights)
        rows = max(1, _TRIP // max(1, math.prod(shape), math.prod(output_shape), unfolded // _UNFOLDED))
        if not all(_sums_up(form, shape, node.gain.terms, n, self.device) for n in {rows, 1}):
            return None
        weights = form.weights.to(self.device)
        constants = None if form.constants is None else form.constants.to(self.device)
        made = Product(form.apply, weights, constants, output_shape, rows, self._travelling)
        _settle(self.device)
        return made

    @contextmanager
    def _travelling(self) -> Iterator[_Stops]:
        """Two stops: while one is on its way, the other is loaded. Where all are under way, this waits for
        some."""
        stops = self._stops.get()
        try:
            stops = stops or (_Stop(self.device), _Stop(self.device))
            yield stops
        except BaseException:
            stops = None  # what they wait for is lost
            raise
        finally:
            self._stops.put(stops)


@dataclass(frozen=True)
class Product:
    """One node on a device."""

    apply: Callable[[Tensor, Tensor], Tensor]
    weights: Tensor
    constants: Tensor | None
    output_shape: tuple[int, ...]
    rows: int
    """Rows of one trip"""
    travelling: Callable[[], AbstractContextManager[_Stops]]

    def into(self, values: Tensor, out: Tensor) -> Tensor:
        """Fill ``out`` (V, *output shape) from values (V, *shape of the input), both on the CPU."""
        return self._carry(values, out, self.rows)

    def alone(self, values: Tensor) -> Tensor:
        """Rows of (V, *shape of the input), each on a trip of its own: the same to the last bit whichever
        others there are."""
        return self._carry(values, values.new_empty(len(values), *self.output_shape), 1)

    def _carry(self, values: Tensor, out: Tensor, rows: int) -> Tensor:
        """Send all rows in trips of one size, by which libraries choose their algorithm."""
        with self.travelling() as stops:
            for start, stop in zip(range(0, len(values), rows), cycle(stops), strict=False):
                stop.unload()
                part = slice(start, start + rows)
                stop.load(self._run, values[part], out[part], rows)
            for stop in stops:
                stop.unload()
        return out

    def _run(self, x: Tensor) -> Tensor:
        result = self.apply(x, self.weights)
        return result if self.constants is None else result.add_(self.constants)


class _Stop:
    """Memory that both sides reach, where values wait for the device and results for the CPU."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.on_cuda = device, device.type == "cuda"
        self.stream = torch.cuda.Stream(device) if self.on_cuda else None  # type: ignore[no-untyped-call]
        self._make_room(_TRIP)
        self.awaited: Tensor | None = None

    def load(self, run: Callable[[Tensor], Tensor], values: Tensor, out: Tensor, rows: int) -> None:
        """Send values, and have what ``run`` makes of them come back for ``out``; a whole trip has so many
        rows."""
        width = math.prod(values.shape[1:])
        if max(rows * width, out.numel()) > len(self.going):  # one row alone
            self._make_room(max(rows * width, out.numel()))
        _like(values, self.going).copy_(values)
        there = self.there[: rows * width].view(
            rows, *values.shape[1:]
        )  # what the last rows hold is of no account
        with nullcontext() if self.stream is None else torch.cuda.stream(self.stream):
            there[: len(values)].copy_(_like(values, self.going), non_blocking=self.on_cuda)
            _like(out, self.coming).copy_(run(there)[: len(out)], non_blocking=self.on_cuda)
        self.awaited = out

    def unload(self) -> None:
        """Wait for the results, and leave them where they belong."""
        if self.awaited is None:
            return
        if self.stream is not None:
            self.stream.synchronize()
        self.awaited.copy_(_like(self.awaited, self.coming))
        self.awaited = None

    def _make_room(self, n: int) -> None:
        self.there = torch.zeros(n, dtype=torch.float64, device=self.device)
        self.going, self.coming = (
            torch.empty(n, dtype=torch.float64, pin_memory=self.on_cuda) for _ in range(2)
        )
        _settle(self.device)


_Stops = tuple[_Stop, _Stop]


def _sums_up(form: Form, shape: tuple[int, ...], terms: int, rows: int, device: torch.device) -> bool:
    """Whether a product of so many rows there is what its bounds are for: sums of products, in some order.

    Libraries choose algorithms by type and size, and some (Fourier's, Winograd's) mix entries that have
    nothing to do with each other. So numbers are sent, in the first and in the last rows, of which each
    product fills a float64, and weights so few that it is often alone, and then exact.
    """
    chance = torch.Generator().manual_seed(0)
    n = max(1, min(rows // 2, _PROBED))
    x, told = _whole(chance, 27, n, *shape), False

    def sent(weights: Tensor) -> tuple[Tensor, Tensor]:
        trip = torch.zeros(rows, *shape, dtype=torch.float64)
        trip[:n] = trip[rows - n :] = x
        result = form.apply(trip.to(device), weights.to(device))
        return result[:n].cpu(), result[rows - n :].cpu()

    for _ in range(_DRAWS):
        few = -(-form.weights.numel() // terms)
        weights = torch.zeros(form.weights.numel(), dtype=torch.float64)
        weights[torch.randint(len(weights), (few,), generator=chance)] = _whole(chance, 26, few)
        weights = weights.view(form.weights.shape)
        alone = form.apply(torch.ones_like(x[:1]), (weights != 0.0).double()) == 1.0
        here, told = form.apply(x, weights), told or bool(alone.any())
        if not all(((there == here) | ~alone).all() for there in sent(weights)):
            return False
    return told


def _whole(chance: torch.Generator, bits: int, *size: int) -> Tensor:
    """Random whole numbers of so many bits."""
    sign = 2 * torch.randint(2, size, generator=chance) - 1
    return (sign * torch.randint(1 << (bits - 1), 1 << bits, size, generator=chance)).double()


def _like(x: Tensor, memory: Tensor) -> Tensor:
    return memory[: x.numel()].view(x.shape)


def _settle(device: torch.device) -> None:
    """Wait for what is under way on the stream that belongs to no stop."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
