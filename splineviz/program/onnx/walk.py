"""The walk over the nodes of an ONNX graph, in which constants are folded and every other node becomes a
torch function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from onnx import NodeProto, TensorProto
from torch import Tensor

from splineviz.ceilings import NODES
from splineviz.errors import InputError, SplinevizError
from splineviz.program.onnx.batch_axis import Reading
from splineviz.program.onnx.control_flow import written_out
from splineviz.program.onnx.entry_kinds import kind_made
from splineviz.program.onnx.fitting import fitted, on_constants
from splineviz.program.onnx.folding import evaluated, exact
from splineviz.program.onnx.growth import Growth
from splineviz.program.onnx.loading import FLOATS, Source
from splineviz.program.onnx.module import RESERVED, GraphStep, OnnxNetwork
from splineviz.program.onnx.node import Numbers, OnnxNode, RefusedNodeError, Value, held, key_of
from splineviz.program.onnx.operators import OPERATORS, refusal_of
from splineviz.program.onnx.sequences import without_sequences
from splineviz.program.onnx.stand_in import copies, inferred
from splineviz.program.onnx.tensors import Tensors
from splineviz.program.onnx.validity import WRITE_AGAIN
from splineviz.program.refusal import Offender
from splineviz.showing import condensed

__all__ = ["Walk"]

_BATCH = 2  # number of inputs that each function is tried on
_OF_SHAPES = ("Shape", "Size", "EyeLike")
"""Operators whose result depends on the shape of their input alone"""


@dataclass(frozen=True)
class _Constant:
    """A node of constants: its function, what that takes, what it gives, and the initialisers that are part
    of it."""

    run: Callable[..., Tensor]
    used: list[Value]
    result: Tensor
    frozen: set[str]


class Walk:
    """The graph of a source with one reading of its input, node by node."""

    def __init__(self, source: Source, reading: Reading) -> None:
        self.source, self.reading = source, reading
        self.tensors = Tensors()
        numbers = Numbers.REAL if source.kind in FLOATS else Numbers.WHOLE
        self.tensors[source.input] = Value(source.input, reading.shape, numbers=numbers)
        self.steps: list[GraphStep] = []
        self.made: set[str] = set()  # names of all tensors that a step makes
        self.weights: dict[str, np.ndarray] = {}
        self.frozen: set[str] = set()
        self.refused: list[Offender] = []
        # Names that a node cannot have as a submodule
        self.taken = {name.split(".")[0] for name in source.initialisers} | RESERVED
        self.producers: dict[str, tuple[NodeProto, tuple[Value | None, ...]]] = {}
        self.growth = Growth()
        self.n_nodes = 0
        self.tensors.define(source.initialisers)
        for name, array in source.held.items():
            self.tensors[name] = Value(name, array.shape, exact(array))
        self.over(source.model.graph.node)

    def over(self, nodes: Iterable[NodeProto]) -> None:
        """Follow every node of a graph, or of a branch or round of a loop."""
        for proto in nodes:
            self.n_nodes += 1
            if self.n_nodes > NODES.most:
                raise InputError(
                    f"its loops written out, the graph has more than {NODES.most:,} nodes",
                    hint=NODES.hint(10 * NODES.most),
                )
            known = [self.tensors[name] for name in proto.input if name in self.tensors]
            try:
                plain = without_sequences(proto, self.tensors, self.source.opset)
                if plain is not None:
                    self.over(plain)
                elif not written_out(proto, self.tensors, self.over):
                    self._one(proto)
            except RefusedNodeError as reason:
                name = self._name(proto)
                self._refuse(proto, name, reason)
                self._stand_in(proto, name, known)
            except SplinevizError:
                raise
            except Exception as error:  # whatever a node without its attributes or inputs makes go wrong
                name = proto.name or proto.output[0]
                raise InputError(
                    f"the node '{name}' ({proto.op_type}) cannot be read: {condensed(error)}",
                    hint=WRITE_AGAIN,
                ) from error

    def module(self, path: str) -> OnnxNetwork:
        """Module that runs the converted nodes; ``path`` names the file in errors."""
        source, batch, output = self.source, self.reading.batch, self.tensors[self.source.output]
        if not output.active:
            raise InputError(
                f"the output '{source.output}' of '{path}' does not depend on its input",
                hint="another tensor of the file: output=NAME",
                command_hint="another tensor of the file: --output-name NAME",
            )
        if batch is not None and output.shape[:1] != (1,) and not self.refused:
            raise InputError(
                f"'{path}' was written for {batch} inputs at a time, and mixes them or names their "
                f"number in its shapes",
                hint="export it again with a batch of one, or a dynamic batch axis",
            )
        return OnnxNetwork(
            entry=source.input,
            input_shape=self.reading.input_shape,
            input_dtype=self.source.input_dtype,
            held_shape=held(self.reading.shape),
            steps=self.steps,
            output=output.name,
            weights=self.weights,
            free=frozenset(source.initialisers) - self.frozen,
            refused=self.refused,
        )

    def _one(self, proto: NodeProto) -> None:
        """Follow a node on tensors."""
        inputs = tuple(self.tensors[name] if name else None for name in proto.input)
        known = [value for value in inputs if value is not None]
        if proto.op_type in _OF_SHAPES and not any(value.lost for value in known):
            self._shape(proto, known[0])
            return
        self.growth.check(proto, self.source.opset, dict(zip(filter(None, proto.input), known, strict=True)))
        if any(value.active for value in known) or not self._fold(proto, inputs, known):
            self._follow(proto, inputs, known)

    def _shape(self, proto: NodeProto, value: Value) -> None:
        arrays = {proto.input[0]: np.broadcast_to(np.zeros(()), value.shape)}
        (result,) = evaluated(proto, self.source.opset, arrays)
        self.tensors[proto.output[0]] = Value(proto.output[0], result.shape, result)

    def _fold(self, proto: NodeProto, inputs: tuple[Value | None, ...], known: list[Value]) -> bool:
        """Compute a node of constants alone; whether that worked."""
        weights = frozenset[str]().union(*(value.weights for value in known))
        to = next((a.i for a in proto.attribute if a.name == "to"), None)
        if proto.op_type == "Cast" and weights and to in (TensorProto.FLOAT, TensorProto.DOUBLE):
            # A number keeps its value; what is written in fewer bits is rounded, below.
            self.tensors[proto.output[0]] = known[0]
            return True
        if proto.op_type.startswith(("Random", "Multinomial", "Bernoulli")):
            return False
        try:
            arrays = {
                name: value.array
                for name, value in zip(proto.input, inputs, strict=True)
                if value is not None and value.array is not None
            }
            results = evaluated(proto, self.source.opset, arrays)
        except (
            Exception
        ):  # whatever the reference raises where it does not know an operator, or an older form of it
            if not known or (own := self._own(proto, inputs, 0)) is None:
                return False
            self.frozen |= own.frozen
            results = [own.result.numpy()]
        for name, result in zip(proto.output, results, strict=False):
            self.tensors[name] = Value(name, result.shape, result, weights)
            self.producers[name] = proto, inputs
        return True

    def _follow(self, proto: NodeProto, inputs: tuple[Value | None, ...], known: list[Value]) -> None:
        """Turn a node into a step; where that cannot be, note why, and put something of the same shape in its
        place."""
        name = self._name(proto)
        entry = OPERATORS.get(key_of(proto))
        lost = any(value.lost for value in known)
        try:
            if known and not any(value.active for value in known):
                raise RefusedNodeError("on constants cannot be computed ahead")
            if entry is None or (lost and refusal_of(proto)):
                raise RefusedNodeError(refusal_of(proto))
            if lost:
                self._stand_in(proto, name, known)
                return
            node = OnnxNode(proto, self.source.opset, inputs, self.reading.batch, self.frozen.update)
            numbers = kind_made(proto, known)
            made = entry(node)
            used = [node.value(i) for i in made.inputs]
            run, shapes = fitted(made, [self._example(value) for value in used])
        except RefusedNodeError as reason:
            self._refuse(proto, name, reason)
            self._stand_in(proto, name, known)
            return
        except Exception as error:
            told = ", ".join(" x ".join(map(str, value.shape)) or "one number" for value in known)
            raise InputError(
                f"the node '{name}' ({proto.op_type}) cannot be computed on {told}: {condensed(error)}"
            ) from error
        outputs = tuple(proto.output[: len(shapes)])
        self._add(GraphStep(name, proto.op_type, run, tuple(self._tensor(value) for value in used), outputs))
        for output, shape in zip(outputs, shapes, strict=True):
            self.tensors[output] = Value(output, shape, numbers=numbers)

    def _refuse(self, proto: NodeProto, name: str, reason: RefusedNodeError) -> None:
        self.refused.append(Offender(key_of(proto), str(reason), f"{name} ({proto.op_type})", ""))

    def _tensor(self, value: Value) -> str:
        """The name under which a step finds a value; a constant is registered as a weight, or computed from
        such."""
        if value.array is None or value.name in self.made:
            return value.name
        own = value.weights == {value.name}
        if value.weights and not own and self._derived(value):
            return value.name
        self.weights[value.name] = value.array
        if not own:
            self.frozen.update(value.weights)
        return value.name

    def _derived(self, value: Value) -> bool:
        """Compute a constant in the module itself, so that it follows when its initialisers are replaced;
        whether that worked."""
        proto, inputs = self.producers[value.name]
        own = self._own(proto, inputs, next(i for i, v in enumerate(inputs) if v is not None and v.weights))
        assert value.array is not None
        if (
            own is None
            or own.result.shape != value.shape
            or not np.allclose(own.result.numpy(), value.array, rtol=1e-12, atol=0)
        ):
            return False
        self.frozen |= own.frozen
        self._add(
            GraphStep(
                self._name(proto),
                proto.op_type,
                own.run,
                tuple(self._tensor(v) for v in own.used),
                (value.name,),
            )
        )
        return True

    def _own(self, proto: NodeProto, inputs: tuple[Value | None, ...], index: int) -> _Constant | None:
        """A node of constants by its entry in the table, which takes the input of that index for an
        activation."""
        source, frozen = inputs[index], set[str]()
        if key_of(proto) not in OPERATORS or len(proto.output) != 1 or source is None:
            return None
        of_one = Value(source.name, source.shape)
        node = OnnxNode(
            proto, self.source.opset, (*inputs[:index], of_one, *inputs[index + 1 :]), None, frozen.update
        )
        try:
            made = OPERATORS[key_of(proto)](node)
            used = [value for value in (inputs[i] for i in made.inputs) if value is not None]
            tensors = [torch.from_numpy(value.array) for value in used if value.array is not None]
            run, result = on_constants(made, made.inputs.index(index), tensors, source.shape)
        except Exception:  # whatever an entry raises for a constant where it looks for an activation
            return None
        return _Constant(run, used, result, frozen)

    def _add(self, step: GraphStep) -> None:
        self.steps.append(step)
        self.made.update(step.outputs)

    def _example(self, value: Value) -> Tensor:
        if value.array is None:
            kind = torch.bool if value.numbers is Numbers.FLAGS else torch.float64
            return torch.zeros(_BATCH, *held(value.shape), dtype=kind)
        return torch.from_numpy(np.array(value.array, np.float64))

    def _stand_in(self, proto: NodeProto, name: str, known: list[Value]) -> None:
        """Put anything affine, of the shape that onnx infers for its results, in place of a node that cannot
        be followed."""
        active = [value for value in known if value.active] or [self.tensors[self.source.input]]
        outputs = tuple(output for output in proto.output if output)
        named = {name: self.tensors[name] for name in proto.input if name in self.tensors}
        known_shapes = {} if any(value.lost for value in known) else inferred(proto, self.source.opset, named)
        shapes = [known_shapes.get(output) for output in outputs]
        for output, shape in zip(outputs, shapes, strict=True):
            self.tensors[output] = Value(output, shape or (), lost=shape is None)
        run = copies([held(shape or ()) for shape in shapes])
        self._add(GraphStep(name, proto.op_type, run, tuple(value.name for value in active), outputs))

    def _name(self, proto: NodeProto) -> str:
        """The node's own name, or that of its operator, with a number where it is taken; without dots, which
        part a path."""
        plain = re.sub(r"[^\w/:+-]", "_", proto.name)
        name, number = plain or f"{proto.op_type}_0", 0
        while name in self.taken:
            number += 1
            name = f"{plain or proto.op_type}_{number}"
        self.taken.add(name)
        return name
