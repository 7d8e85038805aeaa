"""Products with weights on an accelerator. Everything else of a walk stays on the CPU, where the geometry is."""

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
_BITS = 26  # of numbers whose product has all bits that a float64 has
_PROBED = 16  # rows
_TRIPS = 6  # of which each has two stops; more only take memory


class Accelerator:
    """The dense nodes of one program, with their weights on a device. For all threads."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._products: dict[int, Product | None] = {}
        self._lock = threading.Lock()
        self._stops: queue.LifoQueue[_Stops | None] = queue.LifoQueue()
        for _ in range(_TRIPS):
            self._stops.put(None)

    def __reduce__(self) -> tuple[type[Accelerator], tuple[torch.device]]:
        return Accelerator, (self.device,)  # weights travel with the program

    def product(self, node: Affine, shape: tuple[int, ...]) -> Product | None:
        """What a node makes of inputs (V, *shape) there; None where that is for the CPU."""
        with self._lock:
            if node.output not in self._products:
                self._products[node.output] = self._prepared(node, shape)
            return self._products[node.output]

    def _prepared(self, node: Affine, shape: tuple[int, ...]) -> Product | None:
        form = node.form
        if form is None or node.gain.kind != "dense" or form.divisors is not None or form.weights.numel() < 2:
            return None  # no products, or not by weights: as fast where the values are
        sums_up, output_shape = _sums_up(form, shape, node.gain.terms, self.device)
        if not sums_up:
            return None
        weights = form.weights.to(self.device)
        constants = None if form.constants is None else form.constants.to(self.device)
        made = Product(form.apply, weights, constants, shape, output_shape, self._travelling)
        _settle(self.device)
        return made

    @contextmanager
    def _travelling(self) -> Iterator[_Stops]:
        """Two stops: while one is on its way, the other is loaded. Where all are under way, this waits for some."""
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
    shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    travelling: Callable[[], AbstractContextManager[_Stops]]

    def into(self, values: Tensor, out: Tensor) -> Tensor:
        """From (V, *shape) to ``out``, (V, *output shape), both on the CPU.

        Trips are of one size, by which libraries choose the order of sums: a row comes out the same to the last bit whichever rows
        are beside it.
        """
        rows = _rows(self.shape, self.output_shape)
        with self.travelling() as stops:
            for start, stop in zip(range(0, len(values), rows), cycle(stops), strict=False):
                stop.unload()
                part = slice(start, start + rows)
                stop.load(self._run, values[part], out[part], (rows, *self.shape))
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
        self.there = torch.empty(0, dtype=torch.float64, device=device)
        self.going, self.coming = self._memory(_TRIP), self._memory(_TRIP)
        self.awaited: Tensor | None = None

    def load(self, run: Callable[[Tensor], Tensor], values: Tensor, out: Tensor, shape: tuple[int, ...]) -> None:
        """Send values, and have what ``run`` makes of them come back for ``out``; ``shape`` is that of a whole trip."""
        if self.there.shape != shape:
            self.there = torch.zeros(shape, dtype=torch.float64, device=self.device)
            _settle(self.device)
        if max(values.numel(), out.numel()) > len(self.going):  # one row alone
            self.going, self.coming = (self._memory(max(values.numel(), out.numel())) for _ in range(2))
        _like(values, self.going).copy_(values)
        with nullcontext() if self.stream is None else torch.cuda.stream(self.stream):
            self.there[: len(values)].copy_(_like(values, self.going), non_blocking=self.on_cuda)
            _like(out, self.coming).copy_(run(self.there)[: len(out)], non_blocking=self.on_cuda)
        self.awaited = out

    def unload(self) -> None:
        """Wait for the results, and leave them where they belong."""
        if self.awaited is None:
            return
        if self.stream is not None:
            self.stream.synchronize()
        self.awaited.copy_(_like(self.awaited, self.coming))
        self.awaited = None

    def _memory(self, n: int) -> Tensor:
        return torch.empty(n, dtype=torch.float64, pin_memory=self.on_cuda)


_Stops = tuple[_Stop, _Stop]


def _sums_up(form: Form, shape: tuple[int, ...], terms: int, device: torch.device) -> tuple[bool, tuple[int, ...]]:
    """Whether a product there is what its bounds are for, sums of products in some order; and the shape of its result.

    Libraries choose algorithms by type and size, and some (Fourier's, Winograd's) mix entries that have nothing to do with each
    other. So numbers are sent of which each product takes all bits of a float64, in sums of two at most: alone they are exact.
    """
    chance = torch.Generator().manual_seed(0)

    def whole(*size: int) -> Tensor:
        sign = 2 * torch.randint(2, size, generator=chance) - 1
        return (sign * torch.randint(1 << (_BITS - 1), 1 << _BITS, size, generator=chance)).double()

    n_weights = form.weights.numel()
    kept = torch.zeros(n_weights, dtype=torch.float64)
    kept[torch.randperm(n_weights, generator=chance)[: -(-n_weights // terms)]] = 1.0
    kept = kept.view(form.weights.shape)
    x, weights = whole(_PROBED, *shape), whole(*form.weights.shape) * kept
    here, summed = form.apply(x, weights), form.apply(torch.ones_like(x[:1]), kept)
    output_shape = tuple(here.shape[1:])
    trip = torch.zeros(_rows(shape, output_shape), *shape, dtype=torch.float64)
    n = min(len(trip), _PROBED)
    trip[:n] = x[:n]
    there = form.apply(trip.to(device), weights.to(device))[:n].cpu()
    return bool(((there == here[:n]) | (summed > 2.0)).all()), output_shape


def _rows(shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int:
    """How many go in one trip."""
    return max(1, _TRIP // max(1, math.prod(shape), math.prod(output_shape)))


def _like(x: Tensor, memory: Tensor) -> Tensor:
    return memory[: x.numel()].view(x.shape)


def _settle(device: torch.device) -> None:
    """Wait for what is under way on the stream that belongs to no stop."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
