"""All figures of a report, in their order, each with its name and caption; and as files of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splineviz.errors import InputError
from splineviz.files import PICTURES, atomic_path
from splineviz.pages.document import document
from splineviz.pages.look import Look
from splineviz.pages.panels import panels_of
from splineviz.pages.scene import scene_of
from splineviz.render.style import styled
from splineviz.report.figures_counts import (
    decomposition_bars,
    direction_sweep,
    misses_by_deformation,
    misses_by_radius,
    scatter,
)
from splineviz.report.figures_training import agreement_over_training, terms_over_training, trajectories

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from splineviz.validation.findings import Findings
    from splineviz.validation.study import Example, Study

__all__ = ["DPI", "Picture", "example_picture", "pictures", "save_figures", "save_picture"]

DPI = 220


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with its name, which is that of its file, the section it belongs to, and what stands below
    it."""

    name: str
    section: str
    caption: str
    draw: Callable[[], Figure]
    dots: bool = False
    """Thousands of marks, or cells: an image is smaller than shapes."""
    page: Callable[[], str] | None = None
    """HTML of a page to look closely at the same, where there is one"""


def pictures(study: Study, found: Findings) -> Iterator[Picture]:
    """Pictures that the study has something to show in: curves only of several checkpoints, a sweep only of
    several P."""
    if study.n_checkpoints > 1:
        yield from _over_training(study, found)
    for radius, label in enumerate(found.radius_labels):
        n = int(study.counted[:, radius].sum())
        for p in dict.fromkeys((2, study.directions[-1])):
            text = (
                f"{label}, P = {p}: {n:,} neighbourhoods, dots moved by up to 0.3; the line is the mean of R "
                f"with 95 % intervals."
            )
            yield Picture(
                f"scatter-{radius}-{p}",
                "calibration",
                text,
                partial(scatter, study, found, radius, p),
                dots=True,
            )
    text = (
        "Where the cells come from: terms of R - 1 by stage (number above the bar), as shares of the whole "
        "of each radius."
    )
    yield Picture("terms", "terms", text, partial(decomposition_bars, study, found))
    yield Picture(
        "missed",
        "missed",
        "Cuts that the proxy misses on the same set, by stage, with 95 % intervals.",
        partial(misses_by_radius, study, found),
    )
    if len(study.stages) > 1:
        text = (
            "The same, beside the deformation of what enters the stage; a dot for each checkpoint, radius "
            "and stage but the first."
        )
        yield Picture("missed-deformation", "missed", text, partial(misses_by_deformation, study, found))
    if len(study.directions) > 1:
        text = "The mean of the proxy with P directions over that with 2; the dashed line is m_P / m_2."
        yield Picture("sweep", "directions", text, partial(direction_sweep, study, found))
    for place, example in enumerate(study.examples):
        yield example_picture(study, found, place, example)


def _over_training(study: Study, found: Findings) -> Iterator[Picture]:
    for radius, label in enumerate(found.radius_labels):
        text = (
            f"{label}: mean of R on the left axis, of the proxy on the right, {study.n_points:,} points; "
            f"bands are pointwise 95 %"
            " intervals, large dots the ends of significant moves."
        )
        yield Picture(f"training-{radius}", "training", text, partial(trajectories, study, found, radius))
    text = (
        "Kendall's tau-b of the proxy with R within each checkpoint, with 95 % intervals; no mark where it "
        "is undefined."
    )
    yield Picture("agreement", "training", text, partial(agreement_over_training, study, found))
    for radius, label in enumerate(found.radius_labels):
        text = f"{label}: what the cells come from at each checkpoint, P = 2 on the same sets."
        yield Picture(
            f"terms-training-{radius}", "terms", text, partial(terms_over_training, study, found, radius)
        )


def example_picture(study: Study, found: Findings, place: int, example: Example) -> Picture:
    """One neighbourhood with its exact cells."""
    radius, checkpoint = found.radius_labels[example.radius], study.names[example.checkpoint]
    where = f"{radius}, {checkpoint}, point {example.point}, plane {example.plane}"
    cuts = f"The proxy finds {example.n_sep} of {example.cut} cuts."
    text = f"{example.kind.capitalize()} agreement: {where}. {cuts}"
    name = f"example-{place}-{example.kind}"
    page = partial(_page, example, f"{study.model}, {where}")
    return Picture(name, "examples", text, partial(_drawn, example), dots=True, page=page)


def _drawn(example: Example) -> Figure:
    from splineviz.render import draw

    arr = example.arrangement
    # a loaded arrangement has the decision boundary only if its affine maps were saved
    boundary = arr.program is not None or "affine" in vars(arr)
    title = f"{example.kind}: n_sep {example.n_sep}, n_cut {example.cut}, R {arr.n_cells}"
    plain: Any = {"legend": False, "anchors": False, "ticks": False}
    figure = draw(arr, boundary=boundary, width=2.6, title=title, **plain).get_figure(root=True)
    assert figure is not None
    return figure


def _page(example: Example, title: str) -> str:
    """A page of one neighbourhood; its picture stands beside it in the report."""
    panels = panels_of(example.arrangement)
    return "".join(document(scene_of(panels, Look(title=title)), panels.card(), ""))


def save_picture(picture: Picture, path: str | os.PathLike[str]) -> None:
    """Write one figure to PNG, SVG or PDF: identical bytes for an identical study.

    Raises
    ------
    InputError
        If the suffix is another, or the path cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURES:
        raise InputError(f"a figure is written to {', '.join(PICTURES)}, got {Path(path).name}")
    undated = {".png": {"Software": "splineviz"}, ".svg": {"Creator": "splineviz", "Date": None}}
    metadata = undated.get(suffix, {"Creator": "splineviz", "Producer": None, "CreationDate": None})
    with styled(), atomic_path(path) as temporary:
        picture.draw().savefig(temporary, format=suffix[1:], dpi=DPI, metadata=metadata, facecolor="white")


def save_figures(
    study: Study, folder: str | os.PathLike[str], *, suffix: str = ".png", found: Findings | None = None
) -> list[Path]:
    """Write every figure of the report to a file of its own in a folder, which is made if it is not there.

    Parameters
    ----------
    study
        The study.
    folder
        Where to.
    suffix
        ``.png``, ``.svg`` or ``.pdf``.
    found
        Findings of the study, if they were computed already.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If the suffix is another, or the folder cannot be written.
    """
    from splineviz.validation.findings import findings

    target = Path(folder)
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make the folder {target}: {error.strerror}", hint="name a folder that can be written"
        ) from error
    made = []
    for picture in pictures(study, found or findings(study)):
        made.append(target / f"{picture.name}{suffix}")
        save_picture(picture, made[-1])
    return made
