"""ONNX files against the reference implementation that comes with onnx."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

onnx = pytest.importorskip("onnx")
from onnx.reference import ReferenceEvaluator  # noqa: E402

from splineviz.program import blockers, load_program  # noqa: E402
from splineviz.program.onnx import OnnxNetwork, read_network  # noqa: E402
from splineviz.program.onnx.operators import OPERATORS  # noqa: E402

from .onnx_nets import CASES, Case, model_of  # noqa: E402

torch.set_num_threads(1)
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


def path_of(case: Case, folder: Path) -> Path:
    path = folder / f"{CASES.index(case)}.onnx"
    if not path.exists():
        onnx.save(model_of(case.nodes, case.shape, case.arrays, case.opset), path)
    return path


def given(case: Case) -> tuple[int, ...] | None:
    """Shape of one input where the first of several axes may be a batch as well."""
    lengths = tuple(n for n in case.shape if isinstance(n, int))
    return lengths if len(lengths) == len(case.shape) > 1 and lengths[0] > 1 else None


@cache
def network(case: Case, folder: Path) -> OnnxNetwork:
    return read_network(path_of(case, folder), given(case)).double()


def points(shape: tuple[int, ...]) -> Tensor:
    """Random inputs, and inputs on a grid of halves, where many values are zero, equal, or at a bound."""
    generator = torch.Generator().manual_seed(1)
    smooth = torch.randn(4, *shape, generator=generator, dtype=torch.float64)
    ties = torch.randint(-3, 4, (4, *shape), generator=generator) / 2.0
    return torch.cat([smooth, 3 * smooth, ties.double(), torch.zeros(1, *shape, dtype=torch.float64)])


def expected(case: Case, folder: Path, x: Tensor) -> np.ndarray:
    """What the reference makes of one input at a time."""
    nodes, opset = (case.same, 17) if case.same else (case.nodes, case.opset)
    reference = ReferenceEvaluator(model_of(nodes, case.shape, case.arrays, opset))
    shape = tuple(1 if isinstance(n, str) else n for n in case.shape)
    return np.stack([reference.run(None, {"x": one.reshape(shape)})[0] for one in x.numpy()])


@each
def test_forward_is_that_of_the_reference(case: Case, folder: Path) -> None:
    net = network(case, folder)
    assert net.refused == ()
    x = points(net.input_shape)
    result, wanted = net(x), expected(case, folder, x)
    assert result.dtype == torch.float64
    shape = wanted.shape[2:] if wanted.shape[1:2] == (1,) else wanted.shape[1:]
    assert tuple(result.shape) == (len(x), *shape), "a leading axis of length one is the batch"
    np.testing.assert_allclose(
        result.detach().numpy().reshape(wanted.shape), wanted, rtol=case.tolerance, atol=case.tolerance
    )


@each
def test_program_is_the_network(case: Case, folder: Path) -> None:
    net = network(case, folder)
    if found := blockers(path_of(case, folder), input_shape=given(case)):
        kinds = tuple(f"({node.op_type})" for node in case.nodes)
        assert all(offender.module.endswith(kinds) for offender in found)
        return
    program = load_program(path_of(case, folder), input_shape=given(case))
    x = points(net.input_shape)
    torch.testing.assert_close(program.forward(x), net(x), rtol=1e-12, atol=1e-12)


def test_the_manual_lists_every_operator() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "onnx.md").read_text()
    rows = [line.split("|")[2] for line in manual.splitlines() if line.startswith("|")][2:]
    listed = [name for row in rows for name in re.findall(r"\b[A-Z]\w+", row)]
    assert sorted(listed) == sorted(name.split("::")[-1] for name in OPERATORS)
