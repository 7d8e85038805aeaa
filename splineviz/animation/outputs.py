"""The outputs of an animation: where they go, and the frames that they are made of."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import splineviz
from splineviz.animation.measure import CheckpointMeasurement, Question
from splineviz.errors import InputError
from splineviz.files import PAGE, atomic_path, check_writable
from splineviz.io.provenance import encode_array, plane_card
from splineviz.program.checkpoints import Checkpoints
from splineviz.render.compose import compose_png, compose_svg
from splineviz.render.movie import check_movie, save_movie
from splineviz.render.strip import Strip

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Film", "Target", "card"]

_NUMBER = re.compile(r"%0?\d*d")


@dataclass(frozen=True)
class Target:
    """One output: a page, a file with all frames, or a pattern of names for single ones."""

    path: Path
    """Path as it was asked for."""
    pattern: str | None
    """Pattern of the names of single frames; None for a file."""

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Target:
        """Refuses names of no kind of output."""
        text, path = os.fspath(path), Path(path)
        if _NUMBER.search(path.name):
            if path.suffix.lower() not in (".png", ".svg"):
                raise InputError(f"single frames are .png or .svg, got '{text}'", hint="frames/%04d.png")
            return cls(path, path.name)
        if path.suffix.lower() == PAGE:
            return cls(path, None)
        if text.endswith(("/", os.sep)) or path.is_dir() or not path.suffix:
            return cls(path, "%04d.png")
        check_movie(path)
        return cls(path, None)

    def prepare(self) -> None:
        """Refuse what cannot be written; the folder of single frames is made."""
        if self.pattern is None:
            check_writable(self.path)
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot make the folder {self.folder}: {error.strerror}",
                hint="name a folder that can be written",
            ) from error

    @property
    def is_page(self) -> bool:
        """Whether it is a page, and no film."""
        return self.pattern is None and self.path.suffix.lower() == PAGE

    @property
    def name(self) -> Path:
        """Path of the file, or pattern of the paths of single frames."""
        return self.path if self.pattern is None else self.folder / self.pattern

    @property
    def frames(self) -> list[Path]:
        """Single frames that are there already."""
        if self.pattern is None:
            return []
        number = "[0-9]*".join(glob.escape(part) for part in _NUMBER.split(self.pattern))
        return list(self.folder.glob(number))

    @property
    def folder(self) -> Path:
        """Folder that the output is written into."""
        return self.path if self.pattern is not None and self.path.name != self.pattern else self.path.parent

    @property
    def drawn_as(self) -> str:
        """Suffix of the pictures that it needs."""
        return ".svg" if self.pattern is not None and self.pattern.lower().endswith(".svg") else ".png"


@dataclass(frozen=True, eq=False)
class Film:
    """Outputs of one animation: the strip under its frames, their times, and the card in every file."""

    strip: Strip
    seconds: Sequence[float]
    card: Mapping[str, Any]

    def write(self, targets: Sequence[Target], pictures: Sequence[Path]) -> None:
        """All targets that are made from these pictures, one for each checkpoint."""
        if pictures[0].suffix == ".svg":
            frames = [
                compose_svg(picture.read_text(encoding="utf-8"), self.strip.svg(i))
                for i, picture in enumerate(pictures)
            ]
            for target in targets:
                self._single(target, [frame.encode() for frame in frames])
            return
        images = [compose_png(picture, self.strip.image(i)) for i, picture in enumerate(pictures)]
        for target in targets:
            if target.pattern is None:
                save_movie(target.path, images, self.seconds, self.card)
            else:
                self._single(target, images)

    def _single(self, target: Target, frames: Sequence[bytes | Image]) -> None:
        assert target.pattern is not None
        for i, frame in enumerate(frames):
            name = _NUMBER.sub(lambda number: number[0] % i, target.pattern)  # noqa: B023 called at once
            with atomic_path(target.folder / name) as temporary:
                if isinstance(frame, bytes):
                    temporary.write_bytes(frame)
                else:
                    frame.save(temporary, "PNG")


def card(runs: Checkpoints, found: Sequence[CheckpointMeasurement], question: Question) -> dict[str, Any]:
    """Card that is embedded in every file, as JSON."""
    return {
        "schema": "splineviz.animation/1",
        "version": splineviz.__version__,
        "program": runs.program.name,
        "steps": list(runs.steps),
        "checkpoints": list(runs.names),
        "digests": [measured.digest for measured in found],
        "plane": plane_card(question.plane),
        "window": encode_array(question.window.vertices),
        "radius": question.radius,
        "seed": question.seed,
    }
