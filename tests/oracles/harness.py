"""Short ways from a module, or from a network of the oracle, to a checked arrangement."""

from __future__ import annotations

from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.plane import Plane, Window
from tests.oracles.compare import assert_same, assert_same_up_to_rounding
from tests.oracles.invariants import assert_valid
from tests.oracles.network import Network
from tests.oracles.rational import ExactSlice, frame_of, slice_exactly
from tests.oracles.twin import to_torch

__all__ = ["agree", "arranged", "exact_slice", "unit_box"]


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


def agree(
    network: Network, window: Window | None = None, plane: Plane | None = None, *, up_to_rounding: bool = False
) -> Arrangement:
    """Arrange the network's twin, check every invariant, and compare with the exact oracle.

    ``up_to_rounding`` is for lines that miss each other by the last bits of their coefficients: "undecided" is an answer there.
    """
    arr = arranged(to_torch(network), window, plane)
    assert arr.program is not None
    assert_valid(arr, arr.program)
    compare = assert_same_up_to_rounding if up_to_rounding else assert_same
    compare(arr, exact_slice(network, window, plane))
    return arr
