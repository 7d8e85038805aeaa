"""Finished parts of a long job, kept in a file beside its output until all of it is."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import numpy as np

from splineviz.errors import SplinevizWarning
from splineviz.estimators.metrics.metric import Column
from splineviz.files import atomic_path
from splineviz.io.seal import seal_of
from splineviz.io.store import make_way
from splineviz.shared_folders import check_private

__all__ = ["Partial", "partial_path"]


def partial_path(output: Path) -> Path:
    """Path of the finished parts of an output."""
    return output.with_name(f"{output.name}.partial")


class Partial:
    """Finished parts, one line each: a seal of the request and the part, and the part as JSON; kept in memory
    only where there is no output."""

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self._path, self._fingerprint = path, fingerprint
        self._parts: dict[tuple[str, int], list[Column]] = {}
        self._file: TextIO | None = None
        if path is not None:
            check_private(path, "finished parts")
            make_way(path)
            sound = _sound_lines(path, fingerprint)
            with atomic_path(path) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in sound), encoding="utf-8")
            for part in (json.loads(line.partition(" ")[2]) for line in sound):
                self._parts[part["metric"], part["start"]] = [_column(column) for column in part["columns"]]
            self._file = path.open("a", encoding="utf-8")
        self.n_parts = len(self._parts)

    @classmethod
    def open(cls, output: Path | None, fingerprint: str) -> Self:
        """The parts of the same request that were finished before; those that do not read, and those of
        another request, are done anew."""
        return cls(None if output is None else partial_path(output), fingerprint)

    def get(self, metric: str, start: int) -> list[Column] | None:
        """A finished part."""
        return self._parts.get((metric, start))

    def put(self, metric: str, start: int, columns: list[Column]) -> None:
        """Note a finished part."""
        self._parts[metric, start] = columns
        if self._file is not None:
            part = {"metric": metric, "start": start, "columns": [_plain(column) for column in columns]}
            text = json.dumps(part)
            self._file.write(f"{seal_of(self._fingerprint, text.encode())} {text}\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def discard(self) -> None:
        """The job is done."""
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._path is not None:
            self._file.close()
            if not self._parts:
                self._path.unlink(missing_ok=True)


def _sound_lines(path: Path, fingerprint: str) -> list[str]:
    """Lines of a file that bear the seal of this request; a warning tells of others."""
    try:
        lines = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    sound = [line for line in lines if _is_sound(line, fingerprint)]
    if len(sound) < len(lines):
        warnings.warn(
            f"{path} is damaged, or of another request: what does not read is done anew",
            SplinevizWarning,
            stacklevel=3,
        )
    return sound


def _is_sound(line: str, fingerprint: str) -> bool:
    seal, _, text = line.partition(" ")
    return seal == seal_of(fingerprint, text.encode())


def _plain(column: Column) -> dict[str, Any]:
    plain = asdict(column)
    return plain | {
        name: None if plain[name] is None else plain[name].tolist() for name in ("values", "zeros")
    }


def _column(plain: dict[str, Any]) -> Column:
    arrays = {name: None if plain[name] is None else np.array(plain[name]) for name in ("values", "zeros")}
    return Column(**(plain | arrays))
