"""Products with matrices that a module keeps as sparse ones; the trace holds them whole."""

from __future__ import annotations

from dataclasses import replace

from splineviz.program.operations.base import OPERATIONS, Active, Constant, Step, operation

__all__: list[str] = []


@operation("_sparse_mm", makes="dense")
def _product(step: Step) -> Active | Constant:
    arguments = {"self": step.arguments["sparse"], "mat2": step.arguments["dense"]}
    return OPERATIONS["mm"].lower(replace(step, arguments=arguments))
