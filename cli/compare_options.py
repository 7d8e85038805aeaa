"""The options of `splineviz compare`, their contradictions, and the networks that they name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from splineviz.choices import Difference
from splineviz.errors import InputError
from splineviz.files import PAGE, PICTURES, check_writable

from .declaring import argument, option
from .location import Location
from .looks import ComparisonDrawing
from .options import Reading, Reporting, WorkLimits
from .outputs import check_outputs
from .value_types import Output, OutputType

__all__ = ["CompareOptions"]


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """The request: networks, a window of a plane, outputs, and how the work is done."""

    models: tuple[str, ...] = argument(nargs=-1, required=True, reads="weights")
    model: str | None = option(
        "--model",
        reads="file",
        metavar="MODEL",
        help="The network that all of MODELS are weights of: files, as for --weights.",
    )
    weights: tuple[str, ...] = option(
        "--weights",
        reads="weights",
        multiple=True,
        type=click.Path(),
        metavar="FILE",
        help="Weights, as for slice: one for each of MODELS, or several for a single one.",
    )
    weights_keys: tuple[str, ...] = option(
        "--weights-key",
        multiple=True,
        type=str,
        metavar="NAME",
        help="The entry that holds the weights: one for all files, one for each, or several of one file.",
    )
    reading: Reading
    names: str | None = option(
        "--names", metavar="A,B,...", help="What to call them; by default after their files."
    )
    outputs: tuple[Output, ...] = option(
        "-o",
        "--output",
        multiple=True,
        type=OutputType(),
        metavar="FILE",
        help="Where to draw; the suffix decides: .png .svg .pdf, or .html, a page to look closely at. May be "
        "repeated.",
    )
    location: Location
    drawing: ComparisonDrawing
    difference: Difference | None = option(
        "--difference",
        help="What the panels of pairs show: by how much the affine map changed, where decisions differ, "
        "or the edges of either in a colour of its own. By default map, or edges where outputs differ in "
        "number.  [default: map]",
    )
    budget: WorkLimits
    reporting: Reporting

    @property
    def on_demo(self) -> bool:
        """True where the demo's network is among them."""
        return "demo" in (*self.models, self.model)

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is computed."""
        self.location.check(on_demo=self.on_demo)
        has_data = self.location.has_data(on_demo=self.on_demo)
        self.drawing.check([output.path for output in self.outputs], has_data=has_data)
        if len(self.networks()) < 2:
            raise click.UsageError("a comparison needs at least two networks; to draw one: splineviz slice")
        if self.names is not None and len(self.names.split(",")) != len(self.networks()):
            raise click.UsageError(
                f"--names gives {len(self.names.split(','))} names for {len(self.networks())} networks"
            )
        self.keys()
        for output in self.outputs:
            if output.suffix not in (*PICTURES, PAGE):
                raise InputError(
                    f"unknown suffix {output.suffix!r} of {output}, expected one of "
                    f"{', '.join((*PICTURES, PAGE))}"
                )
            check_writable(output.path)
        check_outputs(self, (output.path for output in self.outputs))

    def networks(self) -> list[tuple[str, str | None]]:
        """Pairs of a model and its weights."""
        if self.model is not None:
            if self.weights:
                raise click.UsageError(
                    "with --model the arguments are files of weights, so --weights is one too many"
                )
            return [(self.model, file) for file in self._for_each_key(self.models)]
        if not self.weights:
            return [(model, None) for model in self.models]
        if len(self.models) == 1:
            return [(self.models[0], file) for file in self._for_each_key(self.weights)]
        if len(self.models) != len(self.weights):
            raise click.UsageError(
                f"expected one --weights for each of {len(self.models)} models, or one model, got "
                f"{len(self.weights)} --weights"
            )
        return list(zip(self.models, self.weights, strict=True))

    def _for_each_key(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """The files; a single one as often as there are keys in it to compare."""
        return files * len(self.weights_keys) if len(files) == 1 and self.weights_keys else files

    def keys(self) -> list[str | None]:
        """The key of the weights of each network."""
        networks, keys = self.networks(), self.weights_keys
        if keys and any(weights is None for _, weights in networks):
            raise click.UsageError("--weights-key is for files of weights, and there are none")
        if len(keys) < 2:
            return [*(keys or (None,))] * len(networks)
        if len(keys) != len(networks):
            raise click.UsageError(
                f"expected one --weights-key, or one for each of {len(networks)} networks, got {len(keys)}"
            )
        return list(keys)

    def called(self) -> list[str]:
        """A name for each network: its own, or of its file as much as tells them apart."""
        if self.names is not None:
            return [name.strip() for name in self.names.split(",")]
        files = [weights or model for model, weights in self.networks()]
        stems = [Path(file).stem if _is_file(file) else file for file in files]
        if len(set(stems)) == len(stems):
            return stems
        if len(set(files)) == 1 and len(set(self.weights_keys)) == len(files):
            return list(self.weights_keys)
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


def _is_file(name: str) -> bool:
    return ":" not in name and bool(Path(name).suffix)
