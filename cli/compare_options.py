"""The request behind `splineviz compare`: its options, their contradictions, and the networks that they
name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from splineviz.errors import InputError
from splineviz.files import check_writable

from .location import Location
from .slice_budget import Output
from .slice_options import PICTURES

__all__ = ["CompareOptions"]


@dataclass(frozen=True)
class CompareOptions(Location):
    """The options of the command, under their own names."""

    models: tuple[str, ...]
    model: str | None
    weights: tuple[str, ...]
    input_shape: tuple[int, ...] | None
    logits: bool
    names: str | None
    outputs: tuple[Output, ...]
    color: str
    edges: str
    difference: str | None
    title: str | None
    max_memory: int | None
    max_cells: int | None
    seconds: float | None
    jobs: int | None
    device: str | None
    certify: Literal["full", "fast", "off"]
    as_json: bool
    quiet: bool

    @property
    def on_demo(self) -> bool:
        return "demo" in (*self.models, self.model)

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is computed."""
        self.check_place()
        if len(self.networks()) < 2:
            raise click.UsageError("a comparison needs at least two networks; to draw one: splineviz slice")
        if self.names is not None and len(self.names.split(",")) != len(self.networks()):
            raise click.UsageError(
                f"--names gives {len(self.names.split(','))} names for {len(self.networks())} networks"
            )
        for output in self.outputs:
            if output.suffix not in PICTURES:
                raise InputError(
                    f"unknown suffix {output.suffix!r} of {output}, expected one of {', '.join(PICTURES)}"
                )
            check_writable(output.path)

    def networks(self) -> list[tuple[str, str | None]]:
        """Each model with its weights."""
        if self.model is not None:
            if self.weights:
                raise click.UsageError(
                    "with --model the arguments are files of weights, so --weights is one too many"
                )
            return [(self.model, file) for file in self.models]
        if not self.weights:
            return [(model, None) for model in self.models]
        if len(self.models) == 1:
            return [(self.models[0], file) for file in self.weights]
        if len(self.models) != len(self.weights):
            raise click.UsageError(
                f"expected one --weights for each of {len(self.models)} models, or one model, got "
                f"{len(self.weights)} --weights"
            )
        return list(zip(self.models, self.weights, strict=True))

    def called(self) -> list[str]:
        """A name for each: its own, or of its file as much as tells them apart."""
        if self.names is not None:
            return [name.strip() for name in self.names.split(",")]
        files = [weights or model for model, weights in self.networks()]
        stems = [Path(file).stem if _is_file(file) else file for file in files]
        if len(set(stems)) == len(stems):
            return stems
        paths = [Path(file).absolute() for file in files if _is_file(file)]
        common = os.path.commonpath([path.parent for path in paths]) if paths else ""
        short = [
            str(Path(file).absolute().relative_to(common).with_suffix("")) if _is_file(file) else file
            for file in files
        ]
        return (
            short
            if len(set(short)) == len(short)
            else [f"{name} {short[: k + 1].count(name)}" for k, name in enumerate(short)]
        )

    @property
    def limits(self) -> dict[str, Any]:
        """What `splineviz.compare` takes under the same names."""
        named = {
            name: getattr(self, name) for name in ("max_memory", "max_cells", "seconds", "jobs", "device")
        }
        return {"certify": self.certify, **named}


def _is_file(name: str) -> bool:
    return ":" not in name and bool(Path(name).suffix)
