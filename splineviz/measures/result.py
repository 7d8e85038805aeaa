"""The form of what a measure finds: quantities with their errors, as a table with its provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from splineviz.few_lines import few_lines
from splineviz.showing import in_html, in_lines

__all__ = ["COLUMNS", "Measured", "Quantity", "proven"]

COLUMNS = ("measure", "quantity", "of", "value", "error", "unit")
"""Columns of every table of quantities"""


@dataclass(frozen=True)
class Quantity:
    """One number that a measure tells.

    Attributes
    ----------
    name
        Name of the quantity: ``length``.
    value
        The number; a count is an int.
    of
        What of the slice it is of, where it is not all of it: ``class 3``, ``classes 3 and 8``, ``stage 1``.
    error
        Proven bound of the distance from the number that exact arithmetic would give: 0 for counts that are
        proven; None where nothing is proven.
    unit
        ``input distance``, ``squared input distance``, ``degrees``; empty for shares and counts.
    """

    name: str
    value: float
    of: str = ""
    error: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        of = f" of {self.of}" if self.of else ""
        error = f" ± {self.error:.1e}" if self.error else ""
        unit = f" {self.unit}" if self.unit else ""
        shown = f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:.6g}"
        return f"{self.name}{of}: {shown}{error}{unit}"


def proven(error: float) -> float | None:
    """A bound as `Quantity` has it: None for one that is not finite, which bounds nothing."""
    return error if math.isfinite(error) else None


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Measured:
    """What one measure tells of one slice. Each measure adds the arrays that its quantities are summed from.

    Attributes
    ----------
    measure
        Name of the measure.
    quantities
        The numbers of the table.
    provenance
        Version, network, plane, window and certificate of the slice, and what was asked for, as JSON.
    """

    measure: str
    quantities: tuple[Quantity, ...]
    provenance: Mapping[str, Any]

    def __getitem__(self, name: str | tuple[str, str]) -> float:
        """The value of a quantity by its name, or by its name and what it is of.

        Raises
        ------
        KeyError
            If there is none; the error names those that there are.
        """
        wanted = (name, "") if isinstance(name, str) else name
        if wanted not in self._by_name:
            known = ", ".join(repr(key if key[1] else key[0]) for key in self._by_name)
            raise KeyError(f"{self.measure} tells no {name!r}; it tells {known}")
        return self._by_name[wanted].value

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Quantity]:
        return {(quantity.name, quantity.of): quantity for quantity in self.quantities}

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The quantities as rows of `COLUMNS`."""
        return [(self.measure, q.name, q.of, q.value, q.error, q.unit) for q in self.quantities]

    @property
    def table(self) -> dict[str, np.ndarray]:
        """The quantities as arrays by column, for ``pandas.DataFrame``; NaN is an error that is not known."""
        columns = dict(zip(COLUMNS, zip(*self.rows, strict=True), strict=True)) if self.rows else {}
        numbers = ("value", "error")
        return {
            name: np.array(columns.get(name, ()), dtype=np.float64 if name in numbers else object)
            for name in COLUMNS
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as ``splineviz measure --json`` prints them."""
        return {"measure": self.measure, "quantities": [asdict(quantity) for quantity in self.quantities]}

    def __repr__(self) -> str:
        return in_lines(
            [f"{type(self).__name__} of {self._about}:", *few_lines([*map(str, self.quantities)])]
        )

    @property
    def _about(self) -> str:
        program = self.provenance.get("program")
        name = program["name"] if program else "an unknown network"
        return f"{name}, {self.provenance['cells']:,} cells"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{in_html(name)}</th>" for name in COLUMNS[1:])
        body = "".join(
            "<tr>" + "".join(f"<td>{in_html(_shown(cell))}</td>" for cell in row[1:]) + "</tr>"
            for row in self.rows
        )
        caption = in_html(f"{self.measure} of {self._about}")
        return f"<table><caption><b>{caption}</b></caption><tr>{head}</tr>{body}</table>"


def _shown(cell: str | float | None) -> str:
    """A cell of the table as text."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.6g}"
