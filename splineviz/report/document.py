"""Content of a report, whatever it is written as: sections of sentences, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from splineviz.report.figures import Picture

__all__ = ["Document", "Section", "Table"]

_LONG = 12
"""Rows that a reader takes in at one look"""


@dataclass(frozen=True)
class Table:
    """Rows of words under a head."""

    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @property
    def folded(self) -> bool:
        """Whether only the caption is shown until a reader asks for the rows."""
        return len(self.rows) > _LONG

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.head) for row in self.rows), self.caption


@dataclass(frozen=True)
class Section:
    """Section of a report: its name, sentences and tables."""

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Document:
    """A small table first, then the verdict, numbers, figures, scope and definitions, and how it was made."""

    title: str
    summary: Table
    verdict: tuple[str, ...]
    sections: tuple[Section, ...]
    pictures: tuple[Picture, ...] = field(repr=False)

    def pictures_of(self, section: Section) -> tuple[Picture, ...]:
        """Pictures that stand in a section."""
        return tuple(picture for picture in self.pictures if picture.section == section.name)
