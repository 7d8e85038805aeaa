"""Graphs of modules: torch.export, then plain calls with in-place writes removed and the batch axis
marked."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import UnsupportedOperatorException
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import ExportGraphSignature, InputKind, OutputKind

from splineviz.errors import InputError
from splineviz.program.apart import treats_apart
from splineviz.program.compositions import composed
from splineviz.program.modes import evaluating
from splineviz.program.mutation import Derived, Versions, read_view, write_view
from splineviz.program.regions import without_regions
from splineviz.showing import condensed

__all__ = ["BatchSize", "Call", "Graph", "Ref", "refs_of", "trace", "trace_apart"]

_NOT_THE_USERS = (str(Path(torch.__file__).parent), str(Path(__file__).parent / "onnx"), "torch/", "<")
_VMAP, _INNER = "_add_batch_dim", "of_one_input."
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')


class BatchSize(int):
    """A number of the trace that depends on how many inputs were passed."""


class _OneByOne(nn.Module):
    """A module that is given one input at a time."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.of_one_input = module

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = torch.vmap(lambda one: self.of_one_input(one[None])[0])(x)
        return made


@dataclass(frozen=True)
class Ref:
    """The value made by the call of that index."""

    index: int


@dataclass(frozen=True)
class Call:
    """One operation of the traced network; arguments by their name in the operation's schema, values as
    ``Ref``."""

    op: str
    """Name of the ATen operation without overload and in-place underscore; ``input``, ``weight``, ``getitem``
    or ``region``."""
    target: Any
    arguments: dict[str, Any]
    shape: tuple[int, ...] | None
    """Shape without the batch axis where ``batched``; ``None`` if no tensor, or if the batch size shows up
    elsewhere in it."""
    parts: tuple[tuple[int, ...], ...]
    """Shapes of the results of an operation that returns several, without the batch axis."""
    batched: bool
    name: str = ""
    module: str = ""
    module_class: str = ""
    source: str = ""
    in_place: bool = False
    refused: str | None = None
    """Reason why this call cannot be followed, if it cannot."""

    @property
    def place(self) -> str:
        """Path and class of the module that made the call; empty at the root."""
        return f"{self.module} ({self.module_class.rsplit('.', 1)[-1]})" if self.module else ""

    def refs(self) -> Iterator[int]:
        """Indices of the calls whose values this one reads."""
        return refs_of(self.arguments)


@dataclass(frozen=True)
class Graph:
    """The traced network, free of weights: ``weight`` calls name theirs."""

    calls: tuple[Call, ...]
    output: int
    constants: dict[str, Tensor]
    """Tensors that the module holds beside its parameters and buffers."""
    dynamic_batch: bool

    def needed(self, unread: frozenset[str] = frozenset()) -> list[int]:
        """Indices, ascending, of the calls that the output depends on; ``unread`` operations read nothing."""
        found: set[int] = set()
        stack = [self.output]
        while stack:
            index = stack.pop()
            if index not in found:
                found.add(index)
                call = self.calls[index]
                stack.extend(() if call.op in unread else call.refs())
        return sorted(found)


def trace(module: nn.Module, example: Tensor) -> Graph:
    """Trace a module in eval mode on an example of two inputs.

    Raises
    ------
    InputError
        If the module cannot be exported, or works only for one number of inputs.
    """
    exported = _export(module, example, dynamic=True)
    if any(getattr(node.target, "__name__", "") == _VMAP for node in exported.graph.nodes):
        # such nodes are no operations: an export input by input, and undone, has the batch in front
        exported = _export(_OneByOne(module), example, dynamic=True, undone=True)
    size = _batch_size(exported)
    if _number(size) is None:
        return _read(exported, str(size), dynamic=True)
    # the batch size was taken as a constant (by len(x), say): what differs between two traces must be the
    # batch size
    try:
        fixed = [
            _read(_export(module, x, dynamic=False), "", dynamic=False)
            for x in (example, torch.cat([example, example[:1]]))
        ]
        return _merge(fixed[0], fixed[1], len(example), len(example) + 1)
    except InputError:
        apart = trace_apart(module, example)
        if apart is None:
            raise
        return apart


def trace_apart(module: nn.Module, example: Tensor) -> Graph | None:
    """Trace of a module input by input, as operations on whole batches that have the batch in front; None
    where that cannot be done, or the inputs of a batch are not apart from each other."""
    if not treats_apart(module, example):
        return None
    try:
        exported = _export(_OneByOne(module), example, dynamic=True, undone=True)
    except InputError:
        return None
    size = _batch_size(exported)
    return None if _number(size) is not None else _read(exported, str(size), dynamic=True)


def _batch_size(exported: ExportedProgram) -> Any:
    """The number of inputs, a symbol where it was left open."""
    names = exported.graph_signature.user_inputs
    inputs = [node for node in exported.graph.nodes if node.op == "placeholder" and node.name in names]
    return inputs[0].meta["val"].shape[0]


def _export(module: nn.Module, example: Tensor, *, dynamic: bool, undone: bool = False) -> ExportedProgram:
    """The exported module, with vmap ``undone``: written as operations on whole batches."""
    first = next(iter(inspect.signature(module.forward).parameters.values()), None)
    of_input: Any = {0: Dim.AUTO}
    shapes = (
        ((of_input,) if first is not None and first.kind is first.VAR_POSITIONAL else of_input,)
        if dynamic
        else None
    )
    try:
        # no_grad: else a no_grad block of the user's becomes a region of its own in the graph
        with evaluating(module), torch.no_grad(), _left_by_vmap(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's remarks are for those who deploy what it makes
            exported = torch.export.export(module, (example,), dynamic_shapes=shapes)
            return composed(exported.run_decompositions({}) if undone else exported)
    except Exception as error:
        if dynamic:
            raise InputError(
                f"the module cannot be traced: {condensed(error)}", hint=_untraced(error)
            ) from error
        raise InputError(
            f"the module works for one fixed number of inputs only: {condensed(error)}",
            hint="write x.shape[0] (or -1) in place of the batch size in view() and reshape()",
        ) from error


def _untraced(error: Exception) -> str:
    """Advice where torch cannot export a module."""
    if "fake_quantize" in str(error):
        return (
            "fake quantisation of activations rounds, so that the network jumps: switch it off, "
            "model.apply(torch.ao.quantization.disable_fake_quant)"
        )
    if isinstance(error, UnsupportedOperatorException):
        return "torch.export does not know that operation: write it with others"
    return "let forward() take one tensor and contain no branch or loop that depends on the values in it"


@contextmanager
def _left_by_vmap() -> Iterator[None]:
    """Leave every vmap that was entered, which an export that fails within one does not."""
    functorch = torch._C._functorch
    before = len(functorch.get_interpreter_stack() or ())
    try:
        yield
    finally:
        while len(functorch.get_interpreter_stack() or ()) > before:
            functorch._vmap_decrement_nesting()


def _read(exported: ExportedProgram, batch: str, *, dynamic: bool) -> Graph:
    """The exported graph as calls; ``batch`` is the name of the symbol that stands for the number of
    inputs."""
    signature = exported.graph_signature
    weights = {spec.arg.name: spec for spec in signature.input_specs}
    graph = without_regions(exported.graph_module)
    versions = Versions(graph)
    calls: list[Call] = []
    constants: dict[str, Tensor] = {}
    for node in graph.nodes:
        if node.op == "output":
            result = node.args[0][_place(signature)]
            break
        call = _call(node, versions.index, batch)
        if node.op == "placeholder":
            spec = weights[node.name]
            if spec.kind == InputKind.USER_INPUT:
                call = replace(call, op="input")
            else:
                name = str(spec.target).removeprefix(_INNER)
                call = replace(call, op="weight", name=name)
                value = exported.constants.get(str(spec.target))
                if isinstance(value, Tensor) and spec.kind == InputKind.CONSTANT_TENSOR:
                    constants[name] = value.detach().clone()
        if node.op == "get_attr":
            call = replace(call, op="region")
        in_place, refused, derived = versions.record(node, len(calls))
        calls.append(replace(call, in_place=in_place, refused=refused))
        calls.extend(_derived(value, call, batch) for value in derived)
    return Graph(tuple(calls), versions.index(result), constants, dynamic)


def _place(signature: ExportGraphSignature) -> int:
    """Place of the module's own result among all that the graph returns."""
    return next(i for i, spec in enumerate(signature.output_specs) if spec.kind == OutputKind.USER_OUTPUT)


def _call(node: torch.fx.Node, index: Any, batch: str) -> Call:
    """One node, its arguments bound to the names of the operation's schema."""
    value = node.meta.get("val")
    shape, batched = _shape(value, batch) if isinstance(value, Tensor) else (None, False)
    parts = tuple(_shape(v, batch)[0] or () for v in value) if isinstance(value, (tuple, list)) else ()
    if isinstance(value, torch.SymInt):
        batched = True
    module, module_class = _module(node)
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        name = (
            node.target
            if isinstance(node.target, str)
            else getattr(node.target, "__name__", str(node.target))
        )
        arguments = {str(i): argument for i, argument in enumerate(node.args)}
    else:
        name = schema.name.split("::")[-1]
        if schema.is_mutable:
            name = name.rstrip("_") + ("_" if name.startswith("__") else "")
        arguments = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        arguments |= dict(zip((a.name for a in schema.arguments), node.args, strict=False)) | node.kwargs
    arguments = {key: _map(argument, index) for key, argument in arguments.items()}
    return Call(
        name, node.target, arguments, shape, parts, batched, node.name, module, module_class, _source(node)
    )


def _derived(value: Derived, writer: Call, batch: str) -> Call:
    """Call for the value that a write in place makes of another tensor."""
    arguments: dict[str, Any] = {"self": Ref(value.base)}
    if value.value is not None:
        arguments["value"] = Ref(value.value)
    arguments["views"] = value.views
    shape, batched = _shape(value.node.meta["val"], batch)
    target = read_view if value.value is None else write_view
    changed = replace(
        writer, op=target.__name__, target=target, arguments=arguments, shape=shape, parts=(), batched=batched
    )
    return replace(changed, name=value.node.name)


def _shape(value: Tensor, batch: str) -> tuple[tuple[int, ...] | None, bool]:
    """Shape without the batch axis, and whether axis 0 is the batch axis."""
    batched = value.dim() > 0 and str(value.shape[0]) == batch
    rest = [_number(n) for n in (value.shape[1:] if batched else value.shape)]
    return (None if None in rest else tuple(n for n in rest if n is not None)), batched


def _number(size: Any) -> int | None:
    """A size that does not depend on the batch; the exporter keeps some of these as symbols, too."""
    return int(size) if str(size).isdigit() else None


def _map(argument: Any, index: Any) -> Any:
    """An argument with its nodes replaced by references."""
    if isinstance(argument, torch.fx.Node):
        return Ref(index(argument))
    if isinstance(argument, (list, tuple)):
        return [_map(item, index) for item in argument]
    return argument


def refs_of(argument: Any) -> Iterator[int]:
    """Indices of the calls that an argument reads."""
    if isinstance(argument, Ref):
        yield argument.index
    elif isinstance(argument, (list, tuple, dict)):
        for item in argument.values() if isinstance(argument, dict) else argument:
            yield from refs_of(item)


def _module(node: torch.fx.Node) -> tuple[str, str]:
    """Path and class of the innermost module that made the call."""
    stack = [
        entry
        for entry in node.meta.get("nn_module_stack", {}).values()
        if not entry[0].startswith("_empty_nn_module")
    ]
    if not stack:
        return "", ""
    path, kind = stack[-1]
    path = f"{path.split('@')[0]}.".removeprefix(_INNER).removesuffix(".")
    return path, kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"


def _source(node: torch.fx.Node) -> str:
    """``file:line  text`` of the last frame in the user's own code, empty if there is none."""
    lines = (node.meta.get("stack_trace") or "").splitlines()
    found = ""
    for line, text in zip(lines, [*lines[1:], ""], strict=False):
        frame = _FRAME.match(line)
        if frame and not frame["file"].startswith(_NOT_THE_USERS):
            found = f"{frame['file']}:{frame['line']}" + ("" if _FRAME.match(text) else f"  {text.strip()}")
    return found


def _merge(two: Graph, three: Graph, small: int, large: int) -> Graph:
    """Merge the traces for two numbers of inputs: what differs between them is the batch size."""
    baked = InputError(
        "the module computes differently for two inputs than for three, so it is no function of one input",
        hint="remove loops over the batch and operations that mix its entries",
    )
    if len(two.calls) != len(three.calls) or two.output != three.output:
        raise baked
    calls = []
    for a, b in zip(two.calls, three.calls, strict=True):
        if a.op != b.op or a.target != b.target:
            raise baked
        pairs = [(a.shape, b.shape), *zip(a.parts, b.parts, strict=True)]
        split = [_without_batch(p, q, small, large) for p, q in pairs]
        arguments = {key: _tie(value, b.arguments.get(key), baked) for key, value in a.arguments.items()}
        (shape, batched), *parts = split
        calls.append(
            replace(
                a, shape=shape, batched=batched, parts=tuple(p[0] or () for p in parts), arguments=arguments
            )
        )
    return replace(two, calls=tuple(calls))


def _without_batch(
    a: tuple[int, ...] | None, b: tuple[int, ...] | None, small: int, large: int
) -> tuple[tuple[int, ...] | None, bool]:
    if a is None or b is None or len(a) != len(b):
        return None, False
    if a == b:
        return a, False
    if a[1:] == b[1:] and (a[0], b[0]) == (small, large):
        return a[1:], True
    return None, True


def _tie(a: Any, b: Any, baked: InputError) -> Any:
    """The two traces' argument as one, with ``BatchSize`` where they differ."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [_tie(p, q, baked) for p, q in zip(a, b, strict=True)]
    if a == b or (a != a and b != b):
        return a
    if type(a) is int and type(b) is int:
        return BatchSize(a)
    raise baked
