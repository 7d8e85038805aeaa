"""How a page looks when it is opened; a reader may switch most of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, get_args

from splineviz.choices import CellColor, EdgeStyle
from splineviz.errors import InputError
from splineviz.render.cellcolor import check_cmap

if TYPE_CHECKING:
    from splineviz.render.cellcolor import Limits

__all__ = ["Look"]

_OF_MAPS = ("norm", "jacobian", "class", "kink", "volume", "value")
"""Fills that show the function"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """Options of :func:`splineviz.page`, which are those of :func:`splineviz.draw` where they have their
    names."""

    color: CellColor = "random"
    cmap: str | None = None
    edges: EdgeStyle = "stage"
    boundary: bool = True
    level: float | None = None
    anchors: bool = True
    images: Sequence[Any] | bool | None = None
    labels: Sequence[str] | None = None
    class_names: Sequence[str] | None = None
    valid_range: tuple[Any, Any] | None = None
    points: Any = None
    point_classes: Sequence[int] | None = None
    title: str | None = None
    note: str | None = None
    data_scale: tuple[Any, Any] = (0.0, 1.0)
    """Entries of an input that stand for 0 and for 1 in the scale of the data: numbers, or arrays of the
    input's shape"""

    def __post_init__(self) -> None:
        for given, known, what in (
            (self.color, get_args(CellColor), "color"),
            (self.edges, get_args(EdgeStyle), "edges"),
        ):
            if given not in known:
                raise InputError(f"unknown {what} {given!r}, expected one of {', '.join(known)}")
        check_cmap(self.color, self.cmap)

    @property
    def without_maps(self) -> Look:
        """The look of cells whose maps are not known."""
        return replace(
            self,
            color="random" if self.color in _OF_MAPS else self.color,
            cmap=None if self.color in _OF_MAPS else self.cmap,
            edges="stage" if self.edges == "kink" else self.edges,
            boundary=False,
        )

    def drawing(self, limits: Limits | None) -> dict[str, Any]:
        """Options of :func:`splineviz.draw` for a picture of the same."""
        names = {field.name for field in fields(self)} - {"data_scale"}
        return {name: getattr(self, name) for name in names} | {"limits": limits}
