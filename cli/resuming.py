"""Finished parts of a long job, kept in a file beside its output until all of it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import numpy as np

from splineviz.estimators.metrics.metric import Column

__all__ = ["Partial"]


class Partial:
    """Finished parts, one line of JSON each; kept in memory only where there is no output."""

    def __init__(
        self, path: Path | None, fingerprint: str, parts: dict[tuple[str, int], list[Column]]
    ) -> None:
        self._path, self._parts = path, parts
        self._file: TextIO | None = None
        self.n_parts = len(parts)
        if path is not None:
            self._file = path.open("a" if parts else "w", encoding="utf-8")
            if not parts:
                self._write({"fingerprint": fingerprint})

    @classmethod
    def open(cls, output: Path | None, fingerprint: str) -> Self:
        """The parts of the same request that were finished before; a file of another request is begun
        anew."""
        if output is None:
            return cls(None, fingerprint, {})
        path = output.with_name(f"{output.name}.partial")
        return cls(path, fingerprint, _read(path, fingerprint))

    def get(self, metric: str, start: int) -> list[Column] | None:
        """A finished part."""
        return self._parts.get((metric, start))

    def put(self, metric: str, start: int, columns: list[Column]) -> None:
        """Note a finished part."""
        self._parts[metric, start] = columns
        self._write({"metric": metric, "start": start, "columns": [_plain(column) for column in columns]})

    def discard(self) -> None:
        """The job is done."""
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def _read(path: Path, fingerprint: str) -> dict[tuple[str, int], list[Column]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or json.loads(lines[0]) != {"fingerprint": fingerprint}:
            return {}
        parts = {}
        for line in lines[1:]:
            try:
                part = json.loads(line)
            except json.JSONDecodeError:  # cut off while it was written
                break
            parts[part["metric"], part["start"]] = [_column(column) for column in part["columns"]]
        return parts
    except (OSError, ValueError):
        return {}


def _plain(column: Column) -> dict[str, Any]:
    plain = asdict(column)
    return plain | {
        name: None if plain[name] is None else plain[name].tolist() for name in ("values", "zeros")
    }


def _column(plain: dict[str, Any]) -> Column:
    arrays = {name: None if plain[name] is None else np.array(plain[name]) for name in ("values", "zeros")}
    return Column(**(plain | arrays))
