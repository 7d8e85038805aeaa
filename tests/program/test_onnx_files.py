"""ONNX files as a whole: batch axes, names, weights, what is refused, and what is wrong with a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

import splineviz.program.onnx.verifying  # noqa: E402
from splineviz.errors import InputError, NotPiecewiseAffineError  # noqa: E402
from splineviz.program import blockers, describe, load_program  # noqa: E402
from splineviz.program.onnx import read_network  # noqa: E402

from .onnx_nets import model_of, op, saved  # noqa: E402

torch.set_num_threads(1)
_random = np.random.default_rng(1)


def weights(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name: _random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def mlp(shape: Any, *, output_shape: Any = None, **options: Any) -> onnx.ModelProto:
    nodes = [
        op("Gemm", "x fc1.weight fc1.bias", "h", name="fc1", transB=1),
        op("Relu", "h", "r", name="/act/Relu"),
        op("Gemm", "r w", name="out"),
    ]
    arrays = weights(**{"fc1.weight": (5, 4), "fc1.bias": (5,), "w": (5, 3)})
    return model_of(nodes, shape, arrays, output_shape=output_shape, kind=TensorProto.FLOAT, **options)


def put(folder: Path, model: onnx.ModelProto) -> Path:
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def agrees(path: Path, batch: tuple[int, ...] = (3,), input_shape: tuple[int, ...] | None = None) -> None:
    """The program beside the reference, on as many inputs as the file takes at a time."""
    program = load_program(path, input_shape=input_shape)
    x = _random.normal(size=(*batch, *program.input_shape))
    wanted = ReferenceEvaluator(str(path)).run(None, {"x": x.astype(np.float32)})[0]
    result = program.forward(torch.from_numpy(x if batch else x[None])).numpy()
    np.testing.assert_allclose(result.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("first", [1, "batch", None, 6])
def test_batch_axis(tmp_path: Path, first: int | str | None) -> None:
    path = put(tmp_path, mlp([first, 4], output_shape=[first, 3]))
    given = (4,) if first == 6 else None
    assert load_program(path, input_shape=given).input_shape == (4,)
    agrees(path, (first if isinstance(first, int) else 3,), given)


def test_a_fixed_batch_that_is_named_in_a_shape(tmp_path: Path) -> None:
    nodes = [op("Relu", "x", "h"), op("Reshape", "h s", "r"), op("MatMul", "r w")]
    arrays = {"s": np.array([4, -1])} | weights(w=(8, 3))
    path = saved(tmp_path, nodes, [4, 2, 4], arrays, output_shape=[4, 3], kind=TensorProto.FLOAT)
    agrees(path, (4,), (2, 4))
    nodes = [op("Reshape", "x s", "r"), op("MatMul", "w r")]
    path = saved(
        tmp_path,
        nodes,
        [4, 8],
        {"s": np.array([8, 4])} | weights(w=(4, 8)),
        output_shape=[4, 4],
        kind=TensorProto.FLOAT,
    )
    with pytest.raises(InputError, match=r"(written for 4 inputs at a time|cannot be computed)"):
        load_program(path, input_shape=(8,))
    assert load_program(path).input_shape == (4, 8), "the only reading that holds"


def test_no_batch_axis(tmp_path: Path) -> None:
    nodes = [op("MatMul", "w x", "h"), op("Add", "h b", "a"), op("Relu", "a")]
    path = saved(tmp_path, nodes, [4], weights(w=(5, 4), b=(5,)), output_shape=[5], kind=TensorProto.FLOAT)
    program = load_program(path)
    assert (program.input_shape, program.output_shape) == ((4,), (5,))
    assert [stage.shape for stage in program.stages] == [(5,)]
    agrees(path, ())


def test_leading_axes_of_one(tmp_path: Path) -> None:
    nodes = [op("Flatten", "x", "f"), op("Gemm", "f w", "h"), op("Relu", "h")]
    program = load_program(saved(tmp_path, nodes, [1, 1, 1, 5], weights(w=(5, 7)), kind=TensorProto.FLOAT))
    assert program.input_shape == (1, 1, 5)
    assert [stage.shape for stage in program.stages] == [(7,)]


def test_units_of_maps_are_counted_by_channel_row_and_column(tmp_path: Path) -> None:
    nodes = [op("Conv", "x k", "h"), op("Relu", "h", name="act.relu")]
    program = load_program(
        saved(tmp_path, nodes, [1, 1, 4, 5], weights(k=(2, 1, 2, 2)), kind=TensorProto.FLOAT)
    )
    assert [(stage.name, stage.shape, stage.source) for stage in program.stages] == [
        ("act_relu", (2, 3, 4), "")
    ]


def test_open_axes_need_an_input_shape(tmp_path: Path) -> None:
    nodes = [op("Conv", "x k", "h"), op("GlobalAveragePool", "h")]
    path = saved(
        tmp_path, nodes, ["n", 1, "height", "width"], weights(k=(2, 1, 2, 2)), kind=TensorProto.FLOAT
    )
    with pytest.raises(
        InputError, match=r"the input 'x' .* leaves the shape of one input open: 1 x \? x \?"
    ) as caught:
        load_program(path)
    assert "input_shape" in (caught.value.hint or "")
    assert load_program(path, input_shape=(1, 5, 6)).input_shape == (1, 5, 6)
    with pytest.raises(
        InputError,
        match=r"takes one input of shape 1 x \? x \?, without the batch, but input_shape is \(3, 5, 6\)",
    ):
        load_program(path, input_shape=(3, 5, 6))
    onnx.save(model_of(nodes, None, weights(k=(2, 1, 2, 2)), kind=TensorProto.FLOAT), path)
    with pytest.raises(InputError, match="of no declared shape"):
        load_program(path)
    assert load_program(path, input_shape=(1, 5, 6)).output_shape == (2, 1, 1)


def test_weights_go_by_the_names_of_initialisers(tmp_path: Path) -> None:
    path = put(tmp_path, mlp(["n", 4]))
    program = load_program(path)
    assert set(read_network(path).state_dict()) == {"fc1.weight", "fc1.bias", "w"}
    assert program.n_parameters == 40
    state = {key: 2 * value for key, value in read_network(path).state_dict().items()}
    x = torch.randn(3, 4, dtype=torch.float64)
    rebound = program.rebind(state)
    assert not torch.equal(rebound.forward(x), program.forward(x))
    assert load_program(path, weights=state).digest == rebound.digest
    with pytest.raises(InputError, match=r"missing: fc1\.bias"):
        program.rebind({key: value for key, value in state.items() if key != "fc1.bias"})


def test_weights_computed_in_the_graph_follow_their_initialisers(tmp_path: Path) -> None:
    nodes = [op("Transpose", "w", "t"), op("Mul", "t g", "u"), op("MatMul", "x u")]
    path = saved(tmp_path, nodes, [1, 6], weights(w=(4, 6), g=(4,)), kind=TensorProto.FLOAT)
    program, state = load_program(path), read_network(path).state_dict()
    assert set(state) == {"w", "g"}
    x = torch.randn(3, 6, dtype=torch.float64)
    torch.testing.assert_close(
        program.rebind({"w": 2 * state["w"], "g": 3 * state["g"]}).forward(x), 6 * program.forward(x)
    )


def test_initialisers_that_shape_the_network_cannot_be_replaced(tmp_path: Path) -> None:
    nodes = [op("Clip", "x lo", "h"), op("Mul", "h lo")]
    path = saved(tmp_path, nodes, [1, 6], {"lo": np.array(0.5, np.float32)}, kind=TensorProto.FLOAT)
    assert dict(read_network(path).state_dict()) == {}
    assert float(load_program(path).forward(torch.zeros(1, 6, dtype=torch.float64))[0, 0]) == 0.25


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_numbers_are_read_exactly(tmp_path: Path, kind: str) -> None:
    value = torch.randn(3, 2, dtype=torch.float64).to(getattr(torch, kind))
    array = value.double().numpy()
    proto = helper.make_tensor(
        "w",
        getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}.get(kind, kind.upper())),
        [3, 2],
        array.ravel(),
    )
    model = model_of([op("MatMul", "x w")], [1, 3], kind=proto.data_type)
    model.graph.initializer.append(proto)
    program = load_program(put(tmp_path, model))
    assert torch.equal(program.forward(torch.eye(3, dtype=torch.float64)), torch.from_numpy(array))


def test_initialisers_listed_as_inputs_are_none(tmp_path: Path) -> None:
    model = mlp(["n", 4])
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [5, 3]))
    assert load_program(put(tmp_path, model)).input_shape == (4,)


def test_all_that_blocks_exactness_is_listed_at_once(tmp_path: Path) -> None:
    nodes = [
        op("LayerNormalization", "x s", "h", name="norm", axis=-1),
        op("Relu", "h", "r"),
        op("Sigmoid", "r", "g", name="/gate/Sigmoid"),
        op("Mul", "r g", "m", name="gated"),
        helper.make_node("Fancy", ["m"], ["f"], name="own", domain="com.example"),
        op("Softplus", "f", "p"),
        op("MatMul", "p w", "q"),
        op("Softmax", "q"),
    ]
    path = saved(tmp_path, nodes, [1, 4], weights(s=(4,), w=(4, 3)), kind=TensorProto.FLOAT)
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(path)
    norm, gate, product, own, softplus, softmax = caught.value.offenders
    assert norm.startswith(
        "LayerNormalization in norm (LayerNormalization) is not continuous piecewise affine"
    )
    assert norm.endswith("instead: batch_norm, which in eval mode divides by constants")
    assert gate.startswith("sigmoid in /gate/Sigmoid (Sigmoid) is not continuous piecewise affine")
    assert product.startswith("mul in gated (Mul) multiplies two activations, which is not piecewise affine")
    assert (
        own
        == "com.example::Fancy in own (Fancy) is not an operation that splineviz knows to be piecewise affine"
    )
    assert softplus.startswith("Softplus in Softplus_0 (Softplus) is not continuous piecewise affine")
    assert softmax.startswith("Softmax in Softmax_0 (Softmax) is not continuous piecewise affine")
    assert [o.module for o in blockers(path)][:2] == ["norm (LayerNormalization)", "/gate/Sigmoid (Sigmoid)"]


def test_a_last_softmax_is_told_to_go(tmp_path: Path) -> None:
    path = saved(tmp_path, [op("Relu", "x", "h"), op("Softmax", "h")], [1, 4])
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(path)
    assert "logits=True" in str(caught.value.hint) and "--logits" in caught.value.for_command()
    program = load_program(path, logits=True)
    assert program.cut_off is not None
    torch.testing.assert_close(
        program.forward(torch.ones(1, 4, dtype=torch.float64)), torch.ones(1, 4, dtype=torch.float64)
    )


@pytest.mark.parametrize("how", [{"axis": 1, "keepdims": 0}, {"axis": -1}])
@pytest.mark.parametrize("batch", [1, "N"])
def test_a_last_argmax_is_cut_off(tmp_path: Path, how: dict[str, int], batch: int | str) -> None:
    nodes = [op("Gemm", "x w", "h"), op("Softmax", "h", "p", axis=1), op("ArgMax", "p", **how)]
    path = saved(tmp_path, nodes, [batch, 4], weights(w=(4, 3)))
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(path)
    assert "cuts off the last argmax" in str(caught.value.hint)
    program = load_program(path, logits=True)
    assert program.cut_off is not None and "softmax" in program.cut_off and "argmax" in program.cut_off
    assert program.output_shape == (3,) and program.fidelity is not None and program.fidelity.float64 == 0


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (op("MatMul", "x t"), "multiplies two activations"),
        (op("Gemm", "x t"), "multiplies two activations"),
        (op("Conv", "m m"), "weights or parameters that depend on the network's input"),
        (op("TopK", "x k", "y i", sorted=0), "with sorted=False gives entries in an order"),
        (op("Cast", "x", to=TensorProto.INT64), "rounds to another type, which is not continuous"),
        (op("CastLike", "x k"), "rounds to another type, which is not continuous"),
        (op("Where", "x x x"), "chooses by the values of an activation"),
        (op("Gather", "x x"), "takes its input 1 from the values of an activation"),
        (op("Dropout", "x r on"), "is random: the file was written in training mode"),
        (op("RandomNormal", "", shape=[1, 3]), "is not an operation that splineviz knows"),
        (op("ConvTranspose", "m c", output_shape=[9, 9]), "names an output_shape larger than what it makes"),
        (op("Shrink", "x", lambd=1.0), "it jumps"),
        (op("MaxPool", "m", "h y", kernel_shape=[1, 1]), "places of the largest entries"),
        (op("QuantizeLinear", "x one", "y"), "rounds to whole numbers, .* before it was quantised"),
        (op("LpPool", "m", kernel_shape=[1, 1]), "is not continuous piecewise affine"),
        (
            op("BatchNormalization", "x v v v v", "y a b", training_mode=1),
            "normalises by the statistics of the batch",
        ),
    ],
    ids=lambda value: value.op_type if hasattr(value, "op_type") else "",
)
def test_is_refused(tmp_path: Path, node: onnx.NodeProto, words: str) -> None:
    nodes = [op("Transpose", "x", "t"), op("Reshape", "x four", "m"), node]
    if node.op_type == "RandomNormal":
        node = helper.make_node("RandomNormal", [], ["n"], shape=[1, 3])
        nodes = [node, op("Add", "x n")]
    arrays = weights(c=(1, 1, 2, 2), v=(3,)) | {
        "four": np.array([1, 1, 1, 3]),
        "k": np.array([2]),
        "r": np.array(0.5, np.float32),
        "on": np.array(True),
        "one": np.array(1, np.float32),
    }
    path = saved(tmp_path, nodes, [1, 3], arrays, opset=18, kind=TensorProto.FLOAT)
    with pytest.raises(NotPiecewiseAffineError, match=words) as caught:
        load_program(path)
    assert len(caught.value.offenders) == 1
    assert f"in {node.op_type}_0 ({node.op_type})" in caught.value.offenders[0]


def test_a_branch_that_is_known_is_taken(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("b", TensorProto.DOUBLE, None)
    branches = {
        name: helper.make_graph([op(kind, "x", "b")], name, [], [value])
        for name, kind in (("then_branch", "Relu"), ("else_branch", "Exp"))
    }
    nodes = [
        op("Shape", "x", "s"),
        op("Size", "s", "n"),
        op("Equal", "n two", "c"),
        helper.make_node("If", ["c"], ["y"], **branches),
    ]
    program = load_program(saved(tmp_path, nodes, [1, 3], {"two": np.array(2)}))
    assert [stage.kind for stage in program.stages] == ["relu"]


def test_functions_of_the_file_are_inlined(tmp_path: Path) -> None:
    bent = helper.make_function(
        "own",
        "Bent",
        ["a"],
        ["b"],
        [op("Relu", "a", "r"), op("Neg", "r", "b")],
        [helper.make_opsetid("", 17)],
    )
    model = model_of([helper.make_node("Bent", ["x"], ["y"], domain="own")], [1, 3])
    model.functions.append(bent)
    model.opset_import.append(helper.make_opsetid("own", 1))
    assert [stage.kind for stage in load_program(put(tmp_path, model)).stages] == ["relu"]


def test_external_weights(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(mlp([1, 4]), path, save_as_external_data=True, location="net.data", size_threshold=0)
    agrees(path, (1,))
    (tmp_path / "net.data").unlink()
    with pytest.raises(InputError, match=r"net\.onnx' cannot be read as an ONNX file") as caught:
        load_program(path)
    assert "beside it" in (caught.value.hint or "")


def _two_inputs() -> onnx.ModelProto:
    model = model_of([op("Add", "x second")], ["n", 4], kind=TensorProto.FLOAT)
    model.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, [1]))
    return model


def _two_outputs() -> onnx.ModelProto:
    model = mlp(["n", 4])
    model.graph.output.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, ["n", 5]))
    return model


def _opset(version: int) -> onnx.ModelProto:
    model = mlp(["n", 4])
    model.opset_import[0].version = version
    return model


def _of_text() -> onnx.ModelProto:
    return model_of([op("Neg", "x")], [1, 3], kind=TensorProto.STRING)


def _broken() -> onnx.ModelProto:
    return model_of([op("Neg", "nowhere")], [1, 3])


def _misfit() -> onnx.ModelProto:
    return model_of([op("MatMul", "x w", name="fc")], [1, 3], weights(w=(4, 2)), kind=TensorProto.FLOAT)


def _constant() -> onnx.ModelProto:
    return model_of([op("Neg", "w")], [1, 3], {"w": np.ones(2)})


BAD = {
    "two inputs": (
        _two_inputs,
        r"a network has one input, but '.*net\.onnx' takes 2: 'x', 'second'",
        "fix={'second': array}",
    ),
    "two outputs": (
        _two_outputs,
        r"a network has one output, but '.*net\.onnx' has 2: 'y', 'h'",
        "output='y'",
    ),
    "too new": (lambda: _opset(999), r"is of opset 999, but the installed onnx", "upgrade"),
    "too old": (lambda: _opset(6), r"is of opset 6; the oldest that is read is 7", "convert"),
    "text": (_of_text, r"the input 'x' of .* must hold numbers, but is of type string", ""),
    "broken": (_broken, r"nothing makes the tensor 'nowhere'", ""),
    "misfit": (_misfit, r"the node 'fc' \(MatMul\) cannot be computed on 1 x 3, 4 x 2", ""),
    "constant": (_constant, "does not depend on its input", ""),
    "empty": (onnx.ModelProto, "cannot be read as an ONNX file: it holds no network", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file(tmp_path: Path, name: str) -> None:
    make, words, hint = BAD[name]
    with pytest.raises(InputError, match=words) as caught:
        load_program(put(tmp_path, make()))
    assert hint in (caught.value.hint or "")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"no network at all")
    with pytest.raises(InputError, match=r"net\.onnx' cannot be read as an ONNX file"):
        load_program(tmp_path / "net.onnx")
    with pytest.raises(InputError, match="no such file"):
        load_program(tmp_path / "missing.onnx")


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splineviz.program.onnx", None)
    with pytest.raises(InputError, match="needs the package onnx") as caught:
        load_program(put(tmp_path, mlp([1, 4])))
    assert caught.value.hint == "pip install 'splineviz[onnx]'"


def test_a_node_of_the_name_of_a_constant(tmp_path: Path) -> None:
    constant = op("Constant", "", "k", value=helper.make_tensor("v", TensorProto.FLOAT, [], [0.5]))
    path = saved(
        tmp_path, [constant, op("Mul", "x k", "h", name="k"), op("Relu", "h")], [1, 3], kind=TensorProto.FLOAT
    )
    assert list(read_network(path).state_dict()) == []
    agrees(path, (1,))


def test_odd_names(tmp_path: Path) -> None:
    nodes = [
        op("Gemm", "x training a.b", "h", name="forward"),
        op("Relu", "h", "r", name="a"),
        op("Relu", "r", "s"),
        op("Gemm", "s a", name="a"),
    ]
    path = saved(
        tmp_path, nodes, [1, 3], weights(training=(3, 2), a=(2, 2), **{"a.b": (2,)}), kind=TensorProto.FLOAT
    )
    agrees(path, (1,))
    assert [row.name for row in describe(load_program(path)).stages] == ["a_1", "Relu_0"]
    assert numpy_helper.to_array(onnx.load(path).graph.initializer[0]).shape == (3, 2)


@pytest.mark.parametrize(
    "name",
    ["input_shape", "refused", "in_order", "forward", "training", "_steps", "_places", "_parameters", "eval"],
)
def test_nodes_with_names_of_the_reader(tmp_path: Path, name: str) -> None:
    nodes = [op("MatMul", "x w", "h", name=name), op("Relu", "h", name=f"{name}.{name}")]
    array = weights(w=(3, 2))
    program = load_program(saved(tmp_path, nodes, [1, 3], array, kind=TensorProto.FLOAT))
    assert program.n_units == 2
    double = program.rebind({"w": torch.from_numpy(2 * array["w"])})
    x = torch.ones(1, 3, dtype=torch.float64)
    torch.testing.assert_close(double.forward(x), 2 * program.forward(x))


def test_masks_of_minus_infinity(tmp_path: Path) -> None:
    arrays = {"m": np.array([[True, False, True, True]]), "n": np.array(-np.inf, np.float32)}
    nodes = [op("Where", "m x n", "q"), op("ReduceMax", "q", axes=[1])]
    program = load_program(saved(tmp_path, nodes, [1, 4], arrays, kind=TensorProto.FLOAT))
    x = torch.randn(5, 4, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x).flatten(), x[:, [0, 2, 3]].amax(1))


def test_a_declared_shape_that_the_nodes_do_not_make(tmp_path: Path) -> None:
    nodes = [op("MatMul", "x w")]
    path = saved(tmp_path, nodes, [1, 3], weights(w=(3, 2)), output_shape=[1, 5], kind=TensorProto.FLOAT)
    with pytest.raises(InputError, match=r"declares outputs of shape \(1, 5\), but its nodes make \(1, 2\)"):
        load_program(path)
    assert load_program(
        saved(tmp_path, nodes, ["n", 3], weights(w=(3, 2)), output_shape=["n", "m"], kind=TensorProto.FLOAT)
    ).output_shape == (2,)


def test_lengths_are_products_in_single_precision(tmp_path: Path) -> None:
    """By a scale of .7, of which float32 holds a little less, ten entries become seven for all others."""
    nodes = [op("Resize", "x - s", mode="linear", coordinate_transformation_mode="half_pixel")]
    scales = {"s": np.array([1, 1, 0.7], np.float32)}
    path = saved(tmp_path, nodes, [1, 1, 10], scales, output_shape=[1, 1, 7], kind=TensorProto.FLOAT)
    program = load_program(path)
    x = torch.randn(1, 1, 10, dtype=torch.float64)
    wanted = torch.nn.functional.interpolate(x, scale_factor=0.7, mode="linear")
    assert tuple(program.forward(x).shape) == tuple(wanted.shape)


def test_a_graph_that_is_read_otherwise_than_by_the_reference_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, [op("Relu", "x")], ["n", 3], kind=TensorProto.FLOAT)
    assert load_program(path).n_units == 3
    monkeypatch.setattr(splineviz.program.onnx.verifying, "ReferenceEvaluator", _Doubled)
    with pytest.raises(InputError, match="another function than ONNX's reference makes of it"):
        load_program(path)


class _Doubled(ReferenceEvaluator):
    def run(self, *arguments: Any) -> Any:
        return [2 * value for value in super().run(*arguments)]
