"""Pages as a notebook shows them: in a frame of their own, which can do nothing to the notebook."""

from __future__ import annotations

import html

from splineviz.arrangement.result import Arrangement
from splineviz.pages.document import document
from splineviz.pages.look import Look
from splineviz.pages.panels import Panels, panels_of
from splineviz.pages.scene import scene_of
from splineviz.render.notebook import facts, figures

__all__ = ["frame", "framed_page", "repr_html"]

_MOST_BYTES = 2_000_000
"""Size of a page up to which it is kept in a notebook's file"""
_MOST_CELLS = 60_000
"""Cells above which it is not worth a try"""


def repr_html(arr: Arrangement) -> str:
    """An arrangement as a page in a frame, with a table below it; where the page would have more than 2 MB, a
    picture of the first window with the table beside it, and a sentence.

    Only what was computed before is shown: displaying an arrangement never sets off a computation of the
    function.
    """
    shown = framed_page(panels_of(arr)) if arr.info is not None and len(arr.windows) else None
    if shown is not None:
        return f"<div>{shown}{facts(arr)}</div>"
    told = "" if arr.info is None else "<p>Every cell can be looked at with sv.page(arr, 'slice.html').</p>"
    return (
        '<div><div style="display:flex;gap:1.5em;align-items:center;flex-wrap:wrap">'
        f"{figures([arr], [''])}{facts(arr)}</div>{told}</div>"
    )


def framed_page(panels: Panels) -> str | None:
    """A page of some panels in a frame; None where it would be too large. Nothing is computed of the
    function."""
    if panels.n_cells > _MOST_CELLS:
        return None
    scene = scene_of(panels, Look(), compute=False)
    still = figures(*zip(*((panel.load(), panel.name) for panel in panels.panels), strict=True))
    page = "".join(document(scene, {}, still))
    return frame(page) if len(page) <= _MOST_BYTES else None


def frame(page: str, *, lazy: bool = False) -> str:
    """A page in a frame without access to what is around it; a ``lazy`` one begins when it is seen."""
    late = ' loading="lazy"' if lazy else ""
    # in ASCII: a script that is decoded otherwise is not the one that may run
    text = html.escape(page).encode("ascii", "xmlcharrefreplace").decode("ascii")
    return (
        f'<iframe srcdoc="{text}" sandbox="allow-scripts allow-downloads" title="splineviz" '
        f'width="100%" height="640" style="border:0"{late}></iframe>'
    )
