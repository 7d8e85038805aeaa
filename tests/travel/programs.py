"""Programs through a pickle."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path

import cloudpickle
import numpy as np
import torch

import splineviz as sv
from splineviz.program import load_program
from splineviz.program.select import select_outputs
from tests.program.nets import Residual


def travelled(program: sv.Program) -> sv.Program:
    arrived = pickle.loads(cloudpickle.dumps(program))
    assert isinstance(arrived, sv.Program)
    return arrived


def assert_same(program: sv.Program, other: sv.Program) -> None:
    x = torch.randn(3, *program.input_shape, dtype=torch.float64)
    assert torch.equal(program.forward(x), other.forward(x))
    assert (program.digest, program.stages, program.info) == (other.digest, other.stages, other.info)
    assert program.values_alive == other.values_alive


def check_other_weights_before_and_after_the_trip() -> None:
    torch.manual_seed(0)
    first, second = Residual().eval(), Residual().eval()
    program = load_program(first, input_shape=(2, 6, 5))
    rebound = program.rebind(second.state_dict())
    assert_same(rebound, travelled(rebound))
    assert_same(rebound, travelled(program).rebind(second.state_dict()))
    assert rebound.digest != program.digest


def check_chosen_outputs() -> None:
    program = select_outputs(load_program("demo"), (3, 1))
    assert_same(program, travelled(program))


def check_a_program_of_an_onnx_file() -> None:
    try:
        from tests.program.onnx_nets import op, saved
    except ImportError:
        return
    rng = np.random.default_rng(0)
    nodes = [op("Conv", "x k b", "h"), op("Relu", "h", "r"), op("Flatten", "r", "f"), op("Gemm", "f w")]
    arrays = {"k": rng.normal(size=(2, 1, 3, 3)), "b": rng.normal(size=2), "w": rng.normal(size=(18, 3))}
    with tempfile.TemporaryDirectory() as folder:
        program = load_program(saved(Path(folder), nodes, ("n", 1, 5, 5), arrays))
    assert_same(program, travelled(program))


def check_weights_are_in_a_pickle_once() -> None:
    program = load_program(
        torch.nn.Sequential(torch.nn.Linear(1000, 500), torch.nn.ReLU(), torch.nn.Linear(500, 2))
    )
    assert len(cloudpickle.dumps(program.alone())) < 1.1 * 8 * 1000 * 500
    # with the weights of the module, in single precision, for rebinding and the estimators
    assert len(cloudpickle.dumps(program)) < 1.6 * 8 * 1000 * 500
