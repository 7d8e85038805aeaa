"""The plane in the weights of one layer as a network with two inputs: its outputs are those on the data.

With the other weights held, what enters the rest of the network is affine in the layer's weight: for the
weight W + s P + t Q it is z + s p + t q, with the values z, p, q of the data under W, P and Q. So the network
on n data points is a piecewise-affine program of (s, t), with n times its units and its outputs, and is
arranged as any other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.inputs import as_inputs, numbers_of, whole_number
from splineviz.program.copies import copies
from splineviz.program.lowering import with_frees
from splineviz.program.models import Model
from splineviz.program.operations.gains import matrix_gain
from splineviz.program.program import Affine, Form, Gain, Maximum, Pointwise, Program, Stage
from splineviz.program.rows import as_rows
from splineviz.program.sources import program_for
from splineviz.program.state_dicts import Weights

__all__ = ["WeightPlane", "weight_plane"]


@dataclass(frozen=True, eq=False)
class WeightPlane:
    """A plane in the weights of one layer, as a program.

    Attributes
    ----------
    program
        Takes (s, t), and returns the outputs of the network with the weight W + s P + t Q on all data points,
        one after the other: (n * C,).
    weight
        W, the weight of the layer.
    directions
        (2, *weight) P and Q.
    layer
        Name of the layer.
    data
        (n, *input_shape) the data points.
    labels
        (n,) their classes, or None.
    n_outputs
        C, outputs of the network for one data point.
    """

    program: Program
    weight: Float64[np.ndarray, "..."]
    directions: Float64[np.ndarray, "2 ..."]
    layer: str
    data: Float64[np.ndarray, "point ..."]
    labels: np.ndarray | None
    n_outputs: int

    def __repr__(self) -> str:
        return (
            f"WeightPlane of {self.layer}.weight {self.weight.shape}, {len(self.data):,} data points: "
            f"{self.program.n_units:,} units"
        )

    def at(self, s: float, t: float) -> Float64[np.ndarray, "..."]:
        """The weight of the layer at a point of the plane."""
        moved: np.ndarray = self.weight + s * self.directions[0] + t * self.directions[1]
        return moved


def weight_plane(
    model: Model | Program,
    layer: str,
    directions: Sequence[Any] | None = None,
    data: Any = None,
    labels: Any = None,
    *,
    through: Sequence[Any] | None = None,
    seed: int = 0,
    **how: Any,
) -> WeightPlane:
    """The network on some data as a function of the weight of one layer, on a plane through the present
    weight.

    Parameters
    ----------
    model
        A program, or whatever :func:`splineviz.load_program` takes.
    layer
        Path of the module whose ``weight`` is moved: ``"0"``, ``"features.3"``. It has to be used once.
    directions
        P and Q, of the shape of the weight. By default two random ones, normalised by filter: every row has
        the norm of that row of the weight (Li et al. 2018, arXiv:1712.09913, section 4).
    data
        (n, *input_shape) data points.
    labels
        (n,) their classes; may be left out.
    through
        In place of directions two further weights, say of later checkpoints: arrays of the weight's shape, or
        state dicts that hold it. They are at (1, 0) and (0, 1).
    seed
        Of random directions.
    how
        Keywords of :func:`splineviz.load_program`.

    Raises
    ------
    InputError
        If there is no such layer, it is used more than once or has no weight, shapes do not match, or the
        directions span no plane.
    NotPiecewiseAffineError
        If the network is not continuous piecewise affine.

    Examples
    --------
    >>> import splineviz as sv
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    >>> plane = weight_plane(net, "0", data=np.eye(2), labels=[0, 2])
    >>> arr = sv.arrange(plane.program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> arr.affine.shape[1:]
    (6, 3)
    """
    if data is None:
        raise InputError("a plane of weights needs data points", hint="data=x, (n, *input_shape)")
    x = torch.from_numpy(numbers_of(data, "data"))
    if not x.ndim or not len(x) or not bool(torch.isfinite(x).all()):
        raise InputError(
            f"data must be finite points (n, *input_shape), one or more; got an array of {tuple(x.shape)}",
            hint="leave points that hold NaN or infinite values out",
        )
    program = program_for(model, [tuple(x.shape[1:])], **how)
    x = as_inputs(x, program.input_shape)
    n_outputs = int(np.prod(program.output_shape))
    classes = None if labels is None else _classes(labels, len(x), max(2, n_outputs))
    key = f"{layer}.weight"
    weight = _weight(program, key)
    moved = _directions(weight, directions, through, key, seed)
    place = _place(program, layer)
    with torch.no_grad():
        entering, held = _constants(program, place, x)
        base = _node(program, place, {key: weight}).run(entering)
        slopes = torch.stack([_node(program, place, {key: one}).linear(entering) for one in moved])
    return WeightPlane(
        _program(program, place, key, base, slopes, held),
        weight,
        moved,
        layer,
        x.numpy(),
        classes,
        n_outputs,
    )


def _classes(labels: Any, n: int, n_classes: int) -> Int64[np.ndarray, "point"]:
    """The class of each data point."""
    given = numbers_of(labels, "labels")
    if given.shape != (n,):
        raise InputError(
            f"there are {n} data points and labels of the shape {given.shape}", hint="a label for each"
        )
    if wrong := [label for label in given.tolist() if not (0 <= label < n_classes and label == int(label))]:
        raise InputError(f"labels must be classes in 0 .. {n_classes - 1}, got {wrong[0]:g}")
    return given.astype(np.int64)


def _program(
    program: Program, place: int, key: str, base: Tensor, slopes: Tensor, held: dict[int, Tensor]
) -> Program:
    """What follows the layer, on the values z + s p + t q (n, *shape) of n data points."""
    n, layer = len(base), program.nodes[place]
    matrix, constants, slot = slopes.flatten(1).T.contiguous(), base.flatten(), program.n_slots
    nodes: list[Affine | Pointwise | Maximum] = [
        Affine(
            layer.name,
            layer.module,
            layer.source,
            inputs=(0,),
            output=slot,
            frees=(),
            run=lambda st: nn.functional.linear(st, matrix, constants),
            linear=lambda st: nn.functional.linear(st, matrix),
            gain=matrix_gain(matrix, constants, (len(matrix),)),
            form=Form(nn.functional.linear, matrix, constants),
            matrix=matrix,
        ),
        _layout(layer.name, slot, layer.output, lambda x: x.reshape(len(x), *base.shape)),
    ]
    stages: list[Stage] = []
    moving = {layer.output}
    for node in program.nodes[place + 1 :]:
        if not moving.intersection(node.inputs):
            continue
        moving.add(node.output)
        wide = copies(node, n, held)
        if not isinstance(wide, Affine):
            stage = program.stages[wide.stage]
            stages.append(replace(stage, index=len(stages), shape=(n, *stage.shape)))
            wide = replace(wide, stage=len(stages) - 1)
        nodes.append(wide)
    nodes.append(_layout("outputs", program.output, slot + 1, as_rows))
    told = hashlib.sha256(f"{program.digest} by {key}".encode())
    for tensor in (matrix, constants, *(held[i] for i in sorted(held))):
        told.update(tensor.contiguous().numpy().tobytes())
    return Program(
        nodes=with_frees(nodes, slot + 1),
        stages=tuple(stages),
        n_slots=slot + 2,
        output=slot + 1,
        input_shape=(2,),
        output_shape=(n * int(np.prod(program.output_shape)),),
        name=f"{program.name} by {key}",
        digest=told.hexdigest(),
        n_parameters=2,
        _rebind=_cannot_rebind,
    )


def _layout(name: str, slot: int, output: int, run: Callable[[Tensor], Tensor]) -> Affine:
    """A node that arranges the entries of a slot anew."""
    return Affine(name, "", "", (slot,), output, (), run, run, Gain("layout"))


def _cannot_rebind(_weights: Weights, _key: str | None) -> Program:
    raise InputError("a plane of weights takes no new weights", hint="make it anew, of the rebound program")


def _weight(program: Program, key: str) -> np.ndarray:
    """The weight of a layer as float64."""
    weights = {} if program.origin is None else dict(program.origin.weights)
    if key not in weights:
        known = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
        raise InputError(
            f"the network has no weight {key!r}", hint=f"one of {', '.join(known[:12])}" if known else None
        )
    return np.asarray(weights[key].detach().to("cpu", torch.float64))


def _directions(
    weight: np.ndarray, directions: Sequence[Any] | None, through: Sequence[Any] | None, key: str, seed: int
) -> np.ndarray:
    """(2, *weight) the directions of a plane."""
    if directions is not None and through is not None:
        raise InputError("directions= and through= exclude each other")
    if through is not None:
        ends = [numbers_of(end.get(key) if isinstance(end, dict) else end, "through") for end in through]
        given = [end - weight for end in ends if end.shape == weight.shape]
        name = "through"
    elif directions is not None:
        ends = [numbers_of(one, "directions") for one in directions]
        given, name = [one for one in ends if one.shape == weight.shape], "directions"
    else:
        return _filter_normalised(weight, seed)
    if len(ends) != 2 or len(given) != 2:
        shapes = ", ".join(str(one.shape) for one in ends)
        raise InputError(f"{name} are two arrays of the shape of {key}, {weight.shape}; got {shapes}")
    rows = np.stack(given).reshape(2, -1)
    scale = np.abs(rows).max()
    if not np.isfinite(scale) or scale == 0 or np.linalg.matrix_rank(rows / scale) < 2:
        raise InputError(
            f"the two {name} span no plane", hint="finite arrays, none of them a multiple of the other"
        )
    return np.stack(given)


def _filter_normalised(weight: np.ndarray, seed: int) -> np.ndarray:
    """(2, *weight) random directions, whose rows have the norms of the rows of the weight."""
    drawn = np.random.default_rng(whole_number(seed, "seed", 0)).standard_normal((2, *weight.shape))
    rows = drawn.reshape(2, len(weight), -1)
    norms = np.linalg.norm(weight.reshape(len(weight), -1), axis=1)
    rows *= (norms / np.linalg.norm(rows, axis=2))[:, :, None]
    return drawn


def _place(program: Program, layer: str) -> int:
    """Index of the node that the weight of a layer belongs to."""
    affine = [
        i
        for i, node in enumerate(program.nodes)
        if node.module == layer and isinstance(node, Affine) and node.gain.kind == "dense"
    ]
    if len(affine) != 1 or len(program.nodes[affine[0]].inputs) != 1:
        times = f"used {len(affine)} times" if affine else "no layer of products"
        raise InputError(
            f"{layer} is {times} in the program, and a plane of weights needs one that is used once",
            hint="splineviz inspect MODEL lists the layers",
        )
    return affine[0]


def _node(program: Program, place: int, weights: dict[str, np.ndarray]) -> Affine:
    """The node of a program with other weights for its layer."""
    assert program.origin is not None
    replaced = {**program.origin.weights, **{name: torch.from_numpy(w) for name, w in weights.items()}}
    node = program.rebind(replaced).nodes[place]
    assert isinstance(node, Affine)
    return node


def _constants(program: Program, place: int, x: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """What enters a node on the data, and all values that do not depend on the node, by slot."""
    slots, moving = {0: x}, {program.nodes[place].output}
    for node in program.nodes[:place] + program.nodes[place + 1 :]:
        if moving.intersection(node.inputs):
            moving.add(node.output)
        else:
            slots[node.output] = node.run(*(slots[i] for i in node.inputs))
    if program.output not in moving:
        raise InputError(
            f"the outputs do not depend on {program.nodes[place].module}",
            hint="a layer on the way from the input to the output",
        )
    (entering,) = program.nodes[place].inputs
    read = {i for node in program.nodes if moving.intersection(node.inputs) for i in node.inputs}
    return slots[entering], {i: value for i, value in slots.items() if i in read}
