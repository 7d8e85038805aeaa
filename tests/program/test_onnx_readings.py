"""Inputs and outputs of ONNX files: with a batch axis or without, of whole numbers, one chosen of several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx")
from onnx import NodeProto, TensorProto, helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from splineviz.errors import InputError, NotPiecewiseAffineError  # noqa: E402
from splineviz.program import load_program  # noqa: E402
from splineviz.program.onnx import read_network  # noqa: E402

from .onnx_nets import model_of, op, saved  # noqa: E402

torch.set_num_threads(1)
_random = np.random.default_rng(3)
_FLOAT = TensorProto.FLOAT


def _w(*shape: int) -> np.ndarray:
    return _random.normal(size=shape).astype(np.float32)


def agrees(path: Path, x: np.ndarray, **options: Any) -> None:
    """The program beside the reference, on what the file takes at a time."""
    program = load_program(path, **options)
    wanted = ReferenceEvaluator(str(path)).run(None, {"x": x})[0]
    found = program.forward(torch.from_numpy(x.astype(np.float64)).reshape(-1, *program.input_shape))
    np.testing.assert_allclose(found.numpy().reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-4)


_ROWS = [op("Gemm", "x w", "h"), op("Relu", "h")]


def test_a_first_axis_that_may_be_the_batch_or_not(tmp_path: Path) -> None:
    path = saved(tmp_path, _ROWS, [10, 4], {"w": _w(4, 3)}, output_shape=[10, 3], kind=_FLOAT)
    with pytest.raises(
        InputError, match=r"10 inputs of shape \(4,\), or one input of shape \(10, 4\)"
    ) as caught:
        load_program(path)
    assert caught.value.hint == "say which: input_shape=(4,) or input_shape=(10, 4)"
    assert caught.value.command_hint == "say which: --input-shape 4 or --input-shape 10,4"
    x = _w(10, 4)
    agrees(path, x, input_shape=(4,))
    agrees(path, x, input_shape=(10, 4))
    assert load_program(path, input_shape=(10, 4)).n_units == 10 * load_program(path, input_shape=4).n_units
    with pytest.raises(InputError, match=r"takes one input of shape 10 x 4, .* but input_shape is \(5,\)"):
        load_program(path, input_shape=(5,))


_MAPS = [op("Conv", "x w", "h"), op("Relu", "h")]
_ALONE = {
    "ten numbers": ([op("MatMul", "x w", "h"), op("Relu", "h")], [10], {"w": _w(10, 10)}, [10], (10,)),
    "rows that are mixed": ([op("MatMul", "w x", "h"), op("Relu", "h")], [10, 4], {"w": _w(10, 10)}, [10, 4], (10, 4)),
    "a column": ([op("Gemm", "x w", "h", transA=1), op("Relu", "h")], [10, 1], {"w": _w(10, 5)}, [1, 5], (10, 1)),
    "another number of rows": ([op("MatMul", "w x", "h"), op("Relu", "h")], [10, 4], {"w": _w(3, 10)}, [3, 4], (10, 4)),
    "rows less their mean": ([op("ReduceMean", "x", "m", axes=[0]), op("Sub", "x m", "h"), op("Relu", "h")], [10, 4], {}, [10, 4], (10, 4)),
    "the sum of all rows": ([op("Relu", "x", "h"), op("ReduceSum", "h a")], [10, 4], {"a": np.array([0])}, None, (10, 4)),
    "a batch of maps": (_MAPS, [6, 3, 5, 5], {"w": _w(2, 3, 2, 2)}, [6, 2, 4, 4], (3, 5, 5)),
    "a batch of maps of another size": (_MAPS, [6, 3, 5, 5], {"w": _w(2, 3, 2, 2)}, None, (3, 5, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", _ALONE)
def test_the_only_reading_that_holds(tmp_path: Path, name: str) -> None:
    nodes, shape, arrays, output_shape, wanted = _ALONE[name]
    path = saved(tmp_path, nodes, shape, arrays, output_shape=output_shape, kind=_FLOAT)
    assert load_program(path).input_shape == wanted
    agrees(path, _w(*shape))


@pytest.mark.parametrize(("declared", "given"), [(["n", 4], (5, 4)), ([1, 4], (1, 4)), (["n"], (4,))])
def test_a_shape_of_as_many_axes_as_declared_is_one_input(
    tmp_path: Path, declared: list[int | str], given: tuple[int, ...]
) -> None:
    path = saved(tmp_path, [op("Relu", "x")], declared, output_shape=declared, kind=_FLOAT)
    program = load_program(path, input_shape=given)
    assert program.input_shape == given and program.n_units == np.prod(given)
    agrees(path, _w(*given), input_shape=given)


_KINDS = [TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64]


@pytest.mark.parametrize("kind", _KINDS)
def test_whole_numbers_that_are_cast(tmp_path: Path, kind: int) -> None:
    """Pixels as they are deployed: moved, cast, normalised."""
    nodes = [
        op("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        op("Cast", "t", "c", to=_FLOAT),
        op("Sub", "c m", "d"),
        op("Div", "d s", "n"),
        op("Conv", "n w", "h"),
        op("Relu", "h"),
    ]
    arrays = {"m": _w(3, 1, 1), "s": np.array(255, np.float32), "w": _w(2, 3, 2, 2)}
    model = model_of(nodes, ["n", 4, 5, 3], arrays, kind=_FLOAT)
    model.graph.input[0].type.tensor_type.elem_type = kind
    onnx.save(model, tmp_path / "net.onnx")
    program = load_program(tmp_path / "net.onnx")
    assert program.input_shape == (4, 5, 3)
    assert program.input_dtype == str(helper.tensor_dtype_to_np_dtype(kind))
    assert program.origin is not None and program.origin.input_dtype == program.input_dtype
    assert program.rebind(dict(program.origin.weights)).input_dtype == program.input_dtype
    x = _random.integers(0, 120, (3, 4, 5, 3)).astype(helper.tensor_dtype_to_np_dtype(kind))
    agrees(tmp_path / "net.onnx", x)


def test_whole_numbers_that_are_scaled(tmp_path: Path) -> None:
    nodes = [op("Cast", "x", "i", to=TensorProto.INT32), op("Cast", "i", "f", to=_FLOAT), op("Relu", "f")]
    path = _of_pixels(tmp_path, nodes, {})
    agrees(path, np.arange(6, dtype=np.uint8).reshape(2, 3))
    nodes = [op("CastLike", "x one", "f"), op("Relu", "f")]
    path = _of_pixels(tmp_path, nodes, {"one": np.array(1, np.float32)})
    agrees(path, np.arange(6, dtype=np.uint8).reshape(2, 3))
    for arrays in (
        {"s": np.array(0.5, np.float32), "z": np.array(128, np.uint8)},
        {"s": np.array([0.5, 2.0, 1.0], np.float32), "z": np.array([128, 0, 7], np.uint8)},
        {"s": np.array(0.25, np.float32)},
    ):
        path = _of_pixels(
            tmp_path, [op("DequantizeLinear", " ".join(["x", *arrays]), "f"), op("Relu", "f")], arrays
        )
        agrees(path, np.array([[0, 100, 255], [128, 3, 7]], np.uint8))


def _of_pixels(folder: Path, nodes: list[NodeProto], arrays: dict[str, np.ndarray]) -> Path:
    model = model_of(nodes, ["n", 3], arrays, opset=21, kind=_FLOAT)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


@pytest.mark.parametrize("kind", ["Div", "Add", "Sub", "Mul", "Max"])
def test_arithmetic_on_whole_numbers_is_refused(tmp_path: Path, kind: str) -> None:
    nodes = [op(kind, "x s", "d"), op("Cast", "d", to=_FLOAT)]
    with pytest.raises(NotPiecewiseAffineError, match=f"{kind}_0 .* computes with whole numbers"):
        load_program(_of_pixels(tmp_path, nodes, {"s": np.array(2, np.uint8)}))


def _of_three(folder: Path) -> Path:
    nodes = [
        op("MatMul", "x w", "h"),
        op("Relu", "h", "r"),
        op("Exp", "r"),
        op("ArgMax", "h", "label", axis=1),
    ]
    model = model_of(nodes, ["n", 4], {"w": _w(4, 3)}, kind=_FLOAT)
    model.graph.output.append(helper.make_tensor_value_info("r", _FLOAT, ["n", 3]))
    model.graph.output.append(helper.make_tensor_value_info("label", TensorProto.INT64, ["n", 1]))
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def test_outputs_by_name(tmp_path: Path) -> None:
    path = _of_three(tmp_path)
    with pytest.raises(InputError, match="has 2: 'y', 'r'") as caught:
        read_network(path)
    assert "output='y'" in str(caught.value.hint)
    for output, kinds in {
        "r": ["MatMul", "Relu"],
        1: ["MatMul", "Relu"],
        "h": ["MatMul"],
        2: ["MatMul", "ArgMax"],
    }.items():
        assert [step.kind for step in read_network(path, output=output)._steps] == kinds
    for output in ("nothing", 3, -1):
        with pytest.raises(InputError, match=f"makes no tensor '{output}'") as caught:
            read_network(path, output=output)
        assert caught.value.hint == "its outputs are 'y', 'r', 'label'"


def test_a_label_beside_the_only_output_of_real_numbers_is_left_aside(tmp_path: Path) -> None:
    model = model_of([op("Relu", "x"), op("ArgMax", "y", "label", axis=1)], ["n", 4], kind=_FLOAT)
    model.graph.output.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, ["n", 1]))
    onnx.save(model, tmp_path / "net.onnx")
    assert load_program(tmp_path / "net.onnx").output_shape == (4,)
