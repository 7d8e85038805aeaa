"""Neighbourhoods worth looking at: where the proxy sees most of what is there, and where it sees least."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from splineviz.engine.arrange import arrange
from splineviz.neighbourhoods.diamonds import plane_frames, planes_through
from splineviz.plane import Window
from splineviz.program.checkpoints import Checkpoints
from splineviz.program.program import Program
from splineviz.validation.design import Design
from splineviz.validation.study import Example, Study

__all__ = ["chosen_examples"]

Runs = list[Program] | Checkpoints

_TYPICAL, _LEAST = 20.0, 5
"""Cells that make a picture: at the median point, and at least."""


def chosen_examples(
    study: Study, runs: Runs, points: np.ndarray, design: Design, max_memory: int | None
) -> Study:
    """The study with the neighbourhoods of best and worst agreement, arranged.

    Agreement is the share of R - 1 that the proxy counts with the two directions of the same plane. The
    neighbourhoods are those of any checkpoint, at the radius where the median R is nearest to 20, with 5
    cells or more.
    """
    cells = study.exact("cells").swapaxes(0, 1)
    medians = [np.median(known) if len(known := counts[np.isfinite(counts)]) else np.inf for counts in cells]
    radius = int(np.argmin(np.abs(np.log(np.array(medians) / _TYPICAL))))
    found = study.proxy(2)[:, radius, : study.n_planes]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(cells[radius] >= _LEAST, found / (cells[radius] - 1.0), np.nan)
    order = [int(i) for i in np.argsort(share, axis=None, kind="stable") if np.isfinite(share.flat[i])]
    axes = plane_frames(points[0].size, len(points), design.planes, design.frame, design.seed)
    made = []
    for kind, chosen in (("best", order[::-1][: design.examples]), ("worst", order[: design.examples])):
        for at in chosen:
            checkpoint, plane, point = (int(i) for i in np.unravel_index(at, share.shape))
            pair = axes[plane] if axes.ndim == 3 else axes[plane, point]
            program = runs[checkpoint]
            through, _ = planes_through(program, points[point : point + 1], pair[None])
            window = Window.diamond(float(study.radii[radius]))
            arr = arrange(program, through, [window], jobs=1, certify=design.certify, max_memory=max_memory)
            cut = int(study.cut[checkpoint, radius, plane, point].sum())
            made.append(
                Example(
                    kind, checkpoint, radius, plane, point, int(found[checkpoint, plane, point]), cut, arr
                )
            )
    return replace(study, examples=tuple(made))
