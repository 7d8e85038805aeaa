"""Short ways from a module, or from a network of the oracle, to a checked arrangement."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from unittest import mock

from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.plane import Plane, Window
from splineviz.program.program import Program
from splineviz.values import interpolated_products, propagation
from tests.oracles.compare import (
    Agreement,
    Mismatch,
    assert_close,
    assert_consistent,
    assert_same,
    assert_same_up_to_rounding,
)
from tests.oracles.invariants import assert_valid
from tests.oracles.network import Network
from tests.oracles.numbers import assert_numbers_right
from tests.oracles.rational import ExactSlice, frame_of, slice_exactly
from tests.oracles.twin import structure, to_torch

__all__ = [
    "CERTIFIES",
    "Case",
    "agree",
    "arranged",
    "exact_slice",
    "program_of",
    "small_as_large",
    "unit_box",
]

CERTIFIES = "certify" in inspect.signature(sv.arrange).parameters
"""Whether the engine can be asked to prove its decisions."""
_TRACED: dict[Hashable, Program] = {}
"""By structure: tracing takes fifty times as long as putting in other weights."""


@contextmanager
def small_as_large() -> Iterator[None]:
    """The engine takes small matrices for large ones, and interpolates their products where little bends."""
    with (
        mock.patch.object(propagation, "most_deviations", return_value=3),
        mock.patch.object(interpolated_products, "_APART", 2),
    ):
        yield


def unit_box() -> Window:
    return Window.box(-1, 1, -1, 1)


def arranged(module: nn.Module, window: Window | None = None, plane: Plane | None = None) -> Arrangement:
    """The arrangement of a module, by default on [-1, 1]^2 of a network with two inputs."""
    plane = plane or Plane.identity()
    program = sv.load_program(module.eval(), input_shape=plane.input_shape)
    arr: Arrangement = sv.arrange(program, plane, window or unit_box())
    return arr


def exact_slice(network: Network, window: Window | None = None, plane: Plane | None = None) -> ExactSlice:
    frame = None if plane is None else frame_of(plane.origin.tolist(), plane.basis.tolist())
    return slice_exactly(network, (window or unit_box()).vertices.tolist(), frame)


def program_of(network: Network) -> Program:
    """The program of a network's twin, traced once for all networks of one structure."""
    key, twin = structure(network), to_torch(network)
    if key not in _TRACED:
        if len(_TRACED) == 2000:
            _TRACED.clear()
        _TRACED[key] = sv.load_program(twin, input_shape=(network.dim,))
    return _TRACED[key].rebind(twin.state_dict())


@dataclass(frozen=True)
class Case:
    """A small network and windows on a plane: what engine and oracle are to agree about."""

    network: Network
    windows: tuple[Window, ...]
    plane: Plane | None = None

    @cached_property
    def exact(self) -> tuple[ExactSlice, ...]:
        return tuple(exact_slice(self.network, window, self.plane) for window in self.windows)

    @cached_property
    def program(self) -> Program:
        return program_of(self.network)

    def arrange(self, window: Window, certify: str | None = None) -> Arrangement:
        """``certify`` is handed on to an engine that has the option."""
        options = {"certify": certify} if certify and CERTIFIES else {}
        arr: Arrangement = sv.arrange(self.program, self.plane or Plane.identity(), window, jobs=1, **options)
        return arr

    def agree(self, certify: str | None = None) -> list[Agreement]:
        """Arrange every window, in both ways, compare it with the exact slice, and check that it is consistent
        in itself.

        Raises
        ------
        Mismatch
            For the first difference, or where the arrangement's own check fails, or where decisions are open
            under ``certify="full"``. A result that is not certified, which only the other modes may give,
            need only be close: coincidences may be taken for what they nearly are.
        """
        found = []
        for way in (nullcontext, small_as_large):
            for window, exact in zip(self.windows, self.exact, strict=True):
                with way():
                    arr = self.arrange(window, certify)
                if certify in (None, "full") or arr.stats.certified:
                    found.append(assert_same(arr, exact))
                else:
                    assert_close(arr, exact)
                assert_consistent(arr)
                if certify == "full" and CERTIFIES and arr.stats.undecided:
                    raise Mismatch("undecided", f"{arr.stats.undecided} decisions under certify='full'")
                if certify == "full":
                    assert_numbers_right(arr, exact)
                    if not arr.certified:
                        raise Mismatch("undecided", f"open questions under certify='full': {arr.exact}")
        return found


def agree(
    network: Network,
    window: Window | None = None,
    plane: Plane | None = None,
    *,
    up_to_rounding: bool = False,
) -> Arrangement:
    """Arrange the network's twin, check every invariant, and compare with the exact oracle.

    ``up_to_rounding`` is for lines that miss each other by the last bits of their coefficients: "undecided"
    is an answer there.
    """
    case = Case(network, (window or unit_box(),), plane)
    arr = case.arrange(case.windows[0])
    assert_valid(arr, case.program)
    compare = assert_same_up_to_rounding if up_to_rounding else assert_same
    compare(arr, case.exact[0])
    return arr
