"""`animate` and `follow`: from checkpoints to an animation."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.animation.animation_result import Animation
from splineviz.animation.measure import Advance, CheckpointMeasurement, Question, measure
from splineviz.animation.outputs import Film, Target, card
from splineviz.animation.pictures import FrameLook, pictures, shared_limits, timing
from splineviz.animation.settled import Watch
from splineviz.choices import SHARED_COLORS, SHARED_EDGES, CellColor, Certify, EdgeStyle
from splineviz.engine.budget import share_of
from splineviz.errors import InputError
from splineviz.estimators.request import Points, checked_points
from splineviz.inputs import number_of_jobs, real_number
from splineviz.io.store import Store
from splineviz.pages.look import Look
from splineviz.pages.writing import write_page
from splineviz.plane import Plane, Window
from splineviz.program.checkpoint_files import checkpoint_files
from splineviz.program.checkpoints import Checkpoints
from splineviz.program.sources import program_for
from splineviz.render.cellcolor import check_cmap
from splineviz.render.figure_layout import with_ticks
from splineviz.render.film import Sheet
from splineviz.render.layers import check_level
from splineviz.render.strip import Strip

__all__ = ["animate", "follow"]

Out = str | os.PathLike[str]

_SECONDS_PER_FRAME = 0.5


def animate(
    runs: Checkpoints,
    plane: Plane,
    window: Window,
    out: Out | Iterable[Out],
    *,
    points: Points | None = None,
    radius: float = 0.05,
    seed: int = 0,
    color: CellColor = "random",
    cmap: str | None = None,
    edges: EdgeStyle = "stage",
    boundary: bool = True,
    level: float | None = None,
    images: Sequence[Any] | bool | None = None,
    labels: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    valid_range: tuple[Any, Any] | None = None,
    overlay_data: Points | None = None,
    point_classes: Sequence[int] | None = None,
    title: str | None = None,
    legend: bool = True,
    ticks: bool | None = None,
    seconds: float | None = None,
    width: float = 5.5,
    dpi: float = 110,
    text: bool = False,
    data_scale: tuple[Any, Any] = (0.0, 1.0),
    max_cells: int | None = None,
    certify: Certify = "fast",
    max_memory: int | None = None,
    jobs: int | None = None,
    cache: Out | None = None,
    progress: Advance | None = None,
) -> Animation:
    """Draw the cells of every checkpoint on one window of one plane, and put the frames together.

    A pattern keeps its colour, a quantity its scale, in all frames. Below them a strip shows the number of
    cells in the window, the mean local complexity near ``points``, exact and by the proxy, and accuracies
    where the files tell them. A frame is shown until the next on the logarithm of the step. A checkpoint
    whose weights cannot be used gives a marked frame.

    Arrangements and pictures are kept in ``cache`` under the digest of all that determines them: work that
    was interrupted goes on where it stopped, another style computes no arrangement, and a longer run only its
    new checkpoints. An arrangement of 40,000 cells takes 17 MB there; the folder can be deleted at any time.

    Parameters
    ----------
    runs
        The checkpoints.
    plane, window
        Where to look, the same for all frames.
    out
        One file or several: .webp, .apng, .gif, .html (a page to look closely at, see
        :func:`splineviz.page`), .mp4 (with the package imageio-ffmpeg); numbered frames as
        ``"frames/%04d.png"`` or ``.svg``; or a folder for numbered PNGs.
    points
        (n, *input_shape) where local complexity is measured; by default the anchors of the plane.
    radius, seed
        Of the diamonds conv{x ± r v_1, x ± r v_2}, and of their random directions, which all points and
        checkpoints share.
    color, cmap, edges, boundary, level, images, labels, class_names, valid_range, legend, ticks
        As in :func:`splineviz.draw`; fills ``jacobian``, ``kink`` and ``value``, and edges ``kink``, are not
        offered.
    overlay_data, point_classes
        Data, (n, *input_shape), drawn in every frame where they project to, and (n,) class numbers that
        colour them: ``points`` and ``point_classes`` of :func:`splineviz.draw`.
    title
        Before the step, above each frame.
    seconds
        Length of the animation; by default half a second a frame.
    width, dpi
        Of a frame: inches, and pixels per inch.
    text
        Keep letters as text in single frames as .svg.
    data_scale
        Of pages: as in :func:`splineviz.page`.
    max_cells, certify
        As in :func:`splineviz.arrange`, for each checkpoint.
    max_memory
        As in :func:`splineviz.arrange`, for all checkpoints that are worked on at a time.
    jobs
        Checkpoints worked on at a time; by default as many as there are cores.
    cache
        Folder for what is computed; by default ``.splineviz-cache`` beside the first of the outputs.
    progress
        Called as ``progress(frames that are done, of how many, with what)``.

    Returns
    -------
    Animation

    Raises
    ------
    InputError
        If the plane does not fit the network, an option is unknown, an output cannot be written, or no
        checkpoint can be used.
    """
    began = time.perf_counter()
    targets = [Target.of(path) for path in ([out] if isinstance(out, (str, os.PathLike)) else out)]
    _check(color, edges, targets)
    sizes = ((radius, "the radius"), (seconds, "the length in seconds"), (width, "width"), (dpi, "dpi"))
    for value, what in sizes:
        if value is not None:
            real_number(value, what, above=0.0)
    jobs = number_of_jobs(jobs)
    for target in targets:
        target.prepare()
    if not isinstance(runs, Checkpoints):
        raise InputError(
            f"an animation goes over checkpoints, got {type(runs).__name__}",
            hint="sv.Checkpoints(model, 'run/step-*.pt')",
        )
    plane = plane.for_inputs(runs.program.input_shape)
    check_cmap(color, cmap)
    check_level(level, scalar=math.prod(runs.program.output_shape) == 1)
    sheet = Sheet(window.bounds, width, dpi, legend, with_ticks(plane, ticks), text)
    points = plane.lift(plane.anchors) if points is None else _arrays(points, runs)
    shown_points = None if overlay_data is None else _arrays(overlay_data, runs)
    jobs = jobs or os.cpu_count() or 1
    memory = share_of(max_memory, jobs)
    question = Question(plane, window, points, radius, seed, max_cells, certify, memory)
    folder = targets[0].folder / ".splineviz-cache" if cache is None else Path(cache)
    store = Store(folder, "results")
    found = measure(runs, question, store, jobs, progress)
    errors = {measured.step: measured.error for measured in found if measured.error is not None}
    if len(errors) == len(found):
        raise errors[found[0].step].about("no checkpoint can be drawn; the first")
    style: dict[str, Any] = {
        "color": color,
        "cmap": cmap,
        "edges": edges,
        "boundary": boundary,
        "level": level,
        "images": images if images is None or isinstance(images, bool) else [np.asarray(i) for i in images],
        "labels": None if labels is None else list(labels),
        "class_names": None if class_names is None else list(class_names),
        "valid_range": valid_range,
        "points": shown_points,
        "point_classes": None if point_classes is None else np.asarray(point_classes),
    }
    cells, exact, proxy = (
        np.array([getattr(m, name) for m in found], dtype=np.float64) for name in ("cells", "exact", "proxy")
    )
    done = Animation(
        paths=tuple(target.path for target in targets),
        steps=runs.steps,
        cells=cells,
        exact=exact,
        proxy=proxy,
        radius=radius,
        metrics=runs.metrics,
        durations=timing(runs.steps, seconds or _SECONDS_PER_FRAME * len(runs)),
        arrangements=[None if m.error is not None else store.path(m.key, ".npz") for m in found],
        card=card(runs, found, question),
        left_out=runs.left_out,
        errors={step: error.message for step, error in errors.items()},
        incomplete=_steps(found, "INCOMPLETE"),
        in_doubt=_steps(found, "IN_DOUBT"),
        computed=sum(measured.computed for measured in found),
        seconds=time.perf_counter() - began,
    )
    for target in targets:
        if target.is_page:
            write_page(done.panels(), target.path, Look(title=title, data_scale=data_scale, **style))
    films = [target for target in targets if not target.is_page]
    if films:
        film = Film(Strip(sheet, done.steps, done.charts), done.durations, done.card)
        look = FrameLook(sheet, window, title, style | {"limits": shared_limits(found, color)})
        for suffix in sorted({target.drawn_as for target in films}):
            paths = pictures(found, look, suffix, store, jobs, progress)
            film.write([target for target in films if target.drawn_as == suffix], paths)
    return replace(done, seconds=time.perf_counter() - began)


def follow(
    model: Any,
    source: Any,
    plane: Plane,
    window: Window,
    out: Out | Iterable[Out],
    *,
    weights_key: str | None = None,
    every: float = 2.0,
    idle: float | None = None,
    **how: Any,
) -> Iterator[Animation]:
    """Animate a run that is still being trained: once for what is there, and again whenever there are more
    checkpoints.

    Parameters
    ----------
    model, source, weights_key
        As for :class:`splineviz.Checkpoints`; a folder or a pattern that matches nothing yet is waited for. A
        file counts once it has not changed for a second, and again when it was written anew.
    plane, window, out
        As for :func:`animate`, and so are the options in ``how``.
    every
        Seconds between two looks.
    idle
        Stop when nothing new has come for so many seconds; by default go on until interrupted.

    Yields
    ------
    Animation
        Each time the outputs were written.
    """
    program = program_for(model, [plane.input_shape])
    outs = [out] if isinstance(out, (str, os.PathLike)) else list(out)
    shown: dict[Path, tuple[int, int]] = {}
    watch, last = Watch(), time.monotonic()
    while True:
        files, more = watch.look(checkpoint_files(source))
        if files and files != shown:
            yield animate(Checkpoints(program, source, weights_key=weights_key), plane, window, outs, **how)
            shown, last = files, time.monotonic()
        if idle is not None and not more and time.monotonic() - last >= idle:
            return
        time.sleep(every)


def _arrays(points: Points, runs: Checkpoints) -> Float64[np.ndarray, "point *shape"]:
    return checked_points(points, runs.program.input_shape).cpu().numpy()


def _steps(found: Sequence[CheckpointMeasurement], status: str) -> tuple[int, ...]:
    return tuple(measured.step for measured in found if measured.status == status)


def _check(color: str, edges: str, targets: Sequence[Target]) -> None:
    if color not in SHARED_COLORS:
        raise InputError(f"unknown color {color!r}, expected one of {', '.join(SHARED_COLORS)}")
    if edges not in SHARED_EDGES:
        raise InputError(f"unknown edges {edges!r}, expected one of {', '.join(SHARED_EDGES)}")
    if not targets:
        raise InputError("an animation needs an output", hint="out='training.webp'")
