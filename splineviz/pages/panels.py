"""What a page shows: one arrangement, or several that belong together, each in a panel of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from splineviz.arrangement.result import Arrangement
from splineviz.errors import InputError
from splineviz.inputs import whole_number
from splineviz.io.npz import load
from splineviz.io.provenance import provenance
from splineviz.render.strip import Chart

__all__ = ["Panel", "Panelled", "Panels", "Strip", "panels_of"]


@dataclass(frozen=True, eq=False)
class Panel:
    """A window of an arrangement, which may lie in a file until it is asked for."""

    name: str
    source: Arrangement | Path
    n_cells: int
    window: int = 0

    def load(self) -> Arrangement:
        """The arrangement, read anew where it lies in a file."""
        return load(self.source) if isinstance(self.source, Path) else self.source


@dataclass(frozen=True, eq=False)
class Strip:
    """Numbers of training, one of each kind for each panel."""

    steps: Sequence[int]
    seconds: Sequence[float]
    """How long each panel is shown in an animation"""
    charts: Sequence[Chart]


@dataclass(frozen=True, eq=False)
class Panels:
    """Panels that are shown side by side, or one after the other."""

    kind: Literal["slice", "comparison", "animation"]
    title: str
    panels: Sequence[Panel]
    card: Callable[[], dict[str, Any]]
    """Provenance, which may take a while to work out"""
    strip: Strip | None = None
    warnings: Sequence[str] = ()

    @property
    def n_cells(self) -> int:
        """Number of cells in all panels."""
        return sum(panel.n_cells for panel in self.panels)

    @property
    def one_network(self) -> bool:
        """Whether all panels are of one network, at different times."""
        return self.kind == "animation"


@runtime_checkable
class Panelled(Protocol):
    """Anything that tells by itself which panels a page of it has."""

    def panels(self) -> Panels: ...


def panels_of(shown: Arrangement | Panelled, window: int = 0) -> Panels:
    """The panels of an arrangement, a comparison or an animation.

    Raises
    ------
    InputError
        If it is anything else, or has no such window.
    """
    if isinstance(shown, Panelled):
        return shown.panels()
    if not isinstance(shown, Arrangement):
        raise InputError(
            f"a page shows an arrangement, a comparison or an animation, got {type(shown).__name__}",
            hint="sv.page(sv.slice(model, points), 'slice.html')",
        )
    window = whole_number(window, "window", 0, len(shown.windows) - 1)
    if shown.info is None:
        raise InputError(
            "the arrangement does not tell the stages of its network, which a page shows",
            hint="compute it again with sv.arrange",
        )
    name = shown.info.name
    n_cells = int((shown.cell_window == window).sum())
    several = len(shown.windows) > 1
    warnings = [f"this is window {window} of {len(shown.windows)}, counted from 0"] if several else []
    panel = Panel(name, shown, n_cells, window)
    return Panels("slice", name, [panel], lambda: provenance(shown, window=window), warnings=warnings)
