"""Pipelines of scikit-learn as its exporter writes them: scalers, linear models and multi-layer perceptrons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx")
from onnx import NodeProto, TensorProto, helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from splineviz.errors import NotPiecewiseAffineError  # noqa: E402
from splineviz.program import Program, load_program  # noqa: E402
from splineviz.program.onnx import read_network  # noqa: E402

from .onnx_nets import model_of, op  # noqa: E402

torch.set_num_threads(1)
_random = np.random.default_rng(2)


def _w(*shape: int) -> np.ndarray:
    return _random.normal(size=shape).astype(np.float32)


def ml(kind: str, inputs: str, outputs: str = "y", **attributes: object) -> NodeProto:
    return op(kind, inputs, outputs, domain="ai.onnx.ml", **attributes)


def put(
    folder: Path,
    nodes: list[NodeProto],
    arrays: dict[str, np.ndarray] | None = None,
    label: int | None = None,
) -> Path:
    """A file from four columns to ``y``, and to a label of that type."""
    model = model_of(nodes, ["n", 4], arrays, kind=TensorProto.FLOAT)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    if label is not None:
        model.graph.output.insert(0, helper.make_tensor_value_info("label", label, ["n"]))
    if any(node.op_type == "ZipMap" for node in nodes):
        number = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        kind = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, number))
        model.graph.output[-1].CopyFrom(helper.make_value_info("y", kind))
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def points() -> np.ndarray:
    return np.concatenate([_w(6, 4), np.round(2 * _w(6, 4)) / 2])


def of_reference(path: Path, name: str, x: np.ndarray) -> np.ndarray:
    """A tensor of the file as the reference computes it, which knows no maps."""
    model = onnx.load(path)
    nodes = [node for node in model.graph.node if node.op_type != "ZipMap"]
    del model.graph.node[:], model.graph.output[:]
    model.graph.node.extend(nodes)
    model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return np.asarray(ReferenceEvaluator(model).run([name], {"x": x})[0])


def outputs(program: Program, x: np.ndarray) -> np.ndarray:
    return program.forward(torch.from_numpy(x).double()).numpy()


def test_scalers_and_linear_models(tmp_path: Path) -> None:
    nodes = [
        ml("Scaler", "x", "s", offset=[0.5, -1.0, 0.25, 2.0], scale=[2.0, 0.5, 1.0, -1.5]),
        ml("Scaler", "s", "t", offset=[0.125], scale=[3.0]),
        ml("Imputer", "t", "i", imputed_value_floats=[0.0], replaced_value_float=float("nan")),
        ml("ArrayFeatureExtractor", "i k", "a"),
        ml("FeatureVectorizer", "a i", "v", inputdimensions=[2, 4]),
        op("Relu", "v", "r"),
        ml("LinearRegressor", "r", coefficients=_w(12).tolist(), intercepts=[1.0, -2.0], targets=2),
    ]
    path = put(tmp_path, nodes, {"k": np.array([[3, 0]])})
    x = points()
    program = load_program(path)
    assert (program.n_units, program.output_shape) == (6, (2,))
    np.testing.assert_allclose(outputs(program, x), of_reference(path, "y", x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [0, 3])
def test_linear_support_vectors(tmp_path: Path, count: int) -> None:
    given = {
        "coefficients": _w(count or 4).tolist(),
        "rho": [0.5],
        "n_supports": count,
        "kernel_type": "LINEAR",
    }
    if count:
        given["support_vectors"] = _w(count * 4).tolist()
    path, x = put(tmp_path, [ml("SVMRegressor", "x", "r", **given), op("Relu", "r")]), points()
    program = load_program(path)
    assert (program.n_units, program.output_shape) == (1, (1,))
    np.testing.assert_allclose(outputs(program, x), of_reference(path, "y", x), rtol=1e-5, atol=1e-5)


def _classifier(classes: int, post: str, zipped: bool) -> list[NodeProto]:
    rows, bias = _w(classes, 4), _w(classes)
    if classes == 2:
        rows[0], bias[0] = -rows[1], -bias[1]
    return [
        ml(
            "LinearClassifier",
            "x",
            "classes p",
            coefficients=rows.ravel().tolist(),
            intercepts=bias.tolist(),
            post_transform=post,
            classlabels_ints=list(range(classes)),
        ),
        ml("Normalizer", "p", "q" if zipped else "y", norm="L1"),
        op("Cast", "classes", "label", to=TensorProto.INT64),
        *([ml("ZipMap", "q", classlabels_int64s=list(range(classes)))] if zipped else []),
    ]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("classes", "post"), [(2, "LOGISTIC"), (3, "SOFTMAX")])
def test_logits_of_a_linear_classifier(tmp_path: Path, classes: int, post: str, zipped: bool) -> None:
    path = put(tmp_path, _classifier(classes, post, zipped), label=TensorProto.INT64)
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(path)
    assert "cuts off the last" in str(caught.value.hint)
    program, x = load_program(path, logits=True), points()
    assert program.output_shape == (classes,) and program.fidelity is not None
    logits = outputs(program, x)
    last = torch.sigmoid if post == "LOGISTIC" else lambda z: torch.softmax(z, 1)
    wanted = of_reference(path, "q" if zipped else "y", x)
    np.testing.assert_allclose(last(torch.from_numpy(logits)).numpy(), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(logits.argmax(1), of_reference(path, "label", x))


def test_probabilities_that_are_divided_by_their_sum_are_refused(tmp_path: Path) -> None:
    """One against the rest: no function of the logits that a squashing alone would give."""
    path = put(tmp_path, _classifier(3, "LOGISTIC", True), label=TensorProto.INT64)
    with pytest.raises(
        NotPiecewiseAffineError, match="what enters it can be read: output='p', --output-name p"
    ):
        load_program(path, logits=True)
    assert [step.kind for step in read_network(path, output="p")._steps] == ["LinearClassifier"]


def _perceptron(classes: int, zipped: bool) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    width, end = 1 if classes == 2 else classes, "p" if zipped else "y"
    arrays = {"w0": _w(4, 6), "b0": _w(1, 6), "w1": _w(6, width), "b1": _w(1, width)}
    arrays |= {"one": np.ones(1, np.float32), "flat": np.array([-1]), "classes": np.arange(classes)}
    nodes = [
        ml("Scaler", "x", "s", offset=[0.5, -1.0, 0.25, 2.0], scale=[2.0, 0.5, 1.0, -1.5]),
        op("Cast", "s", "c", to=TensorProto.FLOAT),
        op("MatMul", "c w0", "m"),
        op("Add", "m b0", "a"),
        op("Relu", "a", "r"),
        op("MatMul", "r w1", "n"),
        op("Add", "n b1", "z"),
    ]
    if classes == 2:
        nodes += [op("Sigmoid", "z", "o"), op("Sub", "one o", "u"), op("Concat", "u o", end, axis=1)]
    else:
        nodes += [op("Softmax", "z", "o", axis=1), op("Identity", "o", end)]
    nodes += [
        op("ArgMax", end, "g", axis=1),
        ml("ArrayFeatureExtractor", "classes g", "e"),
        op("Reshape", "e flat", "f"),
        op("Cast", "f", "label", to=TensorProto.INT64),
        *([ml("ZipMap", "p", classlabels_int64s=list(range(classes)))] if zipped else []),
    ]
    return nodes, arrays


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_logits_of_a_perceptron(tmp_path: Path, classes: int, zipped: bool) -> None:
    path = put(tmp_path, *_perceptron(classes, zipped), label=TensorProto.INT64)
    program, x = load_program(path, logits=True), points()
    assert (program.n_units, program.output_shape) == (6, (classes,))
    z, logits = of_reference(path, "z", x), outputs(program, x)
    wanted = np.concatenate([-z, z], 1) if classes == 2 else z
    np.testing.assert_allclose(logits, wanted, rtol=1e-5, atol=1e-5)
    assert program.fidelity is not None and program.fidelity.float64 < 1e-12
    np.testing.assert_array_equal(logits.argmax(1), of_reference(path, "label", x))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (ml("Normalizer", "x", norm="L2"), "divides by the size of its own input"),
        (ml("Normalizer", "x", norm="L1"), "divides by the size of its own input"),
        (ml("Imputer", "x", imputed_value_floats=[1.0], replaced_value_float=-9.0), "not continuous"),
        (ml("Binarizer", "x", threshold=0.5), "it jumps"),
        (ml("TreeEnsembleRegressor", "x", n_targets=1), "it jumps"),
        (
            ml(
                "SVMRegressor",
                "x",
                kernel_type="RBF",
                n_supports=1,
                support_vectors=[1.0] * 4,
                coefficients=[1.0],
                rho=[0.0],
            ),
            "has the kernel RBF, which is not piecewise affine",
        ),
        (
            ml("LinearRegressor", "x", coefficients=[1.0] * 4, intercepts=[0.0], post_transform="PROBIT"),
            "post_transform 'PROBIT' is not supported",
        ),
    ],
    ids=lambda value: value.op_type if isinstance(value, NodeProto) else "",
)
def test_is_refused(tmp_path: Path, node: NodeProto, words: str) -> None:
    with pytest.raises(NotPiecewiseAffineError, match=words) as caught:
        load_program(put(tmp_path, [node]))
    assert len(caught.value.offenders) == 1
