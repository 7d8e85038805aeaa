"""Groups of options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from splineviz.choices import Certify

from .declaring import argument, flag, option
from .number_types import AboveZero, Numbers, Size, WholeNumber
from .progress import note
from .value_types import FixedInput, Words

if TYPE_CHECKING:
    from splineviz.data import Collection
    from splineviz.program import Program, sources

    from .preprocessing import Preprocessing

__all__ = ["DataSource", "ModelSource", "Ports", "Reading", "Reporting", "WorkLimits"]


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
class Ports:
    """Options on the input and the output of a model that are looked at, where it has several."""

    fixed: tuple[tuple[str, float | str], ...] = option(
        "--fix",
        reads="file",
        type=FixedInput(),
        multiple=True,
        metavar="NAME=FILE",
        help="Of a model with several inputs: hold one at the array of a file, its value beside one "
        "point, or at a number. All but one have to be.",
    )
    output_name: str | None = option(
        "--output-name",
        metavar="NAME",
        help="Of a model with several outputs: which to take, by key, attribute or place.",
    )

    @property
    def how(self) -> sources.Reading:
        """Keywords of :func:`splineviz.load_program`."""
        from splineviz.data import read_point_files

        fix = {
            name: read_point_files([value]).take([0]).points[0] if isinstance(value, str) else value
            for name, value in self.fixed
        }
        return {"fix": fix or None, "output": self.output_name}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Options on how a model is read."""

    input_shape: tuple[int, ...] | None = option(
        "--input-shape",
        type=Numbers(int),
        metavar="N,N,...",
        help="Shape of one input, without batch; where the model does not tell it.",
    )
    logits: bool = flag("--logits", help="Cut off a last softmax, sigmoid, tanh or argmax.")
    ports: Ports

    @property
    def how(self) -> sources.Reading:
        """Keywords of :func:`splineviz.load_program`."""
        return {**self.ports.how, "input_shape": self.input_shape, "logits": self.logits}


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model with its weights, and how it is read."""

    model: str = argument(reads="weights")
    weights: str | None = option(
        "--weights",
        reads="weights",
        type=click.Path(),
        metavar="FILE",
        help="Weights for MODEL: a file of torch.save's (.pt, .ckpt, .bin, ...), .safetensors or .npz, or a "
        "folder with one.",
    )
    weights_key: str | None = option(
        "--weights-key",
        metavar="NAME",
        help="The entry of the file that holds the weights, where several would do: ema, say.",
    )
    reading: Reading

    @property
    def how(self) -> sources.Reading:
        """Keywords of :func:`splineviz.load_program`."""
        return {**self.reading.how, "weights": self.weights, "weights_key": self.weights_key}

    def program(self, shapes: Sequence[tuple[int, ...]], quiet: bool) -> Program:
        """The program that will be asked about points of one of these shapes, the likeliest first."""
        from splineviz.program.sources import program_for

        program = program_for(self.model, shapes, **self.how)
        self.tell_weights(quiet)
        return program

    def tell_weights(self, quiet: bool) -> None:
        """Say so where the weights are those that a factory makes."""
        if self.weights is None and ":" in self.model:
            note(
                f"no --weights, so the weights are those that {self.model} makes: random ones, unless it "
                "loads some",
                quiet,
            )


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Data, and what stands between them and the network."""

    data: str | None = option(
        "--data",
        reads="pictures",
        metavar="FILE",
        help="Data points, (n, ...): .npy, .npz, .pt, .safetensors, .csv, .parquet, IDX as MNIST, .png, "
        ".jpg, .webp; a FOLDER of pictures, a sub-folder for each class, or 'FOLDER/*.png'; or "
        "MODULE:FUNCTION that returns arrays, a data set or a loader. For demo, its own digits.",
    )
    key: str | None = option(
        "--key",
        metavar="NAME",
        help="The array of the data; by default x, or the only one. Of a table its columns, A,B,...",
    )
    labels: str | None = option(
        "--labels",
        reads="file",
        metavar="FILE",
        help="Classes of the data points; by default those beside them.",
    )
    labels_key: str | None = option(
        "--labels-key",
        metavar="NAME",
        help="The array or column of the classes; by default y, label, class or target.",
    )
    limit: int | None = option(
        "--limit", type=WholeNumber(min=1), metavar="N", help="Only the first N points of the data."
    )
    classes: tuple[str, ...] | None = option(
        "--classes",
        type=Words(),
        metavar="A,B,C",
        help="Only points of these classes, by number or name; for a plane one of each, drawn by --seed.",
    )
    errors: bool = flag(
        "--errors",
        help="Only points that the network misclassifies, the first of several networks or the last of "
        "several checkpoints; for a plane three, or one with --radius, drawn by --seed.",
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

    @property
    def choosing(self) -> str:
        """The option that chooses points by what they are; empty where there is none."""
        return "--errors" if self.errors else "--classes" if self.classes else ""

    def preprocessing(self) -> Preprocessing:
        """The way from the points of the file to the network."""
        from .preprocessing import Preprocessing

        request = click.get_current_context(silent=True)
        default = click.core.ParameterSource.DEFAULT
        told = request is None or any(
            request.get_parameter_source(name) is not default for name in ("mean", "std", "transform")
        )
        return Preprocessing.make(self.transform, self.mean, self.std, told=told)

    def read(self, seed: int, class_names: Sequence[str] | None = None) -> Collection | None:
        """Points of the source, where one is named."""
        from splineviz.data import read_data

        if self.data is None:
            return None
        asked: dict[str, Any] = {"key": self.key, "labels": self.labels, "labels_key": self.labels_key}
        return read_data(self.data, **asked, class_names=class_names, limit=self.limit, seed=seed)


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
        "--max-cells", type=WholeNumber(min=1), metavar="N", help="Stop after so many cells."
    )
    seconds: float | None = option(
        "--seconds",
        type=AboveZero(infinite=True),
        metavar="S",
        help="Stop when time is up; loading the network and drawing come on top.",
    )
    jobs: int | None = option(
        "--jobs", type=WholeNumber(min=1), metavar="N", help="Workers; by default as many as cores."
    )
    device: str | None = option(
        "--device",
        metavar="NAME",
        help="Where products are taken: cpu, cuda, ...; by default cpu. Pays for convolutions.",
    )

    def exit_code(self, status: str) -> int:
        """Exit code for a status by name: 5 for what is incomplete, undecided though all was to be decided,
        or in doubt though not by request."""
        unwanted = {"fast": ["IN_DOUBT"], "full": ["IN_DOUBT", "UNDECIDED"], "off": []}[self.certify]
        return 5 if status in ("INCOMPLETE", *unwanted) else 0

    def limits_after(self, spent: float) -> dict[str, Any]:
        """Keywords that :func:`splineviz.arrange`, `stream` and `compare` take alike, where so many seconds
        of the budget are over."""
        names = ("certify", "max_memory", "max_cells", "device")
        left = None if self.seconds is None else max(1e-9, self.seconds - spent)
        return {**{name: getattr(self, name) for name in names}, "seconds": left}
