"""Models from files: ONNX, and programs of torch.export."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from .conftest import Result

Command = Callable[..., Result]


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    arrays = {"w": random.normal(size=(8, 2)), "b": random.normal(size=8), "v": random.normal(size=(1, 8))}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], name="/fc/Gemm", transB=1),
        helper.make_node("Relu", ["h"], ["r"], name="/act/Relu"),
        helper.make_node("Gemm", ["r", "v"], ["y"], transB=1),
    ]
    values = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", m]) for n, m in (("x", 2), ("y", 1))
    ]
    weights = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "net", values[:1], values[1:], weights)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        tmp_path / "net.onnx",
    )
    return tmp_path / "net.onnx"


def test_inspect_lists_the_nodes_of_an_onnx_file(onnx_file: Path, splineviz: Command) -> None:
    card = json.loads(splineviz("inspect", str(onnx_file), "--json").out)
    assert (card["exact"], card["input_shape"], card["n_units"], card["n_parameters"]) == (True, [2], 8, 32)
    assert [row["name"] for row in card["stages"]] == ["/act/Relu"]


def test_slice_of_an_onnx_file(onnx_file: Path, splineviz: Command) -> None:
    output = onnx_file.with_suffix(".png")
    report = json.loads(
        splineviz("slice", str(onnx_file), "--box=-2,2,-2,2", "-o", str(output), "--json").out
    )
    assert report["vertices"] - report["edges"] + report["cells"] == 1
    assert report["cells"] > 8
    assert output.stat().st_size > 1000


def test_slice_of_an_exported_program(tmp_path: Path, splineviz: Command) -> None:
    path = tmp_path / "net.pt2"
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    shapes = ({0: torch.export.Dim.AUTO},)
    torch.export.save(torch.export.export(module, (torch.randn(2, 2),), dynamic_shapes=shapes), path)
    assert json.loads(splineviz("slice", str(path), "--box=-2,2,-2,2", "--json").out)["status"] == "complete"


def test_a_missing_package_is_named(
    onnx_file: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "splineviz.program.onnx", None)
    done = splineviz("inspect", str(onnx_file))
    assert done.code == 4
    assert "needs the package onnx" in done.err and "pip install 'splineviz[onnx]'" in done.err
