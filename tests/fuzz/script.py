"""A case as a script that runs it again on its own."""

from __future__ import annotations

from fractions import Fraction

from tests.oracles.harness import Case
from tests.oracles.network import Add, Concat, Linear, Maximum, Pointwise

__all__ = ["as_script"]

_HEAD = '''"""{title}

Run it from the root of the repository: PYTHONPATH=. python build/fuzz/{name}
"""

from fractions import Fraction

import numpy as np

from splineviz.plane import Plane, Window
from tests.oracles.harness import Case
from tests.oracles.maps import *
from tests.oracles.network import *

'''


def as_script(case: Case, title: str, name: str, certify: str) -> str:
    names: dict[int, str] = {}
    lines = []
    for step in case.network.steps:
        if id(step.op) not in names:
            names[id(step.op)] = f"op{len(names)}"
            lines.append(f"{names[id(step.op)]} = {_op(step.op)}")
    steps = ", ".join(f"Step({names[id(step.op)]}, {step.inputs})" for step in case.network.steps)
    plane = "None"
    if case.plane is not None:
        arrays = [f"np.array({array.tolist()})" for array in (case.plane.origin, case.plane.basis)]
        plane = f"Plane({', '.join(arrays)}, {case.plane.input_shape}, np.zeros((0, 2)))"
    windows = ", ".join(f"Window.polygon({window.vertices.tolist()})" for window in case.windows)
    lines += [
        f"network = Network({case.network.dim}, ({steps},))",
        f"case = Case(network, ({windows},), {plane})",
        f"print(case.agree({certify!r}))",
    ]
    return _HEAD.format(title=title, name=name) + "\n".join(lines) + "\n"


def _op(op: object) -> str:
    match op:
        case Linear(source="") | Linear(module=None):
            rows = ", ".join(_row(row) for row in op.weight)
            return f"linear([{rows}], {_row(op.bias)})"
        case Linear() | Maximum():
            return op.source
        case Pointwise(kind="relu"):
            return "relu()"
        case Pointwise(kind="relu6"):
            return "relu6()"
        case Pointwise(kind="abs"):
            return "absolute()"
        case Pointwise(kind="leaky_relu"):
            return f"leaky_relu({_number(op.slopes[0][0])})"
        case Pointwise(kind="prelu"):
            return f"prelu({_row(op.slopes[0])})"
        case Pointwise(kind="hardtanh"):
            return f"hardtanh({_number(op.breakpoints[0])}, {_number(op.breakpoints[1])})"
        case Add() | Concat():
            return f"{type(op).__name__}()"
    raise TypeError(f"no code for {type(op).__name__}")


def _row(row: tuple[Fraction, ...]) -> str:
    return f"[{', '.join(map(_number, row))}]"


def _number(x: Fraction) -> str:
    if x.denominator == 1 and abs(x) < 10**6:
        return str(x.numerator)
    return repr(float(x)) if Fraction(float(x)) == x else f"Fraction({x.numerator}, {x.denominator})"
