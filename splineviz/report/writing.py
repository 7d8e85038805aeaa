"""A report as one HTML page, as Markdown with its figures beside it, or as JSON; the suffix decides."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import splineviz
from splineviz.errors import InputError
from splineviz.files import PAGE, REPORTS, atomic_path, check_writable, figures_beside
from splineviz.pages.notebook import frame
from splineviz.render.style import styled
from splineviz.report.document import Document
from splineviz.report.figures import DPI, Picture, save_picture
from splineviz.report.sections import document_of
from splineviz.showing import in_html, in_json, in_line, in_markdown
from splineviz.validation.findings import Findings, findings
from splineviz.validation.study import Study
from splineviz.validation.verdict import verdict

__all__ = ["SCHEMA", "json_report", "write_report"]

SCHEMA = "splineviz.validate/1"


def write_report(study: Study, path: str | os.PathLike[str], *, found: Findings | None = None) -> None:
    """Write the report of a study. Files appear whole or not at all, with identical bytes for an identical
    study.

    Parameters
    ----------
    study
        The study.
    path
        ``.html``: one page that needs nothing else, neither a network nor scripts; with scripts the
        neighbourhoods that it shows can be looked at closely, each in a frame of its own. ``.md``: Markdown;
        its figures, and these neighbourhoods as pages, go to a folder beside it, ``NAME-figures``.
        ``.json``: one object with the verdict, every finding, and the design.
    found
        Findings of the study, if they were computed already.

    Raises
    ------
    InputError
        If the suffix is another, or the path cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in REPORTS:
        raise InputError(f"a report is written to {', '.join(REPORTS)}, got {target.name}")
    check_writable(target)
    found = found or findings(study)
    if target.suffix.lower() == ".json":
        text = in_json(json_report(study, found)) + "\n"
    else:
        document = document_of(study, found)
        text = _html(document) if target.suffix.lower() == ".html" else _markdown(document, target)
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def json_report(study: Study, found: Findings) -> dict[str, Any]:
    """Report as plain numbers, for JSON: undefined values are null, with their reasons."""
    return {
        "schema": SCHEMA,
        "version": splineviz.__version__,
        "verdict": verdict(study, found),
        "model": study.model,
        "digest": study.digest,
        "design": study.design,
        "points": study.n_points,
        "planes": study.n_planes,
        "frames": study.n_frames,
        "directions": list(study.directions),
        "radii": study.radii.tolist(),
        "stages": [
            {"name": stage.name, "kind": stage.kind, "units": stage.n_units} for stage in study.stages
        ],
        "checkpoints": [
            {
                "name": name,
                "step": int(step),
                "metrics": {key: _number(series[i]) for key, series in study.metrics.items()},
            }
            for i, (name, step) in enumerate(zip(study.names, study.steps, strict=True))
        ],
        "findings": found.to_json(),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _html(document: Document) -> str:
    images = {picture.name: _inline(picture) for picture in document.pictures}
    pages = {p.name: frame(p.page(), lazy=True) for p in document.pictures if p.page is not None}
    return _rendered("report.html.j2", document, images, pages)


def _inline(picture: Picture) -> str:
    """A data URI: shapes where they are few, which print sharp, else an image."""
    buffer = io.BytesIO()
    kind, mime = ("png", "image/png") if picture.dots else ("svg", "image/svg+xml")
    metadata = {"Software": "splineviz"} if picture.dots else {"Creator": "splineviz", "Date": None}
    with styled():
        picture.draw().savefig(buffer, format=kind, dpi=DPI, metadata=metadata, facecolor="white")
    return f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _markdown(document: Document, target: Path) -> str:
    folder = figures_beside(target)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make the folder {folder}: {error.strerror}", hint="name a place that can be written"
        ) from error
    for picture in document.pictures:
        save_picture(picture, folder / f"{picture.name}.png")
        if picture.page is not None:
            with atomic_path(folder / f"{picture.name}{PAGE}") as temporary:
                temporary.write_text(picture.page(), encoding="utf-8")
    beside = quote(os.fsencode(folder.name))
    images = {picture.name: f"{beside}/{picture.name}.png" for picture in document.pictures}
    pages = {p.name: f"{beside}/{p.name}{PAGE}" for p in document.pictures if p.page is not None}
    return _rendered("report.md.j2", document, images, pages)


def _rendered(template: str, document: Document, images: Mapping[str, str], pages: Mapping[str, str]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("splineviz.report"),
        autoescape=template.endswith(".html.j2"),  # what is given no filter
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"html": lambda text: Markup(in_html(text))}
    environment.filters |= {"line": in_line, "markdown": in_markdown}
    return environment.get_template(template).render(
        document=document, images=images, pages=pages, version=splineviz.__version__
    )
