"""Groups of options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from splineviz.choices import Certify

from .declaring import argument, flag, option
from .value_types import Numbers, Size

if TYPE_CHECKING:
    from splineviz.program import Program

    from .data import Data, Preprocessing

__all__ = ["DataSource", "ModelSource", "Reading", "Reporting", "WorkLimits"]


def _set_debug(ctx: click.Context, _option: click.Parameter, value: bool) -> bool:
    if value and isinstance(ctx.obj, dict):
        ctx.obj["debug"] = True
    return value


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """Options on what is said, and how."""

    as_json: bool = flag("--json", help="One JSON object on stdout instead of a table.")
    quiet: bool = flag("--quiet", "-q", help="No progress and no notes on stderr.")
    debug: bool = flag("--debug", is_eager=True, callback=_set_debug, help="Show the traceback of an error.")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Options on how a model is read."""

    input_shape: tuple[int, ...] | None = option(
        "--input-shape",
        type=Numbers(int),
        metavar="N,N,...",
        help="Shape of one input, without batch; where the model does not tell it.",
    )
    logits: bool = flag("--logits", help="Cut off a last softmax, sigmoid or argmax.")


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model with its weights, and how it is read."""

    model: str = argument()
    weights: str | None = option(
        "--weights",
        type=click.Path(),
        metavar="FILE",
        help="State dict for MODEL: .pt, .npz, or .safetensors with that extra.",
    )
    reading: Reading

    @property
    def how(self) -> dict[str, Any]:
        """Keywords of :func:`splineviz.load_program`."""
        reading = self.reading
        return {"input_shape": reading.input_shape, "weights": self.weights, "logits": reading.logits}

    def program(self, anchors: Data | None) -> Program:
        """The program that will be asked about some points."""
        from splineviz.program.sources import program_for

        return program_for(self.model, None if anchors is None else anchors.points.shape[1:], **self.how)


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A data file, and what stands between its data and the network."""

    data: str | None = option(
        "--data", metavar="FILE", help="Data points: .npy, .npz or .pt, (n, ...). For demo, its own digits."
    )
    key: str | None = option(
        "--key", metavar="NAME", help="The array of the data file; by default x, or the only one."
    )
    labels: str | None = option(
        "--labels",
        metavar="FILE",
        help="Classes of the data points; by default the array y of the data file.",
    )
    mean: tuple[float, ...] = option(
        "--mean",
        type=Numbers(float),
        default=(0.0,),
        metavar="M[,M..]",
        help="Subtracted from the data; may be one a channel.",
    )
    std: tuple[float, ...] = option(
        "--std",
        type=Numbers(float),
        default=(1.0,),
        metavar="S[,S..]",
        help="Divides the data, after --mean.",
    )
    transform: str | None = option(
        "--transform", metavar="MODULE:FUNCTION", help="Called on each data point before --mean and --std."
    )

    def preprocessing(self) -> Preprocessing:
        """The way from the points of the file to the network."""
        from .data import Preprocessing

        request = click.get_current_context(silent=True)
        default = click.core.ParameterSource.DEFAULT
        told = request is None or any(
            request.get_parameter_source(name) is not default for name in ("mean", "std", "transform")
        )
        return Preprocessing.make(self.transform, self.mean, self.std, told=told)

    def read(self) -> Data | None:
        """Read the points of the file, where one is named."""
        from .data import read_data

        return None if self.data is None else read_data(self.data, self.key, self.labels)


@dataclass(frozen=True, kw_only=True)
class WorkLimits:
    """Limits of the work, and where it is done."""

    certify: Certify = option(
        "--certify",
        default="fast",
        help="What to do about decisions that error bounds leave open: re-evaluate all of them exactly, "
        "or what takes no long time; or prove nothing. Exit code 5 tells that cells contradict each other "
        "or, with full, that some decisions could not be settled.",
    )
    max_memory: int | None = option(
        "--max-memory",
        type=Size(),
        metavar="SIZE",
        help="Memory for the work, such as 500M or 2G; by default half of what is free. What is kept comes "
        "on top.",
    )
    max_cells: int | None = option(
        "--max-cells", type=click.IntRange(min=1), metavar="N", help="Stop after so many cells."
    )
    seconds: float | None = option(
        "--seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="S",
        help="Stop when time is up.",
    )
    jobs: int | None = option(
        "--jobs", type=click.IntRange(min=1), metavar="N", help="Workers; by default as many as cores."
    )
    device: str | None = option(
        "--device",
        metavar="NAME",
        help="Where products are taken: cpu, cuda, ...; by default cpu. Pays for convolutions.",
    )

    @property
    def limits(self) -> dict[str, Any]:
        """Keywords that :func:`splineviz.arrange`, `stream` and `compare` take alike."""
        names = ("certify", "max_memory", "max_cells", "seconds", "device")
        return {name: getattr(self, name) for name in names}
