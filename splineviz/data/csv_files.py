"""Tables as text: a row for each point, with or without the names of columns in the first."""

from __future__ import annotations

import csv
import gzip
import io
import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from splineviz.ceilings import check_growth
from splineviz.data.asked import Asked
from splineviz.data.collection import Arrays
from splineviz.data.columns import chosen_columns
from splineviz.data.named import labels_among
from splineviz.errors import InputError
from splineviz.sizes import FEWER, ensure_fits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["labels_of", "read_csv"]

_DELIMITERS = ",;\t|"
_QUOTED = "as many cells in every row; a cell with a delimiter in it stands in quotes"


@dataclass(frozen=True)
class _Layout:
    """Form of a table: delimiter, names of columns, lines before the first row of values, and that row."""

    delimiter: str
    names: list[str]
    before: int
    first: list[str]

    @property
    def texts(self) -> dict[str, str | None]:
        """For each column ``None``, or a word in its first row that is no number."""
        cells = zip(self.names, self.first, strict=True)
        return {name: None if _number(cell) is not None or not cell.strip() else cell for name, cell in cells}


def read_csv(path: Path, asked: Asked) -> Arrays:
    """Points of a table: its columns of numbers but that of the classes, or those that are asked for.

    Raises
    ------
    InputError
        If a column or a cell holds no number, naming it, or rows have several lengths.
    """
    layout = _layout(path)
    if asked.limit is None:  # as text it is about as large
        ensure_fits((path.stat().st_size,), 1, str(path), **FEWER)
    columns, label = chosen_columns(layout.texts, asked, str(path))
    places = [layout.names.index(name) for name in columns]
    values, words = array("d"), list[str]()  # a row is not worth an object
    for number, cells in islice(_rows(path, layout), asked.limit):
        values.extend(_numbers(cells, places, f"{path}: in row {number}", layout.names))
        if label is not None:
            words.append(cells[layout.names.index(label)])
    points = np.array(values).reshape(-1, len(places))
    whole = all(layout.first[place].strip().lstrip("+-").isdecimal() for place in places)
    if whole and (points % 1 == 0).all():
        points = points.astype(np.int64)  # as written: whole numbers, whose scale the request has to tell
    known = None if label is None else asked.classes(_numbers_or_words(words), len(points), str(path))
    return Arrays(points=points, known=known, source=str(path), limit=asked.limit)


def labels_of(path: Path, key: str | None) -> np.ndarray:
    """The column of labels of a table that holds nothing else, or under a name."""
    layout = _layout(path)
    columns = np.array([cells for _, cells in _rows(path, layout)]).T
    return _numbers_or_words(
        labels_among(dict(zip(layout.names, columns, strict=True)), key, str(path)).tolist()
    )


def _layout(path: Path) -> _Layout:
    with _opened(path) as file:
        before = 0
        for line in file:
            if line.strip() and not line.startswith("#"):
                break
            before += 1
        else:
            raise InputError(f"{path} holds no row", hint="a row of numbers for each point")
        delimiter = max(_DELIMITERS, key=line.count)
        head = next(csv.reader([line], delimiter=delimiter))
        following = next(csv.reader(file, delimiter=delimiter), None)
    names = [cell.strip() for cell in head]
    if not _is_head(names, path):
        return _Layout(delimiter, [str(place) for place in range(len(head))], before, head)
    if following is None:
        raise InputError(
            f"{path} holds the names of {len(names)} columns, and no row",
            hint="a row of numbers for each point",
        )
    if len(following) != len(names):
        raise InputError(
            f"{path}: row 1 has {len(following)} cells, and there are {len(names)} columns", hint=_QUOTED
        )
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{path} has several columns {repeated!r}", hint="give each a name of its own")
    return _Layout(delimiter, names, before + 1, following)


def _is_head(cells: list[str], path: Path) -> bool:
    """Tell names of columns from values; running numbers are names, as data frames without any have them."""
    if any(_number(cell) is None for cell in cells):
        return True
    running = cells == [str(place) for place in range(len(cells))]
    if running and len(cells) == 2:
        raise InputError(
            f"{path} begins with 0{_DELIMITERS[0]}1: is this a point, or are these names of columns?",
            hint="begin with a line of names",
        )
    return running and len(cells) > 2


def _rows(path: Path, layout: _Layout) -> Iterator[tuple[int, list[str]]]:
    """The rows of values with their numbers, from 1."""
    with _opened(path) as file:
        for _ in range(layout.before):
            next(file)
        rows = (row for row in csv.reader(file, delimiter=layout.delimiter) if row)
        for number, cells in enumerate(rows, 1):
            if len(cells) != len(layout.names):
                raise InputError(
                    f"{path}: row {number} has {len(cells)} cells, and there are {len(layout.names)} columns",
                    hint=_QUOTED,
                )
            yield number, cells


def _numbers(cells: list[str], places: list[int], where: str, names: list[str]) -> list[float]:
    """The finite numbers in some cells of a row."""
    try:
        found = [float(cells[place]) for place in places]
    except ValueError:
        found = [math.nan]
    if all(map(math.isfinite, found)):
        return found
    for place in places:
        value = _number(cells[place])
        if value is None or not math.isfinite(value):
            break
    what = f"holds {cells[place]!r}, no number" if cells[place].strip() else "is missing"
    raise InputError(
        f"{where} the column {names[place]!r} {what}",
        hint="leave such rows out, or fill them as it was done for training",
    )


class _Unpacked(io.RawIOBase):
    """Content of a compressed file, as far as it may grow: nothing in the file tells how large it becomes."""

    def __init__(self, path: Path, stored: IO[bytes]) -> None:
        self._path, self._stored = path, path.stat().st_size
        self._content, self._read = gzip.GzipFile(fileobj=stored), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        found = self._content.readinto(buffer)
        self._read += found
        check_growth(self._path, self._read - self._stored)
        return found


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The text of a file, compressed or not, with or without a byte-order mark."""
    packed = path.suffix.lower() == ".gz"
    try:
        with path.open("rb") as stored:
            content = io.BufferedReader(_Unpacked(path, stored)) if packed else stored
            with io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as file:
                yield file
    except UnicodeDecodeError as error:
        raise InputError(
            f"cannot read {path}: it is no text in UTF-8",
            hint="iconv -f latin1 -t utf-8, if it is in Latin 1",
        ) from error


def _numbers_or_words(words: list[str]) -> np.ndarray:
    """Numbers where all cells hold some, for classes as 3.0."""
    numbers = [_number(word) for word in words]
    return np.array(words) if None in numbers else np.array(numbers, dtype=float)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
