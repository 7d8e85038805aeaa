"""Programs that torch.export made, in memory or in .pt2 files."""

from __future__ import annotations

import logging
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import SymInt, Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind
from torch.fx import Graph, Interpreter
from torch.fx.traceback import preserve_node_meta

from splineviz.ceilings import check_archive
from splineviz.errors import InputError
from splineviz.files import utf8_path
from splineviz.program.one_input import Fixed, Output, chosen, held, many_inputs, spread
from splineviz.readable import check_readable
from splineviz.showing import condensed

__all__ = ["load_exported"]

_ATEN = torch.ops.aten
_CHECK = _ATEN._assert_tensor_metadata.default
_MOVES = (
    _ATEN.permute.default,
    _ATEN.transpose.int,
    _ATEN.view.default,
    _ATEN.reshape.default,
    _ATEN.flatten.using_ints,
    _ATEN.unsqueeze.default,
    _ATEN.squeeze.dim,
    _ATEN.slice.Tensor,
    _ATEN.select.int,
    _ATEN.clone.default,
    _ATEN.contiguous.default,
)


def load_exported(
    source: str | Path | ExportedProgram, fix: Fixed, output: Output | None
) -> tuple[nn.Module, tuple[int, ...], str | None]:
    """The module of a .pt2 file, or of what torch.export made, with some of its inputs fixed and one of its
    outputs chosen; the shape of one input, and the kind of whole numbers that it is declared to hold, if it
    is.

    Reading such a file can run code in it.

    Raises
    ------
    InputError
        If the file is missing or broken, several inputs are left, or it was exported for one fixed number of
        inputs.
    """
    program = source if isinstance(source, ExportedProgram) else _read(Path(source))
    name = "the exported program" if isinstance(source, ExportedProgram) else f"'{source}'"
    names, entry, known = _arguments(program, name, fix)
    kind = _whole_numbers(program, entry, name)
    module = _Exported(program.module(), names, entry, known, output)
    return module, _input_shape(program, entry, name), kind


class _Exported(nn.Module):
    """An exported graph as a function of one tensor, run node by node so that a trace tells the places of the
    module that it was made of; its weights keep their names."""

    def __init__(
        self,
        module: torch.fx.GraphModule,
        names: Sequence[str],
        entry: str,
        known: Mapping[str, object],
        output: Output | None,
    ) -> None:
        super().__init__()
        self._parameters, self._buffers, self._modules = module._parameters, module._buffers, module._modules
        self._graph, self._names, self._entry = _without_checks(module.graph), tuple(names), entry
        self._known, self._output = dict(known), output

    def forward(self, x: Tensor) -> object:
        """The chosen output for some inputs, all others fixed."""
        values = {name: spread(value, x) for name, value in self._known.items()} | {self._entry: x}
        with preserve_node_meta():
            result = Interpreter(self, graph=self._graph).run(*(values[name] for name in self._names))
        return chosen(result, self._output)


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Nothing from a logger but what is raised as well: torch tells of files that it cannot read by
    tracebacks."""
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _read(path: Path) -> ExportedProgram:
    check_readable(path)
    if zipfile.is_zipfile(path):
        check_archive(path)
    try:
        with warnings.catch_warnings(), _silent(logging.getLogger("torch.export")), utf8_path(path) as named:
            warnings.simplefilter("ignore")  # torch's remarks on its own format
            return torch.export.load(named)
    except Exception as error:
        raise InputError(
            f"'{path}' cannot be read as an exported program: {condensed(error)}",
            hint="save one with torch.export.save(torch.export.export(model, (x,), "
            "dynamic_shapes=...), path)",
        ) from error


def _arguments(program: ExportedProgram, name: str, fix: Fixed) -> tuple[list[str], str, dict[str, object]]:
    """The names of all arguments in order, that of the one tensor which is left, and the values of the
    others; numbers that it was exported with are given as they were."""
    told = [spec.arg for spec in program.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT]
    names = [argument.name for argument in told]
    if unknown := [key for key in fix if key not in names]:
        raise InputError(f"{name} has no input {', '.join(map(repr, unknown))}; it has {', '.join(names)}")
    left = [a.name for a in told if not isinstance(a, ConstantArgument) and a.name not in fix]
    if len(left) > 1:
        raise many_inputs(name, left)
    if not left:
        raise InputError(f"{name} takes no tensor that is not fixed", hint="leave one of them free")
    known: dict[str, object] = {a.name: a.value for a in told if isinstance(a, ConstantArgument)}
    known |= {key: held(key, value) for key, value in fix.items()}
    return names, left[0], known


def _input_shape(program: ExportedProgram, entry: str, name: str) -> tuple[int, ...]:
    node = next(node for node in program.graph.nodes if node.op == "placeholder" and node.name == entry)
    sizes: list[int | SymInt] = [*node.meta["val"].shape] or [1]
    batch, *rest = sizes
    if isinstance(batch, int):
        raise InputError(
            f"{name} was exported for {batch} inputs at a time only",
            hint="export it with a dynamic batch: torch.export.export(model, (x,), dynamic_shapes=({0: "
            "torch.export.Dim.AUTO},))",
        )
    fixed = tuple(n for n in rest if isinstance(n, int))
    if len(fixed) < len(rest):
        raise InputError(
            f"{name} leaves more axes of its input open than the batch",
            hint="export it with all axes but the batch fixed",
        )
    return fixed


def _whole_numbers(program: ExportedProgram, entry: str, name: str) -> str | None:
    """The kind of whole numbers of the input, which may only be moved before they are cast to real ones; None
    for real ones."""
    node = next(node for node in program.graph.nodes if node.op == "placeholder" and node.name == entry)
    kind: torch.dtype = node.meta["val"].dtype
    if kind.is_floating_point:
        return None
    todo = [node]
    while todo:
        for reader in todo.pop().users:
            made = reader.meta.get("val")
            if reader.target is _CHECK or (isinstance(made, Tensor) and made.is_floating_point()):
                continue
            if reader.target not in _MOVES:
                raise InputError(
                    f"{name} takes {str(kind).removeprefix('torch.')} numbers, and {reader.target} computes "
                    "with them: whole numbers are cut off or wrap",
                    hint="cast them first: x.float()",
                )
            todo.append(reader)
    return str(kind).removeprefix("torch.")


def _without_checks(graph: Graph) -> Graph:
    """The graph, stripped of the checks of data types that torch.export writes before casts: the program is
    run on real numbers of another precision than the example's."""
    for node in graph.find_nodes(op="call_function", target=_CHECK):
        graph.erase_node(node)
    return graph
