"""Result of a comparison: the arrangements of several networks on one window, and a record for each pair of
them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.result import Arrangement
from splineviz.comparison.change import MapChange, gradient_change
from splineviz.comparison.common_refinement import Overlay
from splineviz.comparison.decision_agreement import Reproducibility, agreements
from splineviz.comparison.distances import LineDistances
from splineviz.comparison.partitions import PartitionDistance
from splineviz.comparison.units import UnitMoves
from splineviz.errors import InputError
from splineviz.io.provenance import certificate, provenance
from splineviz.pages.panels import Panel, Panels
from splineviz.showing import in_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from splineviz.render.difference import PairDrawing

__all__ = ["Comparison", "Decisions", "Pair"]

_MOST_SWITCHED = 10


@dataclass(frozen=True, eq=False)
class Decisions:
    """Agreement of two networks' decisions."""

    agreement: float
    """Share of the window's area in which both have the same class."""
    confusion: Float64[np.ndarray, "class class"]
    """(C, C) share of the area by the class of the first network and that of the second; with one output 1 is
    above 0."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two networks side by side. What needs outputs of equal number is None where they differ, and ``notes``
    say so."""

    first: int
    second: int
    overlay: Overlay
    partitions: PartitionDistance
    decisions: Decisions | None
    boundaries: LineDistances | None
    """Distances between the two decision boundaries, as far as the window shows them; None, too, where it
    shows none of a network."""
    change: MapChange | None
    units: UnitMoves | None
    """Moves of units; None where the networks are no two checkpoints of one."""
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as ``splineviz compare --json`` prints them."""
        return {
            "models": [self.first, self.second],
            "overlay_cells": self.overlay.n_cells,
            "area": float(self.overlay.areas.sum()),
            "exact": certificate(self.overlay.arrangement),
            **asdict(self.partitions),
            "agreement": None if self.decisions is None else self.decisions.agreement,
            "confusion": None if self.decisions is None else self.decisions.confusion.tolist(),
            "boundaries": None if self.boundaries is None else asdict(self.boundaries),
            "change": None if self.change is None else asdict(self.change),
            "units": None if self.units is None else _moves(self.units),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several networks on one window of a plane, with every pair of them compared. Made by
    :func:`splineviz.compare`."""

    names: tuple[str, ...]
    arrangements: tuple[Arrangement, ...]
    pairs: tuple[Pair, ...]
    """Records of all pairs, in the order (0, 1), (0, 2), ..., (1, 2), ..."""
    seconds: float

    @property
    def undecided(self) -> bool:
        """Whether any of the arrangements and overlays rests on decisions that are not proven."""
        return any(arr.stats.undecided > 0 for arr in self._all())

    @property
    def in_doubt(self) -> bool:
        """Whether cells of any of the arrangements and overlays contradict each other."""
        return any(len(arr.in_doubt) > 0 for arr in self._all())

    def _all(self) -> tuple[Arrangement, ...]:
        return (*self.arrangements, *(pair.overlay.arrangement for pair in self.pairs))

    def __repr__(self) -> str:
        cells = ", ".join(
            f"{name}: {arr.n_cells:,} cells" for name, arr in zip(self.names, self.arrangements, strict=True)
        )
        return in_line(f"Comparison({cells})")

    def pair(self, first: int, second: int) -> Pair:
        """The record of two networks, by their places; the lower one comes first in it."""
        low, high = sorted((first % len(self.names), second % len(self.names)))
        return next(pair for pair in self.pairs if (pair.first, pair.second) == (low, high))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers of the networks and of every pair."""
        models = [_model(name, arr) for name, arr in zip(self.names, self.arrangements, strict=True)]
        return {"models": models, "pairs": [pair.to_dict() for pair in self.pairs], "seconds": self.seconds}

    def provenance(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The card that pictures carry: version, plane and window, and each network with what is proven of
        its cells."""
        cards = [provenance(arr) for arr in self.arrangements]
        own = ("program", "status", "exact", "cells")
        common = {key: value for key, value in cards[0].items() if key not in own}
        networks = zip(self.names, cards, strict=True)
        return {
            **common,
            "models": [{"name": name, **{key: card[key] for key in own}} for name, card in networks],
            **(extra or {}),
        }

    def measure(self, name: str) -> Reproducibility:
        """A measure of the comparison: ``comparison.measure("reproducibility")``, the share of the window on
        which two networks decide alike, with its proven error.

        Over several planes it is that of :func:`splineviz.comparison.reproducibility`.

        Raises
        ------
        InputError
            For another measure, which is one of planes, and for networks that decide between different
            classes.
        """
        if name != "reproducibility":
            raise InputError(
                f"no measure {name!r} of a comparison", hint='comparison.measure("reproducibility")'
            )
        pairs = [(self.names[pair.first], self.names[pair.second]) for pair in self.pairs]
        return agreements(pairs, [[pair.overlay for pair in self.pairs]], {"planes": [self.provenance()]})

    def draw(self, **how: Any) -> Figure:
        """Draw the networks side by side, and below them each beside the next, and the first beside the last.

        Options are those of :func:`splineviz.render.comparison.draw_comparison`.
        """
        from splineviz.render.comparison import draw_comparison

        return draw_comparison(self.arrangements, self.names, self._drawings(), **how)

    def save_figure(
        self, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None, **how: Any
    ) -> None:
        """Draw into a PNG, SVG or PDF file, which carries what it was made from.

        Parameters
        ----------
        path
            Its suffix decides the format.
        extra
            Entries of the card in the file beside those of :meth:`provenance`.
        how
            Options of :meth:`draw`, and ``dpi``.
        """
        from splineviz.render.comparison import save_comparison

        card = self.provenance(extra)
        save_comparison(self.arrangements, self.names, self._drawings(), path, card, **how)

    def _repr_html_(self) -> str:
        from splineviz.pages.notebook import framed_page
        from splineviz.render.comparison_table import comparison_html
        from splineviz.render.notebook import figures

        shown = framed_page(self.panels()) or figures(self.arrangements, self.names)
        tables = self._table_of_models(), self._table_of_pairs()
        return comparison_html("splineviz.Comparison", shown, tables)

    def panels(self) -> Panels:
        """The networks as :func:`splineviz.page` shows them, each in a panel."""
        panels = [
            Panel(name, arr, arr.n_cells) for name, arr in zip(self.names, self.arrangements, strict=True)
        ]
        return Panels("comparison", ", ".join(self.names), panels, self.provenance)

    def _drawings(self) -> list[PairDrawing]:
        """Pairs that are drawn: each network beside the next, and the first beside the last."""
        n = len(self.names)
        chosen = [(k, k + 1) for k in range(n - 1)] + ([(0, n - 1)] if n > 2 else [])
        return [_drawing(self.pair(*both)) for both in chosen]

    def _table_of_models(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("", "cells", "edge stages", "proven")]
        for name, arr in zip(self.names, self.arrangements, strict=True):
            proven = "yes" if arr.stats.certified else "no"
            rows.append((name, f"{arr.n_cells:,}", str(len(arr.stats.cells_per_stage)), proven))
        return rows

    def _table_of_pairs(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            ("", "cells of the overlay", "variation of information", "adjusted Rand index", "same class")
        ]
        for pair in self.pairs:
            both = f"{self.names[pair.first]}, {self.names[pair.second]}"
            distance, index = pair.partitions.variation_of_information, pair.partitions.adjusted_rand_index
            same = "" if pair.decisions is None else f"{100 * pair.decisions.agreement:.1f} %"
            rows.append((both, f"{pair.overlay.n_cells:,}", f"{distance:.3f} nats", f"{index:.3f}", same))
        return rows


def _drawing(pair: Pair) -> PairDrawing:
    from splineviz.render.difference import PairDrawing

    both, known = pair.overlay, pair.decisions is not None
    return PairDrawing(
        first=pair.first,
        second=pair.second,
        pieces=both.arrangement,
        n_cells=both.n_cells,
        drawn=both.drawn,
        classes=both.classes,
        gradient_change=gradient_change(both.change) if known else None,
        agreement=None if pair.decisions is None else pair.decisions.agreement,
    )


def _model(name: str, arr: Arrangement) -> dict[str, Any]:
    assert arr.info is not None
    return {
        "name": name,
        "program": {"name": arr.info.name, "digest": arr.info.digest},
        "cells": arr.n_cells,
        "linear_regions": arr.n_linear_regions,
        "decision_regions": arr.n_decision_regions,
        "cells_per_stage": list(arr.stats.cells_per_stage),
        "edge_length_per_stage": edge_length_per_stage(arr).tolist(),
        "exact": certificate(arr),
        "status": arr.status.name.lower(),
    }


def edge_length_per_stage(arr: Arrangement) -> Float64[np.ndarray, "stage"]:
    """(S,) total length of the edges inside the window by the earliest stage that they belong to, in input
    distance."""
    assert arr.info is not None
    inner = arr.edge_stage >= 0
    ends = arr.vertices[arr.edges[inner]]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    total: np.ndarray = np.bincount(arr.edge_stage[inner], weights=lengths, minlength=len(arr.info.stages))
    return total


def _moves(units: UnitMoves) -> dict[str, Any]:
    order = np.argsort(-units.switched, kind="stable")[:_MOST_SWITCHED]
    columns = units.stage[order].tolist(), units.unit[order].tolist(), units.switched[order].tolist()
    most = [
        {"stage": stage, "unit": unit, "switched": area} for stage, unit, area in zip(*columns, strict=True)
    ]
    return {"stages": [asdict(stage) for stage in units.by_stage()], "switched_most": most}
