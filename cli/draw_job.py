"""Carry out `splineviz draw`: read, draw, report."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from splineviz.errors import InputError
from splineviz.files import PAGE, atomic_path

from .location import class_names
from .media import on_page, on_paper
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

    from .draw import DrawOptions

__all__ = ["run_draw"]

SCHEMA = "splineviz.draw/1"


def run_draw(options: DrawOptions) -> int:
    """Carry out one request; returns the exit code."""
    options.check()
    from splineviz.io import load
    from splineviz.pages.writing import page
    from splineviz.render import save_figure

    arr = load(options.file)
    style = options.drawing.style | {"window": options.window, "images": _images(options, arr)}
    style["class_names"] = class_names(options.class_names, on_demo=False)
    style["valid_range"] = options.drawing.valid_range
    with ExitStack() as finished:
        for path in options.outputs:
            temporary = finished.enter_context(atomic_path(path))
            if path.suffix.lower() == PAGE:
                page(arr, temporary, **on_page(style))
            else:
                save_figure(arr, temporary, **on_paper(style))
    files = [str(path) for path in options.outputs]
    report = {"schema": SCHEMA, "file": options.file, "cells": arr.n_cells, "status": arr.status.name.lower()}
    if options.reporting.as_json:
        say_json({**report, "files": files})
    else:
        told = f"{arr.n_cells:,} cells of {options.file}; {arr.verdict}"
        say(told, *(f"written {path}" for path in files))
    return 0


def _images(options: DrawOptions, arr: Arrangement) -> list[Any] | None:
    """Pictures of the anchors in the shape that is asked for; None lets the input shape decide."""
    shape = options.image_shape
    if shape is None or not 0 <= options.window < len(arr.planes):
        return None
    plane = arr.planes[options.window]
    try:
        return [plane.lift(anchor).reshape(shape) for anchor in plane.anchors]
    except ValueError as error:
        raise InputError(
            f"--image-shape {shape} does not fit points of {plane.dim} values",
            hint=f"lengths whose product is {plane.dim}",
        ) from error
