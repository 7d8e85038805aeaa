"""Programs that torch.export saved: .pt2 files."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import SymInt, Tensor, fx, nn
from torch.export import ExportedProgram
from torch.fx.graph import _PyTreeCodeGen
from torch.utils._pytree import tree_structure

from splineviz.errors import InputError
from splineviz.program.modes import condensed

__all__ = ["load_exported"]


def load_exported(path: str | Path) -> tuple[nn.Module, tuple[int, ...]]:
    """The module of a .pt2 file as a function of its input alone, and the shape of one input.

    What else it was exported with, numbers and flags, is as it was then.

    Reading such a file can run code in it.

    Raises
    ------
    InputError
        If the file is missing or broken, takes more than one tensor, or was exported for one fixed number of
        inputs.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no such file: '{path}'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's remarks on its own format
            program = torch.export.load(path)
            module = program.module()
    except Exception as error:
        raise InputError(
            f"'{path}' cannot be read as an exported program: {condensed(error)}",
            hint="save one with torch.export.save(torch.export.export(model, (x,), "
            "dynamic_shapes=...), path)",
        ) from error
    shape = _input_shape(program, path)
    # such a module computes what it was exported to compute, and raises when its mode is to be changed
    module.train = lambda mode=True: module  # type: ignore[method-assign]
    module.eval = lambda: module  # type: ignore[method-assign]
    _take_input_alone(module)
    return module, shape


def _take_input_alone(module: fx.GraphModule) -> None:
    """Make an exported module a function of the one tensor that it takes; the numbers and flags that it was
    exported with are in its graph."""
    graph = module.graph
    arguments = [node for node in graph.nodes if node.op == "placeholder"]
    others = [node for node in arguments if not isinstance(node.meta.get("val"), Tensor)]
    for node in others:
        for check in list(node.users):  # of the arguments, which nothing reads
            graph.erase_node(check)
        graph.erase_node(node)
    (x,) = [node for node in graph.nodes if node.op == "placeholder"]
    codegen = graph._codegen
    assert isinstance(codegen, _PyTreeCodeGen)
    in_spec = tree_structure(((0,), {}))
    codegen.pytree_info = codegen.pytree_info._replace(orig_args=[str(x.target)], in_spec=in_spec)
    module._forward_pre_hooks.clear()  # its own check of all arguments
    module.recompile()


def _input_shape(program: ExportedProgram, path: Path) -> tuple[int, ...]:
    inputs = [
        node
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
    ]
    values = [node.meta.get("val") for node in inputs]
    tensors = [value for value in values if isinstance(value, Tensor)]
    if len(values) != 1 or len(tensors) != 1:
        raise InputError(
            f"a network takes one tensor, but '{path}' takes {len(values)}: "
            f"{', '.join(n.name for n in inputs)}"
        )
    sizes: list[int | SymInt] = [*tensors[0].shape] or [1]
    batch, *rest = sizes
    if isinstance(batch, int):
        raise InputError(
            f"'{path}' was exported for {batch} inputs at a time only",
            hint="export it with a dynamic batch: torch.export.export(model, (x,), dynamic_shapes=({0: "
            "torch.export.Dim.AUTO},))",
        )
    fixed = tuple(n for n in rest if isinstance(n, int))
    if len(fixed) < len(rest):
        raise InputError(
            f"'{path}' leaves more axes of its input open than the batch",
            hint="export it with all axes but the batch fixed",
        )
    return fixed
