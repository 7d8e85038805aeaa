"""The operation table as text, for the README: what is supported, by family, and what to take in place of
what is not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from splineviz.program.compositions import COMPOSED
from splineviz.program.operations.base import OPERATIONS
from splineviz.program.operations.complex_numbers import COMPLEX
from splineviz.program.operations.gates import GATES
from splineviz.program.refused import REFUSED

__all__ = ["BEGIN", "END", "operations_text", "with_operations"]

BEGIN, END = "<!-- operations: written by make operations -->", "<!-- end of operations -->"

_FAMILIES = {
    "dense": "linear layers, convolutions",
    "contraction": "sums of products with constants",
    "pooling": "averages, sums",
    "resampling": "interpolation",
    "grid_sampling": "interpolation at constant places",
    "scattering": "sums and extremes at constant places",
    "elementwise": "adding, scaling, shifting",
    "pointwise": "activations, clamps",
    "maxima": "maxima",
    "order": "extremes so far",
    "layout": "reshaping, cutting, joining",
    "moves": "rearranging",
}
_NODES = {
    "dense": "affine",
    "sum": "sum of activations",
    "diagonal": "affine, entry by entry",
    "layout": "moves entries",
    "stage": "**units**",
    "": "nothing in eval mode",
}
_INTERNAL = ("_", "read_view", "write_view", "sums_of_largest", "exchanged")
_AXES = re.compile(r"(.*?)([123]d)(.*)")


def operations_text() -> str:
    """Two Markdown tables.

    Examples
    --------
    >>> [line.split(" | ")[1] for line in operations_text().splitlines() if "conv1d" in line]
    ['affine']
    """
    rows = []
    for family, title in _FAMILIES.items():
        for kind, nodes in _NODES.items():
            names = [
                n
                for n, e in OPERATIONS.items()
                if e.family == family and e.kind == kind and not n.startswith(_INTERNAL)
            ]
            if names:
                rows.append(f"| {title} | {nodes} | {_joined(names)} |")
    gates = _joined(name for name in GATES if name not in OPERATIONS and not name.startswith("_"))
    rows.append(f"| comparisons whose two sides meet | **units** | {gates} |")
    parts = _joined(name for name in COMPLEX if name not in OPERATIONS and not name.startswith(_INTERNAL))
    rows.append(f"| complex numbers, until they are real again | what is done with both parts | {parts} |")
    composed = [name for name in COMPOSED - OPERATIONS.keys() if not name.startswith(_INTERNAL)]
    rows.append(f"| compositions | what they are composed of | {_joined(composed)} |")
    advice = [
        f"| {_joined(n for n in g.names if not n.startswith('_'))} | {g.advice} |"
        for g in REFUSED
        if g.advice
    ]
    supported = ["| supported | becomes | names in `torch` |", "| --- | --- | --- |", *rows]
    return "\n".join([*supported, "", "| refused | what to do |", "| --- | --- |", *advice])


def with_operations(readme: str) -> str:
    """A text with the tables between its two marks brought up to date.

    Raises
    ------
    ValueError
        If the marks are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no '{BEGIN}' and '{END}' in the text")
    return f"{before}{BEGIN}\n{operations_text()}\n{END}{after}"


def _joined(names: Iterable[str]) -> str:
    """The names in alphabetical order, those that differ by 1d, 2d and 3d only written as one."""
    axes: dict[tuple[str, str], list[str]] = {}
    for name in sorted(names):
        match = _AXES.fullmatch(name)
        stem, axis, rest = match.groups() if match else (name, "", "")
        axes.setdefault((stem, rest), []).append(axis)
    return ", ".join(f"{stem}{'/'.join(found)}{rest}" for (stem, rest), found in axes.items())
