"""ONNX files that are broken or too large, and loops that are written out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx")
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper  # noqa: E402

from splineviz.errors import InputError, NotPiecewiseAffineError  # noqa: E402
from splineviz.program import load_program  # noqa: E402

from .onnx_nets import model_of, op, saved  # noqa: E402

torch.set_num_threads(1)
_DOUBLE = TensorProto.DOUBLE


def _nested(depth: int) -> onnx.ModelProto:
    """A function that calls the one before twice, and so on."""
    functions = []
    for level in range(depth):
        nodes = [op("Relu", "a", "b")]
        if level:
            calls = [("a", "t"), ("t", "b")]
            nodes = [op(f"F{level - 1}", *call, domain="own") for call in calls]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
        functions.append(helper.make_function("own", f"F{level}", ["a"], ["b"], nodes, opsets))
    model = model_of([op(f"F{depth - 1}", "x", domain="own")], [1, 3])
    model.functions.extend(functions)
    model.opset_import.append(helper.make_opsetid("own", 1))
    return model


def test_functions_are_counted_before_they_are_written_out(tmp_path: Path) -> None:
    onnx.save(_nested(4), tmp_path / "net.onnx")
    assert load_program(tmp_path / "net.onnx").n_units == 8 * 3
    onnx.save(_nested(31), tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").stat().st_size < 4000
    with pytest.raises(InputError, match=r"is a graph of 1,073,741,824 nodes, .* at most 100,000 are read"):
        load_program(tmp_path / "net.onnx")


@pytest.mark.parametrize("opset", [11, 13, 15])
def test_functions_of_another_opset(tmp_path: Path, opset: int) -> None:
    grown = [op("Unsqueeze", "a", "g", axes=[1])] if opset < 13 else [op("Identity", "a", "g")]
    nodes = [*grown, op("Relu", "g", "b")]
    model = model_of([op("F", "x", domain="own")], [1, 3])
    own = helper.make_opsetid("own", 1)
    model.functions.append(
        helper.make_function("own", "F", ["a"], ["b"], nodes, [helper.make_opsetid("", opset)])
    )
    model.opset_import.append(own)
    onnx.save(model, tmp_path / "net.onnx")
    assert load_program(tmp_path / "net.onnx").n_units == 3


def test_functions_that_call_themselves(tmp_path: Path) -> None:
    model = _nested(3)
    model.functions[0].node.add().CopyFrom(op("F2", "a", "c", domain="own"))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"its function 'F\d' calls itself"):
        load_program(tmp_path / "net.onnx")


_ONES = helper.make_tensor("v", _DOUBLE, [1], [1.0])
_HUGE: dict[str, tuple[NodeProto, dict[str, np.ndarray]]] = {
    "of a shape": (op("ConstantOfShape", "s", "c", value=_ONES), {"s": np.array([300_000_000])}),
    "a range": (op("Range", "a b d", "c"), {"a": np.array(0.0), "b": np.array(3e8), "d": np.array(1.0)}),
    "repeated": (op("Tile", "a n", "c"), {"a": np.ones((1000, 1)), "n": np.array([1, 300_000])}),
    "broadcast": (op("Mul", "a b", "c"), {"a": np.ones((20_000, 1)), "b": np.ones(15_000)}),
    "an expanded activation": (op("Expand", "x s", "c"), {"s": np.array([100_000_000, 3])}),
    "a padded activation": (op("Pad", "x p", "c"), {"p": np.array([0, 0, 0, 300_000_000])}),
}


@pytest.mark.parametrize("name", _HUGE)
def test_results_are_measured_before_they_are_made(tmp_path: Path, name: str) -> None:
    node, arrays = _HUGE[name]
    nodes = [node, op("ReduceSum", "c", "s1", keepdims=0), op("Add", "x s1")]
    path = saved(tmp_path, nodes, [1, 3], arrays)
    with pytest.raises(InputError, match=r"would make 30\d,000,00\d numbers .* the limit is 67,108,864"):
        load_program(path)


def test_many_constants_are_measured_together(tmp_path: Path) -> None:
    nodes = [op("Tile", "a n", f"c{i}") for i in range(9)]
    nodes += [
        op("Sum", " ".join(f"c{i}" for i in range(9)), "c"),
        op("ReduceSum", "c", "s"),
        op("Add", "x s"),
    ]
    arrays = {"a": np.ones(1, np.float32), "n": np.array([30_000_000])}
    with pytest.raises(
        InputError, match=r"the node 'c2' \(Tile\) would make 30,000,000 numbers of constants"
    ):
        load_program(saved(tmp_path, nodes, [1, 1], arrays))


def test_constants_that_nodes_store_are_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLINEVIZ_ONNX_NUMBERS", "1000")
    weights = numpy_helper.from_array(np.ones((3, 1500), np.int8))
    nodes = [op("Constant", "", "k", value=weights), op("Cast", "k", "w", to=_DOUBLE)]
    nodes += [op("ReduceSum", "w", "s", keepdims=0), op("Add", "x s")]
    assert load_program(saved(tmp_path, nodes, [1, 3])).output_shape == (3,)
    doubled = [nodes[0], op("Tile", "k n", "t"), op("Cast", "t", "w", to=_DOUBLE), *nodes[2:]]
    with pytest.raises(InputError, match="would make 9,000 numbers of constants; the limit is 1,000"):
        load_program(saved(tmp_path, doubled, [1, 3], {"n": np.array([1, 2])}))


def test_limits_can_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [op("Tile", "a n", "c"), op("ReduceSum", "c", "s", keepdims=0), op("Add", "x s")]
    path = saved(tmp_path, nodes, [1, 3], {"a": np.ones(1), "n": np.array([3000])})
    for variable, low in (("SPLINEVIZ_ONNX_NUMBERS", "1000"), ("SPLINEVIZ_ONNX_NODES", "2")):
        monkeypatch.setenv(variable, low)
        with pytest.raises(InputError, match=rf"the environment variable {variable}=\d+$") as told:
            load_program(path)
        monkeypatch.setenv(variable, str(told.value).rpartition("=")[2])
        assert load_program(path).output_shape == (3,)
    monkeypatch.setenv("SPLINEVIZ_ONNX_NODES", "many")
    with pytest.raises(
        InputError, match="SPLINEVIZ_ONNX_NODES must be a whole number above zero, got 'many'"
    ):
        load_program(path)


def _declared(*shape: int) -> onnx.ModelProto:
    return model_of([op("Relu", "x")], shape)


def _stored(*dims: int) -> onnx.ModelProto:
    model = model_of([op("MatMul", "x w")], [1, 2])
    tensor = numpy_helper.from_array(np.ones((2, 3)), "w")
    tensor.dims[:] = dims
    model.graph.initializer.append(tensor)
    return model


def _attribute_twice() -> onnx.ModelProto:
    model = model_of([op("LeakyRelu", "x", alpha=0.5)], [1, 3])
    model.graph.node[0].attribute.append(helper.make_attribute("alpha", 0.25))
    return model


def _twice(where: str) -> onnx.ModelProto:
    model = model_of([op("Mul", "x w")], [1, 3], {"w": np.ones(3)})
    values = getattr(model.graph, where)
    values.append(values[0])
    return model


_NO_BRANCH = helper.make_node("If", ["yes"], ["y"])
_BROKEN = {
    "two inputs of one name": (_twice("input"), "two of the name 'x' as input"),
    "two attributes of one name": (_attribute_twice(), "a node LeakyRelu has two attributes 'alpha'"),
    "two outputs of one name": (_twice("output"), "two of the name 'y' as output"),
    "stored twice": (_twice("initializer"), "two of the name 'w' as stored tensor"),
    "no branch": (
        model_of([op("Relu", "x", "h"), _NO_BRANCH], [1, 3], {"yes": np.array(True)}),
        r"the node 'y' \(If\) cannot be read",
    ),
    "made twice": (
        model_of([op("Relu", "x", "h"), op("Abs", "x", "h"), op("Neg", "h")], [1, 3]),
        "the tensor 'h' is made and made again",
    ),
    "stored and made": (
        model_of([op("Relu", "x", "h"), op("Neg", "h")], [1, 3], {"h": np.ones(3)}),
        "the tensor 'h' is stored in it and made again",
    ),
    "in a circle": (
        model_of([op("Add", "x k", "h"), op("Relu", "h", "k"), op("Neg", "k")], [1, 3]),
        "the tensor 'k' is read before a node makes it",
    ),
    "out of itself": (
        model_of([op("Add", "x h", "h"), op("Neg", "h")], [1, 3]),
        "the tensor 'h' is read before a node makes it",
    ),
    "never made": (model_of([op("MatMul", "x w")], [1, 3]), "nothing makes the tensor 'w'"),
    "no output": (model_of([op("Relu", "x", "h")], [1, 3]), "nothing makes the output 'y'"),
    "a negative length": (_declared(1, -3), r"is declared with axes of lengths \[1, -3\]"),
    "stored with negative lengths": (_stored(-2, -3), r"'w' of .* cannot be read: .* lengths \[-2, -3\]"),
    "stored with other lengths": (_stored(7, 3), "'w' of .* cannot be read"),
    "a shape of negative lengths": (
        model_of([op("Reshape", "x s")], [1, 4], {"s": np.array([-2, 2])}),
        r"'Reshape_0' \(Reshape\) cannot be computed on 1 x 4",
    ),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_broken_files(tmp_path: Path, name: str) -> None:
    model, words = _BROKEN[name]
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(InputError, match=words):
        load_program(tmp_path / "net.onnx")


def test_weights_that_are_not_beside_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, [op("MatMul", "x w")], [1, 300], {"w": np.ones((300, 3))})
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="net.data", size_threshold=0)
    data = (tmp_path / "net.data").read_bytes()
    (tmp_path / "net.data").write_bytes(data[:100])
    with pytest.raises(InputError, match=r"cannot be read as an ONNX file.*'w'"):
        load_program(path)
    (tmp_path / "net.data").unlink()
    with pytest.raises(InputError, match=r"tensor name: w.*net\.data"):
        load_program(path)


def _value(name: str, kind: int = _DOUBLE) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, None)


def _body(*nodes: NodeProto, inputs: str, outputs: str) -> GraphProto:
    return helper.make_graph(
        list(nodes), "body", [_value(n) for n in inputs.split()], [_value(n) for n in outputs.split()]
    )


def _loop_body() -> GraphProto:
    """h <- relu(h w + x), of which every round is kept, and its number times h."""
    return _body(
        op("MatMul", "h w", "m"),
        op("Add", "m x", "a"),
        op("Relu", "a", "next"),
        op("Cast", "i", "f", to=_DOUBLE),
        op("Mul", "next f", "kept"),
        op("Identity", "go", "go_on"),
        inputs="i go h",
        outputs="go_on next kept",
    )


_LOOPED = {
    "w": np.random.default_rng(4).normal(size=(3, 3)),
    "n": np.array(4),
    "yes": np.array(True),
    "two": np.array(2),
    "half": np.array([[0.5]]),
}
_FALLING = _body(
    op("Relu", "h", "r"),
    op("Sub", "r half", "next"),
    op("Less", "i two", "go_on"),
    inputs="i go h",
    outputs="go_on next",
)
_SUMS = _body(op("Add", "s e", "t"), op("Relu", "t", "u"), op("Neg", "u", "k"), inputs="s e", outputs="t k")


def _rounds(x: np.ndarray) -> list[np.ndarray]:
    rounds = [x]
    for _ in range(4):
        rounds.append(np.maximum(rounds[-1] @ _LOOPED["w"] + x, 0))
    return rounds[1:]


def _kept(x: np.ndarray) -> np.ndarray:
    return np.stack([number * h for number, h in enumerate(_rounds(x))])


def _fallen(x: np.ndarray) -> np.ndarray:
    for _ in range(3):  # the condition is asked for after each round
        x = np.maximum(x, 0) - 0.5
    return x


def _sums(x: np.ndarray) -> np.ndarray:
    """(1, 4): the sum of all entries, and before it minus relu of the sum up to each of them."""
    sums = np.cumsum(x + np.array([0.5, 0, 0]), axis=1)
    return np.concatenate([sums[:, -1:], -np.maximum(sums, 0)], axis=1)


_SCAN = {"body": _SUMS, "num_scan_inputs": 1, "scan_input_axes": [1], "scan_output_axes": [1]}
_BACK = {"scan_input_directions": [1], "scan_output_directions": [1]}
_JOIN = [op("Unsqueeze", "last one", "l"), op("Concat", "l all", axis=1)]
_UNROLLED: dict[str, tuple[list[NodeProto], Callable[[np.ndarray], np.ndarray]]] = {
    "the last round": ([op("Loop", "n yes x", "y all", body=_loop_body())], lambda x: _rounds(x)[-1]),
    "all rounds": ([op("Loop", "n - x", "last y", body=_loop_body())], _kept),
    "a loop until a condition": ([op("Loop", "- yes x", body=_FALLING)], _fallen),
    "a scan": ([op("Scan", "start x", "last all", **_SCAN), *_JOIN], _sums),
    "a scan from behind": (
        [op("Scan", "start x", "last all", **_SCAN, **_BACK), *_JOIN],
        lambda x: np.concatenate([_sums(x[:, ::-1])[:, :1], _sums(x[:, ::-1])[:, :0:-1]], axis=1),
    ),
}


@pytest.mark.parametrize("name", _UNROLLED)
def test_loops_of_known_length(tmp_path: Path, name: str) -> None:
    nodes, wanted = _UNROLLED[name]
    arrays = _LOOPED | {"start": np.array([0.5]), "one": np.array([1])}
    program = load_program(saved(tmp_path, nodes, [1, 3], arrays))
    assert program.n_units > 0
    for x in np.random.default_rng(5).normal(size=(6, 1, 3)):
        found = program.forward(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(found.reshape(wanted(x).shape), wanted(x), rtol=1e-12, atol=1e-12)


def test_loops_that_depend_on_values_or_are_too_long(tmp_path: Path) -> None:
    body = _body(
        op("Relu", "h", "next"), op("ReduceMax", "next", "top", keepdims=0), op("Less", "top two", "go_on"),
        inputs="i go h", outputs="go_on next",
    )  # fmt: skip
    path = saved(tmp_path, [op("Loop", "- yes x", body=body)], [1, 3], _LOOPED | {"two": np.array(2.0)})
    with pytest.raises(NotPiecewiseAffineError, match="chooses what to compute while the network runs"):
        load_program(path)
    path = saved(
        tmp_path,
        [op("Loop", "n yes x", "y all", body=_loop_body())],
        [1, 3],
        _LOOPED | {"n": np.array(10**9)},
    )
    with pytest.raises(NotPiecewiseAffineError, match="runs 1,000,000,000 rounds"):
        load_program(path)
